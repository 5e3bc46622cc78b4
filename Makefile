# Main targets: `make leaderboard` and `make test`, in any order. Stamp files under .venv record what is installed.

SHELL := /bin/bash
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
# The first Python on the path that is recent enough. To choose another: `make PYTHON=/path/to/python`.
PYTHON ?= $(shell for python in python3 python3.11 python3.12 python3.13 python3.14 python; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)

DIST ?= dist

.DEFAULT_GOAL := help
.PHONY: help leaderboard tables validation test test-all lint dist clean

help:  ## show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14
	@echo 'ARGS="..." passes arguments on: make leaderboard ARGS="Cups Rex --episodes 500"'

leaderboard: $(VENV)/.core  ## install the core (no torch) and evaluate the included agents at level 1 of all environments
	$(BIN)/unseen leaderboard --episodes 100 $(ARGS)

tables: $(VENV)/.all  ## renew the reports of all benchmarks from results/, and the tables of README and docs/findings.md
	@for spec in benchmarks/*.toml; do name=$$(basename $$spec .toml); test -f results/$$name/report.md || continue; \
	  test $$name != outside || $(BIN)/python -c 'import popgym' 2> /dev/null || { echo "outside: needs the extra of that name"; continue; }; \
	  pages=$$(grep -l "^<!-- benchmark $$name[: ]" README.md docs/findings.md); \
	  $(BIN)/unseen benchmark $$spec --report $${pages:+--page} $$pages > /dev/null || exit 1; done

validation: $(VENV)/.all  ## renew the errors of the physics against outside references, results/industry/*_validation.txt
	@for pair in pharmacology:dosing heat:kiln vehicle:proving_ground pendulum:crane street:proving_ground_drive; do \
	  table=$$($(BIN)/python tests/$${pair%:*}.py) || exit 1; \
	  echo "$$table" | tee results/industry/$${pair#*:}_validation.txt; echo; \
	  ! grep -q "TOO LARGE" <<< "$$table" || exit 1; done

test: $(VENV)/.all  ## install everything and run the quick tests (about ten minutes on two cores)
	$(BIN)/python -m pytest -n auto --dist worksteal -m "not slow" $(ARGS)

test-all: $(VENV)/.all  ## run all tests, including slow ones
	$(BIN)/python -m pytest -n auto --dist worksteal $(ARGS)

lint: $(VENV)/.all  ## ruff and mypy
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

# The wheel includes compiled device functions, which other versions of Python and Numba and other platforms ignore.
dist: $(VENV)/.all  ## build sdist and wheel into $(DIST); PREFILL="Cups Rex" limits what the wheel includes compiled
	rm -rf build $(DIST) && mkdir -p build
	$(BIN)/python -m build --sdist --outdir $(DIST) .
	tar -xzf $(DIST)/*.tar.gz -C build --strip-components 1
	$(BIN)/unseen prefill $(PREFILL) --pack build/envs/core/jit/prefilled.xz
	$(BIN)/python -m build --wheel --outdir $(DIST) build

clean:  ## remove the virtual environment, build files and caches
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(VENV)/.made:
	@test -n "$(PYTHON)" || { echo "unseen needs Python 3.11 or newer; found: $$(python3 --version 2>&1). \
	Install it, or use make PYTHON=/path/to/python" >&2; exit 1; }
	@echo "creating $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV) || { echo "$(PYTHON) cannot create a virtual environment; \
	on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@touch $@

$(VENV)/.core: pyproject.toml constraints.txt | $(VENV)/.made
	@echo "installing unseen without torch (about a minute)"
	$(PIP) install -c constraints.txt -e .
	@touch $@

$(VENV)/.all: pyproject.toml constraints.txt | $(VENV)/.made
	@echo "installing unseen with all extras (several minutes; torch is large)"
	$(PIP) install -c constraints.txt -e ".[all]"
	@touch $(VENV)/.core $@
