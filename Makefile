# Two commands do everything on a fresh machine with Python 3.11+ and make: `make demo` and `make test`.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.ready
ARGS ?=
MINUTES ?= 30
SEED ?=
HUBS ?= sandwell merton
# Floors of the tests: docs/build/tests.md says what each is for. T= is a part of them: make test T=tests/api/test_text.py
QUICK := $(addprefix tests/,fundamentals states config notifications hubs returns store api pages)
T ?=
# Three processes for two cores, as they wait for servers half of the time: tests/conftest.py says what stays together, and what begins first.
PYTEST := $(BIN)/python -m pytest --numprocesses 3 --dist loadscope --no-loadscope-reorder

.PHONY: help setup demo up quick test nightly check checks lint types imports profiles sources bandit audit outdated editor sbom fuzz properties lock screenshots returns bench wheel clean

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

quick: setup  ## Run the tests that need no whole installation; a part of them: make quick T=tests/states
	$(PYTEST) -m 'not nightly' $(or $(T),$(QUICK)) $(ARGS)

test: setup  ## Run all tests but the nightly ones: make test T=tests/stack/test_alerts.py
	$(PYTEST) -m 'not nightly' $(or $(T),tests) $(ARGS)

nightly: setup  ## Run what goes by the clock, by breaking things or by installing: faults, two of each part, clients, a bare machine, fuzzing
	$(BIN)/python -m pytest -m nightly $(or $(T),tests) $(ARGS)
	$(if $(T),,$(MAKE) --no-print-directory properties)
	$(if $(T),,$(BIN)/python tests/chaos/fuzz/run.py $(MINUTES))

properties: setup  ## Hold what is said of any input against a thousand of each, where the other targets take sixty
	$(PYTEST) --hypothesis-profile nightly $(or $(T),$(addprefix tests/,notifications config/test_parsers.py api/test_shapes.py store/test_walls.py)) $(ARGS)

# One check beside the other, while the tests mostly wait; what each says stands together, and the tests' last line is the last.
check: setup  ## All that must be green: the parts below, then the tests
	$(MAKE) --no-print-directory --jobs 2 --output-sync=target checks
	$(MAKE) --no-print-directory test

checks: types bandit lint imports audit profiles  ## The parts of the check, side by side

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

sources: setup  ## Every quotation of every profile, looked for in the documents: make sources DOCS=folder
	$(BIN)/mash profile sources $(or $(DOCS),$(error say where the documents are: make sources DOCS=folder))

bandit: setup  ## Weaknesses in our code (bandit)
	$(BIN)/bandit --quiet --recursive --configfile pyproject.toml states config notifications flows api bench

audit: setup  ## Known vulnerabilities of what is locked, as the package index knows them (MASH_AUDIT_REQUIRED=1: or fail)
	$(BIN)/python .ci/audit.py

outdated: setup  ## What is behind its newest release, with the reason for each that stays
	$(BIN)/python .ci/outdated.py

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
	$(BIN)/python tests/chaos/fuzz/run.py $(MINUTES) $(SEED)

screenshots: setup  ## Take docs/use/screenshots anew
	PYTHONPATH=tests/support $(BIN)/python tests/stack/browser/screenshots.py

returns: setup  ## Have both outside validators look at the returns of a thousand random histories, and write docs/run/returns.md
	PYTHONPATH=tests/support:tests/returns $(BIN)/python tests/returns/report.py

bench: setup  ## Measure throughput, latency and lateness: make bench ARGS="--json"
	$(BIN)/mash bench $(ARGS)

COMPILE := $(BIN)/uv pip compile --quiet --generate-hashes --no-emit-index-url --no-header --universal --python-version 3.11

# Not of setup: a lock that does not install is written anew all the same.
$(BIN)/uv:
	$(MAKE) setup

lock: | $(BIN)/uv  ## Pin the exact versions, with hashes and without addresses; the newest there are: make lock ARGS=--upgrade
	$(COMPILE) $(ARGS) --extra dev pyproject.toml -o requirements.lock
	$(COMPILE) $(ARGS) --no-annotate .ci/sbom.in -o .ci/sbom.lock
	$(COMPILE) $(ARGS) --no-annotate .ci/editor.in -o .ci/editor.lock
	$(COMPILE) $(ARGS) --no-annotate .ci/clients.in -o .ci/clients.lock
	cd .ci/clients && npm install --package-lock-only --omit-lockfile-registry-resolved --no-audit --no-fund

wheel: setup  ## Make the wheel that is installed in production, with what pages load in it, and the lock beside it: build/wheel
	$(PYTHON) .ci/fetch_pages.py || true
	rm -rf build/wheel build/lib build/bdist.*
	$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir build/wheel .
	cp requirements.lock build/wheel/
	$(BIN)/python .ci/wheel.py build/wheel

clean:  ## Remove what setup made; the data of `make up` stays, in .var
	rm -rf .venv .dev *.egg-info api/pages/fetched/*
