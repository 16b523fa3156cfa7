"""The alert that every bench sends: about 430 bytes as Prometheus sends it, unique by run and number."""

_BEFORE = '{"labels":{"alertname":"HighErrorRate","instance":"host-'
_AFTER = (
    '.example.net:9100","job":"checkout","severity":"critical","cluster":"prod-eu"},"annotations":{"summary":"Error rate '
    'above five percent for ten minutes","description":"Checkout answers with errors; customers cannot pay. See the '
    'runbook."},"startsAt":"2026-03-02T03:14:00.000Z","endsAt":"2036-03-02T03:18:00.000Z",'
    '"generatorURL":"http://prometheus.example.net:9090/graph?g0.expr=rate"}'
)


def alert(run: int, number: int) -> str:
    """One alert as JSON text; its `instance` makes it unique."""
    return f"{_BEFORE}{run}-{number}{_AFTER}"
