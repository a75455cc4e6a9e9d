"""The words that stand for no value, in the cells of any column."""

import math
import re
from decimal import Decimal
from typing import Any

__all__ = ["MISSING_WORDS", "is_empty_cell", "is_missing"]

MISSING_WORDS = frozenset(
    (
        *(
            "nan",
            "null",
            "none",
            "nil",
            "undefined",
            "n/a",
            "na",
            "n.a.",
            "n. a.",
            "#n/a",
            "<na>",
            "nat",
            "k.a.",
            "k. a.",
        ),
        *("(null)", "<null>", "[null]", "(none)", "<none>", "#n/d", "#nv", "#null!", "#ref!", "#value!", "#wert!"),
        *("#div/0!", "#name?", "#num!", "#bezug!", "#valeur!", "#valor!"),
    )
)
"""What databases, programs and people write for no value, in lower case; also the errors of spreadsheets."""

# Dashes and dots of any kind, or MySQL's mark, in which the letter is always a capital.
_MISSING_SIGNS = re.compile(r"[-\u2010-\u2015\u2212_.\u2026?/]*|\\N")
_MAX_CHARS = 16


def is_missing(text: str) -> bool:
    r"""Return whether a whole cell says that there is no value.

    >>> [is_missing(text) for text in ("NULL", " n/a ", "\\N", "-", "Null Modem", "None So Pretty")]
    [True, True, True, True, False, False]
    """
    text = text.strip() if len(text) <= _MAX_CHARS else text.strip()[: _MAX_CHARS + 1]
    return len(text) <= _MAX_CHARS and (text.casefold() in MISSING_WORDS or bool(_MISSING_SIGNS.fullmatch(text)))


def is_empty_cell(cell: Any) -> bool:
    """Return whether a cell of any type holds no value.

    Args:
        cell: A cell as a reader returns it.
    """
    if isinstance(cell, float | Decimal):
        return math.isnan(cell)
    return cell in (None, "", [], {}) or (isinstance(cell, str) and is_missing(cell))
