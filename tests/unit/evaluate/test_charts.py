"""Tests of the report's charts."""

import pytest

from etalage.evaluate.charts import loss_curve, price_scatter, score_chart
from etalage.evaluate.systems import SYSTEMS

from .conftest import CONSTANT, FIELDS, TARGETS, evaluated


def test_without_data_nothing_is_drawn() -> None:
    assert price_scatter("price", []) is None
    assert loss_curve([{"step": 1, "loss": 2.0}]) is None


def test_one_price_stands_in_the_middle() -> None:
    one = price_scatter("price", [(10.0, 10.0, "a")])
    assert one is not None
    assert (one.points[0].x, one.points[0].y) == (247.0, 150.0)
    assert len(one.x_ticks) >= 2


def test_a_constant_loss_is_drawn() -> None:
    assert loss_curve([{"step": s, "loss": 1.0} for s in (1, 2)]) is not None


def test_many_prices_are_thinned_out_and_the_caption_says_so() -> None:
    many = price_scatter("price", [(1.0 + i, 2.0 + i * i, "a") for i in range(4000)])
    assert many is not None
    assert len(many.points) <= 1500
    assert len(many.x_ticks) <= 7
    assert many.description.endswith("every 3th product is drawn")


def test_a_point_says_what_it_is() -> None:
    scatter = price_scatter("price", [(1234.5, 99.0, "A-1")])
    assert scatter is not None
    assert scatter.points[0].title == "A-1: 1,234.5, predicted 99"


def test_the_loss_curve_has_a_mean_and_the_validation_loss() -> None:
    log = [{"step": s, "loss": 1 / s, "validation_loss": 0.5 if s % 50 == 0 else None} for s in range(1, 101)]
    curve = loss_curve(log)
    assert curve is not None
    assert [line.name for line in curve.lines] == ["raw", "mean"]
    assert [len(line.points) for line in curve.lines] == [100, 50]
    assert [point.title for point in curve.points] == [f"validation loss at step {s}: 0.5" for s in (50, 100)]
    assert curve.description.endswith("dots are the validation loss")


def test_losses_that_a_logarithmic_axis_cannot_show_are_left_out() -> None:
    log = [{"step": s, "loss": loss} for s, loss in enumerate([1.0, 0.0, float("nan"), float("inf"), 0.5])]
    curve = loss_curve(log)
    assert curve is not None
    assert len(curve.lines[0].points) == 2
    assert "validation" not in curve.description


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_each_system_has_a_row_with_its_interval_around_its_score(field) -> None:
    chart = score_chart(evaluated(TARGETS, before=[None] * 80, blank=[CONSTANT, *[None] * 79]), field)
    assert [row.system for row in chart.rows] == list(SYSTEMS)
    for row in chart.rows:
        assert row.value is None or row.low <= row.value <= row.high <= 272
    assert len(chart.ticks) >= 2


def test_without_intervals_dots_stand_alone() -> None:
    for field in FIELDS:
        chart = score_chart(evaluated(TARGETS[:2], targets=TARGETS[:2], before=[None] * 2), field)
        assert all(row.value is None or row.low == row.value == row.high for row in chart.rows)


def test_a_score_that_is_not_defined_is_a_dash() -> None:
    one = [{**TARGETS[0], "price": TARGETS[0]["price"] * 1.06}, *[None] * 79]
    chart = score_chart(evaluated(TARGETS, before=one), FIELDS[2])
    before = next(row for row in chart.rows if row.system == "before fine-tuning")
    assert (before.value, before.label) == (None, "–, 1 of 80")
    assert (chart.title, chart.hint) == ("price: median factor", "lower is better")
