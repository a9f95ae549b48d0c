# Two commands do everything on a fresh machine with Python 3.11+ and make: `make demo` and `make test`.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.ready
ARGS ?=
MINUTES ?= 30
HUBS ?= sandwell merton
# Floors of the tests: docs/build/tests.md says what each is for. T= is a part of them: make test T=tests/api/test_text.py
QUICK := $(addprefix tests/,fundamentals states config notifications hubs store api pages)
T ?=
# Two processes: tests/conftest.py says what stays together, and what begins first.
PYTEST := $(BIN)/python -m pytest --numprocesses 2 --dist loadscope --no-loadscope-reorder

.PHONY: help setup demo up quick test nightly check checks profiles lint types imports bandit audit sbom fuzz lock screenshots bench clean

help:  ## What there is
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

setup: $(STAMP)  ## Make the virtual environment with the locked packages

$(STAMP): requirements.lock pyproject.toml .ci/fetch_pages.py
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed; set PYTHON=") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes --no-deps -r requirements.lock
	$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e .
	@mkdir -p .dev/mash && for part in states config notifications flows api bench; do ln -sfn ../../$$part .dev/mash/$$part; done
	-@$(BIN)/python .ci/fetch_pages.py
	@touch $(STAMP)

demo: setup  ## Play hubs' busy days: make demo HUBS="kent camden" ARGS="--exit --json"
	$(BIN)/mash demo $(HUBS) $(ARGS)

up: setup  ## Start all of it for real use
	$(BIN)/mash up

quick: setup  ## Run the tests that need no whole installation: make quick T=tests/api
	$(PYTEST) $(or $(T),$(QUICK)) $(ARGS)

test: setup  ## Run all tests but what goes by the clock or by breaking things: make test T=tests/stack/test_alerts.py
	$(PYTEST) $(or $(T),$(QUICK) tests/stack) $(ARGS)

nightly: setup  ## Run what goes by the clock or by breaking things: faults, two of each part, the Friday story, fuzzing
	$(BIN)/python -m pytest $(or $(T),tests/chaos) $(ARGS)
	$(if $(T),,$(BIN)/python tests/chaos/fuzz/run.py $(MINUTES))

# One check beside the other, while the tests mostly wait; what each says stands together, and the tests' last line is the last.
check: setup  ## Lint, types, import rules, known vulnerabilities, tests
	$(MAKE) --no-print-directory --jobs 2 --output-sync=target checks
	$(MAKE) --no-print-directory test

checks: types bandit lint imports audit profiles

profiles: setup
	$(BIN)/mash profile check

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/mypy

imports: setup
	PYTHONPATH=.dev $(BIN)/lint-imports

bandit: setup
	$(BIN)/bandit --quiet --recursive --configfile pyproject.toml states config notifications flows api bench

audit: setup  ## Ask the package index for known vulnerabilities of what is locked
	$(BIN)/python .ci/audit.py

sbom: setup  ## Write the bill of materials of what is locked (CycloneDX) to build/
	$(PYTHON) -m venv build/sbom
	build/sbom/bin/python -m pip install -qq --disable-pip-version-check --require-hashes --no-deps -r .ci/sbom.lock
	build/sbom/bin/python .ci/sbom.py

fuzz: setup  ## Fuzz the API and the parsers: make fuzz MINUTES=30
	$(BIN)/python tests/chaos/fuzz/run.py $(MINUTES)

screenshots: setup  ## Take docs/screenshots anew
	PYTHONPATH=tests/support $(BIN)/python tests/stack/browser/screenshots.py

bench: setup  ## Measure: make bench ARGS="--json"
	$(BIN)/mash bench $(ARGS)

COMPILE := $(BIN)/uv pip compile --quiet --generate-hashes --no-emit-index-url --no-header --universal --python-version 3.11

lock: setup  ## Pin the exact versions, with hashes and without addresses
	$(COMPILE) --extra dev pyproject.toml -o requirements.lock
	$(COMPILE) --no-annotate .ci/sbom.in -o .ci/sbom.lock

clean:  ## Remove what setup made
	rm -rf .venv .dev *.egg-info api/pages/fetched
