"""Many answers to one picture -> the one that they agree on most."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any

from etalage.task import END_TOKEN, Kind, Task, Value

__all__ = ["consensus"]


def consensus(task: Task, answers: Sequence[str]) -> str:
    """An answer whose every value is what the answers say on the whole.

    The greedy answer follows the likeliest token at each place: the likeliest first digit, then the likeliest second
    one, and a category that goes with the title it has just made up. Over sampled answers that is averaged out
    (self-consistency, Wang et al. 2023, arXiv 2203.11171; minimum Bayes risk for texts, Kumar and Byrne 2004).

    Args:
        answers: As generated, at least one; those that do not parse have no say.
    Returns:
        Of texts the one that is most like the others, of categories the most frequent, of prices the median, written as
        an answer. The first answer as it is, if none parses.
    """
    parsed = [values for values in map(task.parse, answers) if values is not None]
    if not parsed:
        return answers[0]
    values = {field.name: _CHOOSE[field.kind]([said[field.name] for said in parsed]) for field in task.fields}
    return task.format_answer(values).removesuffix(END_TOKEN)


def _most_alike(texts: Sequence[str]) -> str:
    return max(texts, key=lambda text: sum(SequenceMatcher(None, text, other).ratio() for other in texts))


_CHOOSE: Mapping[Kind, Callable[[Sequence[Any]], Value]] = {
    "text": _most_alike,
    "category": statistics.mode,
    "price": statistics.median,
}
