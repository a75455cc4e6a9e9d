"""Tests of the profile's charts."""

import numpy as np
import pytest

from etalage.catalogue.profile.charts import length_chart, picture_sizes, price_charts
from etalage.catalogue.profile.table import Categories


def counts_in(chart) -> int:
    """Add up the counts that the bars of a chart show when pointed at."""
    return sum(int(bar.title.rsplit(": ", 1)[1].replace(",", "")) for bar in chart.bars)


def test_every_price_is_in_a_bar() -> None:
    prices = np.exp(np.random.default_rng(0).normal(5, 1, 1000))
    charts = price_charts("price", prices, None)
    assert charts is not None
    assert counts_in(charts.chart) == 1000
    assert charts.by_category == []


@pytest.mark.parametrize("prices", [[], [np.nan], [0.0, -1.0], [np.inf]])
def test_without_a_price_there_is_no_chart(prices: list[float]) -> None:
    assert price_charts("price", np.array(prices), None) is None


def test_one_price_is_drawn_in_the_middle() -> None:
    charts = price_charts("price", np.array([100.0, 100.0]), None)
    assert charts is not None
    assert counts_in(charts.chart) == 2
    assert charts.chart.mark is not None
    assert (charts.chart.mark.x, charts.chart.mark.label) == (243, "median 100")
    assert charts.chart.description == "From 100 to 100 on a logarithmic axis, half of them at or below 100"


def test_prices_of_each_category_share_the_axis() -> None:
    prices = np.array([10.0, 10, 1000, np.nan])
    categories = Categories(np.array([0, 0, 1, 2]), ["cheap", "dear", "free"], [2, 1, 1])
    charts = price_charts("price", prices, categories)
    assert charts is not None
    assert [(found.name, found.median) for found in charts.by_category] == [("cheap", "10"), ("dear", "1,000")]
    cheap, dear = (found.chart for found in charts.by_category)
    assert cheap.mark is not None
    assert dear.mark is not None
    assert cheap.mark.x < 20 < 180 < dear.mark.x
    for chart in (cheap, dear):
        (bar,) = chart.bars
        assert bar.x <= chart.mark.x <= bar.x + bar.width + 1
        assert bar.height == 50, "each category has its own height"


def test_short_texts_have_a_bar_for_each_length() -> None:
    chart = length_chart("title", np.array([1, 3, 3, 4]))
    assert [bar.title for bar in chart.bars] == ["1 characters: 1", "3 characters: 2", "4 characters: 1"]
    assert chart.mark is not None
    middle = chart.bars[1].x + chart.bars[1].width / 2
    assert chart.mark.x == pytest.approx(middle, abs=0.2)


def test_long_texts_share_bars() -> None:
    chart = length_chart("title", np.arange(1, 1001))
    assert len(chart.bars) <= 48
    assert counts_in(chart) == 1000
    assert chart.bars[0].title == "0 to 20 characters: 20"


def test_sizes_of_pictures() -> None:
    widths, heights = np.array([100, 100, 200, 0]), np.array([200, 200, 100, 0])
    sizes = picture_sizes(widths, heights)
    assert sizes is not None
    assert (sizes.num_sizes, sizes.most_frequent, sizes.most_frequent_share) == (2, "100 × 200", 0.5)
    assert sizes.median_shorter_side_px == 100
    assert counts_in(sizes.ratios) == 3
    assert [bar.title for bar in sizes.ratios.bars] == ["1 : 2: 2", "2 : 1: 1"]
    portrait, landscape = sizes.cells.cells
    assert portrait.left < landscape.left
    assert portrait.top < landscape.top, "higher on the page"
    assert portrait.opacity == 1 > landscape.opacity


def test_extreme_side_ratios_are_in_the_outermost_bars() -> None:
    sizes = picture_sizes(np.array([6400, 1]), np.array([1, 6400]))
    assert sizes is not None
    assert [bar.title for bar in sizes.ratios.bars] == ["1 : 32: 1", "32 : 1: 1"]


def test_without_a_known_size_there_is_no_chart() -> None:
    assert picture_sizes(np.array([0, 0]), np.array([0, 10])) is None
