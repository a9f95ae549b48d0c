# Two commands do everything on a fresh machine with Python 3.11+ and make: `make demo` and `make test`.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.ready
ARGS ?=
T ?=
MINUTES ?= 30
HUBS ?= sandwell merton
# Two processes: tests/conftest.py says which tests run beside which.
HALVES := --numprocesses 2 --dist loadscope

.PHONY: help setup demo up test check lint types imports profiles bandit audit editor sbom fuzz lock screenshots bench clean

help:  ## This list
	@awk '/^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## / {i = index($$0, ":"); \
	  printf "  make %-12s %s\n", substr($$0, 1, i - 1), substr($$0, index($$0, "## ") + 3)}' $(firstword $(MAKEFILE_LIST))

##@ To begin

setup: $(STAMP)  ## Make .venv with the locked packages, the links for editors, and what pages load

$(STAMP): requirements.lock pyproject.toml .ci/set_up.py .ci/fetch_pages.py
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed; set PYTHON=") if sys.version_info < (3, 11) else None'
	@$(PYTHON) .ci/set_up.py
	@touch $(STAMP)

demo: setup  ## Play hubs' busy days: make demo HUBS="kent camden" ARGS="--exit --json"
	$(BIN)/mash demo $(HUBS) $(ARGS)

up: setup  ## Start all of it for real use
	$(BIN)/mash up

##@ While you work

test: setup  ## Run the tests; a part of them: make test T=tests/states
	$(BIN)/python -m pytest $(HALVES) $(ARGS) $(T)

check: lint types imports profiles bandit audit  ## All that must be green: the parts below, and the tests
	$(BIN)/python -m pytest $(HALVES)

##@ Parts of the check

lint: setup  ## Style, and the form of every file (ruff)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup  ## Types, strictly (mypy)
	$(BIN)/mypy

imports: setup  ## That imports run one way, and each outside library has one owner (import-linter)
	PYTHONPATH=.dev $(BIN)/lint-imports

profiles: setup  ## That every hub's profile is one; what is wrong is named by file and line
	$(BIN)/mash profile check

bandit: setup  ## Weaknesses in our code (bandit)
	$(BIN)/bandit --quiet --recursive --configfile pyproject.toml states config notifications flows api bench

audit: setup  ## Known vulnerabilities of what is locked, asked of the package index
	$(BIN)/python .ci/audit.py

editor: setup  ## That an editor finds every import (basedpyright, of its own environment: it brings 75 MB)
	$(PYTHON) -m venv build/editor
	build/editor/bin/python -m pip install -qq --disable-pip-version-check --require-hashes --no-deps -r .ci/editor.lock
	build/editor/bin/basedpyright

##@ Upkeep, and what takes long

sbom: setup  ## Write the bill of materials of what is locked (CycloneDX) to build/
	$(PYTHON) -m venv build/sbom
	build/sbom/bin/python -m pip install -qq --disable-pip-version-check --require-hashes --no-deps -r .ci/sbom.lock
	build/sbom/bin/python .ci/sbom.py

fuzz: setup  ## Throw at the API and the parsers whatever comes to mind: make fuzz MINUTES=30
	$(BIN)/python tests/fuzz/run.py $(MINUTES)

screenshots: setup  ## Take docs/use/screenshots anew
	$(BIN)/python tests/screenshots.py

bench: setup  ## Measure throughput, latency and lateness: make bench ARGS="--json"
	$(BIN)/mash bench $(ARGS)

COMPILE := $(BIN)/uv pip compile --quiet --generate-hashes --no-emit-index-url --no-header --universal --python-version 3.11

lock: setup  ## Pin the exact versions, with hashes and without addresses
	$(COMPILE) --extra dev pyproject.toml -o requirements.lock
	$(COMPILE) --no-annotate .ci/sbom.in -o .ci/sbom.lock
	$(COMPILE) --no-annotate .ci/editor.in -o .ci/editor.lock

clean:  ## Remove what setup made; the data of `make up` stays, in .var
	rm -rf .venv .dev *.egg-info api/pages/fetched
