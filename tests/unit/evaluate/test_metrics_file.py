"""metrics.json is read back if it is whole; otherwise the key is named."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from etalage.errors import EtalageError
from etalage.evaluate.metrics_file import read_metrics
from etalage.evaluate.systems import build_metrics
from etalage.task import Field

FIELDS = [Field("title", "text"), Field("colour", "category"), Field("price", "price")]
TRUE = [{"title": f"Bag {n}", "colour": "red" if n % 2 else "blue", "price": 10.0 + n} for n in range(8)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    others = {"before": [None] * 8, "blank": TRUE, "shuffled": TRUE[::-1]}
    metrics = build_metrics("test", FIELDS, TRUE, [*TRUE[:7], None], majority=TRUE[0], groups=range(8), **others)
    (tmp_path / "metrics.json").write_text(json.dumps(metrics))
    return tmp_path / "metrics.json"


def test_what_evaluate_wrote_is_read(path: Path) -> None:
    assert read_metrics(path, FIELDS) == json.loads(path.read_text())


def test_metrics_of_a_single_product_are_read(tmp_path: Path) -> None:
    others = {"before": [None], "blank": TRUE[:1], "shuffled": None}
    metrics = build_metrics("test", FIELDS, TRUE[:1], TRUE[:1], majority=TRUE[0], groups=[0], **others)
    (tmp_path / "metrics.json").write_text(json.dumps(metrics))
    assert read_metrics(tmp_path / "metrics.json", FIELDS) == metrics


def test_metrics_of_other_fields_are_refused(path: Path) -> None:
    with pytest.raises(EtalageError, match=r"metrics\.json: size is missing; .*evaluate .* again"):
        read_metrics(path, [*FIELDS, Field("size", "category")])


def set_key(metrics: dict[str, Any], key: str, value: Any) -> None:
    *parents, last = key.split(".")
    for parent in parents:
        metrics = metrics[parent]
    if value is ...:
        del metrics[last]
    else:
        metrics[last] = value


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("split", "all", 'split is "all"'),
        ("num_examples", 0, "num_examples is 0; expected an integer from 1"),
        ("num_examples", "8", "num_examples is"),
        ("num_parsed", 9, "the counts of model contradict each other"),
        ("baselines.before.num_examples", 7, "the counts of before fine-tuning contradict"),
        ("title", ..., "title is missing"),
        ("title.chrf", 101, "title.chrf is 101"),
        ("colour.accuracy", 1.5, "colour.accuracy is 1.5; expected a number from 0 up to 1 or null"),
        ("colour.macro_f1", "high", "colour.macro_f1 is"),
        ("price.mae", -1, "price.mae is -1"),
        ("price.median_factor_error", ..., "price.median_factor_error is missing"),
        ("baselines", [], r"baselines is \[\]; expected an object"),
        ("controls.blank", ..., "controls.blank is missing"),
        ("intervals.controls.shuffled", ..., "intervals of shuffled are missing"),
        ("intervals.price.mae", [3, 2], "intervals of model are missing or upside down"),
        ("intervals.price.mae", [1], "intervals.price.mae is"),
        ("intervals.title", None, "intervals.title is null"),
    ],
)
def test_a_damaged_key_is_named(path: Path, key: str, value: Any, message: str) -> None:
    metrics = json.loads(path.read_text())
    set_key(metrics, key, value)
    path.write_text(json.dumps(metrics))
    with pytest.raises(EtalageError, match=rf"metrics\.json: {message}.*; run `etalage evaluate .*` again"):
        read_metrics(path, FIELDS)


@pytest.mark.parametrize("damage", [lambda path: path.unlink(), lambda path: path.write_text("{")], ids=["gone", "cut"])
def test_the_command_that_writes_it_is_named(path: Path, damage: Callable) -> None:
    damage(path)
    with pytest.raises(EtalageError, match=r"run `etalage evaluate .*` (first|again)"):
        read_metrics(path, FIELDS)
