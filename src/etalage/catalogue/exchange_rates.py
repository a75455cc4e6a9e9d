"""Exchange rates from a file: what one unit of each currency is in the catalogue's."""

import csv
import json
import math
from collections.abc import Iterable
from pathlib import Path

from etalage.catalogue.currencies import CURRENCY_CODES
from etalage.errors import EtalageError

__all__ = ["read_rates"]

_MAX_BYTES = 1 << 20
_FORM = 'write a line such as USD,0.92 for each currency, or a JSON object such as {"USD": 0.92}'


def read_rates(path: Path, currency: str) -> dict[str, float]:
    """Read rates from a CSV or JSON file.

    Args:
        path: Lines of a code and a rate, with or without a header, or a JSON object of rates by code.
        currency: The code of the catalogue's currency, of which a unit of the other is worth the rate.

    Returns:
        The rates by code; that of the catalogue's own currency is 1.

    Raises:
        EtalageError: The file cannot be read, a code or rate is none, or a currency has two rates.
    """
    try:
        data = path.read_bytes()[: _MAX_BYTES + 1]
    except OSError as error:
        raise EtalageError(f"--rates {path}: {error.strerror or error}; check the path") from error
    if len(data) > _MAX_BYTES:
        raise EtalageError(f"--rates {path} is larger than {_MAX_BYTES:,} bytes, so it is no table of rates; {_FORM}")
    try:
        text = data.decode("utf-8-sig")
        pairs = _read_json(text) if text.lstrip().startswith(("{", "[")) else _read_csv(text)
    except (ValueError, RecursionError, csv.Error) as error:
        raise EtalageError(f"--rates {path} cannot be read: {error}; {_FORM}") from error
    rates: dict[str, float] = {}
    for code, written in pairs:
        rate = _parse_rate(written)
        if code not in CURRENCY_CODES or rate is None:
            raise EtalageError(f"--rates {path}: {code!r}, {written!r} is no currency code with a rate; {_FORM}")
        if rates.get(code, rate) != rate:
            raise EtalageError(f"--rates {path} has two rates for {code}: {rates[code]:g} and {rate:g}; remove one")
        rates[code] = rate
    if rates.get(currency, 1) != 1:
        raise EtalageError(
            f"--rates {path} gives {currency} the rate {rates[currency]:g}, but it is --currency, so its rate is 1; "
            f"the rates have to say what one unit of the other currency is in {currency}"
        )
    return {**rates, currency: 1.0}


def _read_json(text: str) -> Iterable[tuple[str, object]]:
    content = json.loads(text)
    # As the usual services write them: {"base": "EUR", "rates": {...}} says what one euro is in others.
    if not isinstance(content, dict) or "rates" in content:
        raise ValueError("it is no object of rates by code")
    return [(str(code).strip().upper(), rate) for code, rate in content.items()]


def _read_csv(text: str) -> Iterable[tuple[str, object]]:
    first = text.partition("\n")[0]
    delimiter = next((mark for mark in (";", "\t") if mark in first), ",")
    rows = [[cell.strip() for cell in row] for row in csv.reader(text.splitlines(), delimiter=delimiter)]
    rows = [row for row in rows if any(row)]
    if rows and rows[0][0].upper() not in CURRENCY_CODES and len(rows[0]) == 2 and _parse_rate(rows[0][1]) is None:
        rows = rows[1:]
    if not rows or any(len(row) != 2 for row in rows):
        raise ValueError("each line needs a code and a rate, and nothing else")
    return [(row[0].upper(), row[1]) for row in rows]


def _parse_rate(written: object) -> float | None:
    """Return a rate above zero; a text may have a decimal comma."""
    if isinstance(written, bool) or not isinstance(written, str | int | float):
        return None
    try:
        rate = float(written.replace(",", ".") if isinstance(written, str) else written)
    except (ValueError, OverflowError):
        return None
    return rate if math.isfinite(rate) and rate > 0 else None
