"""Rates of faults, as the command line gives them."""

import difflib
import math
from collections.abc import Mapping

from etalage.errors import EtalageError
from etalage.sample.faults.kinds import KINDS, LINK_KINDS

__all__ = ["check_rates", "parse_rates"]


def parse_rates(text: str, *, links: bool) -> dict[str, float]:
    """Parse the share of rows to have each kind of fault, such as `0.1,huge=0.02,dead-link=0`.

    A bare number is shared evenly by all kinds that are possible and not named.

    Args:
        text: Rates, separated by commas.
        links: Whether the table names pictures by links to a server.

    Returns:
        Rates above 0 by kind, in the order of KINDS.

    Raises:
        EtalageError: A rate is not a number, a kind is unknown, named twice or needs a server, or the rates add up to
            more than all rows.
    """
    rates: dict[str, float] = {}
    shared: float | None = None
    for part in filter(None, (part.strip() for part in text.split(","))):
        # Without an equals sign `rpartition` puts everything into the last part: a bare number has no kind.
        kind, equals, number = (word.strip() for word in part.rpartition("="))
        if not equals and shared is not None:
            raise EtalageError(f"--faults has two rates without a kind, the second {part!r}; write KIND={part}")
        if kind in rates:
            raise EtalageError(f"--faults names {kind} twice; name it once")
        if equals:
            rates[kind] = _parse_rate(number, part)
        else:
            shared = _parse_rate(number, part)
    # Checked before the rest is shared, so that a message names what was written, and again with the shares.
    check_rates(rates, links=links)
    if shared is not None:
        unnamed = [kind for kind in KINDS if kind not in rates and (links or kind not in LINK_KINDS)]
        if not unnamed:
            raise EtalageError(f"--faults names every kind, so none is left to share {shared:g}; leave {shared:g} out")
        rates |= dict.fromkeys(unnamed, shared / len(unnamed))
        check_rates(rates, links=links)
    return {kind: rates[kind] for kind in KINDS if rates.get(kind)}


def check_rates(rates: Mapping[str, float], *, links: bool) -> None:
    """Check that rates are possible.

    Args:
        rates: Share of the rows by kind of fault.
        links: Whether the table names pictures by links to a server.

    Raises:
        EtalageError: A kind is unknown or needs a server, a rate is not between 0 and 1, or the rates add up to more
            than all rows.
    """
    for kind, rate in rates.items():
        if kind not in KINDS:
            hint = f" (did you mean {nearest}?)" if (nearest := _nearest_kind(kind)) else ""
            raise EtalageError(f"--faults names {kind!r}{hint}; there are {', '.join(KINDS)}")
        if not (math.isfinite(rate) and 0 <= rate <= 1):
            raise EtalageError(f"--faults gives {kind} the rate {rate:g}; it must be a share of the rows, from 0 to 1")
        if rate and kind in LINK_KINDS and not links:
            raise EtalageError(
                f"--faults names {kind}, which only a server can do, but the table names files; leave it out, or pass "
                "--image-url"
            )
    if (total := sum(rates.values())) > 1 + 1e-9:  # ten shares of 0.1 do not add up to 1 exactly
        raise EtalageError(f"--faults adds up to {total:g} of the rows; it must be at most 1")


def _parse_rate(number: str, part: str) -> float:
    try:
        return float(number)
    except ValueError:
        hint = f"; did you mean {nearest}=RATE?" if (nearest := _nearest_kind(number)) else ""
        raise EtalageError(f"--faults has {part!r}; write a share of the rows as 0.1, or KIND=0.02{hint}") from None


def _nearest_kind(word: str) -> str:
    """Return the kind that a misspelt word may mean, or an empty string."""
    return next(iter(difflib.get_close_matches(word, KINDS, 1)), "")
