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
    assert width < 80 or text.count("\n") == 16, "at 80 columns nothing is folded"
    assert width < 80 or re.search(r"model +fine-tuning +majority +blank +shuffled", text)
    assert "79" in text


def shown(metrics: dict) -> str:
    console = Console(width=80, file=io.StringIO())
    console.print(summary_table(metrics))
    return console.file.getvalue()


def test_a_baseline_of_which_one_answer_parsed_has_no_price_score() -> None:
    one = [{**TARGETS[0], "price": TARGETS[0]["price"] * 1.06}, *[None] * 79]
    text = shown(evaluated(TARGETS, before=one, num_cut={"before fine-tuning": 70}))
    line = next(line for line in text.splitlines() if "median factor" in line)
    assert re.search(r"×1.00 +–, 1 of 80 +×", line)
    assert "×1.06" not in text
    assert re.search(r"^ ?cut +0 +70 +0 +0 +0 *$", text, re.MULTILINE)
    assert re.search(r"^ ?unparsable +0 +9 +0 +0 +0 *$", text, re.MULTILINE)


def test_a_summary_without_the_shuffled_control_has_no_column_for_it() -> None:
    assert "shuffled" not in shown(evaluated(TARGETS[:1], targets=TARGETS[:1], shuffled=None))
