"""The rows of a sample catalogue, and the protocol of everything that makes them.

A row can be made from its number alone. Rows can so be made in any order and in any process, a million of them in
constant memory.
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
    """None if the table names the file but it does not exist."""
    suffix: str
    """The file name's suffix with its dot, such as .jpg."""


@dataclass(frozen=True)
class Fault:
    """A planted fault that `prepare` has to deal with."""

    kind: str
    """A key of `faults.KINDS`."""
    expect: str
    """What `prepare` does with the row at its default settings:

    - `dropped: REASON`, with a reason from drops.parquet;
    - `grouped`: kept, in one group with the row that `other` names;
    - `flagged`: kept as a placeholder, or dropped as one if asked to;
    - `kept`, or `kept: price=1290.0`, with this value in this column of metadata.parquet.
    """
    detail: str = ""
    """More about the fault, such as the field that is missing."""
    other: int | None = None
    """Number of the row of which this one is a copy or a variant."""


@dataclass(frozen=True)
class Row:
    """A row of the table with its picture and the attributes that both follow from."""

    record: Mapping[str, Scalar]
    """Values by column, in the table's order. The picture's column holds None: the writer decides on the path."""
    picture: Picture | None
    """None if the table names no picture."""
    attributes: Mapping[str, Scalar] = field(default_factory=dict)
    """A row of attributes.parquet, with the same keys for all rows: what title, category and price follow from."""
    fault: Fault | None = None


class Rows(Protocol):
    """A source of rows. Must be picklable, since rows are made in several processes."""

    @property
    def columns(self) -> Mapping[str, str]:
        """The table's column for each of a catalogue's roles (title, price, image, product_code, category1 ...)."""
        ...

    def make(self, number: int, *, code: int | None = None, recolour: int = 0) -> Row:
        """Make a row; the same arguments give the same row.

        Args:
            number: Number of the row, from 0.
            code: Number of the row whose product code this one gets, as a copy is listed; None for its own.
            recolour: If not 0, the same product in another colour and in a picture of its own. Any two numbers give
                different pictures.
        """
        ...

    def manifest(self) -> dict[str, Any]:
        """Return what manifest.json says about how the rows were made: version, seed, laws."""
        ...
