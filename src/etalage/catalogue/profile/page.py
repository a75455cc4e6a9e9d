"""The page itself: statistics, charts and pictures, gathered for the template.

Rows to show are chosen by a hash of their number in the source, so the same catalogue gives the same bytes.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from etalage.catalogue.facts import find_currencies
from etalage.catalogue.profile import table as columns
from etalage.catalogue.profile.cards import placeholder_cards, product_cards
from etalage.catalogue.profile.charts import length_chart, picture_sizes, price_charts
from etalage.catalogue.profile.statistics import (
    contact_sheet,
    group_sizes,
    largest_groups,
    leakage,
    sampling_keys,
    split_counts,
    split_shares,
)
from etalage.catalogue.profile.table import Categories, Integers
from etalage.catalogue.store import DROPS, PRODUCTS
from etalage.html.charts import Histogram
from etalage.html.formatting import visible_text
from etalage.html.page import write_page
from etalage.task import Field

__all__ = ["write_profile"]

TINY_PX = 64
"""Pictures with a shorter side than this are listed: the model sees them enlarged fivefold or more."""

NUM_FIELDS = 4
"""The fields of each kind that are drawn."""
NUM_NAMED = 40
"""The categories, and the suffixes, that are listed by name."""
NUM_TINY, NUM_REASONS, NUM_DROPS, NUM_TEXTS, NUM_LEAKS = 8, 40, 3, 4, 6
_DETAIL_CHARS = 240


@dataclass(frozen=True)
class Texts:
    """The lengths of a field's texts, and its shortest and longest ones."""

    chart: Histogram
    extremes: list[tuple[str, list[tuple[int, str]]]]
    """Shortest or longest, and texts with their number of characters."""


def write_profile(path: Path, folder: Path, facts: Mapping[str, Any], fields: Sequence[Field]) -> None:
    """Write a self-contained page: no network, no script, pictures inlined, everything escaped.

    Args:
        path: The page.
        folder: A finished catalogue folder.
        facts: The contents of its catalogue.json; splits and drops are needed, the rest is shown where it is there.
        fields: The fields of the task.
    """
    table = folder / PRODUCTS
    keys = sampling_keys(columns.read_integers(table, "source_row", np.int64))
    splits = columns.read_categories(table, "split")
    groups, pictures = columns.read_hashes(table, "group"), columns.read_hashes(table, "image_sha256")
    widths, heights = (columns.read_integers(table, f"image_{side}", np.int32) for side in ("width", "height"))
    names = {kind: [f.name for f in fields if f.kind == kind][:NUM_FIELDS] for kind in ("text", "category", "price")}
    categories = {name: columns.read_categories(table, name) for name in names["category"]}
    first = next(iter(categories.values()), None)
    currencies = find_currencies(facts)

    reasons = columns.read_categories(table, "group_reason")
    sheet, largest = contact_sheet(first, keys, pictures), largest_groups(groups, reasons, keys, pictures)
    num_tiny, tiny = _tiny_pictures(widths, heights)
    shown = tiny + [row for _, _, rows in sheet for row in rows] + [row for _, rows in largest for row in rows]
    cards = product_cards(table, folder, facts, shown, fields)
    write_page(
        path,
        "catalogue/profile/profile.html.jinja",
        num_products=len(keys),
        num_groups=len(np.unique(groups)),
        num_pictures=len(np.unique(pictures)),
        category_name=names["category"][0] if first else "",
        num_categories=len(first.names) if first else 0,
        too_many=bool(first and (first.codes < 0).any()),
        missing=[(f.name, n) for f in fields if (n := columns.count_missing(table, f))],
        sheet=[(name, count, [cards[row] for row in rows]) for name, count, rows in sheet],
        rest=_unshown_categories(first, len(sheet)),
        shares=[found for name, column in categories.items() if (found := split_shares(name, column, splits))],
        prices=[
            p
            for n in names["price"]
            if (p := price_charts(n, columns.read_floats(table, n), first, currencies.get(n, "")))
        ],
        sizes=picture_sizes(widths, heights),
        formats=columns.count_suffixes(table, NUM_NAMED),
        num_tiny=num_tiny,
        tiny_px=TINY_PX,
        tiny=[cards[row] for row in tiny],
        num_placed=int(columns.read_integers(table, "placeholder", np.int32).sum()),
        texts=[texts for name in names["text"] if (texts := _texts(table, name))],
        group_sizes=group_sizes(groups),
        largest=[(note, [cards[row] for row in rows]) for note, rows in largest],
        leakage=leakage(splits, groups, pictures),
        drops=_drops(folder / DROPS, facts["drops"]),
        kinds={f.name: f.kind for f in fields},
        **_facts(folder, facts),
    )


def _facts(folder: Path, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of the page that catalogue.json tells."""
    leaks = facts.get("leaks") or {}
    return {
        "source": facts.get("source") or "Catalogue",
        "splits": split_counts(facts["splits"]),
        "num_dropped": sum(facts["drops"].values()),
        "columns": dict(facts.get("columns") or {}),
        "guessed": set(facts.get("guessed") or ()),
        "task": dict(facts.get("task") or {}),
        "price_notes": [
            (column["column"], note) for column in (facts.get("prices") or {}).values() for note in column["notes"]
        ],
        "own_questions": bool(facts.get("own_questions")),
        "num_placeholders": len(facts.get("placeholders") or ()),
        "placeholders": placeholder_cards(folder, facts),
        "duplicates": facts.get("duplicates") or {},
        # With a split of the table's own, the recorded leaks are that split's, and not those of a split by row.
        "row_split": None
        if facts.get("split_column") or leaks.get("num_held_out") is None
        else {"num_held_out": leaks["num_held_out"], "num_leaked": leaks.get("num_leaked", 0)},
        "leak_examples": list(leaks.get("examples") or ())[:NUM_LEAKS],
        "provenance": list(_provenance(facts)),
    }


def _provenance(facts: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key in ("kind", "split_column", "seed", "validation_fraction", "test_fraction", "version"):
        if facts.get(key) not in (None, ""):
            yield key, str(facts[key])
    # Facts of an older catalogue may lack any of these.
    for name, value in dict(facts.get("limits") or {}).items():
        yield f"limits.{name}", str(value)


def _unshown_categories(categories: Categories | None, num_shown: int) -> dict[str, Any]:
    """Count and name the categories that are not on the contact sheet."""
    codes = categories.by_count[num_shown:] if categories else []
    if not categories or not codes:
        return {}
    return {
        "num": len(codes),
        "num_products": sum(categories.counts[code] for code in codes),
        "named": [(categories.names[code], categories.counts[code]) for code in codes[:NUM_NAMED]],
    }


def _tiny_pictures(widths: Integers, heights: Integers) -> tuple[int, list[int]]:
    """Return the number of tiny pictures, and the rows of the smallest."""
    shorter = np.minimum(widths, heights)
    tiny = np.flatnonzero(shorter < TINY_PX)
    return len(tiny), [int(row) for row in tiny[np.argsort(shorter[tiny], kind="stable")[:NUM_TINY]]]


def _texts(table: Path, name: str) -> Texts | None:
    """Return the lengths of a field's texts and the texts at both ends; None without any."""
    lengths = columns.read_lengths(table, name)
    given = np.flatnonzero(lengths)
    if not len(given):
        return None
    ranked = given[np.argsort(lengths[given], kind="stable")]
    # More than are shown, since texts that occur twice are shown once.
    num = 16 * NUM_TEXTS
    ends = {"shortest": ranked[:num].tolist(), "longest": ranked[::-1][:num].tolist()}
    texts = {place: row[name] for place, row in columns.read_rows(table, [*ends["shortest"], *ends["longest"]], [name])}
    extremes = []
    for end, places in ends.items():
        different = list(dict.fromkeys(texts[place] for place in places))
        extremes.append((end, [(len(text), visible_text(text)) for text in different[:NUM_TEXTS]]))
    return Texts(length_chart(name, lengths[given]), extremes)


def _drops(table: Path, counts: Mapping[str, int]) -> list[tuple[str, int, list[dict[str, Any]]]]:
    """Return each reason with its count and a few examples, the most frequent reason first."""
    reasons = sorted(counts, key=lambda reason: (-counts[reason], reason))[:NUM_REASONS]
    examples: dict[str, list[dict[str, Any]]] = {reason: [] for reason in reasons}
    if reasons:
        column = columns.read_categories(table, "reason")
        keys = sampling_keys(columns.read_integers(table, "source_row", np.int64))
        chosen: list[int] = []
        # The column knows its values as they are shown, so reasons are looked up in that form.
        for code in (column.names.index(name) for reason in reasons if (name := visible_text(reason)) in column.names):
            rows = np.flatnonzero(column.codes == code)
            chosen += rows[np.argsort(keys[rows], kind="stable")[:NUM_DROPS]].tolist()
        for _, row in columns.read_rows(table, chosen, ["source_row", "product_code", "reason", "detail"]):
            examples.setdefault(row["reason"], []).append(
                {
                    "row": row["source_row"],
                    "code": visible_text(row["product_code"]),
                    "detail": visible_text(row["detail"], _DETAIL_CHARS),
                }
            )
    return [(reason, counts[reason], examples[reason]) for reason in reasons]
