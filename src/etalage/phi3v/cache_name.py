"""The two names that transformers gives a key/value cache: `cache` since 5.24, `past_key_values` before."""

from collections.abc import Mapping
from inspect import signature
from typing import Any

from transformers import Phi3Model
from transformers.cache_utils import Cache

__all__ = ["CACHE_NAME", "CACHE_NAMES", "cache_in"]

CACHE_NAMES = ("cache", "past_key_values")
"""Both names, the newer one first."""

CACHE_NAME = next(name for name in CACHE_NAMES if name in signature(Phi3Model.forward).parameters)
"""The name that the installed transformers uses for arguments and for the fields of outputs."""


def cache_in(arguments: Mapping[str, Any]) -> Cache | None:
    """Return the cache among keyword arguments, whichever name it has.

    Args:
        arguments: Keyword arguments of a model, a layer or `generate`. Others than the cache are ignored.

    Returns:
        The cache, or None if there is none.

    Raises:
        ValueError: Both names hold a cache.
    """
    caches = [arguments[name] for name in CACHE_NAMES if arguments.get(name) is not None]
    if len(caches) > 1:
        raise ValueError("a cache was passed both as `cache` and as `past_key_values`; pass one of them")
    return caches[0] if caches else None
