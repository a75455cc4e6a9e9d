"""Several answers about one picture -> the answer that they agree on most."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any

from etalage.task import Kind, Task, Value

__all__ = ["consensus"]


def consensus(task: Task, answers: Sequence[str]) -> str:
    """Return an answer made field by field of the values that the answers agree on most.

    A greedy answer takes the likeliest token at each position: the likeliest first digit of a price, then the likeliest
    second one, and a category that goes with the title before it. Several samples average that out.

    Args:
        task: Parses the answers and writes the consensus.
        answers: As generated, at least one. Those that do not parse, cut ones among them, are ignored.

    Returns:
        An answer with its end token. Texts: the one most similar to the others. Categories: the most frequent one.
        Prices: the median. Where these values would not read back, the parsed answer most similar to the others. If no
        answer parses, the first one, unchanged.

    Source:
        Self-consistency (Wang et al. 2023, arXiv 2203.11171); minimum Bayes risk for texts (Kumar and Byrne 2004).
    """
    parsed = {text: values for text in answers if (values := task.parse_answer(text)) is not None}
    if not parsed:
        return answers[0]
    readable = [text for text in answers if text in parsed]
    agreed = {f.name: _AGREE[f.kind]([parsed[text][f.name] for text in readable]) for f in task.fields}
    # The title of one answer may end in what is the category of another.
    return task.format_answer(agreed) if task.explain_ambiguity(agreed) is None else _most_similar(readable)


def _most_similar(texts: Sequence[str]) -> str:
    return max(texts, key=lambda text: sum(SequenceMatcher(None, text, other).ratio() for other in texts))


_AGREE: Mapping[Kind, Callable[[Sequence[Any]], Value]] = {
    "text": _most_similar,
    "category": statistics.mode,
    # Rounded as it is written.
    "price": lambda prices: round(statistics.median(prices), 2),
}
