"""What a sample catalogue is made of, one row at a time.

A row can be made from its number alone: rows are made in any order, in any process, a million in flat memory.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

__all__ = ["Fault", "Picture", "Row", "Rows", "Scalar"]

Scalar = str | int | float | bool | None


@dataclass(frozen=True)
class Picture:
    """A picture file."""

    content: bytes | None
    """None: the table names it, but it is not there."""
    suffix: str
    """With its dot, as .jpg."""


@dataclass(frozen=True)
class Fault:
    """Something planted that `prepare` has to deal with."""

    kind: str
    """A key of `faults.KINDS`."""
    expect: str
    """What `prepare` does with the row, by its defaults:

    - `dropped: REASON`, as drops.parquet says it;
    - `grouped`: kept, in one group with the row that `other` names;
    - `flagged`: kept as a placeholder, or dropped as one if asked to;
    - `kept`, or `kept: price=1290.0`, with this value in this column of metadata.parquet.
    """
    detail: str = ""
    other: int | None = None
    """The row that this one is a copy or a variant of."""


@dataclass(frozen=True)
class Row:
    """A row of the table, what its picture holds, and what is hidden behind both."""

    record: Mapping[str, Scalar]
    """Values by column, in the table's order. The picture's column holds None: whoever writes it knows its place."""
    picture: Picture | None
    """None: the table names none."""
    attributes: Mapping[str, Scalar] = field(default_factory=dict)
    """For the side table, the same keys in each row: what the title, the category and the price follow from."""
    fault: Fault | None = None


class Rows(Protocol):
    """Where rows come from. Picklable, since they are made in several processes."""

    @property
    def columns(self) -> Mapping[str, str]:
        """By what the intake calls it (title, price, image, product_code, category1 ...) the table's own column."""
        ...

    def make(self, number: int, *, code: int | None = None, recolour: int = 0) -> Row:
        """Make a row; the same arguments give the same row.

        Args:
            number: From 0.
            code: Make the row under the product code that this other number has, as a copy is listed.
            recolour: Not 0: the same product in another colour, in a picture of its own; no two of these are alike.
        """
        ...

    def manifest(self) -> dict[str, Any]:
        """What manifest.json says about their making: version, seed, laws."""
        ...
