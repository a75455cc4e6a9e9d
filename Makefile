# Two commands on a fresh machine: `make demo` and `make test`. Each sets up what it needs first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Byte code is kept: without it each start would compile torch and transformers again.
unexport PYTHONDONTWRITEBYTECODE
# uv does not read pip's settings; a folder of wheels given to pip is meant for it too.
export UV_FIND_LINKS ?= $(PIP_FIND_LINKS)

.PHONY: demo test clean

demo: $(VENV)/demo.stamp
	$(BIN)/etalage demo

test: $(VENV)/test.stamp
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy
	$(BIN)/pytest --numprocesses logical --maxprocesses 4

$(BIN)/uv:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt uv

$(VENV)/demo.stamp: $(BIN)/uv pyproject.toml constraints.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --constraint constraints.txt --editable .
	touch $@

$(VENV)/test.stamp: $(BIN)/uv pyproject.toml constraints.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --constraint constraints.txt --editable '.[dev]'
	touch $@ $(VENV)/demo.stamp

clean:
	rm -rf $(VENV) runs .pytest_cache .mypy_cache .ruff_cache
