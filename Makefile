# Everything a developer runs. `make` alone lists it.

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
# Names no host; `make lock` writes it back.
LOCK_HEADER := \# Exact versions for every supported Python. Written by `make lock`; do not edit.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run test check format lint types layers prove fuzz bench bench-memory bench-lines bench-overload bench-connect bench-start bench-stored bench-relay schema lock dist clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# Two stamps: other exact versions need a clean environment, an edited setup.cfg only a new link to the checkout.
.venv/.locked: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or newer is needed, and '$(PYTHON)' is $$($(PYTHON) --version 2>&1). Try: make PYTHON=python3.13" >&2; \
	  exit 1; }
	@echo "Preparing .venv"
	@$(PYTHON) -m venv --clear .venv
	@$(PIP) install --require-hashes -r requirements.lock
	@touch $@

.venv/.ready: .venv/.locked setup.cfg pyproject.toml
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

run: .venv/.ready ## start a receiver on SQLite, post sample orders, show what was stored
	@$(BIN)/receiver demo

test: .venv/.ready ## run all tests; ARGS="-k name" goes to pytest
	@$(BIN)/python -m pytest $(ARGS)

check: lint types layers test ## everything that must hold before a commit

format: .venv/.ready ## format the code and mend what ruff can mend
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

lint: .venv/.ready ## check format and lint
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .

types: .venv/.ready ## check types with mypy --strict
	@$(BIN)/mypy

layers: .venv/.ready ## check who may import whom
	@$(BIN)/lint-imports

prove: .venv/.ready ## kill, cut and stop everything for two minutes each under load, and print the counts
	@PROVE_SECONDS=$${PROVE_SECONDS:-120} $(BIN)/python -m pytest -q -s tests/acceptance $(ARGS)

fuzz: .venv/.ready ## fuzz the decoder with atheris, installed for it where there is one; ARGS go to libFuzzer
	@$(BIN)/python -c 'import atheris' 2>/dev/null || $(PIP) install atheris
	@$(BIN)/python -m tests.decoder_fuzz $(or $(ARGS),-max_total_time=60)

bench: .venv/.ready ## compare throughput with the floor and other stacks; BENCH_ARGS go to the script
	@$(BIN)/python -m benchmarks.compare $(BENCH_ARGS)

bench-memory: .venv/.ready ## print a worker's memory over many orders
	@$(BIN)/python -m benchmarks.memory $(BENCH_ARGS)

bench-lines: .venv/.ready ## print the cost per order line as orders grow
	@$(BIN)/python -m benchmarks.lines $(BENCH_ARGS)

bench-overload: .venv/.ready ## print how soon orders are answered at half and four times the saturating load
	@$(BIN)/python -m benchmarks.overload $(BENCH_ARGS)

bench-connect: .venv/.ready ## compare the client's processor time with bare HTTP posts
	@$(BIN)/python -m benchmarks.connect $(BENCH_ARGS)

bench-start: .venv/.ready ## time `receiver serve` from its start to its first acknowledged order
	@$(BIN)/python -m benchmarks.start $(BENCH_ARGS)

bench-stored: .venv/.ready ## compare an empty database with one of five million orders
	@$(BIN)/python -m benchmarks.stored $(BENCH_ARGS)

bench-relay: .venv/.ready ## measure how fast the outbox is emptied, beside a bare publish loop (needs RabbitMQ)
	@$(BIN)/python -m benchmarks.relay $(BENCH_ARGS)

schema: .venv/.ready ## renew docs/order.schema.json from the WSDL and the model
	@mkdir -p build
	@$(BIN)/python -m receiver.soap.json_schema > build/order.schema.json
	@mv build/order.schema.json docs/order.schema.json

lock: ## renew requirements.lock with the newest versions (needs the network)
	@$(PYTHON) -m venv --clear build/lock
	@build/lock/bin/python -m pip --quiet --disable-pip-version-check install uv
	@{ echo '$(LOCK_HEADER)'; \
	   build/lock/bin/uv pip compile setup.cfg --extra dev --quiet --upgrade --universal --python-version 3.11 \
	     --generate-hashes --no-header --no-emit-index-url --no-emit-find-links; } > build/requirements.lock
	@mv build/requirements.lock requirements.lock

dist: .venv/.ready ## build the wheel into dist/
	@rm -rf build/lib build/bdist.*
	@$(PIP) wheel --no-deps --no-build-isolation --wheel-dir dist .
	@ls dist

clean: ## remove the environment, caches and build products
	@rm -rf .venv build dist *.egg-info .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	@find . -name __pycache__ -type d -not -path './node_modules/*' -prune -exec rm -rf {} +
