# `make serve` and `make test` are all that a fresh machine with Python 3.11+, make and git needs.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: serve test install demo bench lint lock openapi

serve: install
	$(BIN)/cop serve

# In a folder of its own: invented people do not go where others are.
demo: install
	COP_DATA_DIR=$${COP_DATA_DIR:-var/demo} $(BIN)/cop demo

test: install
	$(BIN)/pytest -n auto --dist loadgroup

install: .venv/installed

# uv goes into the environment itself; every package is checked against its hash.
.venv/installed: requirements/dev.txt requirements/uv.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.version_info < (3, 11) and sys.exit("Python 3.11 or later is needed: make PYTHON=python3.12 ...")'
	@echo 'Installing into .venv, a minute or so the first time ...'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	VIRTUAL_ENV=.venv $(BIN)/uv pip sync --quiet --require-hashes requirements/dev.txt requirements/uv.txt
	VIRTUAL_ENV=.venv $(BIN)/uv pip install --quiet --no-deps --no-build-isolation --no-index -e .
	touch $@

lint: install
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/ty check app

openapi: install
	$(BIN)/cop openapi

bench: install
	$(BIN)/python -m benchmarks

lock: install
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header pyproject.toml -o requirements/run.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --extra dev pyproject.toml -o requirements/dev.txt
	echo uv | $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header - -o requirements/uv.txt
