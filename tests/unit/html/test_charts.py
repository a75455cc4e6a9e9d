"""Tests of the coordinates of charts."""

from collections.abc import Sequence

import pytest

from etalage.html.charts import Cell, Frame, Histogram, Line, Point, Series, histogram, plot

FRAME = Frame(440, 250, left=60, right=420, top=20, bottom=200)


def draw(heights: list[float | None], more: Sequence[Series] = (), y_label: str = "n", **options) -> Histogram:
    return histogram(
        list(range(len(heights) + 1)),
        [Series("bar", heights), *more],
        x=FRAME.x_axis(0, len(heights)),
        frame=FRAME,
        description="A chart",
        y_label=y_label,
        **options,
    )


def test_the_tallest_bar_fills_the_frame() -> None:
    chart = draw([1, 4, 2])
    assert [bar.height for bar in chart.bars] == [45, 180, 90]
    assert chart.bars[1].y == FRAME.top
    assert all(bar.y + bar.height == pytest.approx(FRAME.bottom) for bar in chart.bars)


def test_bars_lie_in_their_bins_and_do_not_touch() -> None:
    chart = draw([3, 1, 2])
    for number, bar in enumerate(chart.bars):
        assert 60 + 120 * number < bar.x
        assert bar.x + bar.width < 60 + 120 * (number + 1)


def test_series_stand_side_by_side_without_overlap() -> None:
    chart = draw([3, 1], more=[Series("sample", [2, 4])])
    assert [bar.series for bar in chart.bars] == ["bar", "sample", "bar", "sample"]
    for left, right in zip(chart.bars, chart.bars[1:], strict=False):
        assert left.x + left.width <= right.x + 0.1
    assert max(chart.bars, key=lambda bar: bar.height).series == "sample"


@pytest.mark.parametrize("height", [0, None])
def test_nothing_is_drawn_for_an_empty_bin(height: float | None) -> None:
    assert [bar.height for bar in draw([2, height]).bars] == [180]


def test_empty_histograms_are_drawn() -> None:
    assert draw([0, 0]).bars == []
    assert draw([None]).bars == []


def test_low_bars_stay_low_under_a_minimum_height_of_the_axis() -> None:
    assert [bar.height for bar in draw([0.05], min_top=0.1).bars] == [90]


def test_counts_have_ticks_at_whole_numbers() -> None:
    assert [label for _, label in draw([1, 2]).y_ticks] == ["0", "1", "2"]
    assert [label for _, label in draw([40_000]).y_ticks] == ["0", "10 k", "20 k", "30 k", "40 k"]
    assert draw([1, 2], y_label="").y_ticks == []


def test_the_label_of_a_mark_stands_where_there_is_room() -> None:
    left, right = (draw([1, 1, 1, 1], mark=(value, "median")).mark for value in (1, 3))
    assert left is not None
    assert right is not None
    assert (left.x, left.anchor) == (150, "start")
    assert (right.x, right.anchor) == (330, "end")
    assert draw([1]).mark is None


def test_titles_belong_to_their_bins() -> None:
    chart = histogram(
        [0, 1, 2, 3],
        [Series("bar", [1, 0, 2], ["first", "second", "third"])],
        x=FRAME.x_axis(0, 3),
        frame=FRAME,
        description="",
    )
    assert [bar.title for bar in chart.bars] == ["first", "third"]


def test_a_plot_maps_points_lines_and_cells_alike() -> None:
    chart = plot(
        x=FRAME.x_axis(0, 10),
        y=FRAME.y_axis(1, 100, is_log=True),
        frame=FRAME,
        description="",
        x_label="x",
        y_label="y",
        points=[Point(5, 10, "p")],
        lines=[Line("even", [(0, 1), (5, 10)])],
        cells=[Cell(0, 5, 1, 10, 0.5, "c")],
    )
    assert (chart.points[0].x, chart.points[0].y) == (240, 110)
    assert chart.lines[0].points == [(60, 200), (240, 110)]
    cell = chart.cells[0]
    assert (cell.left, cell.right, cell.bottom, cell.top) == (60, 240, 200, 110)
    assert [label for _, label in chart.y_ticks] == ["1", "2", "5", "10", "20", "50", "100"]
    assert [label for _, label in chart.x_ticks] == ["0", "2", "4", "6", "8", "10"]
