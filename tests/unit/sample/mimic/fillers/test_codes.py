"""Codes are built like the original's, but are neither the original's nor another row's."""

import re

import pytest

from etalage.sample.mimic.families import Family
from etalage.sample.mimic.fillers.codes import Code
from etalage.sample.mimic.fillers.draft import Draft
from etalage.sample.mimic.fillers.texts import TITLE_MARK, Slug
from etalage.sample.mimic.forbidden import ForbiddenTexts
from etalage.sample.mimic.phrases import Phrases
from etalage.sample.mimic.suppressed_counts import SuppressedCounts

NUM_ROWS = 1_000


def code_like(tails: list[str], *, forbidden: list[str] | None = None, slug: Slug | None = None) -> Code:
    """Return a filler of codes with the prefix AB-."""
    owners = [str(n) for n in range(len(tails))]
    return Code(
        name="sku",
        prefixes=SuppressedCounts.learn([], "AB-"),
        tails=Phrases.learn(tails, [()] * len(tails), "path", owners=owners, keep_words=False),
        codes=ForbiddenTexts.from_texts(forbidden or [f"AB-{tail}" for tail in tails]),
        num_characters=len(str(Code.NUM_TRIES * NUM_ROWS)),
        slug=slug,
    )


def fill(code: Code, row: int, title: str = "") -> str:
    """Return the code of a row."""
    draft = Draft(0, row, Family((), row, 0, 0.5), {}, {})
    draft.texts["title"] = title
    return str(code.fill(draft))


@pytest.mark.parametrize(
    ("tail", "pattern"),
    [("12345-{:02d}", r"AB-\d{2,5}-\d{2,5}"), ("ABCdef{:03d}", r"AB-[A-Z]+[a-z]+\d+"), ("x/{:05d}", r"AB-[a-z]/\d{5}")],
)
def test_codes_have_the_originals_build(tail: str, pattern: str) -> None:
    code = code_like([tail.format(n) for n in range(60)])
    assert all(re.fullmatch(pattern, fill(code, row)) for row in range(50))


@pytest.mark.parametrize("tail", ["{:07d}", "AB{:02d}x", "{:01d}"])
def test_no_two_rows_have_the_same_code(tail: str) -> None:
    tails = [tail.format(n) for n in range(60)]
    code = code_like(tails)
    made = [fill(code, row) for row in range(NUM_ROWS)]
    assert len(set(made)) == NUM_ROWS
    assert not {made_code.removeprefix("AB-") for made_code in made} & set(tails)


def test_short_tails_are_lengthened() -> None:
    code = code_like(["7"] * 20)
    assert all(len(fill(code, row)) >= len("AB-") + code.num_characters for row in range(20))


def test_codes_of_the_original_are_avoided() -> None:
    code = code_like([f"{n:05d}" for n in range(60)])
    first = fill(code, 12)
    other = code_like([f"{n:05d}" for n in range(60)], forbidden=[first])
    assert fill(other, 12) != first


def test_a_longer_code_is_made_where_all_of_a_length_are_taken() -> None:
    taken = [f"AB-{n:04d}" for n in range(10_000)]
    code = code_like([f"{n:04d}" for n in range(60)], forbidden=taken)
    made = [fill(code, row) for row in range(40)]
    assert all(re.fullmatch(r"AB-\d{5}", one) for one in made)
    assert len(set(made)) == 40


def test_codes_mention_the_title_where_the_original_does() -> None:
    tails = [f"{TITLE_MARK}-{n:05d}" for n in range(60)]
    code = code_like(tails, slug=Slug("title", "_", "lower"))
    assert re.fullmatch(r"AB-red_tote-\d{5}", fill(code, 3, "Red Tote"))


def test_a_code_follows_from_the_rows_number() -> None:
    code = code_like([f"{n:05d}" for n in range(60)])
    assert fill(code, 8) == fill(code, 8) != fill(code, 9)
