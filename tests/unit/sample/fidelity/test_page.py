"""Tests of fidelity.json and its page."""

import json
import re
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

from etalage.sample.fidelity import write_fidelity

from .conftest import HOSTILE


def test_the_page_escapes_text_and_shows_nothing_rare(tmp_path: Path, figures: Mapping[str, Any]) -> None:
    write_fidelity(tmp_path / "f.json", tmp_path / "f.html", figures, title=HOSTILE)
    page = (tmp_path / "f.html").read_text(encoding="utf-8")
    assert HOSTILE not in page
    assert "&lt;script&gt;" in page
    assert "Secretbrand" not in page + (tmp_path / "f.json").read_text(encoding="utf-8")
    assert not re.search(r"https?:|<script|src=", page)
    assert (
        json.loads((tmp_path / "f.json").read_text(encoding="utf-8"))["column_fidelity"] == figures["column_fidelity"]
    )


def write_page(folder: Path, figures: Mapping[str, Any]) -> str:
    write_fidelity(folder / "f.json", folder / "f.html", figures, title="A sample")
    return (folder / "f.html").read_text(encoding="utf-8")


def test_every_column_has_a_chart_and_a_row(tmp_path: Path, figures: Mapping[str, Any]) -> None:
    page = write_page(tmp_path, figures)
    assert page.count("<svg") == len(figures["charts"]) == 7
    assert page.count('<rect class="original"') > 20 < page.count('<rect class="sample"')
    for name in ("sku", "title", "category", "price", "cost", "brand"):
        assert f"<bdi>{name}</bdi></th>" in page


def test_a_missed_goal_is_underlined(tmp_path: Path, figures: Mapping[str, Any]) -> None:
    assert 'class="value missed"' not in write_page(tmp_path, figures)
    worse = {**figures, "column_fidelity": 0.5, "detection_auc": 0.99}
    assert write_page(tmp_path, worse).count('class="value missed"') == 2


def test_copies_are_named_in_the_first_sentence(tmp_path: Path, figures: Mapping[str, Any]) -> None:
    assert "none of them is a copy" in write_page(tmp_path, figures)
    copied = {**figures, "privacy": {**figures["privacy"], "titles_copied": 12}}
    assert "12 copies of it" in write_page(tmp_path, copied)


def test_shares_of_too_few_rows_are_not_drawn(tmp_path: Path, figures: Mapping[str, Any]) -> None:
    rare = deepcopy(dict(figures))
    chart = {"name": "title", "of": "values", "labels": ["1", "2"], "sample": [0.5, 0.5], "rest": [0, 0.25]}
    rare["charts"] = [{**chart, "original": [None, 0.98]}]
    page = write_page(tmp_path, rare)
    assert page.count('<rect class="original"') == 1
    assert page.count('<rect class="sample"') == 2
    assert "1 fewer than 5 rows and 50.0 %, 2 98.0 % and 50.0 %" in page
    assert "not shown: 0.0 % of the original, 25.0 % of the sample" in page


def test_without_a_test_split_the_page_says_so(tmp_path: Path, figures: Mapping[str, Any]) -> None:
    privacy = {name: figures["privacy"][name] for name in ("rows_copied", "titles_copied", "num_suppressed")}
    floors = {**figures["floors"], "privacy": {}}
    page = write_page(tmp_path, {**figures, "privacy": privacy, "floors": floors, "num_holdout": 0})
    assert "has no test split, so neither can be measured" in page
