"""A prepared catalogue as a table of texts, and what kind of thing each column holds, told by the texts alone."""

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
from etalage.sample.mimic.writing import DateStyle, NumberStyle, date_style, number_style

__all__ = ["LINK", "Column", "Kind", "Original", "Text", "read_original"]

Text = str | None
Kind = Literal["empty", "picture", "title", "code", "link", "constant", "category", "date", "number", "words", "text"]

LINK = re.compile(r"[a-z][a-z0-9+.-]*://[^/?#\s]*", re.IGNORECASE)
"""The part of a link that names a machine."""

MAX_CHARS = 4000
"""Of a cell; the rest of it is not looked at."""

_TABLE, _PRODUCTS, _FACTS = "table.parquet", "metadata.parquet", "catalogue.json"
_BY_ROLE: Mapping[str, Kind] = {"image": "picture", "title": "title", "category": "category", "product_code": "code"}
_MANY_WORDS = 12
"""On average: more make a description."""


@dataclass(frozen=True)
class Column:
    """A column of the original, without its texts."""

    name: str
    kind: Kind
    number: NumberStyle | None = None
    date: DateStyle | None = None

    def read(self, text: Text) -> float | None:
        """What a number or a date amounts to; None if the cell holds none."""
        style = self.number or self.date
        return None if style is None else style.read(text)

    def numbers(self, texts: Sequence[Text]) -> NDArray[np.float64]:
        """(N,) float64: what `read` makes of each; NaN for None."""
        return np.array([np.nan if (value := self.read(text)) is None else value for text in texts], np.float64)


@dataclass(frozen=True)
class Original:
    """Rows of a prepared catalogue."""

    folder: Path
    roles: Mapping[str, str]
    """By what the intake calls it (title, category, price, image, product_code) the table's own column."""
    texts: Mapping[str, Sequence[Text]]
    """By column, in the table's order."""
    splits: Sequence[str]
    groups: Sequence[str]
    pictures: Sequence[str]
    """Paths of the picture files from the folder."""
    placeholders: Sequence[bool]

    def __len__(self) -> int:
        return len(self.splits)

    def only(self, rows: Sequence[int]) -> "Original":
        """Some of the rows."""
        return Original(
            folder=self.folder,
            roles=self.roles,
            texts={name: [texts[row] for row in rows] for name, texts in self.texts.items()},
            splits=[self.splits[row] for row in rows],
            groups=[self.groups[row] for row in rows],
            pictures=[self.pictures[row] for row in rows],
            placeholders=[self.placeholders[row] for row in rows],
        )

    def of(self, splits: Collection[Split]) -> "Original":
        """The rows of some splits."""
        return self.only([row for row, split in enumerate(self.splits) if split in splits])

    def some(self, most: int, seed: int) -> "Original":
        """At most so many rows, drawn from the seed, in their order."""
        if len(self) <= most:
            return self
        return self.only(sorted(random.Random(seed).sample(range(len(self)), most)))

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """In the table's order."""
        return tuple(_column(name, texts, self.roles) for name, texts in self.texts.items())


def read_original(folder: Path) -> Original:
    """Read the table, and what `prepare` found out about its rows.

    Raises:
        EtalageError: no catalogue, one without its table, or a damaged one.
    """
    facts = _facts(folder)
    if not (folder / _TABLE).exists():
        raise EtalageError(
            f"{folder} has no {_TABLE}, the rows of the original table: it was prepared by an earlier etalage; "
            "prepare the catalogue again"
        )
    try:
        table = pq.read_table(folder / _TABLE)
        wanted = ["split", "group", "file_name", "placeholder"]
        products = pq.read_table(folder / _PRODUCTS, columns=wanted).to_pydict()
        texts = {name: [_clean(text) for text in table.column(name).to_pylist()] for name in table.column_names}
        roles = {role: name for role, name in facts["columns"].items() if name in texts}
    except (pa.ArrowException, OSError, KeyError, TypeError, AttributeError) as error:
        raise EtalageError(f"{folder} is damaged: {error}; prepare the catalogue again") from error
    known = all(split in get_args(Split) for split in products["split"])
    if table.num_rows != len(products["split"]) or not known:
        raise EtalageError(
            f"{folder} is damaged: {_TABLE} has {table.num_rows} rows, {_PRODUCTS} {len(products['split'])}"
            f"{'' if known else ', some of no split'}; prepare the catalogue again"
        )
    return Original(folder, roles, texts, *(products[name] for name in wanted))


def _facts(folder: Path) -> dict[str, Any]:
    try:
        facts = json.loads((folder / _FACTS).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise EtalageError(f"{folder} is no catalogue: {_FACTS} is not there; make one with etalage prepare") from error
    except ValueError as error:
        raise EtalageError(f"{folder / _FACTS} is damaged: {error}; prepare the catalogue again") from error
    if not isinstance(facts, dict):
        raise EtalageError(f"{folder / _FACTS} is damaged: it holds no object; prepare the catalogue again")
    return facts


def _clean(text: Text) -> Text:
    """One line of bounded length; None for what holds nothing."""
    if text is None:
        return None
    return " ".join(text[:MAX_CHARS].split()) or None


def _column(name: str, texts: Sequence[Text], roles: Mapping[str, str]) -> Column:
    given = [text for text in texts if text is not None]
    for role, kind in _BY_ROLE.items():
        if name == roles.get(role):
            return Column(name, kind)
    if not given:
        return Column(name, "empty")
    if sum(bool(LINK.match(text)) for text in given) >= 0.9 * len(given):
        return Column(name, "link")
    counts = Counter(given)
    if len(counts) == len(given) > 2 * K and _are_codes(given):
        return Column(name, "code")
    if len(counts) == 1:
        return Column(name, "constant" if len(given) >= K else "empty")
    number, date = number_style(given), date_style(given)
    if name == roles.get("price") and number is not None:
        return Column(name, "number", number=number)
    common = sum(count for count in counts.values() if count >= K)
    few = len(counts) <= (20 if number or date else max(20, len(given) // 8))
    if few and common >= 0.8 * len(given):
        return Column(name, "category")
    if date is not None:
        return Column(name, "date", date=date)
    if number is not None:
        return Column(name, "number", number=number)
    return Column(name, "text" if fmean(len(text.split()) for text in given) > _MANY_WORDS else "words")


def _are_codes(texts: Sequence[str]) -> bool:
    """Without spaces, with digits, and no amounts: whole numbers count if they are long and all of one length."""
    if any(" " in text or len(text) > 64 for text in texts):
        return False
    if all(text.isdecimal() for text in texts):
        return len({len(text) for text in texts}) == 1 and len(texts[0]) >= 5
    return number_style(texts) is None and date_style(texts) is None and fmean(map(_has_digit, texts)) >= 0.9


def _has_digit(text: str) -> bool:
    return any(c.isdecimal() for c in text)
