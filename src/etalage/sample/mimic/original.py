"""A prepared catalogue as a table of texts, and the kind of each column, judged by its texts alone."""

import json
import random
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import fmean
from typing import Any, Literal, get_args

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from etalage.config import Split
from etalage.errors import EtalageError
from etalage.sample.mimic.suppressed_counts import K
from etalage.sample.mimic.writing import DateStyle, NumberStyle, detect_date_style, detect_number_style

__all__ = ["LINK", "MAX_CHARS", "Column", "Kind", "Original", "Text", "read_original"]

Text = str | None
Kind = Literal["empty", "picture", "title", "code", "link", "constant", "category", "date", "number", "words", "text"]

LINK = re.compile(r"[a-z][a-z0-9+.-]*://[^/?#\s]*", re.IGNORECASE)
"""The part of a link that names a machine."""

MAX_CHARS = 4000
"""Characters of a cell that are read; the rest is ignored."""

_TABLE, _PRODUCTS, _FACTS = "table.parquet", "metadata.parquet", "catalogue.json"
_KIND_OF_ROLE: Mapping[str, Kind] = {
    "image": "picture",
    "title": "title",
    "category": "category",
    "product_code": "code",
}
_MAX_MEAN_WORDS = 12
"""A column whose texts have more words on average holds descriptions."""
_MAX_CODE_CHARS = 64


@dataclass(frozen=True)
class Column:
    """A column of the original, without its texts."""

    name: str
    kind: Kind
    number: NumberStyle | None = None
    date: DateStyle | None = None

    def read(self, text: Text) -> float | None:
        """Return the value of a number or a date; None if the cell holds none."""
        style = self.number or self.date
        return None if style is None else style.read(text)

    def numbers(self, texts: Sequence[Text]) -> NDArray[np.float64]:
        """Return (N,) float64: the value of each text, NaN where `read` returns None."""
        return np.array([np.nan if (value := self.read(text)) is None else value for text in texts], np.float64)


@dataclass(frozen=True)
class Original:
    """Rows of a prepared catalogue."""

    folder: Path
    roles: Mapping[str, str]
    """The table's own columns by role: title, category, price, image, product_code."""
    texts: Mapping[str, Sequence[Text]]
    """By column, in the table's order."""
    splits: Sequence[str]
    groups: Sequence[str]
    pictures: Sequence[str]
    """Paths of the picture files, relative to the folder."""
    placeholders: Sequence[bool]

    def __len__(self) -> int:
        return len(self.splits)

    def select(self, rows: Sequence[int]) -> "Original":
        """Return some of the rows, in the given order."""
        return Original(
            folder=self.folder,
            roles=self.roles,
            texts={name: [texts[row] for row in rows] for name, texts in self.texts.items()},
            splits=[self.splits[row] for row in rows],
            groups=[self.groups[row] for row in rows],
            pictures=[self.pictures[row] for row in rows],
            placeholders=[self.placeholders[row] for row in rows],
        )

    def in_splits(self, splits: Collection[Split]) -> "Original":
        """Return the rows of some splits."""
        return self.select([row for row, split in enumerate(self.splits) if split in splits])

    def subsample(self, max_rows: int, seed: int) -> "Original":
        """Return a random subset of the rows, in their order.

        Args:
            max_rows: The largest number of rows; all are returned if there are no more.
            seed: Decides which rows are returned.

        Returns:
            The subset.
        """
        if len(self) <= max_rows:
            return self
        return self.select(sorted(random.Random(seed).sample(range(len(self)), max_rows)))

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """The columns in the table's order."""
        return tuple(_classify(name, texts, self.roles) for name, texts in self.texts.items())


def read_original(folder: Path) -> Original:
    """Read a catalogue's table, and what `prepare` found out about its rows.

    Args:
        folder: A catalogue folder.

    Returns:
        All of its rows.

    Raises:
        EtalageError: The folder holds no catalogue, one without its table, or a damaged one.
    """
    facts = _read_facts(folder)
    if not (folder / _TABLE).exists():
        raise EtalageError(
            f"{folder} has no {_TABLE}, which holds the rows of the original table: an earlier etalage prepared it; "
            "prepare the catalogue again"
        )
    try:
        table = pq.read_table(folder / _TABLE)
        names = ["split", "group", "file_name", "placeholder"]
        products = pq.read_table(folder / _PRODUCTS, columns=names).to_pydict()
        texts = {name: [_clean(text) for text in table.column(name).to_pylist()] for name in table.column_names}
        roles = {role: name for role, name in facts["columns"].items() if name in texts}
    except (pa.ArrowException, OSError, KeyError, TypeError, AttributeError) as error:
        raise EtalageError(f"{folder} is damaged: {error}; prepare the catalogue again") from error
    if table.num_rows != len(products["split"]):
        raise EtalageError(
            f"{folder} is damaged: {_TABLE} has {table.num_rows} rows, but {_PRODUCTS} has {len(products['split'])}; "
            "prepare the catalogue again"
        )
    if unknown := sorted({str(split) for split in products["split"]} - set(get_args(Split))):
        raise EtalageError(
            f"{folder} is damaged: {_PRODUCTS} has rows of an unknown split ({unknown[0]!r}); "
            "prepare the catalogue again"
        )
    return Original(folder, roles, texts, *(products[name] for name in names))


def _read_facts(folder: Path) -> dict[str, Any]:
    try:
        facts = json.loads((folder / _FACTS).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise EtalageError(f"{folder} is no catalogue: it has no {_FACTS}; make one with etalage prepare") from error
    except ValueError as error:
        raise EtalageError(f"{folder / _FACTS} is damaged: {error}; prepare the catalogue again") from error
    if not isinstance(facts, dict):
        raise EtalageError(f"{folder / _FACTS} is damaged: it holds no object; prepare the catalogue again")
    return facts


def _clean(text: Text) -> Text:
    """Return a cell's text as one line of bounded length; None for an empty cell."""
    if text is None:
        return None
    # One line with single spaces, since phrases are split at them.
    return " ".join(text[:MAX_CHARS].split()) or None


def _classify(name: str, texts: Sequence[Text], roles: Mapping[str, str]) -> Column:
    given = [text for text in texts if text is not None]
    for role, kind in _KIND_OF_ROLE.items():
        if name == roles.get(role):
            return Column(name, kind)
    if not given:
        return Column(name, "empty")
    if sum(bool(LINK.match(text)) for text in given) >= 0.9 * len(given):
        return Column(name, "link")
    counts = Counter(given)
    # From here on the order of the tests matters: codes look like numbers, and both like categories where few differ.
    if len(counts) == len(given) > 2 * K and _are_codes(given):
        return Column(name, "code")
    if len(counts) == 1:
        # One text of fewer than K rows would be theirs alone.
        return Column(name, "constant" if len(given) >= K else "empty")
    number, date = detect_number_style(given), detect_date_style(given)
    # A price stays a number even where so few prices differ that it looks like a category.
    if name == roles.get("price") and number is not None:
        return Column(name, "number", number=number)
    # A category has to be known by names that K rows share; otherwise it is learned as words, which are invented.
    num_common = sum(count for count in counts.values() if count >= K)
    # Many different numbers are better learned as numbers, while many different names may still be a category.
    max_values = 20 if number or date else max(20, len(given) // 8)
    if len(counts) <= max_values and num_common >= 0.8 * len(given):
        return Column(name, "category")
    if date is not None:
        return Column(name, "date", date=date)
    if number is not None:
        return Column(name, "number", number=number)
    return Column(name, "text" if fmean(len(text.split()) for text in given) > _MAX_MEAN_WORDS else "words")


def _are_codes(texts: Sequence[str]) -> bool:
    """Return whether texts have digits but no spaces and are no amounts; whole numbers have to be long and aligned."""
    if any(" " in text or len(text) > _MAX_CODE_CHARS for text in texts):
        return False
    if all(text.isdecimal() for text in texts):
        return len({len(text) for text in texts}) == 1 and len(texts[0]) >= 5
    if detect_number_style(texts) is not None or detect_date_style(texts) is not None:
        return False
    return fmean(any(c.isdecimal() for c in text) for text in texts) >= 0.9
