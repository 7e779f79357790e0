# `make demo` and `make test` need Python 3.11 or newer, git and make. Docker is used where
# an engine answers.
PYTHON ?= python3
DEST ?= build/demo
VENV := .venv
BIN := $(VENV)/bin

.PHONY: help demo test everyday lint soak benchmarks examples clean

help:  ## show the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 8

$(VENV)/.done: pyproject.toml constraints.txt
	@scripts/require-python $(PYTHON)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/pip install --quiet --constraint constraints.txt --editable . --group dev
	@touch $@

demo: $(VENV)/.done  ## render the default stack into DEST and, with Docker, run its tests
	@BIN=$(abspath $(BIN)) scripts/demo "$(DEST)"

test: everyday  ## all tests; those on real services where a Docker engine answers
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --durations=30 tests/services

everyday: $(VENV)/.done  ## the tests that need no Docker
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --durations=15 --ignore tests/services

soak: $(VENV)/.done  ## every combination typed, random edits and ends, repeats: REPEAT=100 ENDS=300 SEED=1
	HYPOTHESIS_PROFILE=soak $(BIN)/python -m pytest -x tests/update tests/render/test_hostile_answers.py
	$(BIN)/python -m pytest -x tests/render/soak.py tests/services/soak.py $(ARGS)

$(VENV)/.benchmarks: $(VENV)/.done
	$(BIN)/pip install --quiet --constraint constraints.txt --group benchmarks
	@touch $@

benchmarks: $(VENV)/.benchmarks  ## all benchmarks, which take an hour or more
	$(BIN)/python -m benchmarks

lint: $(VENV)/.done  ## the linters of our own code
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

examples: $(VENV)/.done  ## render examples/ again, after a change of the template
	$(BIN)/python scripts/examples

clean:  ## remove what the targets made
	rm -rf $(VENV) build .pytest_cache .mypy_cache .ruff_cache
