"""Random numbers by key: the same key gives the same numbers in any process, in any order, on any machine."""

import struct
from hashlib import blake2b
from statistics import NormalDist

__all__ = ["KeyedRng"]

_NORMAL = NormalDist()


class KeyedRng:
    """A stream of random numbers that its key determines.

    Starting one takes a microsecond, where `random.Random` takes ten: a row starts dozens of them.

    Args:
        key: Parts of the key; their `str` counts, so that 1 and "1" are the same.
    """

    __slots__ = ("_key", "_num_blocks", "_words")

    def __init__(self, *key: object) -> None:
        # A separator that cells do not hold: ("a", "bc") and ("ab", "c") are different keys.
        self._key = "\x1f".join(map(str, key)).encode("utf-8", "surrogatepass")
        self._num_blocks = 0
        self._words: list[int] = []

    def bits64(self) -> int:
        """Return a whole number of 64 random bits."""
        if not self._words:
            block = blake2b(self._key, digest_size=64, salt=self._num_blocks.to_bytes(8, "little")).digest()
            self._words = list(struct.unpack("<8Q", block))
            self._num_blocks += 1
        return self._words.pop()

    def uniform(self) -> float:
        """Return a number between 0 and 1, never 0 or 1 itself."""
        # Half a step keeps 0 out, so that `normal` stays finite.
        return ((self.bits64() >> 11) + 0.5) * 2.0**-53

    def normal(self) -> float:
        """Return a normal number of mean 0 and standard deviation 1."""
        return _NORMAL.inv_cdf(self.uniform())

    def randbelow(self, limit: int) -> int:
        """Return a whole number from 0 to limit - 1."""
        # Low numbers are favoured, but by less than limit / 2 ** 64.
        return self.bits64() % limit
