# Two commands on a fresh machine: `make demo` and `make test`. Each sets up what it needs first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Byte code is kept: without it each start would compile torch and transformers again.
unexport PYTHONDONTWRITEBYTECODE
# uv does not read pip's settings; a folder of wheels given to pip is meant for it too.
export UV_FIND_LINKS ?= $(PIP_FIND_LINKS)

# Interpreters that `make test-versions` runs, and at most so many test processes at a time.
PYTHONS ?= 3.11 3.12 3.13
PROCESSES ?= 4
VERSIONS := .venv-versions
VERSION_RUNS := $(foreach python,$(PYTHONS),$(VERSIONS)/$(python)/lowest-direct $(VERSIONS)/$(python)/highest)

.PHONY: demo test test-versions $(VERSION_RUNS) clean

demo: $(VENV)/demo.stamp
	$(BIN)/etalage demo

test: $(VENV)/test.stamp
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy
	$(BIN)/pytest --numprocesses logical --maxprocesses $(PROCESSES)

$(BIN)/uv:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt uv

$(VENV)/demo.stamp: $(BIN)/uv pyproject.toml constraints.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --constraint constraints.txt --editable .
	touch $@

$(VENV)/test.stamp: $(BIN)/uv pyproject.toml constraints.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --constraint constraints.txt --editable '.[dev]'
	touch $@ $(VENV)/demo.stamp

# The lowest and the newest versions that pyproject.toml allows. Each environment is made anew: the newest move.
test-versions: $(VERSION_RUNS)

$(VERSION_RUNS): $(BIN)/uv
	$(BIN)/uv venv --quiet --clear --python $(notdir $(@D)) $@
	$(BIN)/uv pip install --quiet --python $@/bin/python --resolution $(@F) --editable '.[dev]'
	@$@/bin/python --version && $(BIN)/uv pip freeze --python $@/bin/python | grep -E '^(torch|transformers|peft)=='
	$@/bin/python -m pytest --numprocesses logical --maxprocesses $(PROCESSES) tests/unit tests/invariants

clean:
	rm -rf $(VENV) $(VERSIONS) runs .pytest_cache .mypy_cache .ruff_cache
