# The doors of the project; `make help` lists them.
.DEFAULT_GOAL := help

DJANGO_SETTINGS_MODULE ?= config.settings.local
export DJANGO_SETTINGS_MODULE

PYTHONS := python3.11 python3.12 python3.13 python3.14 python3
PYTHON := .venv/bin/python
PIP := $(PYTHON) -m pip install -qq --disable-pip-version-check --require-hashes
EMBEDDED := $(PYTHON) -m config.embedded
# Empty once .venv is whole; half a one, or one whose Python is out of reach, is made anew.
VENV := $(shell [ -x $(PYTHON) ] && [ -e .venv/bin/pip ] || echo venv)
DATA := $(or $(BULKHEAD_DATA_DIR),.data)
ROLE ?= app
# The whole suite in three processes, for one waits now and then; its files stay together, and go in
# their order: by number of tests, the few that take long would be left for the end.
SIDE_BY_SIDE := -n 3 --dist loadfile --no-loadscope-reorder --tiers by-turns
# Hundreds of short processes start in the suite; without bytecode each compiles the project anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help up recover down clean test check fix bench manage dsn shell fuzz campaign test-extras venv

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-12s %s\n", $$1, $$2}' Makefile

up: .venv/base ## start everything; Ctrl-C stops it (PORT, HOST, BULKHEAD_DATA_DIR)
	@exec $(EMBEDDED) up --follow-parent

recover: .venv/base ## all of it back from BACKUP_STORAGE, by BACKUP_KEYS, into an empty data folder
	@exec $(EMBEDDED) recover

down: ## stop what `make up` started, and wait
	@if [ -e .venv/base ]; then $(EMBEDDED) down; fi

clean: down ## stop it, and remove its data and all caches
	@if [ -f "$(DATA)/secrets.json" ]; then rm -rf "$(DATA)"; fi
	@rm -rf .artifacts .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

test: .venv/base .venv/dev ## the test suite, on servers of its own (ARGS for pytest)
	@exec $(PYTHON) -m pytest $(or $(ARGS),$(SIDE_BY_SIDE))

check: .venv/base .venv/dev ## all that CI runs: format, lint, types, layers, migrations, tests
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m ruff check .
	$(PYTHON) -c 'from importlinter.cli import lint_imports_command as lint; lint()'
	$(EMBEDDED) run --throwaway -- python -m mypy .
	$(EMBEDDED) run --throwaway -- sh -c \
		'python manage.py provision_roles && python manage.py makemigrations --check --dry-run'
	$(PYTHON) -m pytest $(SIDE_BY_SIDE)

fuzz: .venv/base .venv/dev ## a thousand hostile requests a route, as each role (FUZZ_EXAMPLES)
	@FUZZ_EXAMPLES=$(or $(FUZZ_EXAMPLES),1000) exec $(PYTHON) -m pytest -n 2 --timeout 0 tests/api/test_fuzz.py

campaign: .venv/base .venv/dev ## random traders by the thousand, kills, hammering clients, a pooler (BOOKS_EXAMPLES)
	@BOOKS_EXAMPLES=$(or $(BOOKS_EXAMPLES),1000) FOLDING_EXAMPLES=$(or $(FOLDING_EXAMPLES),5000) \
	MOVE_KILLS=$(or $(MOVE_KILLS),10) MOVE_SERVER_KILLS=$(or $(MOVE_SERVER_KILLS),20) \
	BULKHEAD_TEST_APART=1 PITR_INSTANTS=$(or $(PITR_INSTANTS),20) PITR_KILLS=$(or $(PITR_KILLS),10) DISASTER_UP=1 \
	ROUND_TRIPS=$(or $(ROUND_TRIPS),200) \
	STEP_KILLS=all DATABASE_KILLS=$(or $(DATABASE_KILLS),3) POOLER_REQUESTS=$(or $(POOLER_REQUESTS),10000) \
	HAMMER_CLIENTS=$(or $(HAMMER_CLIENTS),32) HAMMER_SECONDS=$(or $(HAMMER_SECONDS),60) \
	exec $(PYTHON) -m pytest -n 2 --timeout 0 -rP --show-capture=stdout \
		tests/scenarios/test_machines.py tests/scenarios/test_hammering.py tests/scenarios/test_ticks.py \
		tests/scenarios/test_kills.py tests/scenarios/test_database_kill.py \
		tests/tenants/moving/test_kills.py tests/tenants/moving/test_server_kills.py \
		tests/backups/platform/test_instants.py tests/backups/platform/test_disaster.py tests/backups/test_round_trips.py \
		tests/tenants/lifecycle/test_workflow.py tests/tenants/deletion/test_deletion.py \
		tests/trading/positions/test_folding.py tests/isolation/test_pooler.py

fix: .venv/dev ## format, and repair what the linter can
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m ruff format .

bench: .venv/base .venv/dev ## the benchmarks, side by side (ARGS)
	@exec $(PYTHON) -m benchmarks $(ARGS)

manage: .venv/base ## a management command on the running installation (ARGS="…")
	@exec $(EMBEDDED) manage $(ARGS)

dsn: .venv/base ## a libpq connection string (ROLE=app|owner|backup|superuser)
	@exec $(EMBEDDED) dsn --role $(ROLE)

shell: .venv/base ## a Python shell inside a tenant (TENANT=slug)
	@exec $(EMBEDDED) manage tenant_shell $(TENANT) $(ARGS)

test-extras: ## what the extra tests need: Chromium, PgBouncer, Compose (Debian, as root)
	@missing=; \
	for program in chromium pgbouncer docker-compose; do \
		command -v $$program >/dev/null || missing="$$missing $$program"; \
	done; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then \
		echo "The extra tests need$$missing: install by the system's package manager." >&2; \
		exit 1; \
	fi; \
	apt-get update -qq && \
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing

venv:
	@found=; for candidate in $(PYTHONS); do \
		"$$candidate" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' \
			2>/dev/null && found=$$candidate && break; \
	done; \
	if [ -z "$$found" ]; then \
		echo "Bulkhead needs Python 3.11 or newer with venv (on Debian: python3-venv)." >&2; \
		exit 1; \
	fi; \
	rm -rf .venv && "$$found" -m venv .venv

.venv/base: $(VENV) requirements/base.txt requirements/embedded.txt
	@echo "Installing what Bulkhead runs on …" >&2
	@$(PIP) -r requirements/base.txt -r requirements/embedded.txt
	@touch $@

.venv/dev: $(VENV) requirements/dev.txt
	@echo "Installing what its checks need …" >&2
	@$(PIP) -r requirements/dev.txt
	@touch $@
