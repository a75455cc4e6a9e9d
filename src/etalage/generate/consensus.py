"""Several answers about one picture -> the answer that they agree on most."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any

from etalage.task import END_TOKEN, Kind, Task, Value

__all__ = ["consensus"]


def consensus(task: Task, answers: Sequence[str]) -> str:
    """Return an answer made field by field of the values that the answers agree on most.

    A greedy answer takes the likeliest token at each position: the likeliest first digit of a price, then the likeliest
    second one, and a category that goes with the title before it. Several samples average that out.

    Args:
        task: Parses the answers and writes the consensus.
        answers: As generated, at least one. Those that do not parse are ignored.

    Returns:
        Texts: the one most similar to the others. Categories: the most frequent one. Prices: the median. If no answer
        parses, the first one, unchanged.

    Source:
        Self-consistency (Wang et al. 2023, arXiv 2203.11171); minimum Bayes risk for texts (Kumar and Byrne 2004).
    """
    parsed = [values for values in map(task.parse_answer, answers) if values is not None]
    if not parsed:
        return answers[0]
    agreed = {field.name: _AGREE[field.kind]([values[field.name] for values in parsed]) for field in task.fields}
    return task.format_answer(agreed).removesuffix(END_TOKEN)


def _most_similar(texts: Sequence[str]) -> str:
    return max(texts, key=lambda text: sum(SequenceMatcher(None, text, other).ratio() for other in texts))


_AGREE: Mapping[Kind, Callable[[Sequence[Any]], Value]] = {
    "text": _most_similar,
    "category": statistics.mode,
    "price": statistics.median,
}
