"""The walk in CONTRIBUTING.md names functions that exist."""

import re
from importlib import import_module
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "CONTRIBUTING.md"
NAMES = sorted(set(re.findall(r"`(etalage(?:\.\w+)+)`", PAGE.read_text())))


def test_the_walk_has_steps():
    assert len(NAMES) > 15


@pytest.mark.parametrize("name", NAMES)
def test_function_exists(name):
    parts = name.split(".")
    for length in range(len(parts) - 1, 0, -1):
        try:
            found = import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for attribute in parts[length:]:
            found = getattr(found, attribute)
        assert callable(found)
        return
    pytest.fail(f"no module of {name} can be imported")
