# The front door. `make` alone lists what there is.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run test test-matrix test-fast test-peers test-crash test-browser check format bench lock clean

BIN := .venv/bin
# A stamp says which lock file is installed; the development lock holds everything of the other one too.
RUNTIME := .venv/runtime.stamp
DEVELOPMENT := .venv/development.stamp
INPUTS := pyproject.toml tools/setup-venv.sh

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

run: $(RUNTIME) ## start sev1 with the sample organisation on 127.0.0.1:8080 (SEV1_PORT, SEV1_DATA change it)
	@exec $(BIN)/sev1 serve --demo

test: $(DEVELOPMENT) peers ## every test, against real peers
	$(BIN)/pytest -n 4 --dist loadfile --ignore tests/browser $(ARGS)
	$(BIN)/pytest tests/browser $(ARGS)
# Four at a time on two cores: the tests that kill servers and wait for peers mostly wait.
# The browser's tests have a process of their own: Playwright's synchronous API keeps an event loop running in its thread,
# and they look at what is seen within a second, which wants both cores.

test-matrix: test ## every test again, on the PostgreSQL that Debian ships (15): a user's own server
	@tools/setup-peers.sh postgresql-15
	SEV1_TEST_POSTGRES=/usr/lib/postgresql/15/bin $(MAKE) test

test-fast: $(DEVELOPMENT) ## the tests that need nothing but PostgreSQL from the wheel
	$(BIN)/pytest -n 2 --dist loadfile --ignore tests/peers --ignore tests/crash --ignore tests/browser $(ARGS)

test-peers: $(DEVELOPMENT) peers ## real Prometheus, amtool, mail server, PagerDuty clients, netdata, khal
	$(BIN)/pytest tests/peers $(ARGS)

test-crash: $(DEVELOPMENT) ## kill -9 under load; SEV1_KILLS=500 for longer
	$(BIN)/pytest tests/crash -s $(ARGS)

test-browser: $(DEVELOPMENT) peers ## real Chromium
	$(BIN)/pytest tests/browser $(ARGS)

check: $(DEVELOPMENT) ## lint, format, types, import contracts
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

format: $(DEVELOPMENT) ## rewrite the code as `check` wants it
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: $(DEVELOPMENT) peers ## the comparisons, each printing ratios, and 500 kills
	$(BIN)/python -m bench.startup
	$(BIN)/python -m bench.latency
	$(BIN)/python bench/run_intake.py
	$(BIN)/python bench/storm.py
	$(BIN)/python -m bench.timers
	$(BIN)/python -m bench.schedules
	$(BIN)/python -m bench.active_alerts
	$(BIN)/python -m bench.cockpit
	$(BIN)/python -m bench.simulation --years 1000
	SEV1_KILLS=500 $(BIN)/pytest tests/crash/test_kill.py -s

lock: $(DEVELOPMENT) ## resolve pyproject.toml again into both lock files
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile $(LOCK) pyproject.toml tools/build.in -o requirements.lock
	$(BIN)/uv pip compile $(LOCK) --extra dev -c requirements.lock pyproject.toml tools/build.in -o requirements-dev.lock
# No registry address and no path of this machine may end up in the files: see docs/adr/0008.
LOCK := --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links

clean: ## remove what can be made again; the data folder stays
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist

.PHONY: peers
peers:
	@tools/setup-peers.sh

$(RUNTIME): requirements.lock $(INPUTS)
	@tools/setup-venv.sh requirements.lock
	@touch $@

$(DEVELOPMENT): requirements-dev.lock requirements.lock $(INPUTS)
	@tools/setup-venv.sh requirements-dev.lock
	@touch $(RUNTIME) $@
