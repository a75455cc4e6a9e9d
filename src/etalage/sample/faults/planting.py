"""Rows with faults planted in them."""

import random
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from etalage.catalogue.columns import KNOWN_COLUMNS
from etalage.catalogue.duplicates import MIN_PLACEHOLDER_TITLES
from etalage.catalogue.title_family import title_family
from etalage.sample.faults.bad_pictures import spoil_picture
from etalage.sample.faults.kinds import COPY_KINDS, KINDS, LINK_KINDS
from etalage.sample.faults.price_texts import price_as_text
from etalage.sample.faults.rates import check_rates
from etalage.sample.rows import Fault, Row, Rows
from etalage.task import clean_text

__all__ = ["FaultyRows", "picture_number"]

NUM_PICKS = 16
"""Attempts to find a row without a fault to copy, before the first row is taken."""


class FaultyRows:
    """Rows of which some have a fault. Implements `rows.Rows`.

    Args:
        rows: Rows without faults of their own.
        rates: Share of the rows by kind of fault, as `parse_rates` returns them.
        seed: Decides which rows have a fault.
        num_rows: The number of rows that will be made, from number 0. `prepare` recognises a placeholder only if
            enough rows share it.
        links: Whether the table names pictures by links to a server.

    Raises:
        EtalageError: `rates` holds an unknown kind, one that needs a server, or more than all rows.
    """

    def __init__(self, rows: Rows, rates: Mapping[str, float], *, seed: int, num_rows: int, links: bool) -> None:
        check_rates(rates, links=links)
        self._rows, self._seed, self._links = rows, seed, links
        # In the order of KINDS, so that equal rates give equal faults.
        self._rates = {kind: rates[kind] for kind in KINDS if rates.get(kind)}
        self._placeholders_are_flagged = self._has_many_placeholder_titles(num_rows)

    @property
    def columns(self) -> Mapping[str, str]:
        """The table's column for each role."""
        return self._rows.columns

    def manifest(self) -> dict[str, Any]:
        """Return the manifest of the rows without faults, with the rates and the seed of the faults."""
        return {**self._rows.manifest(), "fault_rates": self._rates, "fault_seed": self._seed}

    def make(self, number: int, *, code: int | None = None, recolour: int = 0) -> Row:
        """Make a row, perhaps with a fault; a copy of a row is made without the row's fault.

        Args:
            number: Number of the row, from 0.
            code: Number of the row whose product code this one gets; None for its own.
            recolour: If not 0, the same product in another colour and in another picture.
        """
        kind, rng = self._choose_fault(number)
        # A copy asks for the row as it is without its fault.
        if not kind or code is not None or recolour:
            return self._rows.make(number, code=code, recolour=recolour)
        if kind in COPY_KINDS:
            return self._copy_earlier_row(kind, number, rng)
        row = self._rows.make(number)
        if kind == "missing":
            return self._without_a_field(row, rng)
        if kind == "price-text":
            return self._with_price_as_text(row, rng)
        if kind in LINK_KINDS:
            return _with_server_fault(row, kind, rng)
        return self._with_bad_picture(row, kind)

    def _choose_fault(self, number: int) -> tuple[str, random.Random]:
        """Return the kind of a row's fault or an empty string, and the source of its further choices."""
        rng = random.Random(f"{self._seed} fault {number}")
        left = rng.random()
        # One number decides: at a higher rate of one kind alone, rows keep the fault they had.
        # The first row never has a fault: it is the one to copy where no other is found.
        for kind, rate in self._rates.items() if number else ():
            left -= rate
            if left < 0:
                return kind, rng
        return "", rng

    def _has_many_placeholder_titles(self, num_rows: int) -> bool:
        """Return whether `prepare` will see the placeholder under enough titles to recognise it."""
        titles: set[str] = set()
        # Making a row draws its picture, so this stops as soon as the answer is known.
        for number in range(num_rows) if self._rates.get("placeholder") else ():
            if self._choose_fault(number)[0] == "placeholder":
                titles.add(self._title(self._rows.make(number)).lower())
                if len(titles) == MIN_PLACEHOLDER_TITLES:
                    return True
        return False

    def _copy_earlier_row(self, kind: str, number: int, rng: random.Random) -> Row:
        # Never of a faulty row: what `prepare` does with that one would decide about its copy too.
        picks = (rng.randrange(number) for _ in range(NUM_PICKS))
        other = next((pick for pick in picks if not self._choose_fault(pick)[0]), 0)
        if kind == "repeated-row":
            return replace(self._rows.make(other), fault=Fault(kind, "dropped: row_repeated", other=other))
        if kind == "duplicate":
            return replace(self._rows.make(other, code=number), fault=Fault(kind, "grouped", other=other))
        # Numbered by the row, so that two variants of one row differ.
        variant = self._rows.make(other, code=number, recolour=number)
        # An empty family is no family: such titles are not grouped.
        if self._family(variant) == self._family(self._rows.make(other)) != "":
            return replace(variant, fault=Fault(kind, "grouped", other=other))
        return replace(variant, fault=Fault(kind, "kept", "titles differ by more than a colour at the end", other))

    def _family(self, row: Row) -> str:
        return title_family(self._title(row))

    def _title(self, row: Row) -> str:
        """Return the title as `prepare` cleans it, or an empty string if the table has no title."""
        role = next((role for role in self.columns if role in KNOWN_COLUMNS["title"]), None)
        return clean_text(str(row.record[self.columns[role]])) if role else ""

    def _without_a_field(self, row: Row, rng: random.Random) -> Row:
        role = rng.choice([role for role in ("title", "category", "price", "image") if role in self.columns])
        if role == "image":
            return replace(row, picture=None, fault=Fault("missing", "dropped: image_missing", role))
        record = {**row.record, self.columns[role]: None}
        return replace(row, record=record, fault=Fault("missing", f"dropped: missing_{role}", role))

    def _with_price_as_text(self, row: Row, rng: random.Random) -> Row:
        """Write the price as text; a row without a price, or with one that reads in two ways, stays as it is."""
        column = self.columns.get("price", "")
        text, value = price_as_text(row.record.get(column), rng)
        if value is None:
            return row
        fault = Fault("price-text", f"kept: price={round(value, 2)}", text)
        return replace(row, record={**row.record, column: text}, fault=fault)

    def _with_bad_picture(self, row: Row, kind: str) -> Row:
        assert row.picture is not None, "rows have no faults of their own"
        fault = Fault(kind, self._expect_of_bad_picture(kind))
        return replace(row, picture=spoil_picture(row.picture, kind), fault=fault)

    def _expect_of_bad_picture(self, kind: str) -> str:
        match kind:
            case "dead-link":
                return "dropped: fetch_not_found" if self._links else "dropped: image_not_found"
            case "html-page":
                # A server says that it sends a page; a file shows it only when it is decoded.
                return "dropped: fetch_not_a_picture" if self._links else "dropped: image_undecodable"
            case "truncated":
                return "dropped: image_undecodable"
            case "huge":
                return "dropped: image_too_many_pixels"
            case "sliver":
                return "dropped: image_too_extreme"
            case "placeholder":
                return "flagged" if self._placeholders_are_flagged else "kept"
            case _:
                return "kept"


def picture_number(number: int, row: Row) -> int:
    """Return the number of the row whose picture a row names: its own, or that of the row it repeats exactly.

    Args:
        number: Number of the row.
        row: The row.

    Returns:
        Number of a row, from 0.
    """
    fault = row.fault
    return fault.other if fault and fault.kind == "repeated-row" and fault.other is not None else number


def _with_server_fault(row: Row, kind: str, rng: random.Random) -> Row:
    """Plan a fault of the server; the row itself stays as it is."""
    detail = rng.choice(("500", "reset")) if kind == "flaky" else ""
    return replace(row, fault=Fault(kind, "dropped: fetch_http_error" if kind == "server-error" else "kept", detail))
