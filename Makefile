# make run | make test need nothing but Python >= 3.11: they make .venv themselves and leave it alone while it is up to date.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: env run report-full report-real gpu test test-slow bench lint docs clean

env: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "make: $(PYTHON) is older than 3.11; name a newer one: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing into $(VENV) (once; a few minutes)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[test,lint]'
	@touch $@

run: env            ## the report at once, from kept tables; then what is quick is computed, and report/index.html written again
	@$(BIN)/python -m figures run

report-full: env    ## all toy models anew at full scale (about ten minutes on two cores); real networks from the kept tables
	@$(BIN)/python -m figures run --scale full --room toy

report-real: env    ## the long sweeps of real networks too: hours on CPUs; stopped, it goes on where it was
	@$(BIN)/python -m figures run --scale full

MINUTES ?= 8
OUT ?= runs-gpu
gpu: env            ## make gpu DATA=folder with CIFAR-10 [MINUTES=8] [OUT=runs-gpu]: test, time and use one GPU; it goes on when called again
	@test -n "$(DATA)" || { echo "make gpu: name the folder with CIFAR-10: make gpu DATA=..." >&2; exit 2; }
	@$(BIN)/python -m empirical gpu --data-dir $(DATA) --minutes $(MINUTES) --out $(OUT)

test: env           ## the daily suite
	@$(BIN)/python -m pytest -n 2 --dist loadfile -m "not slow"

test-slow: env      ## what takes longer
	@$(BIN)/python -m pytest -m slow

bench: env          ## speed against peers, as ratios
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[bench]'
	@$(BIN)/python -m tests.bench

lint: env           ## style and types
	@$(BIN)/ruff check .
	@$(BIN)/mypy

docs: env           ## the documentation site, docs/_build/html/index.html: tutorial, worked examples, theory, claims, reference
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[docs]'
	@$(BIN)/python -m sphinx -b html -q docs docs/_build/html
	@echo "the site is docs/_build/html/index.html"

clean:
	rm -rf $(VENV) runs report build docs/_build docs/generated *.egg-info
