-- Unique alerts of about 430 bytes for wrk, as Prometheus sends them: `wrk -s alerts.lua URL -- ALERTS_PER_REQUEST RUN`.
-- The text is that of alerts.py.

local before = '{"labels":{"alertname":"HighErrorRate","instance":"host-'
local after = '.example.net:9100","job":"checkout","severity":"critical","cluster":"prod-eu"},"annotations":{"summary":"Error rate '
   .. 'above five percent for ten minutes","description":"Checkout answers with errors; customers cannot pay. See the '
   .. 'runbook."},"startsAt":"2026-03-02T03:14:00.000Z","endsAt":"2036-03-02T03:18:00.000Z",'
   .. '"generatorURL":"http://prometheus.example.net:9090/graph?g0.expr=rate"}'
local headers = { ["Content-Type"] = "application/json" }
local number = 0
local per_request, run

function init(args)
   per_request = tonumber(args[1])
   run = args[2]
end

function request()
   local alerts = {}
   for i = 1, per_request do
      number = number + 1
      alerts[i] = before .. run .. "-" .. number .. after
   end
   return wrk.format("POST", nil, headers, "[" .. table.concat(alerts, ",") .. "]")
end

function done(summary, latency, requests)
   local errors = summary.errors
   local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
   io.write(string.format('\n{"requests": %d, "seconds": %f, "failed": %d, "p50_ms": %f, "p99_ms": %f}\n',
      summary.requests, summary.duration / 1e6, failed, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
