"""Tests of the verdict: what is concluded from metrics.json, and what is not."""

import json
from pathlib import Path

from etalage.evaluate.verdict import verdict

from .conftest import CONSTANT, OTHERS, TARGETS, evaluated


def test_looking_is_told_from_luck() -> None:
    assert verdict(evaluated(TARGETS)) == "The model reads title, category and price off the picture."
    assert "not been shown to learn anything" in verdict(evaluated([CONSTANT] * 80))
    blind = verdict(evaluated(TARGETS, blank=TARGETS, shuffled=TARGETS))
    assert "has not been shown to read anything off the picture" in blind
    assert "about as well when it is shown a wrong or blank picture" in blind


def test_a_few_parsed_answers_do_not_speak_for_all() -> None:
    found = verdict(evaluated([TARGETS[i] if i < 20 else None for i in range(80)]))
    assert "reads" not in found or "price" not in found.split("off the picture")[0]
    assert "60 of its 80 answers could not be read" in found


def test_fields_that_fine_tuning_did_not_improve_are_named() -> None:
    titled = [{**other, "title": target["title"]} for other, target in zip(OTHERS, TARGETS, strict=True)]
    reads_all = "The model reads title, category and price off the picture."
    assert verdict(evaluated(TARGETS, before=titled)) == f"{reads_all} Fine-tuning has not been shown to improve title."
    assert verdict(evaluated(TARGETS, before=[None] * 80)) == reads_all
    few = [target if i < 20 else None for i, target in enumerate(TARGETS)]
    assert verdict(evaluated(TARGETS, before=few)) == reads_all, (
        "prices right where they could be read, which was seldom"
    )


def test_a_model_worse_than_the_constant_answer_is_said_to_be_worse() -> None:
    wrong = [{**target, "price": 100_000.0} for target in TARGETS]
    assert "For price it does worse than the same answer for every product." in verdict(evaluated(wrong))


def test_no_answer_at_all_is_worse_for_the_price() -> None:
    found = verdict(evaluated([None] * 80))
    assert found.startswith("The model has not been shown to learn anything from this catalogue.")
    assert "price it does worse" in found
    assert "80 of its 80 answers could not be read." in found
    assert "Fine-tuning has not been shown to improve title, category and price." in found


def test_one_control_that_does_as_well_is_enough_to_doubt() -> None:
    for control in ("blank", "shuffled"):
        titled = [{**CONSTANT, "title": target["title"]} for target in TARGETS]
        found = verdict(evaluated(TARGETS, **{control: titled}))
        assert "The model reads category and price off the picture." in found
        assert "It beats the constant answer for title, but does about as well" in found


def test_the_verdict_is_the_same_after_reading_metrics_json(tmp_path: Path) -> None:
    metrics = evaluated(TARGETS)
    (tmp_path / "metrics.json").write_text(json.dumps(metrics))
    assert verdict(json.loads((tmp_path / "metrics.json").read_text())) == verdict(metrics)


def test_nothing_is_concluded_from_a_handful_of_products() -> None:
    one = verdict(evaluated(TARGETS[:1], targets=TARGETS[:1], shuffled=None))
    assert one == "Nothing can be concluded from 1 product and 1 group of copies; at least 5 groups are needed."
    copies = verdict(evaluated([None, *TARGETS[1:]], groups=["a", "b"] * 40, num_cut={"model": 1}))
    assert copies.startswith("Nothing can be concluded from 80 products and 2 groups of copies; ")
    assert copies.endswith("1 of its 80 answers could not be read, 1 of them because they were cut before their end.")


def test_cut_answers_are_named() -> None:
    found = verdict(evaluated([None] * 3 + TARGETS[3:], num_cut={"model": 2}))
    assert "3 of its 80 answers could not be read, 2 of them because they were cut before their end." in found


def test_a_verdict_without_the_shuffled_control_rests_on_the_blank_one() -> None:
    assert verdict(evaluated(TARGETS, shuffled=None)) == "The model reads title, category and price off the picture."
    assert "about as well" in verdict(evaluated(TARGETS, shuffled=None, blank=TARGETS))
