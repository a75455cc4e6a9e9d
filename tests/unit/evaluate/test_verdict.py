"""Intervals, the shape of metrics.json, and what is concluded from it."""

import io
import json
import re

import numpy as np
import pytest
from rich.console import Console

from etalage.evaluate.intervals import intervals
from etalage.evaluate.metrics import score
from etalage.evaluate.verdict import build_metrics, table, verdict
from etalage.task import Field

FIELDS = [Field("title", "text"), Field("category", "category"), Field("price", "price")]
TARGETS = [{"title": f"Item {i % 7}", "category": "abcd"[i % 4], "price": 100.0 * (1 + i % 9)} for i in range(80)]
CONSTANT = {"title": "Item 0", "category": "a", "price": 500.0}
OTHERS = [*TARGETS[3:], *TARGETS[:3]]


def judged(predictions, before=None, blank=None, shuffled=None, **how) -> dict:
    constant = [CONSTANT] * len(TARGETS)
    others = {"before": before or OTHERS, "blank": blank or constant, "shuffled": shuffled or OTHERS}
    return build_metrics("test", FIELDS, TARGETS, predictions, majority=CONSTANT, **others, **how)


def test_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    rng, field = np.random.default_rng(0), [Field("category", "category")]
    covered = 0
    for seed in range(60):
        said = [{"category": "right" if hit else "wrong"} for hit in rng.random(80) < 0.7]
        low, high = intervals(field, [{"category": "right"}] * 80, said, seed=seed)["category"]["accuracy"]
        covered += low <= 0.7 <= high
    assert 51 <= covered <= 60


def test_intervals_hold_the_score_and_repeat() -> None:
    predictions = [None if i % 11 == 0 else OTHERS[i] if i % 3 == 0 else TARGETS[i] for i in range(80)]
    scored, ends = score(FIELDS, TARGETS, predictions), intervals(FIELDS, TARGETS, predictions, seed=5)
    assert ends == intervals(FIELDS, TARGETS, predictions, seed=5)
    for field in FIELDS:
        for figure, (low, high) in ends[field.name].items():
            assert low <= scored[field.name][figure] <= high, figure


def test_products_of_a_group_are_no_independent_evidence() -> None:
    field = FIELDS[1:2]
    predictions = [CONSTANT if i // 10 % 2 else TARGETS[i] for i in range(80)]  # ten in a row stand or fall together
    alone = intervals(field, TARGETS, predictions)["category"]["accuracy"]
    together = intervals(field, TARGETS, predictions, groups=[f"g{i // 10}" for i in range(80)])["category"]["accuracy"]
    assert together[1] - together[0] > 1.5 * (alone[1] - alone[0])


def test_metrics_json_has_the_agreed_shape() -> None:
    metrics = judged([None] * 80)
    assert list(metrics) == [
        *("split", "num_examples", "num_parsed", "title", "category", "price", "baselines", "controls", "intervals")
    ]
    blocks = {name: set(metrics[name]) for name in ("title", "category", "price")}
    assert list(metrics["baselines"]) == ["before", "majority"]
    assert list(metrics["controls"]) == ["blank", "shuffled"]
    for part in (*metrics["baselines"].values(), *metrics["controls"].values()):
        assert {name: set(part[name]) for name in blocks} == blocks
    assert metrics["intervals"]["price"]["mae"] is None
    assert len(metrics["intervals"]["controls"]["blank"]["price"]["mae"]) == 2
    assert len(metrics["intervals"]["baselines"]["before"]["price"]["mae"]) == 2
    assert json.loads(json.dumps(metrics, allow_nan=False)) == metrics


def test_verdict_tells_looking_from_luck() -> None:
    assert verdict(judged(TARGETS)) == "The model reads title, category and price off the picture."
    assert "not been shown to learn anything" in verdict(judged([CONSTANT] * 80))
    blind = verdict(judged(TARGETS, blank=TARGETS, shuffled=TARGETS))
    assert "has not been shown to read anything off the picture" in blind
    assert "about as well when it is shown a wrong or blank picture" in blind


def test_verdict_does_not_praise_the_few_answers_that_could_be_read() -> None:
    said = verdict(judged([TARGETS[i] if i < 20 else None for i in range(80)]))
    assert "reads" not in said or "price" not in said.split("off the picture")[0]
    assert "60 of its 80 answers could not be read" in said


def test_verdict_names_what_fine_tuning_did_not_improve() -> None:
    titled = [{**other, "title": target["title"]} for other, target in zip(OTHERS, TARGETS, strict=True)]
    said = "The model reads title, category and price off the picture."
    assert verdict(judged(TARGETS, before=titled)) == f"{said} Fine-tuning has not been shown to improve title."
    assert verdict(judged(TARGETS, before=[None] * 80)) == said
    few = [target if i < 20 else None for i, target in enumerate(TARGETS)]
    assert verdict(judged(TARGETS, before=few)) == said, "prices right where they could be read, which was seldom"


def test_judge_refuses_what_it_cannot_write_down() -> None:
    with pytest.raises(ValueError, match="split is empty"):
        build_metrics("test", FIELDS, [], [], before=[], majority=CONSTANT, blank=[], shuffled=[])
    with pytest.raises(ValueError, match="called intervals"):
        build_metrics(
            "test", [Field("intervals", "text")], TARGETS, TARGETS, before=[], majority={}, blank=[], shuffled=[]
        )


@pytest.mark.parametrize("width", [80, 60])
def test_table_fits_the_terminal(width: int) -> None:
    console = Console(width=width, file=io.StringIO())
    console.print(table(judged([None, *TARGETS[1:]])))
    text = console.file.getvalue()
    assert all(len(line) <= width for line in text.splitlines())
    assert "98.8 %" in text
    assert width < 80 or text.count("\n") == 15, "at 80 columns nothing is folded"
    assert width < 80 or re.search(r"model +fine-tuning +majority +blank +shuffled", text)
    assert "79" in text
