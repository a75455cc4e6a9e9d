"""Tests of the summary that the terminal shows."""

import io
import re

import pytest
from rich.console import Console

from etalage.evaluate.summary import summary_table

from .conftest import TARGETS, evaluated


@pytest.mark.parametrize("width", [80, 60])
def test_the_table_fits_the_terminal(width: int) -> None:
    console = Console(width=width, file=io.StringIO())
    console.print(summary_table(evaluated([None, *TARGETS[1:]])))
    text = console.file.getvalue()
    assert all(len(line) <= width for line in text.splitlines())
    assert "98.8 %" in text
    assert width < 80 or text.count("\n") == 15, "at 80 columns nothing is folded"
    assert width < 80 or re.search(r"model +fine-tuning +majority +blank +shuffled", text)
    assert "79" in text
