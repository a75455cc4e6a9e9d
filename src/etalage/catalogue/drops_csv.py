"""Writes the dropped rows as a table for people, which Excel and LibreOffice open with a double click."""

import csv
import locale
import os
import re
from collections.abc import Iterable
from pathlib import Path

from etalage.catalogue.drop_reasons import explain_drop
from etalage.catalogue.prepare_rows import DroppedRow

__all__ = ["DROPS_CSV", "has_decimal_comma", "write_drops_csv"]

DROPS_CSV = "drops.csv"

_HEADER = ("Row", "Product code", "Why it was left out", "What to do", "Details", "Reason")
# What spreadsheets take for a formula, also in its full-width forms. Breaks and tabs would start another cell.
_FORMULA = re.compile(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20]")
_BREAKS = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]+")


_LANGUAGES = """
af az be bg bs ca cs da de el es et eu fi fr gl hr hu hy id is it ka kk lt lv mk nb nl nn no pl pt ro ru sk sl sq sr sv
tr uk uz vi
"""
_COMMA_LANGUAGES = frozenset(_LANGUAGES.split())
_LOCALES = "de_CH de_LI it_CH es_DO es_GT es_HN es_MX es_NI es_PA es_PE es_PR es_SV es_US"
_POINT_LOCALES = frozenset(_LOCALES.split())
"""Locales of these languages that write a decimal point nevertheless."""


def write_drops_csv(path: Path, rows: Iterable[DroppedRow]) -> None:
    """Write dropped rows with the sentences that explain their reasons.

    The file begins with a byte order mark, by which Excel knows UTF-8. Its cells are separated by what the user's Excel
    expects: a semicolon where numbers have a decimal comma.

    Args:
        path: The file to write.
        rows: The rows, in the order of the table.
    """
    with path.open("w", encoding="utf-8-sig", errors="backslashreplace", newline="") as file:
        table = csv.writer(file, delimiter=";" if has_decimal_comma() else ",", quoting=csv.QUOTE_ALL)
        table.writerow(_HEADER)
        for row in rows:
            reason = explain_drop(row.reason)
            cells = (row.place, row.product_code, reason.sentence, reason.way_out, row.detail, row.reason)
            table.writerow([_harmless(cell or "") for cell in cells])


def has_decimal_comma() -> bool:
    """Return whether the user's locale writes numbers with a decimal comma."""
    before = locale.setlocale(locale.LC_NUMERIC)
    try:
        locale.setlocale(locale.LC_NUMERIC, "")
        return locale.localeconv()["decimal_point"] == ","
    except locale.Error:  # the language is asked for, but its locale is not installed
        return _language_has_comma()
    finally:
        locale.setlocale(locale.LC_NUMERIC, before)


def _language_has_comma() -> bool:
    name = next(filter(None, map(os.environ.get, ("LC_ALL", "LC_NUMERIC", "LANG"))), "")
    name = name.partition(".")[0].partition("@")[0]
    return name.partition("_")[0] in _COMMA_LANGUAGES and name not in _POINT_LOCALES


def _harmless(cell: str) -> str:
    """Return a cell that no spreadsheet computes, on one line."""
    text = _BREAKS.sub(" ", cell)
    return f"'{text}" if _FORMULA.match(text) else text
