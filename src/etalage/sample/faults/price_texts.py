"""Prices as text, in the notations of several countries and in one currency, as a table has to have."""

import random
from collections.abc import Callable, Sequence

from etalage.catalogue.prices import BadPrice, parse_amount
from etalage.sample.rows import Scalar

__all__ = ["price_as_text"]

_SWAP_POINT_AND_COMMA = str.maketrans(",.", ".,")

_NOTATIONS: Sequence[Callable[[float], str]] = (
    lambda price: f"USD {price:,.2f}",
    lambda price: f"${price:,.2f}",
    lambda price: f"{price:,.2f} $".translate(_SWAP_POINT_AND_COMMA),
    lambda price: f"US$ {price:,.2f}".replace(",", "'"),
    lambda price: f"{price:,.2f} USD".replace(",", " "),
    lambda price: f"from {price:.2f}".replace(".00", ".-"),
)
"""Notations. Each shows cents or has no separator, so it reads in one way whatever the column's other prices are."""

_PHRASES = ("from {}", "only {}", "{} incl. VAT")
"""Phrases around prices that are text already. The notation stays: another country's would change how the column's
other prices are read."""


def price_as_text(price: Scalar, rng: random.Random) -> tuple[str, float | None]:
    """Write a price in another notation.

    Args:
        price: A number, or a text that may be a price.
        rng: Chooses the notation.

    Returns:
        The text, and the amount if the text can be read in one way only.
    """
    if isinstance(price, int | float):
        return rng.choice(_NOTATIONS)(price), float(price)
    text = rng.choice(_PHRASES).format(price)
    try:
        # Which mark `prepare` takes for the decimal one depends on the whole column: the text counts only if both
        # agree.
        point, comma = (parse_amount(text, price_range="low", decimal=mark).value for mark in (".", ","))
    except BadPrice:
        return text, None
    return text, point if point == comma else None
