"""How many tokens an answer may take: as many as the longest answer that was learned, and some more."""

import math
from collections.abc import Iterable

from etalage.chunks import chunks
from etalage.phi3v import Phi3VProcessor

__all__ = ["longest_answer", "token_budget"]

_MIN_MARGIN, _MARGIN_SHARE = 32, 0.25
_UNRECORDED = 96
"""The budget of runs that began before the longest answer was recorded, as it was then."""
_CHUNK_SIZE = 1024


def longest_answer(processor: Phi3VProcessor, answers: Iterable[str]) -> int:
    """Return the number of tokens of the longest answer.

    Args:
        processor: Tokenizes. Of 50 characters it makes some 15 tokens in English, 60 in Greek and 100 in Hindi.
        answers: At least one, with their end tokens.
    """
    lengths: list[int] = []
    for chunk in chunks(answers, _CHUNK_SIZE):
        lengths += map(len, processor.tokenizer(list(chunk), add_special_tokens=False)["input_ids"])
    return max(lengths)


def token_budget(longest: int | None) -> int:
    """Return how many new tokens to allow. Answers that take more are cut, and counted as cut.

    Args:
        longest: Tokens of the longest answer of the training and the validation split; None if nobody counted them.
    """
    if longest is None:
        return _UNRECORDED
    return longest + max(_MIN_MARGIN, math.ceil(_MARGIN_SHARE * longest))
