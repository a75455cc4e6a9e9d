"""Random numbers by name: the same key gives the same ones, in any process, in any order, on any machine."""

import struct
from hashlib import blake2b
from statistics import NormalDist

__all__ = ["Dice"]

_NORMAL = NormalDist()


class Dice:
    """A stream of numbers that its key decides. Starting one takes a microsecond, where `random.Random` takes ten."""

    __slots__ = ("_key", "_num_rolled", "_words")

    def __init__(self, *key: object) -> None:
        self._key = "\x1f".join(map(str, key)).encode("utf-8", "surrogatepass")
        self._num_rolled = 0
        self._words: list[int] = []

    def word(self) -> int:
        """64 bits."""
        if not self._words:
            block = blake2b(self._key, digest_size=64, salt=self._num_rolled.to_bytes(8, "little")).digest()
            self._words = list(struct.unpack("<8Q", block))
            self._num_rolled += 1
        return self._words.pop()

    def uniform(self) -> float:
        """Between 0 and 1, never either."""
        return ((self.word() >> 11) + 0.5) * 2.0**-53

    def normal(self) -> float:
        """Of mean 0 and standard deviation 1."""
        return _NORMAL.inv_cdf(self.uniform())

    def below(self, limit: int) -> int:
        """A whole number from 0 to limit - 1."""
        return self.word() % limit
