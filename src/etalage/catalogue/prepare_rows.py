"""The rows that go into the preparation database and come out of it, and the tables between them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from etalage.config import Split
from etalage.task import Value

__all__ = [
    "SCHEMA",
    "Candidate",
    "CatalogueCounts",
    "CheckedRow",
    "DroppedRow",
    "Fallback",
    "GenericName",
    "KeptProduct",
    "Leak",
    "Placeholder",
    "ProductGroup",
    "picture_file_name",
]

# An INTEGER PRIMARY KEY is SQLite's own row number, so what is read in its order needs no sorting. References and paths
# are bytes, since file names need not be Unicode. `kept` joins groups by pixels and not by picture: files that decode
# to the same pixels share a group. A split that the table gives takes precedence over the group's. `dropped` joins from
# the left, since a row whose texts are unfit has no picture.
SCHEMA = """
CREATE TABLE pictures (
    id INTEGER PRIMARY KEY, ref BLOB UNIQUE, path BLOB,
    sha256 TEXT, pixels TEXT, width INTEGER, height INTEGER, extension TEXT, phash BLOB,
    reason TEXT, detail TEXT);
CREATE TABLE rows (
    number INTEGER PRIMARY KEY, place TEXT, code TEXT, field_values TEXT, title TEXT, family TEXT, category TEXT,
    question TEXT, given_split TEXT, parent TEXT, digest BLOB, reason TEXT, detail TEXT);
CREATE TABLE shown (
    id INTEGER PRIMARY KEY, number INTEGER, picture INTEGER, found_by TEXT, written TEXT, more TEXT,
    num_tried INTEGER DEFAULT 1, first_reason TEXT, first_detail TEXT);
CREATE INDEX shown_by_number ON shown (number);
CREATE TABLE groups (
    pixels TEXT PRIMARY KEY, name TEXT, reasons TEXT, split TEXT, placeholder INTEGER DEFAULT 0);
CREATE VIEW good AS
    SELECT shown.id, rows.number, rows.code, rows.field_values, rows.title, rows.family, rows.category, rows.question,
           rows.given_split, rows.parent, pictures.path, pictures.sha256, pictures.pixels, pictures.width,
           pictures.height, pictures.extension, pictures.phash
    FROM shown JOIN rows ON shown.number = rows.number JOIN pictures ON shown.picture = pictures.id
    WHERE rows.reason IS NULL AND pictures.reason IS NULL AND pictures.pixels IS NOT NULL;
CREATE VIEW kept AS
    SELECT good.*, groups.name AS group_name, groups.reasons AS group_reason,
           coalesce(good.given_split, groups.split) AS split, groups.placeholder
    FROM good JOIN groups ON good.pixels = groups.pixels;
CREATE VIEW dropped AS
    SELECT rows.number, rows.place, rows.code,
           coalesce(rows.reason, first.first_reason, pictures.reason) AS reason,
           coalesce(rows.detail, first.first_detail, pictures.detail) ||
           iif(rows.reason IS NULL AND tried.n > 1, '; none of its ' || tried.n || ' pictures can be used', '')
           AS detail
    FROM rows
    LEFT JOIN (SELECT number, min(id) AS id, sum(num_tried) AS n FROM shown GROUP BY number) AS tried
        ON tried.number = rows.number
    LEFT JOIN shown AS first ON first.id = tried.id
    LEFT JOIN pictures ON first.picture = pictures.id
    WHERE rows.reason IS NOT NULL
        OR (pictures.reason IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM shown JOIN pictures ON shown.picture = pictures.id
            WHERE shown.number = rows.number AND pictures.reason IS NULL));
"""
"""`shown` has the pictures of each fit row: the one that is used, with those to try if it fails under `more`; or each
of them, with --all-images. `good` ones were read; `kept` ones also have a group, and become products."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A picture that a row may show: a URL, a file, or what cannot be either, with the reason."""

    url: str = ""
    path: Path | None = None
    found_by: str = ""
    """How the file was found where its name in the table is not its name on disk; empty if it is."""
    written: str = ""
    """The reference as the table has it, shortened, for messages."""
    reason: str | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class CheckedRow:
    """A row of the table after its texts were checked: fit so far, or with the reason why not."""

    number: int
    place: str
    """Where the row is as the user sees it."""
    product_code: str
    digest: bytes
    """The hash of all cells that are used; rows with equal digests are repeats."""
    pictures: tuple[Candidate, ...] = ()
    """Where its picture may be, the best first."""
    values: Mapping[str, Value] | None = None
    title: str = ""
    family: str = ""
    """The title that variants of one product share; empty if unknown."""
    category: str = ""
    question: str = ""
    split: Split | None = None
    """The split that the split column names, if there is one."""
    parent: str = ""
    """What the group column says, which rows of one product share; empty if there is none."""
    reason: str | None = None
    """Why the row is dropped: one of a small set of words. None for a row that is fit."""
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class KeptProduct:
    """A product that goes into the catalogue."""

    number: int
    """The number of its row in the table."""
    product_code: str
    values: Mapping[str, Value]
    question: str
    picture: Path
    sha256: str
    """SHA-256 of the picture's file, in hexadecimal."""
    width: int
    height: int
    extension: str
    group: str
    group_reason: str
    """Why it is in one group with others, such as "same pixels, near picture"; empty if it is alone."""
    split: Split
    placeholder: bool

    @property
    def file_name(self) -> str:
        """The path of its picture in the catalogue folder."""
        return picture_file_name(self.sha256, self.extension)


# A tuple in the order of the columns of drops.parquet, which is written from it as it is.
class DroppedRow(NamedTuple):
    """A row of the table that does not go into the catalogue."""

    number: int
    place: str
    """Where the row is as the user sees it."""
    product_code: str
    reason: str
    detail: str


class Leak(NamedTuple):
    """A held-out product whose group has a product in training too."""

    number: int
    product_code: str
    title: str
    split: str
    group: str
    train_number: int
    """The row of the group's first product in training."""
    train_title: str
    why: str
    """What these two have in common, such as "same pixels"; "through others" if only others link them."""


class ProductGroup(NamedTuple):
    """A group of products that stay on one side of the split."""

    name: str
    num_products: int
    num_pictures: int
    reasons: dict[str, int]
    """By reason, the number of products that it links to others, the most frequent reason first."""
    titles: list[str]
    """Some of its titles."""


class GenericName(NamedTuple):
    """A title that names a kind of product, and not one."""

    name: str
    num_products: int
    num_prices: int
    num_pictures: int


class Placeholder(NamedTuple):
    """A picture that many different titles share."""

    sha256: str
    extension: str
    num_products: int
    num_titles: int


class Fallback(NamedTuple):
    """A way in which pictures were found whose name in the table is not their name on disk."""

    found_by: str
    num_rows: int
    examples: list[str]
    """Names as the table has them."""


@dataclass(frozen=True)
class CatalogueCounts:
    """Numbers of products and rows by several aspects."""

    splits: Mapping[str, int]
    """Products by split."""
    drops: Mapping[str, int]
    """Dropped rows by reason."""
    num_groups: int
    num_test_groups: int
    """Groups in the test split, which intervals are made from."""
    num_same_pixels: int
    """Products whose picture another product shows too."""
    placeholders: list[Placeholder]
    """Pictures flagged as placeholders, the most frequent one first."""
    num_rows: int
    """Rows of the table that are kept; with --all-images, each may give several products."""
    num_other_pictures: int
    """Rows that show a later picture than their first, which could not be used."""
    unused_pictures: Mapping[str, int]
    """Pictures of kept rows that are not shown because they could not be used, by reason."""
    fallbacks: list[Fallback]


def picture_file_name(sha256: str, extension: str) -> str:
    """Return the path of a picture in the catalogue folder.

    Args:
        sha256: SHA-256 of the picture's file, in hexadecimal.
        extension: The extension of its format.
    """
    # `Catalogue.load` refuses paths of any other form.
    return f"images/{sha256[:2]}/{sha256}.{extension}"
