# People and the continuous integration call the same commands; `make help` lists them.
.DEFAULT_GOAL := help
.NOTPARALLEL:

PYTHON ?= python3
WORKERS ?= 2
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PLUGINS := $(sort $(wildcard plugins/*/pyproject.toml))
# The stamp remembers what was installed, so that a plugin that is gone from plugins/ leaves .venv too.
GONE := $(patsubst plugins/%/pyproject.toml,%,$(filter-out $(PLUGINS),$(shell cat $(STAMP) 2>/dev/null)))
PIP := python -m pip --disable-pip-version-check --no-input install --quiet --constraint
EDITABLE := --no-build-isolation --editable '.[dev,docs,plot,data,onnx]' $(PLUGINS:%/pyproject.toml=--editable './%[test]')

# One thread a test process: the tensors are tiny, and the workers share the cores.
export OMP_NUM_THREADS ?= 1

# COMMAND || $(call failed,what was being done): a step that fails is named in a sentence.
failed = { echo "make: $(1) failed; what went wrong stands above." >&2; exit 1; }

.PHONY: help
help: ## List all targets
	@echo "Usage: make TARGET [PYTHON=python3.12]"; echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

.PHONY: install
install: python $(STAMP) ## Create .venv and install the project, the plugins and the development tools

# A wrong interpreter is told before anything is made. Once .venv stands, only one asked for by name is looked at.
.PHONY: python
python:
ifneq ($(origin PYTHON)$(wildcard $(STAMP)),file$(STAMP))
	@command -v "$(PYTHON)" >/dev/null 2>&1 || { \
	  echo "make: Python was not found. Received: PYTHON=$(PYTHON). Install Python 3.11 or newer, or name one: make install PYTHON=/path/to/python3" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "make: minigrad needs Python 3.11 or newer. Received: PYTHON=$(PYTHON), which is $$("$(PYTHON)" --version 2>&1 | head -n 1). Name another: make install PYTHON=/path/to/python3" >&2; exit 1; }
endif

# torch goes first and alone, at exactly the pinned version, so that no later requirement can choose another one;
# the build backend goes with it, so that the editable installs need no build environments of their own.
$(STAMP): pyproject.toml constraints.txt $(PLUGINS) $(if $(GONE),gone) | python
	@test -x $(BIN)/pip || { echo "Creating $(VENV) with $(PYTHON)"; "$(PYTHON)" -m venv $(VENV) || $(call failed,creating $(VENV) (on Debian the package python3-venv is needed)); }
	@echo "Installing torch and the build backend (the first time this takes a few minutes)"
	@$(BIN)/$(PIP) constraints.txt "$$(grep '^torch==' constraints.txt)" hatchling editables || $(call failed,installing torch)
	@echo "Installing minigrad, its development tools$(if $(PLUGINS), and $(words $(PLUGINS)) plugin(s))"
	@$(BIN)/$(PIP) constraints.txt $(EDITABLE) || $(call failed,installing minigrad and its plugins)
	@echo $(PLUGINS) >$@

.PHONY: gone
gone:
	@echo "Removing $(GONE) from $(VENV)"
	@$(BIN)/python -m pip uninstall --quiet --yes $(GONE) || $(call failed,removing $(GONE))

.PHONY: xor
xor: install ## Run the main job: both XOR pipelines beside their references (ARGS="--seed 5" passes options)
	@$(BIN)/minigrad xor $(ARGS)

.PHONY: test
test: install format-check lint types levels ## Run everything that must hold: format, lint, types, import levels, tests, docs
	@$(BIN)/python -m pytest -n $(WORKERS) || $(call failed,the test suite)

# The lower bounds of the dependencies, and constraints.txt for all else.
.PHONY: oldest
oldest: python ## Run the tests with the oldest dependencies that pyproject.toml allows, in .venv-oldest
	@test -x .venv-oldest/bin/pip || "$(PYTHON)" -m venv .venv-oldest || $(call failed,creating .venv-oldest)
	@cd .venv-oldest && sed -nE '/^dependencies = /,/^\]/s/^ *"(.+)>=(.+)",$$/\1==\2/p' ../pyproject.toml >bounds.txt && \
	  sed 's/==.*/==/' bounds.txt >names.txt && { cat bounds.txt; grep -v -f names.txt ../constraints.txt; } >oldest.txt
	@.venv-oldest/bin/$(PIP) .venv-oldest/oldest.txt torch hatchling editables || $(call failed,installing torch)
	@.venv-oldest/bin/$(PIP) .venv-oldest/oldest.txt $(EDITABLE) || $(call failed,installing minigrad and its plugins)
	@.venv-oldest/bin/python -m pytest -n $(WORKERS) || $(call failed,the test suite with the oldest dependencies)

.PHONY: format
format: install ## Rewrite all Python files in the house format
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix --select I . || $(call failed,formatting)

.PHONY: format-check
format-check: install ## Check the format without changing a file
	@$(BIN)/ruff format --check . || $(call failed,the format check (make format mends it))

.PHONY: lint
lint: install ## Check the code with ruff
	@$(BIN)/ruff check . || $(call failed,ruff)

.PHONY: types
types: install ## Check the types of minigrad and the plugins with mypy, strictly
	@$(BIN)/mypy || $(call failed,mypy)

.PHONY: levels
levels: install ## Check that imports go strictly down the house
	@$(BIN)/lint-imports || $(call failed,the import-level check)

.PHONY: unit
unit: install ## Run the tests and doctests, without the pages (ARGS="-k linear" passes options)
	@$(BIN)/python -m pytest -n $(WORKERS) --ignore tests/docs $(ARGS) || $(call failed,pytest)

.PHONY: docs-test
docs-test: install ## Run every code block of README.md and docs/
	@$(BIN)/python -m pytest -n $(WORKERS) tests/docs $(ARGS) || $(call failed,the docs test)

.PHONY: docs
docs: install ## Build the documentation site into site/
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet || $(call failed,building the site) && echo "The site is in site/index.html"

.PHONY: bench
bench: install ## Print the benchmark table
	@$(BIN)/python -m tests.benchmarks $(ARGS)

.PHONY: conformance
conformance: install ## Print the tables: every component against every law, and against torch
	@$(BIN)/python -m tests.conformance $(ARGS) && $(BIN)/python -m tests.judges

.PHONY: constraints
constraints: install ## Write constraints.txt anew from what is installed in .venv
	@{ sed -n '/^#/p' constraints.txt; $(BIN)/python -m pip freeze --all --exclude-editable --exclude pip \
	  | sed -nE 's/^([A-Za-z0-9._-]+==[^+ ;]+).*/\1/p'; } > $(VENV)/constraints.txt
	@cmp -s $(VENV)/constraints.txt constraints.txt || cp $(VENV)/constraints.txt constraints.txt
	@touch $(STAMP)

.PHONY: clean
clean: ## Remove what was built or cached, but not .venv
	@rm -rf build dist site .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -not -path './.venv*' -prune -exec rm -rf {} +
