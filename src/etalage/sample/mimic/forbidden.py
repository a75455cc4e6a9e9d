"""Texts of the original that must not come out again."""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Self

import numpy as np
from numpy.typing import NDArray

__all__ = ["ForbiddenTexts"]


@dataclass(frozen=True)
class ForbiddenTexts:
    """A set of texts that only their hashes represent, whatever their case; kept in memory and never written."""

    hashes: NDArray[np.uint64]
    """(N,) uint64, sorted."""

    @classmethod
    def from_texts(cls, texts: Iterable[str]) -> Self:
        """Hash texts."""
        return cls(np.unique(np.array([_hash(text) for text in texts], np.uint64)))

    def __contains__(self, text: str) -> bool:
        target = np.uint64(_hash(text))
        index = int(self.hashes.searchsorted(target))
        return index < len(self.hashes) and bool(self.hashes[index] == target)


def _hash(text: str) -> int:
    # Cells may hold lone surrogates, which UTF-8 refuses. A collision of two hashes does no harm: it forbids one text
    # too many.
    return int.from_bytes(blake2b(text.casefold().encode("utf-8", "surrogatepass"), digest_size=8).digest())
