# The commands of this project. `make help` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Not compiled ahead: what is imported is compiled then, and most of it never is.
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --constraint constraints.txt
SERVE ?= 1
PORT ?= 5000
# Two test processes keep two cores busy; more only wait for the databases.
PROCESSES ?= 2

.PHONY: help install demo test lint types unit docs ui ui-check screenshots generate bench bench-full clean

help: ## This list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

install: $(VENV)/installed ## Make .venv with Stele and everything its tests and documentation need

$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) --editable '.[dev,docs]'
	@touch $@

# The demo needs a small part of what the tests need.
$(VENV)/demo: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(INSTALL) --editable '.[demo]'
	@touch $@

demo: $(VENV)/demo ## Train a sweep, show the best runs, serve them (SERVE=0 stops before serving)
	$(BIN)/python examples/sweep.py --directory demo
ifneq ($(SERVE),0)
	cd demo && ../$(BIN)/stele ui --port $(PORT)
endif

test: lint types ui-check unit docs ## Everything that must be green

lint: $(VENV)/installed ## Style, spelling, generated files
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/typos
	$(BIN)/python docs/generate.py --check

types: $(VENV)/installed ## Types
	$(BIN)/mypy

unit: $(VENV)/installed ## All tests: unit, contracts on every database, real MLflow clients
	$(BIN)/python -m pytest --numprocesses $(PROCESSES) --dist loadgroup

# Not `npm ci`: it refuses the lock file where a registry lacks a package that only Windows wants.
ui/node_modules/.package-lock.json: ui/package.json ui/package-lock.json
	cd ui && npm install --no-save --no-audit --no-fund
	@touch $@

ui: ui/node_modules/.package-lock.json ## Build the web page into src/stele/server/static (needs Node.js 20)
	cd ui && npm run --silent types && npm run --silent build

# Without Node.js this says what is missing; in CI that is a failure.
ui-check: ## Types, style and tests of the web page; that the committed build is fresh
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory ui-fresh; \
	elif [ "$$CI" = true ]; then echo "npm is missing: the web page cannot be checked" >&2; exit 1; \
	else echo "The web page is not checked: install Node.js 20.19 or later, with npm"; fi

.PHONY: ui-fresh
ui-fresh: ui/node_modules/.package-lock.json
	cd ui && npm run --silent check && npm test
	$(MAKE) --no-print-directory ui
	git diff --exit-code --stat -- src/stele/server/static ui/src/api/schema.ts
	test -z "$$(git status --porcelain -- src/stele/server/static)"

screenshots: $(VENV)/installed ## Pictures of every page in ./screenshots, two of them in docs/images (fonts-inter makes them exact)
	PYTHONPATH=tests:tests/browser $(BIN)/python -m screenshots

docs: $(VENV)/installed ## The documentation, as a site in ./site
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

generate: $(VENV)/installed ## Write the reference pages, ui/openapi.json and the protobuf module again
	$(BIN)/python docs/generate.py
	PYTHONPATH=tests $(BIN)/python -m compat.protocol

bench: $(VENV)/installed ## Measure beside MLflow, print ratios
	$(BIN)/python -m benchmarks

bench-full: $(VENV)/installed ## The same with a million runs, 100 million points
	$(BIN)/python -m benchmarks --full

clean: ## Remove what the other commands made
	rm -rf $(VENV) .cache demo site build dist .pytest_cache .mypy_cache .ruff_cache
