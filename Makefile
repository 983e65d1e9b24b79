# Callboard. `make` lists what there is to do.

PY := .venv/bin/python
READY := .venv/.ready
# The first Python that is new enough; `make setup PYTHON=/path/to/python3.12` chooses another.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)

JOBS ?= 2

.DEFAULT_GOAL := help
.PHONY: help setup start demo procfile migrate health test test-all doctor mutants soak leaks lint types format bench bench-console screenshots clean

help: ## List what there is to do
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(READY) ## Make the virtual environment in .venv, or bring it up to date
	@echo "Ready. \`make start\` starts Callboard."

$(READY): requirements.txt requirements-dev.txt
	@test -n "$(PYTHON)" || { echo "Callboard needs Python 3.11 or newer: install one, or name it as in \`make setup PYTHON=…\`." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "This Python ($(PYTHON)) cannot make virtual environments. On Debian and Ubuntu: \`apt-get install python3-venv\`." >&2; exit 1; }
	@test -x .venv/bin/pip || $(PYTHON) -m venv --clear .venv
	.venv/bin/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $(READY)

start: $(READY) ## Start everything on this machine; Ctrl-C stops it
	@exec $(PY) -m runtime.start

demo: $(READY) ## Start everything and run a demonstration (DATA=deals.csv LOOKUP=products.csv)
	@exec $(PY) -m runtime.demo $(if $(DATA),--data "$(DATA)") $(if $(LOOKUP),--lookup "$(LOOKUP)")

procfile: $(READY) ## Run the Procfile under honcho, as a platform would
	@PATH="$(CURDIR)/.venv/bin:$$PATH" exec .venv/bin/honcho start

migrate: $(READY) ## Bring the database to the schema of this code
	@$(PY) -m runtime.release

health: $(READY) ## Say whether all is well
	@$(PY) -m runtime.health

test: $(READY) ## Run all tests, JOBS=2 files at a time
	$(PY) -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder

test-all: $(READY) ## The same, with all the examples that properties are tried on
	THOROUGH=yes $(PY) -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder --timeout 900

doctor: $(READY) ## Say whether the ledger keeps its own rules (REPAIR=1 mends what is safe)
	@$(PY) -m runtime.doctor $(if $(REPAIR),--repair)

mutants: $(READY) ## Break the core on purpose; the state machine must notice (some minutes; DB=both)
	@$(PY) -m tests.mutants --jobs $(JOBS) $(if $(DB),--db $(DB))

soak: $(READY) ## Random work under random faults (MINUTES=3 SEED=1 DB=sqlite BELL=off)
	@LOG_LEVEL=error $(PY) -m tests.soak --minutes $(or $(MINUTES),3) $(if $(SEED),--seed $(SEED)) $(if $(DB),--db $(DB)) $(if $(BELL),--bell $(BELL))

lint: $(READY) ## Look for mistakes and for what is not formatted
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

types: $(READY) ## Check the types
	$(PY) -m mypy .

format: $(READY) ## Format the code and mend what can be mended
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

leaks: $(READY) ## Mixed work and page visits; what grows an hour, process by process (MINUTES=60 DB=sqlite)
	@LOG_LEVEL=error $(PY) -m tests.leaks --minutes $(or $(MINUTES),60) $(if $(DB),--db $(DB))

bench: $(READY) ## Measure beside other queues (PEERS=all ONLY=throughput,latency ROUNDS=5 MINUTES=25 QUICK=1)
	@$(PY) -m benchmarks $(if $(PEERS),--peers $(PEERS)) $(if $(ONLY),--only $(ONLY)) $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(MINUTES),--minutes $(MINUTES)) $(if $(QUICK),--quick)

bench-console: $(READY) ## Measure the console over a million tasks (some minutes; DB=postgresql)
	@$(PY) -m benchmarks.console $(if $(DB),--db $(DB))

screenshots: $(READY) ## Take pictures of every page in a headless Chromium
	@$(PY) -m tests.browser.screenshots --docs

clean: ## Remove what can be made again; the data in var/ stays
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
