"""Faults on demand: rows as bad shops list them, each with what `prepare` is expected to do about it.

Whether a row has a fault, and which, follows from the seed and the row's number alone. The first row never has one, so
that there always is a row to copy.
"""

import difflib
import json
import math
import random
import struct
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from io import BytesIO
from pathlib import Path
from types import MappingProxyType
from typing import Any, NotRequired, TypedDict

import pyarrow.parquet as pq
from PIL import Image, ImageDraw

from etalage.catalogue.columns import KNOWN_COLUMNS
from etalage.catalogue.duplicates import PLACEHOLDER_TITLES, title_family
from etalage.catalogue.prices import BadPrice, parse_amount
from etalage.catalogue.store import CATALOGUE, DROPS, PRODUCTS
from etalage.config import PrepareConfig
from etalage.errors import EtalageError
from etalage.sample.rows import Fault, Picture, Row, Rows, Scalar
from etalage.task import clean_text

__all__ = [
    "KINDS",
    "LINK_KINDS",
    "MANIFEST",
    "Faulty",
    "Planted",
    "check",
    "parse_rates",
    "pictured",
    "planted",
    "read_planted",
]

MANIFEST = "manifest.json"
"""In a sample's folder."""

KINDS: Mapping[str, str] = MappingProxyType(
    {
        "dead-link": "The picture is named, but not there: dropped.",
        "truncated": "The picture's file ends in the middle: dropped.",
        "html-page": "A web page under a picture's name: dropped.",
        "wrong-suffix": "A picture under the suffix of another format, as a JPEG called .png: kept.",
        "huge": "A small file that claims more pixels than are decoded: dropped.",
        "sliver": "A picture of one pixel by hundreds: dropped.",
        "placeholder": f"A grey 'no picture' that such rows share: flagged beside {PLACEHOLDER_TITLES} titles or more.",
        "duplicate": "An earlier row under a code of its own, with the same picture: kept in one group with it.",
        "repeated-row": "An earlier row once more, to the letter: dropped.",
        "colour-variant": "An earlier row's product in another colour: kept in one group with it.",
        "price-text": "The price as text, in some country's way of writing: kept, with the same value.",
        "missing": "No title, category, price or picture: dropped.",
        "too-many-requests": "The server first asks to come back later (429): kept.",
        "server-error": "The server fails each time (500): dropped.",
        "flaky": "The server fails (500) or hangs up, once: kept.",
    }
)
"""What is wrong, and what `prepare` is expected to do."""

LINK_KINDS = ("too-many-requests", "server-error", "flaky")
"""Those that a server plants, not a file."""

_COPIES = ("duplicate", "repeated-row", "colour-variant")

NUM_PICKS = 16
"""Tries to find a row without a fault to copy, before it is the first one."""


class Planted(TypedDict):
    """A fault, as manifest.json lists it. The table's first row is source row 1, as in a catalogue's files."""

    row: int
    source_row: int
    product_code: str
    kind: str
    expect: str
    detail: str
    other: int | None
    """Source row of the row that this one is a copy or a variant of."""
    picture: str | None
    """From the sample's folder."""


class Faulty:
    """Rows, some of them with a fault.

    Args:
        rows: Without faults of their own.
        rates: Share of the rows by kind of fault, as `parse_rates` gives them.
        seed: Decides which rows.
        num_rows: How many rows will be made, from number 0: a placeholder in few of them is not known for one.
        links: The table names pictures by links to a server.
    Raises:
        EtalageError: `rates` holds an unknown kind, one that needs a server where there is none, or more than all rows.
    """

    def __init__(self, rows: Rows, rates: Mapping[str, float], *, seed: int, num_rows: int, links: bool) -> None:
        _check_rates(rates, links=links)
        self._rows, self._seed, self._links = rows, seed, links
        self._rates = {kind: rates[kind] for kind in KINDS if rates.get(kind)}  # in one order, whatever theirs is
        self._placeholders_are_flagged = self._has_many_placeholder_titles(num_rows)

    @property
    def columns(self) -> Mapping[str, str]:
        return self._rows.columns

    def manifest(self) -> dict[str, Any]:
        return {**self._rows.manifest(), "fault_rates": self._rates, "fault_seed": self._seed}

    def make(self, number: int, *, code: int | None = None, recolour: int = 0) -> Row:
        """As `Rows.make`; a copy of a row is made without the row's fault."""
        kind, rng = self._drawn(number)
        if not kind or code is not None or recolour:
            return self._rows.make(number, code=code, recolour=recolour)
        if kind in _COPIES:
            return self._copied(kind, number, rng)
        row = self._rows.make(number)
        if kind == "missing":
            return self._emptied(row, rng)
        if kind == "price-text":
            return self._with_price_as_text(row, rng)
        if kind in LINK_KINDS:
            return _behind_a_bad_server(row, kind, rng)
        return self._with_bad_picture(row, kind)

    def _drawn(self, number: int) -> tuple[str, random.Random]:
        """The kind of fault that a row has, or none; and where what else there is to choose is drawn from."""
        rng = random.Random(f"{self._seed} fault {number}")
        left = rng.random()
        for kind, rate in self._rates.items() if number else ():
            left -= rate
            if left < 0:
                return kind, rng
        return "", rng

    def _has_many_placeholder_titles(self, num_rows: int) -> bool:
        titles: set[str] = set()
        for number in range(num_rows) if self._rates.get("placeholder") else ():
            if self._drawn(number)[0] == "placeholder":
                titles.add(self._title(self._rows.make(number)).lower())
                if len(titles) == PLACEHOLDER_TITLES:
                    return True
        return False

    def _copied(self, kind: str, number: int, rng: random.Random) -> Row:
        picks = (rng.randrange(number) for _ in range(NUM_PICKS))
        other = next((pick for pick in picks if not self._drawn(pick)[0]), 0)
        if kind == "repeated-row":
            return replace(self._rows.make(other), fault=Fault(kind, "dropped: row_repeated", other=other))
        if kind == "duplicate":
            return replace(self._rows.make(other, code=number), fault=Fault(kind, "grouped", other=other))
        variant = self._rows.make(other, code=number, recolour=number)
        if self._family(variant) == self._family(self._rows.make(other)) != "":
            return replace(variant, fault=Fault(kind, "grouped", other=other))
        return replace(variant, fault=Fault(kind, "kept", "titles differ by more than a colour at the end", other))

    def _family(self, row: Row) -> str:
        return title_family(self._title(row))

    def _title(self, row: Row) -> str:
        """As `prepare` finds it; empty where the task knows of none."""
        role = next((role for role in self.columns if role in KNOWN_COLUMNS["title"]), None)
        return clean_text(str(row.record[self.columns[role]])) if role else ""

    def _emptied(self, row: Row, rng: random.Random) -> Row:
        role = rng.choice([role for role in ("title", "category", "price", "image") if role in self.columns])
        if role == "image":
            return replace(row, picture=None, fault=Fault("missing", "dropped: image_missing", role))
        record = {**row.record, self.columns[role]: None}
        return replace(row, record=record, fault=Fault("missing", f"dropped: missing_{role}", role))

    def _with_price_as_text(self, row: Row, rng: random.Random) -> Row:
        """Where there is no price, or one that can be read in two ways, the row stays as it is."""
        column = self.columns.get("price", "")
        text, value = _price_as_text(row.record.get(column), rng)
        if value is None:
            return row
        fault = Fault("price-text", f"kept: price={round(value, 2)}", text)
        return replace(row, record={**row.record, column: text}, fault=fault)

    def _with_bad_picture(self, row: Row, kind: str) -> Row:
        assert row.picture is not None, "rows have no faults of their own"
        fault = Fault(kind, self._expected_of_picture(kind))
        return replace(row, picture=_spoilt(row.picture, kind), fault=fault)

    def _expected_of_picture(self, kind: str) -> str:
        match kind:
            case "dead-link":
                return "dropped: fetch_not_found" if self._links else "dropped: image_not_found"
            case "html-page":
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


# Rates


def parse_rates(text: str, *, links: bool) -> dict[str, float]:
    """Read how many rows are to have which fault: `0.1,huge=0.02,dead-link=0`.

    A bare number is shared evenly by all kinds that are possible and not named.

    Args:
        links: The table names pictures by links to a server.
    Raises:
        EtalageError: not a rate, an unknown kind, one twice, one that needs a server, or more than all rows.
    """
    named: dict[str, float] = {}
    shared: float | None = None
    for part in filter(None, (part.strip() for part in text.split(","))):
        kind, equals, number = (word.strip() for word in part.rpartition("="))
        if not equals and shared is not None:
            raise EtalageError(f"--faults has two rates without a kind, the second {part!r}; write kind={part}")
        if kind in named:
            raise EtalageError(f"--faults names {kind} twice; once is enough")
        if equals:
            named[kind] = _parse_rate(number, part)
        else:
            shared = _parse_rate(number, part)
    _check_rates(named, links=links)
    if shared is not None:
        unnamed = [kind for kind in KINDS if kind not in named and (links or kind not in LINK_KINDS)]
        if not unnamed:
            raise EtalageError(f"--faults names every kind, and {shared:g} is left for none; leave it out")
        named |= dict.fromkeys(unnamed, shared / len(unnamed))
        _check_rates(named, links=links)
    return {kind: named[kind] for kind in KINDS if named.get(kind)}


def _parse_rate(number: str, part: str) -> float:
    try:
        return float(number)
    except ValueError:
        near = f"; did you mean {found}=RATE?" if (found := _nearest(number)) else ""
        raise EtalageError(f"--faults has {part!r}; write a share of the rows as 0.1, or KIND=0.02{near}") from None


def _check_rates(rates: Mapping[str, float], *, links: bool) -> None:
    for kind, rate in rates.items():
        if kind not in KINDS:
            near = f" (did you mean {found}?)" if (found := _nearest(kind)) else ""
            raise EtalageError(f"--faults names {kind!r}{near}; there are {', '.join(KINDS)}")
        if not (math.isfinite(rate) and 0 <= rate <= 1):
            raise EtalageError(f"--faults gives {kind} the rate {rate:g}; it is a share of the rows, from 0 to 1")
        if rate and kind in LINK_KINDS and not links:
            raise EtalageError(
                f"--faults names {kind}, which only a server can do, and the pictures are files; leave it out, or have "
                "the table name links"
            )
    if (total := sum(rates.values())) > 1 + 1e-9:
        raise EtalageError(f"--faults adds up to {total:g} of the rows; at most 1 can be")


def _nearest(word: str) -> str:
    return next(iter(difflib.get_close_matches(word, KINDS, 1)), "")


# What is wrong with a row


def _behind_a_bad_server(row: Row, kind: str, rng: random.Random) -> Row:
    """The row itself is fine; `serve` does as the manifest says."""
    detail = rng.choice(("500", "reset")) if kind == "flaky" else ""
    return replace(row, fault=Fault(kind, "dropped: fetch_http_error" if kind == "server-error" else "kept", detail))


def _spoilt(picture: Picture, kind: str) -> Picture:
    assert picture.content is not None, "rows have no faults of their own"
    match kind:
        case "dead-link":
            return replace(picture, content=None)
        case "truncated":
            return replace(picture, content=picture.content[: len(picture.content) // 2])
        case "html-page":
            return replace(picture, content=_PAGE)
        case "wrong-suffix":
            return replace(picture, suffix=".png" if picture.content.startswith(b"\xff\xd8") else ".jpg")
        case "huge":
            side = 1 + math.isqrt(PrepareConfig.max_image_px)
            return Picture(_black_png(side, side), ".png")
        case "sliver":
            return Picture(_black_png(1, 400), ".png")
        case _:
            assert kind == "placeholder"
            return Picture(_no_picture(), ".png")


_PAGE = b"<!DOCTYPE html>\n<html><head><title>Not here</title></head><body>This page has moved.</body></html>\n"


@cache
def _black_png(width: int, height: int) -> bytes:
    """One bit per pixel: of 64 million, a file of a few kilobytes."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes((1 + (width + 7) // 8) * height), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@cache
def _no_picture() -> bytes:
    """Grey, with the mountains and the sun that stand for a picture."""
    image = Image.new("RGB", (240, 300), (226, 226, 226))
    draw = ImageDraw.Draw(image)
    draw.rectangle((50, 90, 190, 210), outline=(168, 168, 168), width=6)
    draw.polygon([(62, 198), (104, 130), (130, 172), (148, 150), (178, 198)], fill=(168, 168, 168))
    draw.ellipse((146, 108, 166, 128), fill=(168, 168, 168))
    file = BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


_SWAPPED = str.maketrans(",.", ".,")

_PRICE_STYLES: Sequence[Callable[[float], str]] = (
    lambda price: f"USD {price:,.2f}",
    lambda price: f"${price:,.2f}",
    lambda price: f"{price:,.2f} €".translate(_SWAPPED),
    lambda price: f"CHF {price:,.2f}".replace(",", "'"),
    lambda price: f"{price:,.2f} USD".replace(",", " "),
    lambda price: f"from {price:.2f}".replace(".00", ".-"),
)
"""Each shows its cents or has no separator, so that it reads in one way whatever the column's other prices are."""

_PRICE_WORDS = ("from {}", "only {}", "{} incl. VAT")
"""For prices that are text: marks of another country would change how the column's other texts are read."""


def _price_as_text(price: Scalar, rng: random.Random) -> tuple[str, float | None]:
    """A price in another style, and what it amounts to, if that is sure."""
    if isinstance(price, int | float):
        return rng.choice(_PRICE_STYLES)(price), float(price)
    text = rng.choice(_PRICE_WORDS).format(price)
    try:
        point, comma = (parse_amount(text, price_range="low", decimal=mark).value for mark in (".", ","))
    except BadPrice:
        return text, None
    return text, point if point == comma else None


# What was planted, and whether it was found


def pictured(number: int, row: Row) -> int:
    """The row whose picture the table names in this one: its own, or that of the row that it repeats to the letter."""
    fault = row.fault
    return fault.other if fault and fault.kind == "repeated-row" and fault.other is not None else number


def planted(number: int, row: Row, picture: str | None, columns: Mapping[str, str]) -> Planted:
    """The manifest's entry for a row with a fault.

    Args:
        picture: Where its picture lies or should, from the sample's folder; None if the table names none.
        columns: As `Rows.columns`.
    """
    fault = row.fault
    assert fault is not None
    code: Scalar = row.record.get(columns.get("product_code", ""))
    return Planted(
        row=number,
        source_row=number + 1,
        product_code=str(number + 1 if code in (None, "") else code).strip(),
        kind=fault.kind,
        expect=fault.expect,
        detail=fault.detail,
        other=None if fault.other is None else fault.other + 1,
        picture=picture,
    )


def read_planted(manifest: Path) -> list[Planted]:
    """The faults that a sample's manifest.json lists.

    Raises:
        EtalageError: it is not there, or not as `sample` writes it.
    """
    try:
        facts = json.loads(manifest.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise EtalageError(
            f"{manifest.parent} is no sample: {manifest.name} is not there; make one with etalage sample"
        ) from error
    except ValueError as error:
        raise EtalageError(f"{manifest} is damaged: {error}; make the sample again") from error
    faults = facts.get("faults", []) if isinstance(facts, dict) else None
    if not isinstance(faults, list):
        raise EtalageError(f"{manifest} is damaged: it lists no faults; make the sample again")
    for place, fault in enumerate(faults):
        if not _is_planted(fault):
            raise EtalageError(f"{manifest} is damaged: fault {place} is {str(fault)[:100]}; make the sample again")
    return faults


def _is_planted(fault: Any) -> bool:
    if not isinstance(fault, dict) or not fault.keys() >= Planted.__annotations__.keys():
        return False
    numbers = isinstance(fault["source_row"], int) and isinstance(fault["other"], int | None)
    texts = all(isinstance(fault[name], str) for name in ("product_code", "kind", "expect", "detail"))
    return numbers and texts and fault["kind"] in KINDS and isinstance(fault["picture"], str | None)


def check(catalogue: Path, manifest: Path) -> list[str]:
    """What `prepare`, left at its defaults, did otherwise than the sample's manifest expects; nothing if all is well.

    Args:
        catalogue: Folder that `prepare` wrote.
        manifest: The sample's manifest.json.
    Raises:
        EtalageError: either is not what it should be.
    """
    faults = read_planted(manifest)
    if not (catalogue / CATALOGUE).is_file():
        raise EtalageError(f"{catalogue} is no catalogue: {CATALOGUE} is not there; make one with etalage prepare")
    outcomes = _outcomes(catalogue, faults)
    return [
        f"row {fault['source_row']} (code {fault['product_code']}), {fault['kind']}: expected {fault['expect']}, "
        f"found {found}"
        for fault in faults
        if (found := _found(fault, outcomes)) != fault["expect"]
    ]


class _Outcome(TypedDict):
    """A row of metadata.parquet, or one of drops.parquet."""

    product_code: str
    group: NotRequired[str]
    placeholder: NotRequired[bool]
    reason: NotRequired[str]


def _outcomes(catalogue: Path, faults: Sequence[Planted]) -> dict[int, _Outcome]:
    """By source row; of faulty rows and of those that they copy."""
    wanted = sorted({row for fault in faults for row in (fault["source_row"], fault["other"]) if row is not None})
    if not wanted:
        return {}
    tables = (pq.read_table(catalogue / name, filters=[("source_row", "in", wanted)]) for name in (PRODUCTS, DROPS))
    return {row["source_row"]: row for table in tables for row in table.to_pylist()}


def _found(fault: Planted, outcomes: Mapping[int, _Outcome]) -> str:
    """What became of a row, in the words of Fault.expect as far as they go."""
    outcome = outcomes.get(fault["source_row"])
    if outcome is None:
        return "neither a product nor a drop"
    if outcome["product_code"] != fault["product_code"]:
        return f"code {outcome['product_code']}; is the catalogue prepared from this sample?"
    if reason := outcome.get("reason"):
        return "flagged" if reason == "image_is_placeholder" else f"dropped: {reason}"
    if fault["kind"] == "placeholder" and outcome.get("placeholder"):
        return "flagged"
    if fault["expect"] == "grouped":
        other = outcomes.get(fault["other"]) if fault["other"] else None
        shared = other is not None and other.get("group") == outcome.get("group")
        return "grouped" if shared else f"kept, without row {fault['other']} in its group"
    field, equals, _ = fault["expect"].removeprefix("kept: ").partition("=")
    return f"kept: {field}={outcome.get(field)}" if equals else "kept"
