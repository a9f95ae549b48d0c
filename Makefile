# Two commands do everything on a fresh machine with Python 3.11+ and make: `make demo` and `make test`.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.ready
ARGS ?=
MINUTES ?= 30
HUBS ?= sandwell merton
# Two processes: tests/conftest.py says which tests run beside which.
HALVES := --numprocesses 2 --dist loadscope

.PHONY: help setup demo up test check lint types imports bandit audit sbom fuzz lock screenshots bench clean

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

test: setup  ## Run all tests
	$(BIN)/python -m pytest $(HALVES) $(ARGS)

check: lint types imports bandit audit  ## Lint, types, import rules, known vulnerabilities, tests
	$(BIN)/mash profile check
	$(BIN)/python -m pytest $(HALVES)

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
