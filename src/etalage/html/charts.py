"""Charts as coordinates, which the macros of charts.html.jinja draw as SVG.

The charts are drawn by hand and not by a plotting library: lines and bars then take the page's colours, in light and
dark, and a page renders in a fraction of a second.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from etalage.html.axes import Axis, linear_ticks
from etalage.html.formatting import format_tick

__all__ = ["Bar", "Cell", "Frame", "Histogram", "Line", "Mark", "Plot", "Point", "Series", "histogram", "plot"]

Ticks = list[tuple[float, str]]
"""Coordinates and labels."""


@dataclass(frozen=True)
class Frame:
    """The area that values are drawn in, in units of the chart's viewBox."""

    width: float
    """The width of the viewBox."""
    height: float
    """The height of the viewBox."""
    left: float
    right: float
    top: float
    bottom: float

    def x_axis(self, low: float, high: float, *, is_log: bool = False) -> Axis:
        """Return a horizontal axis from edge to edge.

        Args:
            low: The value at the left edge.
            high: The value at the right edge.
            is_log: Whether the axis is logarithmic.
        """
        return Axis(low, high, self.left, self.right, is_log)

    def y_axis(self, low: float, high: float, *, is_log: bool = False) -> Axis:
        """Return a vertical axis from edge to edge.

        Args:
            low: The value at the bottom edge.
            high: The value at the top edge.
            is_log: Whether the axis is logarithmic.
        """
        return Axis(low, high, self.bottom, self.top, is_log)


@dataclass(frozen=True)
class Series:
    """The heights of one kind of bar in each bin of a histogram."""

    name: str
    """The CSS class of the bars: bar, original or sample."""
    heights: Sequence[float | None]
    """One per bin; where it is None or 0, no bar is drawn."""
    titles: Sequence[str] = ()
    """The text shown when a bar is pointed at, one per bin; without titles none is shown."""


@dataclass(frozen=True)
class Bar:
    """A bar of a histogram."""

    x: float
    y: float
    width: float
    height: float
    series: str
    title: str


@dataclass(frozen=True)
class Mark:
    """A vertical line across a histogram, such as the median."""

    x: float
    label: str
    anchor: str
    """The side of the label that stands at the line, as SVG's text-anchor: start or end."""


@dataclass(frozen=True)
class Histogram:
    """A bar chart over consecutive bins."""

    frame: Frame
    bars: list[Bar]
    description: str
    """The text that a screen reader reads out."""
    x_label: str
    y_label: str
    x_ticks: Ticks
    y_ticks: Ticks
    mark: Mark | None


@dataclass(frozen=True)
class Point:
    """A dot of a plot; `title` is shown when it is pointed at."""

    x: float
    y: float
    title: str


@dataclass(frozen=True)
class Line:
    """A polyline of a plot."""

    name: str
    """The CSS class."""
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Cell:
    """A rectangle of a plot that stands for many points."""

    left: float
    right: float
    bottom: float
    top: float
    opacity: float
    title: str


@dataclass(frozen=True)
class Plot:
    """A scatter plot or a line chart."""

    frame: Frame
    description: str
    """The text that a screen reader reads out."""
    x_label: str
    y_label: str
    x_ticks: Ticks
    y_ticks: Ticks
    points: list[Point] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    cells: list[Cell] = field(default_factory=list)


def histogram(
    edges: Sequence[float],
    series: Sequence[Series],
    *,
    x: Axis,
    frame: Frame,
    description: str,
    x_label: str = "",
    y_label: str = "",
    x_ticks: Sequence[tuple[float, str]] = (),
    mark: tuple[float, str] | None = None,
    min_top: float = 1,
) -> Histogram:
    """Lay out a histogram.

    Args:
        edges: The N + 1 edges of N bins, as values of x.
        series: The bars of each bin, side by side.
        x: The horizontal axis.
        frame: The area of the bars.
        description: The text that a screen reader reads out.
        x_label: The label of the horizontal axis.
        y_label: The label of the vertical axis, whose ticks are whole numbers. Without a label it is not drawn.
        x_ticks: Values of x and their labels.
        mark: The value of x at which a vertical line stands, and its label.
        min_top: The vertical axis reaches at least up to this height.
    """
    # min_top gives an axis without bars a range.
    top = max([min_top, *(height for one in series for height in one.heights if height is not None)])
    y = frame.y_axis(0, top)
    bars = []
    for number, (left, right) in enumerate(zip(map(x, edges[:-1]), map(x, edges[1:]), strict=True)):
        # One series fills its bin but for a hairline; several leave room between the bins, and a hairline in between.
        gap, fill = (0.8, 1.0) if len(series) == 1 else (0.16 * (right - left), 0.96)
        width = (right - left - gap) / len(series)
        for place, one in enumerate(series):
            if height := one.heights[number]:
                bars.append(
                    Bar(
                        x=round(left + gap / 2 + place * width, 1),
                        y=y(height),
                        width=round(fill * width, 1),
                        # From the rounded y, so that all bars end on the base line.
                        height=round(frame.bottom - y(height), 1),
                        series=one.name,
                        title=one.titles[number] if one.titles else "",
                    )
                )
    return Histogram(
        frame=frame,
        bars=bars,
        description=description,
        x_label=x_label,
        y_label=y_label,
        x_ticks=[(x(value), label) for value, label in x_ticks],
        y_ticks=_count_ticks(y) if y_label else [],
        # The label stands on the side that has more room.
        mark=mark and Mark(x(mark[0]), mark[1], "start" if x(mark[0]) < (frame.left + frame.right) / 2 else "end"),
    )


def _count_ticks(y: Axis) -> Ticks:
    """Return ticks at whole numbers only, in thousands where the counts are large."""
    # Longer labels than "20 k" would run out of the frame's margin.
    unit, suffix = (1000, " k") if y.high >= 20_000 else (1, "")
    return [
        (y(tick), f"{tick / unit:,g}{suffix}" if tick else "0")
        for tick in linear_ticks(0, y.high, 4)
        if tick == round(tick)
    ]


def plot(
    *,
    x: Axis,
    y: Axis,
    frame: Frame,
    description: str,
    x_label: str,
    y_label: str,
    points: Sequence[Point] = (),
    lines: Sequence[Line] = (),
    cells: Sequence[Cell] = (),
) -> Plot:
    """Lay out a scatter plot or a line chart.

    Args:
        x: The horizontal axis.
        y: The vertical axis.
        frame: The area of the values; what lies outside is cut off.
        description: The text that a screen reader reads out.
        x_label: The label of the horizontal axis.
        y_label: The label of the vertical axis.
        points: Dots, with values of x and y.
        lines: Polylines, with values of x and y.
        cells: Rectangles, with values of x and y.
    """
    return Plot(
        frame=frame,
        description=description,
        x_label=x_label,
        y_label=y_label,
        x_ticks=[(x(tick), format_tick(tick)) for tick in x.ticks()],
        y_ticks=[(y(tick), format_tick(tick)) for tick in y.ticks()],
        points=[Point(x(point.x), y(point.y), point.title) for point in points],
        lines=[Line(line.name, [(x(a), y(b)) for a, b in line.points]) for line in lines],
        cells=[Cell(x(c.left), x(c.right), y(c.bottom), y(c.top), c.opacity, c.title) for c in cells],
    )
