"""Mark where texts mention the row's title or code, and split codes into prefix and tail."""

import re
from collections import Counter
from collections.abc import Sequence

from etalage.sample.mimic.fillers.texts import TITLE_MARK, WORD_MARKS, Case, Slug
from etalage.sample.mimic.original import Text
from etalage.sample.mimic.phrases import SIGNS
from etalage.sample.mimic.suppressed_counts import K

__all__ = ["mark", "mark_title_words", "mark_titles", "mentions_mark", "split_prefixes"]

_SEPARATORS = ("-", "_", "+", "%20", " ", "")
_CASES: tuple[Case, ...] = ("lower", "upper", "unchanged")


def mark(text: str, mentioned: Text, character: str) -> str:
    """Replace the first mention of a text by a mark; single characters are mentioned by chance and stay.

    Args:
        text: The text that may mention another.
        mentioned: The other text.
        character: The mark.

    Returns:
        The marked text.
    """
    return text.replace(mentioned, character, 1) if mentioned and len(mentioned) > 1 else text


def mentions_mark(texts: Sequence[str], character: str) -> bool:
    """Return whether most texts have a mark.

    Args:
        texts: The texts.
        character: The mark.

    Returns:
        True if more than half of them have it.
    """
    return sum(character in text for text in texts) * 2 > len(texts)


def mark_titles(texts: Sequence[str], titles: Sequence[str], title_column: str) -> tuple[list[str], Slug | None]:
    """Mark where texts mention the row's whole title, as links write it.

    Args:
        texts: The text of each row.
        titles: The title of each row.
        title_column: The title's column.

    Returns:
        The marked texts and how they write titles; the texts as they are and None if most mention no title.
    """
    for separator in _SEPARATORS:
        for case in _CASES:
            slug = Slug(title_column, separator, case)
            marked = [mark(text, slug.write(title), TITLE_MARK) for text, title in zip(texts, titles, strict=True)]
            if mentions_mark(marked, TITLE_MARK):
                return marked, slug
    return list(texts), None


def mark_title_words(texts: Sequence[str], titles: Sequence[str], title_column: str) -> tuple[list[str], Slug]:
    """Mark single words of the row's title, in the case in which most texts mention them.

    Args:
        texts: The text of each row.
        titles: The title of each row.
        title_column: The title's column.

    Returns:
        The marked texts and how they write words of titles.
    """
    found: dict[Slug, list[str]] = {}
    for case in _CASES:
        slug = Slug(title_column, "", case)
        found[slug] = [_mark_words(text, slug.words(title)) for text, title in zip(texts, titles, strict=True)]
    slug = max(found, key=lambda slug: sum(text != marked for text, marked in zip(texts, found[slug], strict=True)))
    return found[slug], slug


def _mark_words(text: str, title: Sequence[str]) -> str:
    # Backwards, so that of equal words the first one counts.
    marks = dict(zip(title[::-1], WORD_MARKS[: len(title)][::-1], strict=False))
    return re.sub(r"[A-Za-z0-9]+", lambda found: marks.get(found[0], found[0]), text)


def split_prefixes(codes: Sequence[str]) -> list[tuple[str, str]]:
    """Split codes into a prefix that at least K of them have and the rest.

    A prefix ends with a sign, such as a hyphen. Codes that are all numbers have the prefix that all of them share.

    Args:
        codes: The codes.

    Returns:
        Prefix and rest of each code.
    """
    if all(code.isdecimal() for code in codes):
        shared = _num_shared(codes)
        return [(code[:shared], code[shared:]) for code in codes]
    ends = [[found.end() for found in SIGNS.finditer(code)] for code in codes]
    counts = Counter(code[:end] for code, found in zip(codes, ends, strict=True) for end in found)
    kept = [
        # A whole code is no prefix: prefixes are kept as they are, so a tail has to be left that can be invented.
        max((end for end in found if counts[code[:end]] >= K and end < len(code)), default=0)
        for code, found in zip(codes, ends, strict=True)
    ]
    return [(code[:end], code[end:]) for code, end in zip(codes, kept, strict=True)]


def _num_shared(codes: Sequence[str]) -> int:
    """Return the number of characters that all codes begin with."""
    # What the first and the last in alphabetical order begin with, all between them do.
    first, last = min(codes), max(codes)
    return next((place for place, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))
