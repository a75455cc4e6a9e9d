"""Tests of the files that hold answers."""

import csv
import json
from pathlib import Path

import pytest

from etalage.errors import EtalageError
from etalage.evaluate.predictions import Prediction, read_predictions, write_csv, write_predictions
from etalage.task import Field, Task

FIELDS = [Field("title", "text"), Field("price", "price")]
HOSTILE = [
    Prediction(
        "=1",
        Path("a/ü.png"),
        {"title": "=HYPERLINK()", "price": 1.5},
        "=\u2028before",
        "x\u2028\ny|end",
        {"title": "@a", "price": 2.0},
    ),
    Prediction("<b>", Path("-b.png"), None, None, "=no, not\tan answer", None, "unparsable"),
]


def test_predictions_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "predictions.jsonl"
    write_predictions(path, HOSTILE)
    assert read_predictions(path, FIELDS) == HOSTILE
    assert list(tmp_path.iterdir()) == [path]


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "predictions.jsonl"
    write_predictions(path, HOSTILE)
    path.write_text(path.read_text() + '{"image": "a.png"}\n')
    with pytest.raises(EtalageError, match=r"predictions.jsonl line 3: not a prediction"):
        read_predictions(path, FIELDS)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("image", "a\0b.png"),
        ("image", ""),
        ("image", ["a.png"]),
        ("target", {"title": "a"}),
        ("target", {"title": "a", "price": 0}),
        ("target", {"title": "a", "price": "12"}),
        ("values", {"title": None, "price": 1.0}),
        ("values", [1, 2]),
        ("values", {"title": "a", "price": 1.0, "colour": "red"}),
        ("answer", None),
        ("answer", 5),
        ("problem", "lost"),
        ("surprise", 1),
    ],
)
def test_a_value_that_is_not_one_is_named(key: str, value: object, tmp_path: Path) -> None:
    path = tmp_path / "predictions.jsonl"
    write_predictions(path, HOSTILE)
    first, second = path.read_text().splitlines()
    path.write_text(f"{first}\n{json.dumps({**json.loads(second), key: value})}\n")
    with pytest.raises(EtalageError, match=rf"predictions.jsonl line 2: not a prediction: {key}.*write the file again"):
        read_predictions(path, FIELDS)


def test_a_file_without_the_answers_before_fine_tuning_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "predictions.jsonl"
    path.write_text('{"product_code": "a", "image": "a.png", "target": null, "answer": "", "values": null}\n')
    with pytest.raises(
        EtalageError, match=r"line 1: not a prediction: before is missing.*write the file again with `etalage evaluate`"
    ):
        read_predictions(path, FIELDS)


@pytest.mark.parametrize("title", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_cell_of_the_csv_is_a_formula(title: str, task: Task, tmp_path: Path) -> None:
    values = {"title": title, "category": "a,b", "price": 12.5}
    write_csv(tmp_path / "out.csv", task.fields, [Prediction("p", Path("p.png"), None, None, "=x", values), HOSTILE[1]])
    with (tmp_path / "out.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["image", "title", "category", "price", "answer", "problem"]
    assert rows[1] == ["p.png", "'" + title, "a,b", "12.5", "'=x", ""]
    assert rows[2] == ["'-b.png", "", "", "", "'=no, not\tan answer", "unparsable"]


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "predictions.jsonl"
    write_predictions(path, HOSTILE)
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_predictions(path, [Prediction("p", Path("p.png"), None, None, "", {"price": float("inf")})])
    assert read_predictions(path, FIELDS) == HOSTILE
    assert list(tmp_path.iterdir()) == [path]


def test_no_predictions_make_an_empty_file_and_a_csv_of_headings(task: Task, tmp_path: Path) -> None:
    write_predictions(tmp_path / "none.jsonl", [])
    assert read_predictions(tmp_path / "none.jsonl", FIELDS) == []
    write_csv(tmp_path / "none.csv", task.fields, [])
    assert (tmp_path / "none.csv").read_text(encoding="utf-8").split() == ["image,title,category,price,answer,problem"]
