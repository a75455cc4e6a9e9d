"""Mentions of titles and codes are found in any way in which links write them."""

import pytest

from etalage.sample.mimic.fillers.texts import TITLE_MARK, WORD_MARKS, Slug
from etalage.sample.mimic.learners.marks import mark, mark_title_words, mark_titles, mentions_mark, split_prefixes
from etalage.sample.mimic.suppressed_counts import K

TITLES = ["Red Tote", "Blue Clutch", "Green Bag N5"]


@pytest.mark.parametrize(
    ("texts", "separator", "case"),
    [
        (["/red-tote/1", "/blue-clutch/2", "/green-bag-n5/3"], "-", "lower"),
        (["RED_TOTE.jpg", "BLUE_CLUTCH.jpg", "other"], "_", "upper"),
        (["a Red Tote", "a Blue Clutch", "a Green Bag N5"], " ", "unchanged"),
        (["RedTote", "BlueClutch", "GreenBagN5"], "", "unchanged"),
        (["q=red%20tote", "q=blue%20clutch", "q=green%20bag%20n5"], "%20", "lower"),
    ],
)
def test_whole_titles_are_marked(texts: list[str], separator: str, case: str) -> None:
    marked, slug = mark_titles(texts, TITLES, "title")
    assert slug is not None
    assert (slug.title, slug.separator, slug.case) == ("title", separator, case)
    assert sum(TITLE_MARK in text for text in marked) >= 2
    assert [text.replace(TITLE_MARK, slug.write(title)) for text, title in zip(marked, TITLES, strict=True)] == texts


def test_texts_that_mention_no_title_stay() -> None:
    texts = ["/red-tote/1", "/x/2", "/y/3"]
    assert mark_titles(texts, TITLES, "title") == (texts, None)


def test_single_words_of_titles_are_marked() -> None:
    texts = ["tote/red.jpg", "clutch/blue.jpg", "bag/green.jpg"]
    marked, slug = mark_title_words(texts, TITLES, "title")
    assert slug == Slug("title", "", "lower")
    assert marked[0] == f"{WORD_MARKS[1]}/{WORD_MARKS[0]}.jpg"


def test_only_whole_words_are_marked() -> None:
    marked, _ = mark_title_words(["reduced red"], ["Red Tote"], "title")
    assert marked == [f"reduced {WORD_MARKS[0]}"]


def test_of_equal_words_the_first_one_is_marked() -> None:
    assert mark_title_words(["Tote"], ["Tote Tote"], "title")[0] == [WORD_MARKS[0]]


def test_titles_may_have_more_words_than_there_are_marks() -> None:
    title = " ".join(f"w{n}" for n in range(40))
    marked, _ = mark_title_words([title], [title], "title")
    assert set(WORD_MARKS) <= set(marked[0])


@pytest.mark.parametrize(
    ("text", "mentioned", "marked"),
    [("id=A1", "A1", "id=#"), ("A1A1", "A1", "#A1"), ("id=A", "A", "id=A"), ("id=", None, "id="), ("id=", "", "id=")],
)
def test_the_first_mention_is_marked(text: str, mentioned: str | None, marked: str) -> None:
    assert mark(text, mentioned, "#") == marked


def test_more_than_half_have_to_mention() -> None:
    assert mentions_mark(["#", "#", "x"], "#")
    assert not mentions_mark(["#", "x"], "#")
    assert not mentions_mark([], "#")


def test_prefixes_end_with_a_sign() -> None:
    codes = [f"AB-{n:03d}" for n in range(20)] + [f"CD-X-{n}" for n in range(10)]
    split = split_prefixes(codes)
    assert {prefix for prefix, _ in split} == {"AB-", "CD-X-"}
    assert ["".join(parts) for parts in split] == codes


def test_prefixes_of_few_codes_are_not_kept() -> None:
    codes = [f"AB-{n:03d}" for n in range(20)] + [f"SECRET-{n}" for n in range(K - 1)]
    assert {prefix for prefix, _ in split_prefixes(codes)} == {"AB-", ""}


def test_numbers_have_the_prefix_that_all_share() -> None:
    assert split_prefixes(["40017", "40025", "40099"]) == [("400", "17"), ("400", "25"), ("400", "99")]
    assert split_prefixes(["17", "25"]) == [("", "17"), ("", "25")]


def test_a_sign_at_the_end_is_no_prefix() -> None:
    assert split_prefixes(["AB-"] * 9) == [("", "AB-")] * 9
