"""CATALOGUE/profile.html: one page that shows a person what is in a catalogue, before anything is trained on it.

The table is read a column at a time, in batches, and each column is kept as numbers: some fifty bytes per product, no
text. Only the rows that are shown are read whole. What is shown is drawn by a hash of the row's number, so the same
catalogue gives the same bytes.
"""

import hashlib
import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from etalage.catalogue.pictures import BadPicture, open_picture, resolve_picture
from etalage.catalogue.store import DROPS, PRODUCTS
from etalage.config import Split
from etalage.html.axes import linear_ticks, log_ticks, scale
from etalage.html.page import thumbnail, words, write_page
from etalage.task import Field

__all__ = ["write_profile"]

THUMBNAIL_PX = 96
TINY_PX = 64
"""A picture with a shorter side than this is named: the model sees it enlarged fivefold or more."""

NUM_CATEGORIES, NUM_PICTURES = 24, 8
"""On the contact sheet, and the pictures of each."""
NUM_ALL = 48
"""Pictures on the contact sheet of a catalogue without categories."""
NUM_SHARES, NUM_SMALL = 16, 12
"""Categories whose share of each split, and whose prices, are drawn."""
NUM_FIELDS = 4
"""Fields of a kind that are drawn."""
NUM_NAMED = 40
"""Of whatever is named in a line."""
NUM_GROUPS, NUM_PLACEHOLDERS, NUM_TINY, NUM_REASONS, NUM_DROPS, NUM_TEXTS, NUM_LEAKS = 6, 8, 8, 40, 3, 4, 6

MAX_KINDS = 65_536
"""Different values that are counted of a column; what goes beyond is no category."""

_BATCH, _BUFFER = 16_384, 1 << 20
"""Rows that are read at once, and the bytes that the file is read by."""
_DETAIL_CHARS = 240

LEFT, RIGHT, TOP, BOTTOM = 58.0, 428.0, 24.0, 208.0
"""A chart's frame in a viewBox of 440 x 250."""

Ticks = list[tuple[float, str]]
Integers = NDArray[np.int32]
Hashes = NDArray[np.uint64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Bars:
    """A histogram; all numbers are coordinates of the viewBox."""

    caption: str
    x_label: str
    y_label: str
    bars: list[tuple[float, float, float, float, str]]
    """x, y, width, height, and what it says when pointed at."""
    x_ticks: Ticks
    y_ticks: Ticks
    mark: tuple[float, str, str] | None = None
    """Where a vertical line stands, what it says, and on which side of it (start or end)."""


@dataclass(frozen=True)
class Small:
    """A histogram of one category, on the axis of the large one; in a viewBox of 200 x 56."""

    name: str
    note: str
    bars: list[tuple[float, float, float, float]]
    mark: float


@dataclass(frozen=True)
class Cells:
    """Width against height, in a viewBox of 440 x 440."""

    cells: list[tuple[float, float, float, float, float, str]]
    """x, y, width, height, opacity, and what it says when pointed at."""
    ticks: list[tuple[float, float, str]]
    """On both axes: x, y, label."""


@dataclass(frozen=True)
class Shown:
    """A picture on the page."""

    src: str
    """A data URI; none if the picture cannot be opened any more."""
    caption: str
    code: str = ""
    size: str = ""


@dataclass(frozen=True)
class Shares:
    """How a category field is spread over the splits that hold products."""

    field: str
    splits: list[str]
    rows: list[tuple[str, list[float]]]
    """Category, and its share of each split in percent."""
    spread: float
    """The largest step between two splits, in percent, and whose it is."""
    widest: str
    lacking: list[tuple[str, int]]
    """Splits, and how many categories they have no product of."""


@dataclass(frozen=True)
class Column:
    """A column of few different values: a code per row, -1 for those beyond MAX_KINDS."""

    codes: Integers
    names: list[str]
    counts: list[int]

    @property
    def by_count(self) -> list[int]:
        """Codes, the most frequent first."""
        return sorted(range(len(self.names)), key=lambda code: (-self.counts[code], self.names[code], code))


def write_profile(path: Path, folder: Path, facts: Mapping[str, Any], fields: Sequence[Field]) -> None:
    """Write a self-contained page: no network, no script, pictures inlined, everything escaped.

    Args:
        path: The page.
        folder: A finished catalogue folder.
        facts: What its catalogue.json holds; splits and drops are needed, the rest is shown where it is there.
        fields: Of the task.
    """
    write_page(path, "catalogue/profile.html.jinja", **_contents(folder, facts, fields))


def _contents(folder: Path, facts: Mapping[str, Any], fields: Sequence[Field]) -> dict[str, Any]:
    table = folder / PRODUCTS
    order = _draw(_integers(table, "source_row", np.int64))
    splits, groups, pictures = _column(table, "split"), _hashes(table, "group"), _hashes(table, "image_sha256")
    by_kind = {kind: [f.name for f in fields if f.kind == kind][:NUM_FIELDS] for kind in ("text", "category", "price")}
    categories = {name: _column(table, name) for name in by_kind["category"]}
    first = next(iter(categories.values()), None)

    sheet = _sheet(first, order, pictures)
    num_tiny, tiny, sizes = _sizes(table)
    sharing, largest = _groups(groups, order, pictures)
    rows = tiny + [row for *_, some in sheet for row in some] + [row for _, some in largest for row in some]
    cards = _cards(table, folder, facts, rows, fields)
    return {
        "source": facts.get("source") or "Catalogue",
        "num_products": len(order),
        "num_groups": len(np.unique(groups)),
        "num_pictures": len(np.unique(pictures)),
        "num_categories": len(first.names) if first else 0,
        "category_name": by_kind["category"][0] if first else "",
        "too_many": bool(first and (first.codes < 0).any()),
        "splits": _split_bar(facts["splits"]),
        "drops": list(_drops(folder / DROPS, facts["drops"])),
        "num_dropped": sum(facts["drops"].values()),
        "columns": dict(facts.get("columns") or {}),
        "guessed": set(facts.get("guessed") or ()),
        "task": dict(facts.get("task") or {}),
        "own_questions": bool(facts.get("own_questions")),
        "kinds": {f.name: f.kind for f in fields},
        "missing": [(f.name, n) for f in fields if (n := _num_missing(table, f))],
        "rest": _rest(first, len(sheet)),
        "shares": [found for name, column in categories.items() if (found := _shares(name, column, splits))],
        "prices": [plot for name in by_kind["price"] if (plot := _prices(table, name, first))],
        "sizes": sizes,
        "num_tiny": num_tiny,
        "tiny_px": TINY_PX,
        "formats": _formats(table),
        "texts": [plot for name in by_kind["text"] if (plot := _lengths(table, name))],
        "duplicates": facts.get("duplicates") or {},
        "sharing": sharing,
        "num_placed": int(_integers(table, "placeholder", np.int32).sum()),
        "num_placeholders": len(facts.get("placeholders") or ()),
        "leaks": _leaks(facts),
        "held": _leaked(splits, groups, pictures),
        "made": list(_made(facts)),
        "sheet": [(name, count, [cards[row] for row in rows]) for name, count, rows in sheet],
        "tiny": [cards[row] for row in tiny],
        "largest": [(note, [cards[row] for row in rows]) for note, rows in largest],
        "placeholders": _placeholders(folder, facts),
    }


# --- the table, as numbers ---


def _read(table: Path, column: str, read: Callable[[Any], NDArray[Any]], dtype: Any) -> NDArray[Any]:
    """A column, each batch of it turned into numbers."""
    with pq.ParquetFile(table, buffer_size=_BUFFER) as file:
        values = np.empty(file.metadata.num_rows, dtype)
        start = 0
        for batch in file.iter_batches(_BATCH, columns=[column], use_threads=False):
            values[start : start + batch.num_rows] = read(batch.column(0))
            start += batch.num_rows
    return values


def _integers(table: Path, column: str, dtype: Any) -> NDArray[Any]:
    return _read(table, column, lambda batch: pc.fill_null(pc.cast(batch, pa.int64()), 0).to_numpy(), dtype)


def _floats(table: Path, column: str) -> Floats:
    """NaN where there is none."""
    return _read(table, column, lambda batch: pc.cast(batch, pa.float64()).to_numpy(zero_copy_only=False), np.float64)


def _hashes(table: Path, column: str) -> Hashes:
    """Equal for equal texts."""
    return _read(
        table,
        column,
        lambda batch: np.fromiter((_hash(text) for text in batch.to_pylist()), np.uint64, len(batch)),
        np.uint64,
    )


def _hash(text: str | None) -> int:
    data = (text or "").encode(errors="surrogatepass")
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "little")


def _column(table: Path, column: str) -> Column:
    known: dict[int, int] = {}
    names: list[str] = []

    def code(text: str | None) -> int:
        key = _hash(text)
        if key not in known and len(known) < MAX_KINDS:
            known[key] = len(names)
            names.append(words(text or "(none)"))
        return known.get(key, -1)

    def read(batch: Any) -> NDArray[Any]:
        encoded = pc.fill_null(batch, "").dictionary_encode()
        codes = np.array([code(text) for text in encoded.dictionary.to_pylist()], np.int32)
        return codes[encoded.indices.to_numpy()]

    codes = _read(table, column, read, np.int32)
    return Column(codes, names, np.bincount(codes[codes >= 0], minlength=len(names)).tolist())


def _num_missing(table: Path, of: Field) -> int:
    if of.kind == "price":
        return int(np.isnan(_floats(table, of.name)).sum())
    return int(_read(table, of.name, lambda batch: pc.equal(pc.fill_null(batch, ""), "").to_numpy(False), bool).sum())


def _rows_at(table: Path, rows: Sequence[int], columns: Sequence[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """The rows at these places, in the table's order."""
    places, start = np.unique(np.array(rows, np.int64)), 0
    with pq.ParquetFile(table, buffer_size=_BUFFER) as file:
        for batch in file.iter_batches(_BATCH, columns=list(dict.fromkeys(columns)), use_threads=False):
            low, high = np.searchsorted(places, (start, start + batch.num_rows))
            if low < high:
                found = batch.take(pa.array(places[low:high] - start)).to_pylist()
                yield from zip(places[low:high].tolist(), found, strict=True)
            start += batch.num_rows


def _draw(numbers: NDArray[np.int64]) -> Hashes:
    """A number per row by which to choose, unrelated to its place. Source: Steele et al. 2014, splitmix64."""
    mixed = numbers.astype(np.uint64)
    mixed += np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed ^= mixed >> np.uint64(shift)
        mixed *= np.uint64(factor)
    mixed ^= mixed >> np.uint64(31)
    return mixed


def _choose(rows: NDArray[np.intp], order: Hashes, pictures: Hashes, most: int) -> list[int]:
    """A few rows of differing pictures."""
    enough = 16 * most
    if len(rows) > enough:
        rows = rows[np.argpartition(order[rows], enough)[:enough]]
    rows = rows[np.argsort(order[rows], kind="stable")]
    _, at = np.unique(pictures[rows], return_index=True)
    return [int(row) for row in rows[np.sort(at)[:most]]]


# --- what the page shows ---


def _sheet(first: Column | None, order: Hashes, pictures: Hashes) -> list[tuple[str, int, list[int]]]:
    """Categories with their count and the rows to show."""
    if first is None:
        return [("", len(order), _choose(np.arange(len(order)), order, pictures, NUM_ALL))]
    return [
        (
            first.names[code],
            first.counts[code],
            _choose(np.flatnonzero(first.codes == code), order, pictures, NUM_PICTURES),
        )
        for code in first.by_count[:NUM_CATEGORIES]
    ]


def _rest(first: Column | None, num_shown: int) -> dict[str, Any]:
    """The categories that are not on the sheet."""
    codes = first.by_count[num_shown:] if first else []
    if not first or not codes:
        return {}
    return {
        "num": len(codes),
        "num_products": sum(first.counts[code] for code in codes),
        "named": [(first.names[code], first.counts[code]) for code in codes[:NUM_NAMED]],
    }


def _split_bar(counts: Mapping[str, int]) -> list[tuple[str, int, float]]:
    total = sum(counts.values()) or 1
    names = [*get_args(Split), *(name for name in counts if name not in get_args(Split))]
    return [(name, counts[name], 100 * counts[name] / total) for name in names if counts.get(name)]


def _shares(name: str, column: Column, splits: Column) -> Shares | None:
    """None where there is nothing to compare."""
    present = [split for split in get_args(Split) if split in splits.names]
    if len(present) < 2 or len(column.names) < 2:
        return None
    known = column.codes >= 0
    counts = np.stack(
        [
            np.bincount(column.codes[known & (splits.codes == splits.names.index(split))], minlength=len(column.names))
            for split in present
        ]
    )
    shares = 100 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    spread = shares.max(axis=0) - shares.min(axis=0)
    widest = int(spread.argmax())
    top = column.by_count[:NUM_SHARES]
    rows = [(column.names[code], shares[:, code].tolist()) for code in top]
    if more := len(column.names) - len(top):
        rows.append((f"{more:,} more", (100 - shares[:, top].sum(axis=1)).clip(0).tolist()))
    lacking = [(split, int((of == 0).sum())) for split, of in zip(present, counts, strict=True)]
    return Shares(
        name, present, rows, float(spread[widest]), column.names[widest], [pair for pair in lacking if pair[1]]
    )


def _prices(table: Path, name: str, first: Column | None) -> dict[str, Any] | None:
    """The histogram over all, and those of the largest categories; None if there is no price."""
    prices = _floats(table, name)
    good = np.isfinite(prices) & (prices > 0)
    if not good.any():
        return None
    logs = np.log(prices, out=np.full_like(prices, np.nan), where=good)
    low, high = float(np.nanmin(logs)), float(np.nanmax(logs))
    pad = max(0.02 * (high - low), 0.05)
    low, high = low - pad, high + pad
    num_bins = 48
    edges = np.linspace(low, high, num_bins + 1)
    counts = np.histogram(logs[good], edges)[0]
    x = scale(low, high, LEFT, RIGHT)
    ticks = log_ticks(math.exp(low), math.exp(high))
    median = float(np.median(prices[good]))
    names = [f"{_number(math.exp(a))} to {_number(math.exp(b))}" for a, b in pairwise(edges)]
    lowest, highest = (_number(float(price)) for price in (prices[good].min(), prices[good].max()))
    plot = _bars(
        f"From {lowest} to {highest} on a logarithmic axis, half of them at or below {_number(median)}",
        name, [x(edge) for edge in edges], counts, names,
        [(x(math.log(tick)), _tick(tick)) for tick in ticks], (x(math.log(median)), f"median {_number(median)}"),
    )  # fmt: skip
    small = []
    if first and len(first.names) > 1:
        for code in first.by_count[:NUM_SMALL]:
            some = good & (first.codes == code)
            if some.any():
                middle = float(np.median(prices[some]))
                bars = _small_bars(np.histogram(logs[some], edges[::2])[0])
                mark = scale(low, high, 0, 200)(math.log(middle))
                small.append(Small(first.names[code], _number(middle), bars, mark))
    return {"name": name, "plot": plot, "small": small}


def _small_bars(counts: NDArray[Any]) -> list[tuple[float, float, float, float]]:
    width, tallest = 200 / len(counts), max(int(counts.max()), 1)
    return [
        (round(i * width, 1), round(52 - 50 * n / tallest, 1), round(width - 1, 1), round(50 * n / tallest, 1))
        for i, n in enumerate(counts.tolist())
        if n
    ]


def _lengths(table: Path, name: str) -> dict[str, Any] | None:
    """How long the texts of a field are, and its shortest and longest ones; None without any."""
    lengths = _read(table, name, lambda batch: pc.fill_null(pc.utf8_length(batch), 0).to_numpy(), np.int32)
    some = np.flatnonzero(lengths)
    if not len(some):
        return None
    ranked = some[np.argsort(lengths[some], kind="stable")]
    ends = {"shortest": ranked[: 16 * NUM_TEXTS].tolist(), "longest": ranked[::-1][: 16 * NUM_TEXTS].tolist()}
    texts = {place: row[name] for place, row in _rows_at(table, [*ends["shortest"], *ends["longest"]], [name])}
    lengths = lengths[some]
    longest, median = int(lengths.max()), float(np.median(lengths))
    width = max(1, math.ceil((longest + 1) / 48))
    counts = np.bincount(lengths // width)
    starts = [width * i for i in range(len(counts) + 1)]
    x = scale(0, starts[-1], LEFT, RIGHT)
    names = [f"{a} to {a + width - 1} characters" if width > 1 else f"{a} characters" for a in starts[:-1]]
    plot = _bars(
        f"Length of {name}, half of them at or below {_number(median)} characters",
        "characters", [x(start) for start in starts], counts, names,
        [(x(tick), _tick(tick)) for tick in linear_ticks(0, starts[-1], 6)],
        (x(median + (0.5 if width == 1 else 0)), f"median {_number(median)}"),
    )  # fmt: skip
    different = {end: list(dict.fromkeys(texts[place] for place in places)) for end, places in ends.items()}
    shown = [(end, [(len(text), words(text)) for text in some[:NUM_TEXTS]]) for end, some in different.items()]
    return {"name": name, "plot": plot, "ends": shown}


def _sizes(table: Path) -> tuple[int, list[int], dict[str, Any] | None]:
    """How many pictures are tiny and the rows of the smallest, and charts of width, height and their ratio."""
    widths, heights = _integers(table, "image_width", np.int32), _integers(table, "image_height", np.int32)
    shorter = np.minimum(widths, heights)
    tiny = np.flatnonzero(shorter < TINY_PX)
    smallest = [int(row) for row in tiny[np.argsort(shorter[tiny], kind="stable")[:NUM_TINY]]]
    pairs, counts = np.unique(widths.astype(np.int64) << 32 | heights, return_counts=True)
    wide, high = pairs >> 32, pairs & 0xFFFFFFFF
    real = (wide > 0) & (high > 0)
    if not real.any():
        return len(tiny), smallest, None
    wide, high, counts = wide[real], high[real], counts[real]
    common = int(counts.argmax())
    return (
        len(tiny),
        smallest,
        {
            "cells": _cells(wide, high, counts),
            "ratios": _ratios(wide, high, counts),
            "num_sizes": len(counts),
            "common": f"{wide[common]} × {high[common]}",
            "common_share": int(counts[common]) / max(len(widths), 1),
            "median": int(np.median(shorter)),
        },
    )


def _cells(wide: NDArray[Any], high: NDArray[Any], counts: NDArray[Any]) -> Cells:
    low, top = min(wide.min(), high.min()) / 1.15, max(wide.max(), high.max()) * 1.15
    x, y = scale(math.log(low), math.log(top), 58, 428), scale(math.log(low), math.log(top), 382, 12)
    num, step = 40, (math.log(top) - math.log(low)) / 40
    i, j = (np.minimum(((np.log(side) - math.log(low)) / step).astype(int), num - 1) for side in (wide, high))
    found, inverse = np.unique(i * num + j, return_inverse=True)
    totals = np.bincount(inverse, weights=counts).astype(int)
    darkest = math.log1p(int(totals.max()))
    cells = []
    for cell, total in zip(found.tolist(), totals.tolist(), strict=True):
        (x0, x1), (y1, y0) = ((f(math.log(low) + k * step), f(math.log(low) + (k + 1) * step)) for f, k in
                              ((x, cell // num), (y, cell % num)))  # fmt: skip
        px = [round(low * math.exp(k * step)) for k in (cell // num, cell // num + 1, cell % num, cell % num + 1)]
        cells.append(
            (x0, y0, round(x1 - x0, 1), round(y1 - y0, 1), round(0.2 + 0.8 * math.log1p(total) / darkest, 2),
             f"{px[0]} to {px[1]} wide, {px[2]} to {px[3]} high: {total:,}")
        )  # fmt: skip
    ticks = [(x(math.log(tick)), y(math.log(tick)), _number(tick)) for tick in log_ticks(low, top)]
    return Cells(cells, ticks)


def _ratios(wide: NDArray[Any], high: NDArray[Any], counts: NDArray[Any]) -> Bars:
    """Eighths of an octave, the middle bin around the square."""
    octaves = np.log2(wide / high)
    reach = min(max(1, math.ceil(float(np.abs(octaves).max()))), 5)
    step = 1 if reach < 4 else 2
    num = 16 * reach + 1
    bins = np.clip(np.round(octaves * 8).astype(int) + 8 * reach, 0, num - 1)
    totals = np.bincount(bins, weights=counts, minlength=num).astype(int)
    x = scale(-0.5, num - 0.5, LEFT, RIGHT)
    names = [_ratio((k - 8 * reach) / 8) for k in range(num)]
    return _bars(
        "Side ratios: portrait on the left, landscape on the right", "width : height",
        [x(k - 0.5) for k in range(num + 1)], totals, names,
        [(x(8 * k), _ratio(k - reach)) for k in range(reach % step, 2 * reach + 1, step)], None,
    )  # fmt: skip


def _ratio(octaves: float) -> str:
    side = f"{2 ** abs(octaves):.3g}"
    return f"{side} : 1" if octaves >= 0 else f"1 : {side}"


def _formats(table: Path) -> list[tuple[str, int]]:
    totals: dict[str, int] = {}
    with pq.ParquetFile(table, buffer_size=_BUFFER) as file:
        for batch in file.iter_batches(_BATCH, columns=["file_name"], use_threads=False):
            suffixes = pc.replace_substring_regex(pc.fill_null(batch.column(0), ""), r"(?s)^.*\.", "")
            for found in pc.value_counts(suffixes).to_pylist():
                name = words(found["values"], 12) if len(totals) < NUM_NAMED else "others"
                totals[name] = totals.get(name, 0) + found["counts"]
    return sorted(totals.items(), key=lambda item: (-item[1], item[0]))


def _groups(
    groups: Hashes, order: Hashes, pictures: Hashes
) -> tuple[list[tuple[str, int, int]], list[tuple[str, list[int]]]]:
    """How many groups of which size there are and the products in them; and the largest, each with rows to show."""
    names, sizes = np.unique(groups, return_counts=True)
    sharing = []
    for label, least, most in (("1", 1, 1), ("2", 2, 2), ("3 to 5", 3, 5), ("6 or more", 6, len(groups))):
        some = sizes[(sizes >= least) & (sizes <= most)]
        sharing.append((label, len(some), int(some.sum())))
    largest = []
    for at in np.lexsort((names, -sizes))[:NUM_GROUPS]:
        if sizes[at] > 1:
            rows = np.flatnonzero(groups == names[at])
            num = len(np.unique(pictures[rows]))
            note = f"{sizes[at]:,} products, {num:,} picture{'s' if num > 1 else ''}"
            largest.append((note, _choose(rows, order, pictures, NUM_PICTURES)))
    return sharing, largest


def _leaked(splits: Column, groups: Hashes, pictures: Hashes) -> dict[str, int]:
    """Of the products held out, those with a copy or variant, and those with the very picture, in the training split.

    Counted and not taken for granted: a table may bring its own split.
    """
    held = splits.codes != (splits.names.index("train") if "train" in splits.names else -2)
    return {
        "num_held": int(held.sum()),
        "num_leaked": int(np.isin(groups[held], groups[~held]).sum()),
        "num_same_picture": int(np.isin(pictures[held], pictures[~held]).sum()),
    }


def _leaks(facts: Mapping[str, Any]) -> dict[str, Any]:
    """What `prepare` found that a split by row leaks; None held out if it looked at the table's own split, or not."""
    leaks = facts.get("leaks") or {}
    own = bool(facts.get("split_column"))
    return {
        "num_held": None if own else leaks.get("num_held_out"),
        "num_leaked": leaks.get("num_leaked", 0),
        "examples": list(leaks.get("examples") or ())[:NUM_LEAKS],
    }


def _drops(table: Path, counts: Mapping[str, int]) -> Iterator[tuple[str, int, list[dict[str, Any]]]]:
    """Reason, count and a few examples, the most frequent reason first."""
    reasons = sorted(counts, key=lambda reason: (-counts[reason], reason))[:NUM_REASONS]
    examples: dict[str, list[dict[str, Any]]] = {reason: [] for reason in reasons}
    if reasons:
        column = _column(table, "reason")
        order = _draw(_integers(table, "source_row", np.int64))
        chosen: list[int] = []
        for code in (column.names.index(name) for reason in reasons if (name := words(reason)) in column.names):
            rows = np.flatnonzero(column.codes == code)
            chosen += rows[np.argsort(order[rows], kind="stable")[:NUM_DROPS]].tolist()
        for _, row in _rows_at(table, chosen, ["source_row", "product_code", "reason", "detail"]):
            examples.setdefault(row["reason"], []).append(
                {
                    "row": row["source_row"],
                    "code": words(row["product_code"]),
                    "detail": words(row["detail"], _DETAIL_CHARS),
                }
            )
    yield from ((reason, counts[reason], examples[reason]) for reason in reasons)


def _made(facts: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """How the catalogue came to be."""
    for key in ("kind", "split_column", "seed", "validation_fraction", "test_fraction", "version"):
        if facts.get(key) not in (None, ""):
            yield key, str(facts[key])
    for name, value in dict(facts.get("limits") or {}).items():
        yield f"limits.{name}", str(value)


# --- pictures ---


def _cards(
    table: Path, folder: Path, facts: Mapping[str, Any], rows: Sequence[int], fields: Sequence[Field]
) -> dict[int, Shown]:
    """What is shown of each of these rows."""
    columns = ["product_code", "file_name", "image_width", "image_height", *(f.name for f in fields)]
    found = dict(_rows_at(table, rows, columns))
    names = sorted({row["file_name"] or "" for row in found.values()})
    thumbnails = dict(zip(names, _thumbnails(folder, names, facts), strict=True))
    return {place: _card(row, thumbnails[row["file_name"] or ""], fields) for place, row in found.items()}


def _card(row: Mapping[str, Any], src: str, fields: Sequence[Field]) -> Shown:
    values = (row[f.name] for f in fields[: 2 * NUM_FIELDS])
    texts = [_number(value) if isinstance(value, float) else value for value in values]
    code, size = words(row["product_code"]), f"{row['image_width']} × {row['image_height']} px"
    return Shown(src, " · ".join([code, *(words(text) for text in texts if text), size]), code, size)


def _placeholders(folder: Path, facts: Mapping[str, Any]) -> list[tuple[Shown, int, int]]:
    """Picture, products and titles."""
    placeholders = [(p.get("num_products") or 0, p.get("num_titles") or 0, p.get("file_name") or "")
                    for p in facts.get("placeholders") or ()]  # fmt: skip
    shown = sorted(placeholders, key=lambda p: (-p[0], p[2]))[:NUM_PLACEHOLDERS]
    sources = _thumbnails(folder, [name for *_, name in shown], facts)
    return [(Shown(src, words(name)), n, t) for src, (n, t, name) in zip(sources, shown, strict=True)]


def _thumbnails(folder: Path, names: Sequence[str], facts: Mapping[str, Any]) -> list[str]:
    limits: Any = facts.get("limits") or {}
    folder = folder.resolve()
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:  # more would hold too many whole pictures at once
        return list(pool.map(lambda name: _thumbnail(folder, name, limits), names))


def _thumbnail(folder: Path, name: str, limits: Any) -> str:
    """A data URI; none if the picture is no longer there or no longer one."""
    try:
        return thumbnail(open_picture(resolve_picture(folder, name), **limits), THUMBNAIL_PX)
    except BadPicture:
        return ""


# --- numbers in words ---


def _number(value: float) -> str:
    """At most two decimals, and never an exponent where a person would write the digits."""
    return f"{value:,.2f}".rstrip("0").rstrip(".") if 0.01 <= abs(value) < 1e12 else f"{value:.3g}"


def _tick(value: float) -> str:
    for least, unit in ((1e12, None), (1e9, " bn"), (1e6, " M")):
        if value >= least:
            return f"{value / least:g}{unit}" if unit else f"{value:g}"
    return _number(value)


# --- coordinates ---


def _bars(
    caption: str,
    x_label: str,
    edges: Sequence[float],
    counts: NDArray[Any],
    names: Sequence[str],
    x_ticks: Ticks,
    mark: tuple[float, str] | None,
) -> Bars:
    tallest = max(int(counts.max()), 1)
    y = scale(0, tallest, BOTTOM, TOP)
    bars = [
        (left, y(n), round(right - left - 0.8, 1), round(BOTTOM - y(n), 1), f"{name}: {n:,}")
        for left, right, n, name in zip(edges, edges[1:], counts.tolist(), names, strict=False)
        if n
    ]
    unit, suffix = (1000, " k") if tallest >= 20_000 else (1, "")
    y_ticks = [
        (y(tick), f"{tick / unit:,g}{suffix}" if tick else "0")
        for tick in linear_ticks(0, tallest, 4)
        if tick == round(tick)
    ]
    side = "start" if mark and mark[0] < (LEFT + RIGHT) / 2 else "end"
    return Bars(caption, x_label, "products", bars, x_ticks, y_ticks, (*mark, side) if mark else None)
