# Two commands do all: `make leaderboard` and `make test`. Either may come first.
# The stamps under .venv say what is installed; a second run installs nothing.

SHELL := /bin/bash
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
# The first Python on the path that is recent enough; say `make PYTHON=/path/to/python` to choose.
PYTHON ?= $(shell for python in python3 python3.11 python3.12 python3.13 python3.14 python; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)

DIST ?= dist

.DEFAULT_GOAL := help
.PHONY: help leaderboard test test-all lint dist clean

help:  ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14
	@echo 'ARGS="..." is handed on, as in: make leaderboard ARGS="--episodes 50"'

leaderboard: $(VENV)/.core  ## install the core (no torch), then score the shipped agents
	$(BIN)/unseen leaderboard $(ARGS)

test: $(VENV)/.all  ## install everything, then run the quick tests (about five minutes on two cores)
	$(BIN)/python -m pytest -n auto --dist worksteal -m "not slow" $(ARGS)

test-all: $(VENV)/.all  ## the same with the slow tests too
	$(BIN)/python -m pytest -n auto --dist worksteal $(ARGS)

lint: $(VENV)/.all  ## ruff and mypy
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

# The wheel brings compiled device functions: others' Pythons, Numbas and processors pass them over. The sdist does not.
dist: $(VENV)/.all  ## sdist and wheel into $(DIST); PREFILL="Cups Rex": whose device functions the wheel brings compiled
	rm -rf build $(DIST) && mkdir -p build
	$(BIN)/python -m build --sdist --outdir $(DIST) .
	tar -xzf $(DIST)/*.tar.gz -C build --strip-components 1
	$(BIN)/unseen prefill $(PREFILL) --pack build/envs/core/jit/prefilled.xz
	$(BIN)/python -m build --wheel --outdir $(DIST) build

clean:  ## remove the virtual environment and what tools left behind
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(VENV)/.made:
	@test -n "$(PYTHON)" || { echo "unseen needs Python 3.11 or newer; found: $$(python3 --version 2>&1). \
	Install one, or say make PYTHON=/path/to/python" >&2; exit 1; }
	@echo "making $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV) || { echo "$(PYTHON) cannot make a virtual environment; \
	on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@touch $@

$(VENV)/.core: pyproject.toml constraints.txt | $(VENV)/.made
	@echo "installing unseen (without torch: about a minute)"
	$(PIP) install -c constraints.txt -e .
	@touch $@

$(VENV)/.all: pyproject.toml constraints.txt | $(VENV)/.made
	@echo "installing unseen with everything for training and testing (some minutes; torch is large)"
	$(PIP) install -c constraints.txt -e ".[all]"
	@touch $(VENV)/.core $@
