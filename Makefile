# make run, make test: everything else is set up by them.
PYTHON ?= python3
PORT ?= 8080
HOST := 127.0.0.1
VENV := .venv
BIN := $(VENV)/bin
FIT_FLAGS ?=

.PHONY: help run free-port fit wheel test test-all lint types bench lock rehearse screenshot clean

help: ## what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(VENV)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Segue needs Python 3.11 or newer: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/build-ready: $(VENV)/python pyproject.toml requirements-build.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-build.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch $@

$(VENV)/dev-ready: $(VENV)/build-ready requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@

run: free-port $(VENV)/build-ready ## serve on PORT (8080) and HOST (127.0.0.1); SOURCE=songs.csv serves your own table, fitted first
	@$(BIN)/segue serve $(if $(SOURCE),"$(SOURCE)") --host $(HOST) --port $(PORT) $(FIT_FLAGS)

free-port:
	$(if $(shell $(PYTHON) -c 'import socket; print(socket.create_server(("$(HOST)", $(PORT))))' 2>&1 | grep '^<'),,$(error \
	  PORT=$(PORT) is taken, or no port: choose another, as in make run PORT=8090))@:

fit: $(VENV)/build-ready ## build artifacts from SOURCE (a path, URL or data set name; default: invented songs, never over real ones)
	$(BIN)/segue fit $(if $(SOURCE),--source "$(SOURCE)") $(FIT_FLAGS)

wheel: $(VENV)/build-ready ## dist/segue-VERSION-py3-none-any.whl, which pip, pipx and uv install
	@$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir dist .
	@ls dist/*.whl

test: $(VENV)/dev-ready ## the tests
	$(BIN)/python -m pytest -m "not slow" -n 2 --dist loadfile $(PYTEST_FLAGS)

test-all: $(VENV)/dev-ready ## the tests, the slow ones too
	$(BIN)/python -m pytest -n 2 $(PYTEST_FLAGS)

lint: $(VENV)/dev-ready ## ruff, which part may import which, how large the parts are
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/lint-imports && $(BIN)/python .ci/layout

types: $(VENV)/dev-ready ## mypy, strict
	$(BIN)/mypy

$(VENV)/bench-ready: $(VENV)/dev-ready tests/benchmarks/requirements.txt
	@for package in $$(grep -v '^#' tests/benchmarks/requirements.txt); do \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check $$package \
	    || echo "$$package can't be installed here: what needs it is left out" >&2; done
	touch $@

bench: $(VENV)/bench-ready ## measure, beside search libraries; prints a page of tables; BENCH_FLAGS="--only cold,peers"
	$(BIN)/python -m tests.benchmarks $(BENCH_FLAGS)

lock: $(VENV)/python ## requirements*.lock anew, after a change of requirements*.txt; LOCK_FLAGS=--upgrade: the newest versions
	$(BIN)/python .ci/lock $(LOCK_FLAGS)

rehearse: $(VENV)/dev-ready ## deploy to AWS and Google, without either
	@$(BIN)/python -m infra.rehearse 2>.rehearsal.log || { tail -n 20 .rehearsal.log; exit 1; }

screenshot: $(VENV)/dev-ready ## docs/page.png, with which the README opens (needs chromium)
	@$(BIN)/python -m tests.support.screenshot

clean: ## remove the environment and caches, keep the artifacts
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
