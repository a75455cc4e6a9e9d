"""The kinds of faults."""

from collections.abc import Mapping
from types import MappingProxyType

from etalage.catalogue.duplicates import MIN_PLACEHOLDER_TITLES

__all__ = ["COPY_KINDS", "KINDS", "LINK_KINDS"]

KINDS: Mapping[str, str] = MappingProxyType(
    {
        "dead-link": "The table names a picture that does not exist: dropped.",
        "truncated": "The picture's file ends in the middle: dropped.",
        "html-page": "A web page under a picture's name: dropped.",
        "wrong-suffix": "A picture under the suffix of another format, such as a JPEG called .png: kept.",
        "huge": "A small file that claims more pixels than are decoded: dropped.",
        "sliver": "A picture of one pixel by hundreds: dropped.",
        "placeholder": f"A grey 'no picture' image that such rows share: flagged from {MIN_PLACEHOLDER_TITLES} titles.",
        "duplicate": "An earlier row under its own product code, with the same picture: kept in one group with it.",
        "repeated-row": "An exact copy of an earlier row: dropped.",
        "colour-variant": "An earlier row's product in another colour: kept in one group with it.",
        "price-text": "The price as text, in some country's notation: kept, with the same value.",
        "missing": "No title, category, price or picture: dropped.",
        "too-many-requests": "The server first asks to come back later (429): kept.",
        "server-error": "The server fails each time (500): dropped.",
        "flaky": "The server fails (500) or closes the connection, once: kept.",
    }
)
"""The fault of each kind, and what `prepare` is expected to do about it."""

LINK_KINDS = ("too-many-requests", "server-error", "flaky")
"""Kinds that are planted in a server rather than in a file."""

COPY_KINDS = ("duplicate", "repeated-row", "colour-variant")
"""Kinds that are made from an earlier row."""
