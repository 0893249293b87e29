# Everything a developer, a demo or CI does, by name. `make` lists the targets.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PY := $(BIN)/python
PIP_INSTALL := $(PY) -m pip --disable-pip-version-check --no-input install --quiet --require-hashes
UV_COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-strip-extras \
	--no-header --no-emit-index-url --no-emit-find-links

# What the checks need to load the settings; a developer's own .env does not change their outcome.
DEV_ENV := PORTAL_ENV_FILE=/dev/null DEBUG=true SECRET_KEY=only-for-checks-on-this-machine
PROD_ENV = PORTAL_ENV_FILE=/dev/null DEBUG=false SECRET_KEY=$$($(PY) -c 'import secrets; print(secrets.token_urlsafe(64))') \
	ALLOWED_HOSTS=portal.example.org \
	DATABASE_URL=postgres://portal@127.0.0.1:1/portal CELERY_BROKER_URL=redis://127.0.0.1:1/0

RUNTIME_STAMP := $(VENV)/.runtime-stamp
DEV_STAMP := $(VENV)/.dev-stamp
PEERS_VENV := bench/.venv-peers
PEERS_STAMP := $(PEERS_VENV)/.stamp
SCHEMA := tests/snapshots/openapi.yaml

.PHONY: help
help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# ── environments ────────────────────────────────────────────────────────────────────────────────────────────────

.PHONY: venv
venv: $(RUNTIME_STAMP) ## Virtual environment with the locked run-time packages

.PHONY: venv-dev
venv-dev: $(DEV_STAMP) ## The same with the development packages

$(PY):
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; (3, 11) <= v < (3, 14) or sys.exit(f"Python 3.11, 3.12 or 3.13 is needed, this is {v[0]}.{v[1]}: make PYTHON=python3.11 …")'
	@echo "make: creating $(VENV)"
	@$(PYTHON) -m venv $(VENV) || { echo "make: python3 -m venv failed (on Debian: apt-get install python3-venv)" >&2; rm -rf $(VENV); exit 1; }

$(RUNTIME_STAMP): requirements.txt | $(PY)
	@echo "make: installing requirements.txt"
	@$(PIP_INSTALL) -r requirements.txt
	@touch $@

$(DEV_STAMP): requirements-dev.txt requirements.txt | $(PY)
	@echo "make: installing requirements-dev.txt"
	@$(PIP_INSTALL) -r requirements-dev.txt
	@touch $(RUNTIME_STAMP) $@

.PHONY: lock
lock: $(DEV_STAMP) ## Lock requirements*.in again, with hashes, for Python 3.11 to 3.13
	$(UV_COMPILE) requirements.in -o requirements.txt
	$(UV_COMPILE) -c requirements.txt requirements-dev.in -o requirements-dev.txt

.PHONY: audit
audit: $(DEV_STAMP) ## Known vulnerabilities in the locked packages (asks the network)
	$(BIN)/pip-audit --strict --disable-pip --require-hashes -r requirements.txt

# ── run ─────────────────────────────────────────────────────────────────────────────────────────────────────────

.PHONY: demo
demo: $(RUNTIME_STAMP) ## A running portal from nothing but Python: sandbox, web, worker, beat; Ctrl-C ends it
	@$(PY) scripts/demo.py

.PHONY: smoke
smoke: $(RUNTIME_STAMP) ## The demo's first recovery, followed to its end; exits with 0 or 1
	@$(PY) scripts/demo.py --once

# ── tests ───────────────────────────────────────────────────────────────────────────────────────────────────────

.PHONY: test
test: $(DEV_STAMP) ## Every test this machine can run, on SQLite and on PostgreSQL + Redis
	@scripts/test.sh

.PHONY: test-stack
test-stack: $(DEV_STAMP) ## Contract and end-to-end tests on a real Knox, Livy, Spark; local, then YARN + HDFS
	@scripts/test-stack.sh

.PHONY: stack-up
stack-up: ## Start the real Knox, Livy and Spark (STACK_ARGS="-Y -H": with YARN and HDFS)
	@stack/ctl up $(STACK_ARGS)

.PHONY: stack-down
stack-down: ## Stop them
	@stack/ctl down

.PHONY: mutations
mutations: $(DEV_STAMP) ## Prove that the state machine sees our worst mistakes: makes each in a copy (minutes)
	@$(PY) scripts/mutations.py

.PHONY: coverage-gate
coverage-gate: $(DEV_STAMP) ## The two coverage gates on the data of the last `make test`
	$(BIN)/coverage report
	$(PY) scripts/coverage_gate.py

SEED ?=
RECOVERIES ?= 200
SETUP ?= both

.PHONY: chaos
chaos: $(DEV_STAMP) ## A run in which everything breaks, and the check of what came out (SEED=1 RECOVERIES=200 SETUP=sqlite|postgres|both)
	@$(PY) -m chaos --setup $(SETUP) --recoveries $(RECOVERIES) $(if $(SEED),--seed $(SEED))

.PHONY: chaos-listed
chaos-listed: $(DEV_STAMP) ## The runs of chaos/seeds.txt
	@$(PY) -m chaos --listed

.PHONY: screenshots
screenshots: $(DEV_STAMP) ## The pictures of the papers, from the demo (needs Chromium)
	@$(PY) -m scripts.screenshots

# ── measurements ──────────────────────────────────────────────────────────────────────────────────────────────────

.PHONY: bench
bench: $(DEV_STAMP) bench-peers ## Measure beside other clients, write docs/benchmarks.md (BENCH=quick: a smoke test of it)
	@$(PY) -m bench all $(if $(filter quick,$(BENCH)),--quick)

.PHONY: bench-admin
bench-admin: $(DEV_STAMP) ## Measure the admin's pages with a million recoveries (BENCH=quick: a smoke test of it)
	@for engine in postgres sqlite; do \
	  $(PY) -m bench pages --engine $$engine $(if $(filter quick,$(BENCH)),--quick) || exit $$?; done

.PHONY: bench-peers
bench-peers: $(PEERS_STAMP) ## The other clients, locked, in an environment of their own

$(PEERS_STAMP): bench/peers/requirements.txt
	@echo "make: installing bench/peers/requirements.txt"
	@rm -rf $(PEERS_VENV) && $(PYTHON) -m venv $(PEERS_VENV)
	@$(PEERS_VENV)/bin/python -m pip --disable-pip-version-check --no-input install --quiet --require-hashes -r $<
	@touch $@

.PHONY: bench-lock
bench-lock: $(DEV_STAMP) ## Lock the other clients again
	$(UV_COMPILE) bench/peers/requirements.in -o bench/peers/requirements.txt

# ── gates ───────────────────────────────────────────────────────────────────────────────────────────────────────

.PHONY: check
check: lint types imports check-django check-schema check-messages check-docs check-tree ## Every gate but the tests

.PHONY: lint
lint: $(DEV_STAMP) ## ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

.PHONY: format
format: $(DEV_STAMP) ## ruff: repair what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: types
types: $(DEV_STAMP) ## mypy, strict
	$(DEV_ENV) $(BIN)/mypy

.PHONY: imports
imports: $(DEV_STAMP) ## The layers of docs/architecture.md
	$(BIN)/lint-imports

.PHONY: check-django
check-django: $(DEV_STAMP) ## No missing migration; production settings pass `check --deploy`
	$(DEV_ENV) $(PY) manage.py makemigrations recovery --check --dry-run
	@# `check` opens no connection: nothing listens at these addresses
	$(PROD_ENV) $(PY) manage.py check --deploy --fail-level WARNING

.PHONY: schema
schema: $(DEV_STAMP) ## Write the OpenAPI snapshot again
	@mkdir -p $(dir $(SCHEMA))
	$(DEV_ENV) $(PY) manage.py spectacular --validate --fail-on-warn --file $(SCHEMA)

.PHONY: check-schema
check-schema: $(DEV_STAMP) ## The API is the one of the snapshot
	@mkdir -p var
	$(DEV_ENV) $(PY) manage.py spectacular --validate --fail-on-warn --file var/openapi.yaml
	@diff -u $(SCHEMA) var/openapi.yaml || { echo "make: the API changed: run 'make schema' and review the difference" >&2; exit 1; }

.PHONY: messages
messages: $(DEV_STAMP) ## Extract the texts into locale/{fr,en} and compile them
	$(DEV_ENV) $(PY) scripts/check_translations.py --update

.PHONY: check-messages
check-messages: $(DEV_STAMP) ## French and English are complete and compiled
	$(DEV_ENV) $(PY) scripts/check_translations.py

.PHONY: states
states: $(DEV_STAMP) ## Write docs/states.md again from the table of moves
	@$(PY) scripts/states_doc.py

.PHONY: check-docs
check-docs: $(DEV_STAMP) ## Targets, commands, settings and links that the papers name exist
	$(DEV_ENV) $(PY) scripts/check_docs.py
	@$(PY) scripts/states_doc.py --check
	@$(PY) -m bench report --check

.PHONY: check-tree
check-tree: $(DEV_STAMP) ## No module over 400 lines, no machine paths in tracked files
	$(PY) scripts/check_tree.py

.PHONY: clean
clean: ## Remove what tests and tools wrote (keeps .venv and var)
	rm -rf .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .schemathesis htmlcov staticfiles
	rm -f .coverage .coverage.* coverage.json coverage.xml
	find . -path ./$(VENV) -prune -o -name __pycache__ -type d -exec rm -rf {} +
