"""The charts of a catalogue's profile: prices, lengths of texts, and sizes of pictures."""

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from etalage.catalogue.profile.table import Categories, Floats, Integers
from etalage.html.charts import Cell, Frame, Histogram, Line, Plot, Series, histogram, plot
from etalage.html.formatting import format_number, format_tick

__all__ = ["CategoryPrices", "PictureSizes", "PriceCharts", "length_chart", "picture_sizes", "price_charts"]

NUM_BINS = 48
NUM_SMALL = 12
"""The categories whose prices are shown."""

_FRAME = Frame(440, 250, left=58, right=428, top=24, bottom=208)
_SMALL = Frame(200, 56, left=0, right=200, top=2, bottom=52)
_SQUARE = Frame(440, 424, left=58, right=428, top=12, bottom=382)
_NUM_CELLS = 40
"""The cells along each side of the chart of widths and heights."""


@dataclass(frozen=True)
class CategoryPrices:
    """The prices of one category."""

    name: str
    median: str
    chart: Histogram


@dataclass(frozen=True)
class PriceCharts:
    """The prices of all products, and of each of the largest categories on the same axis."""

    field: str
    chart: Histogram
    by_category: list[CategoryPrices]


@dataclass(frozen=True)
class PictureSizes:
    """The widths and heights of pictures."""

    cells: Plot
    """Height against width."""
    ratios: Histogram
    """Width by height."""
    num_sizes: int
    most_frequent: str
    most_frequent_share: float
    """0 to 1."""
    median_shorter_side_px: int


def price_charts(field: str, prices: Floats, categories: Categories | None, currency: str = "") -> PriceCharts | None:
    """Draw histograms of prices on a logarithmic axis.

    Args:
        field: The name of the price field.
        prices: (N,) float64; NaN where there is none.
        categories: The category of each product; None if the task has none.
        currency: The code of the prices' currency; empty if it is not known.

    Returns:
        The charts; None if there is no price.
    """
    is_price = np.isfinite(prices) & (prices > 0)
    if not is_price.any():
        return None
    # `where` spares the warnings for zeros and NaN, whose logarithms stay NaN.
    logs = np.log(prices, out=np.full_like(prices, np.nan), where=is_price)
    low, high = float(np.nanmin(logs)), float(np.nanmax(logs))
    # Some room at both ends, and a range of some width where all prices are equal.
    margin = max(0.02 * (high - low), 0.05)
    log_edges = np.linspace(low - margin, high + margin, NUM_BINS + 1)
    edges = np.exp(log_edges).tolist()
    counts = np.histogram(logs[is_price], log_edges)[0].tolist()
    titles = [
        f"{format_number(a)} to {format_number(b)}: {n:,}" for (a, b), n in zip(pairwise(edges), counts, strict=True)
    ]
    lowest, median, highest = (float(f(prices[is_price])) for f in (np.min, np.median, np.max))
    x = _FRAME.x_axis(edges[0], edges[-1], is_log=True)
    chart = histogram(
        edges,
        [Series("bar", counts, titles)],
        x=x,
        frame=_FRAME,
        x_label=f"{field} in {currency}" if currency else field,
        y_label="products",
        x_ticks=[(tick, format_tick(tick)) for tick in x.ticks()],
        mark=(median, f"median {format_number(median)}"),
        description=f"From {format_number(lowest)} to {format_number(highest)} on a logarithmic axis, "
        f"half of them at or below {format_number(median)}",
    )
    by_category = []
    if categories and len(categories.names) > 1:
        for code in categories.by_count[:NUM_SMALL]:
            is_chosen = is_price & (categories.codes == code)
            if is_chosen.any():
                # Half as many bins, as the charts are half as wide.
                by_category.append(_category_prices(categories.names[code], prices[is_chosen], log_edges[::2]))
    return PriceCharts(field, chart, by_category)


def _category_prices(name: str, prices: Floats, log_edges: Floats) -> CategoryPrices:
    edges = np.exp(log_edges).tolist()
    median = float(np.median(prices))
    label = format_number(median)
    chart = histogram(
        edges,
        [Series("bar", np.histogram(np.log(prices), log_edges)[0].tolist())],
        x=_SMALL.x_axis(edges[0], edges[-1], is_log=True),
        frame=_SMALL,
        mark=(median, ""),
        description=f"{name}, median {label}",
    )
    return CategoryPrices(name, label, chart)


def length_chart(field: str, lengths: Integers) -> Histogram:
    """Draw a histogram of the lengths of texts.

    Args:
        field: The name of the text field.
        lengths: (N,) integers above 0, the number of characters of each text; at least one.
    """
    median, longest = float(np.median(lengths)), int(lengths.max())
    # Whole, or some bins would hold one length more than others.
    width = max(1, math.ceil((longest + 1) / NUM_BINS))
    counts = np.bincount(lengths // width).tolist()
    starts = [width * i for i in range(len(counts) + 1)]
    bins = [f"{start} to {start + width - 1}" if width > 1 else f"{start}" for start in starts[:-1]]
    x = _FRAME.x_axis(0, starts[-1])
    return histogram(
        starts,
        [Series("bar", counts, [f"{name} characters: {n:,}" for name, n in zip(bins, counts, strict=True)])],
        x=x,
        frame=_FRAME,
        x_label="characters",
        y_label="products",
        x_ticks=[(tick, format_tick(tick)) for tick in x.ticks(6)],
        # A bar of one length stands to the right of its number, so its middle is half a character further on.
        mark=(median + (0.5 if width == 1 else 0), f"median {format_number(median)}"),
        description=f"Length of {field}, half of them at or below {format_number(median)} characters",
    )


def picture_sizes(widths: Integers, heights: Integers) -> PictureSizes | None:
    """Draw the widths, heights and side ratios of pictures.

    Args:
        widths: (N,) integers, in pixels; 0 where the size is not known.
        heights: (N,) integers, in pixels; 0 where the size is not known.

    Returns:
        The charts; None if no size is known.
    """
    # Both sides in one number, since unique pairs are found faster that way.
    pairs, counts = np.unique(widths.astype(np.int64) << 32 | heights, return_counts=True)
    width, height = pairs >> 32, pairs & 0xFFFFFFFF
    is_known = (width > 0) & (height > 0)
    if not is_known.any():
        return None
    width, height, counts = width[is_known], height[is_known], counts[is_known]
    top = int(counts.argmax())
    return PictureSizes(
        cells=_size_plot(width, height, counts),
        ratios=_ratio_chart(width, height, counts),
        num_sizes=len(counts),
        most_frequent=f"{width[top]} × {height[top]}",
        most_frequent_share=int(counts[top]) / max(len(widths), 1),
        median_shorter_side_px=int(np.median(np.minimum(widths, heights))),
    )


def _size_plot(widths: NDArray[Any], heights: NDArray[Any], counts: NDArray[Any]) -> Plot:
    """Count products in square cells of equal logarithmic size."""
    low = float(min(widths.min(), heights.min())) / 1.15
    high = float(max(widths.max(), heights.max())) * 1.15
    step = (math.log(high) - math.log(low)) / _NUM_CELLS
    i, j = (np.minimum((np.log(side / low) / step).astype(int), _NUM_CELLS - 1) for side in (widths, heights))
    found, inverse = np.unique(i * _NUM_CELLS + j, return_inverse=True)
    totals = np.bincount(inverse, weights=counts).astype(int)
    # Opacity by logarithm, and never below 0.2: else one frequent size would make all others invisible.
    max_log = math.log1p(int(totals.max()))
    cells = []
    for cell, total in zip(found.tolist(), totals.tolist(), strict=True):
        column, row = divmod(cell, _NUM_CELLS)
        left, right, bottom, top = (low * math.exp(n * step) for n in (column, column + 1, row, row + 1))
        title = f"{left:.0f} to {right:.0f} wide, {bottom:.0f} to {top:.0f} high: {total:,}"
        cells.append(Cell(left, right, bottom, top, round(0.2 + 0.8 * math.log1p(total) / max_log, 2), title))
    return plot(
        frame=_SQUARE,
        x=_SQUARE.x_axis(low, high, is_log=True),
        y=_SQUARE.y_axis(low, high, is_log=True),
        x_label="width in px",
        y_label="height in px",
        cells=cells,
        lines=[Line("off", [(low, low), (high, high)])],
        description="Width and height, stronger where more products are; squares lie on the dashed line",
    )


def _ratio_chart(widths: NDArray[Any], heights: NDArray[Any], counts: NDArray[Any]) -> Histogram:
    """Count products by width : height in eighths of an octave, the middle bin around the square."""
    octaves = np.log2(widths / heights)
    # Five octaves at most: MAX_SIDE_RATIO allows four, and what is beyond goes into the outermost bins.
    reach = min(max(1, math.ceil(float(np.abs(octaves).max()))), 5)
    num = 16 * reach + 1
    bins = np.clip(np.round(octaves * 8).astype(int) + 8 * reach, 0, num - 1)
    totals = np.bincount(bins, weights=counts, minlength=num).astype(int).tolist()
    titles = [f"{_format_ratio((bin_ - 8 * reach) / 8)}: {n:,}" for bin_, n in enumerate(totals)]
    step = 1 if reach < 4 else 2  # labels of nine octaves or more would run into each other
    return histogram(
        [bin_ - 0.5 for bin_ in range(num + 1)],
        [Series("bar", totals, titles)],
        x=_FRAME.x_axis(-0.5, num - 0.5),
        frame=_FRAME,
        x_label="width : height",
        y_label="products",
        x_ticks=[(8 * octave, _format_ratio(octave - reach)) for octave in range(reach % step, 2 * reach + 1, step)],
        description="Side ratios: portrait on the left, landscape on the right",
    )


def _format_ratio(octaves: float) -> str:
    side = f"{2 ** abs(octaves):.3g}"
    return f"{side} : 1" if octaves >= 0 else f"1 : {side}"
