# Everything a developer does here. Only Python >= 3.11 with venv, and make, are needed: each target does its own set-up.
# A stamp in .venv says what it was made from, so that set-up runs again only when the pins change.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup run demo test test-cov test-night test-kill test-api test-mutants test-mutation check fix screenshots rules bench alert-load lock migrate

PYTHON ?= python3
BIN := .venv/bin
ARGS ?=
KILLS ?= 300
# Wheels only: a source package could run anything at install time. Every file is checked against its hash.
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all:
INSTALL_SELF := PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-index --no-deps --no-build-isolation --editable .
COMPILE := CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-emit-options --pip-args "--only-binary :all:"

help: ## List the targets
	@echo "Usage: make TARGET, and for pytest's own options ARGS='...'"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

setup: .venv/.for-work ## Make .venv with everything for running, testing and checking

run: export DOSELINE_TRANSPORT = sandbox
run: .venv/.for-run var/.demo-loaded ## Serve the sandbox and a demo clinic on http://127.0.0.1:8000
	@$(BIN)/doseline serve

demo: .venv/.for-run ## Show the 45-day story on a virtual clock, in seconds
	@$(BIN)/doseline demo

test: .venv/.for-work ## Run the tests, on every core (ARGS="-k seam" for some of them)
	@$(BIN)/python -m pytest --numprocesses auto $(ARGS)

test-cov: .venv/.for-work ## Run the tests, and see that every branch of the rules was taken
	@$(BIN)/python -m pytest --cov --cov-report= $(ARGS)
	@$(BIN)/coverage report
	@$(BIN)/coverage report --include 'reminders/domain/*' --fail-under 100

test-night: .venv/.for-work ## Run the long tests too, with many more examples
	@$(BIN)/python -m pytest -m "night or not night" --hypothesis-profile night -o timeout=3600 $(ARGS)

test-kill: .venv/.for-work ## Kill -9 three sending processes, on each database 25 times at each milestone and 300 at random (KILLS=10000 for more)
	@$(BIN)/python -m tests.killing $(KILLS) $(ARGS)

test-api: .venv/.for-work ## Ask every operation of the API 200 times with what fits its description, and what does not (minutes)
	@$(BIN)/python -m pytest --numprocesses auto tests/web/api/test_schemathesis.py --hypothesis-profile api -o timeout=3600 $(ARGS)

test-mutants: .venv/.for-work ## Plant ten bugs, one after another, and see that the tests turn red (ARGS="fence" for one of them)
	@$(BIN)/python -m tests.mutants $(ARGS)

test-mutation: .venv/.for-work ## Change the rules of reminders/domain in every small way, and see the tests turn red (ARGS="missed gate" for some modules)
	@$(BIN)/python -m tests.mutation $(ARGS)

screenshots: .venv/.for-work ## Write pictures of every page, wide and narrow, light and dark, into var/screenshots (ARGS=queues for some of them)
	@$(BIN)/python -m tests.browser $(ARGS)

check: .venv/.for-work ## See that format, style, types and import contracts hold
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports --no-logo
	@echo "All checks passed."

fix: .venv/.for-work ## Format, and mend what can be mended by machine
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format .

rules: .venv/.for-work ## Write docs/dosing-rules.md from the tables of tests/spec
	@$(BIN)/python -m tests.spec.page

bench: .venv/.for-work ## Measure against a named peer, in one run
	@for file in benchmarks/*.py; do $(BIN)/python $$file || exit 1; done

alert-load: .venv/.for-work ## Simulate a panel of patients, and write what it asks of a nurse into docs/alert-load.md (minutes)
	@$(BIN)/python benchmarks/alert_load.py --write $(ARGS)

migrate: .venv/.for-run ## Bring the database of DATABASE_URL to the newest migration
	@$(BIN)/doseline migrate

lock: .venv/.for-work ## Pin every dependency again, by version and hash, without any address (ARGS=--upgrade for newer ones)
	@$(COMPILE) --output-file requirements.txt requirements.in requirements-build.in $(ARGS)
	@$(COMPILE) --output-file requirements-dev.txt requirements-dev.in $(ARGS)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed; this is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	@$(PYTHON) -m venv .venv

.venv/.for-run: requirements.txt pyproject.toml | $(BIN)/python
	@echo "Installing what Doseline runs on (once) ..."
	@$(INSTALL) -r requirements.txt
	@$(INSTALL_SELF)
	@touch $@

.venv/.for-work: requirements-dev.txt pyproject.toml | $(BIN)/python
	@echo "Installing what Doseline is run, tested and checked with (once) ..."
	@$(INSTALL) -r requirements-dev.txt
	@$(INSTALL_SELF)
	@touch $@ .venv/.for-run

var/.demo-loaded: | .venv/.for-run
	@mkdir -p var
	@$(BIN)/doseline demo --load
	@touch $@
