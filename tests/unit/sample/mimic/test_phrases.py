"""Texts keep the words and the build that many have in common, and invent the rest."""

import pickle
import random
import re

import pytest

from etalage.sample.mimic.forbidden import ForbiddenTexts
from etalage.sample.mimic.keyed_rng import KeyedRng
from etalage.sample.mimic.phrases import Build, Phrases, Word
from etalage.sample.mimic.suppressed_counts import K
from etalage.sample.mimic.words import shape_of

NOTHING = ForbiddenTexts.from_texts([])


def learn(texts: list[str], build: Build, keep_words: bool = True) -> Phrases:
    """Learn from texts of one category, each with an owner of its own."""
    owners = [str(n) for n in range(len(texts))]
    return Phrases.learn(texts, [("BAGS",)] * len(texts), build, owners=owners, keep_words=keep_words)


def write(
    phrases: Phrases, n: int, forbidden: ForbiddenTexts = NOTHING, path: tuple[str, ...] = ("BAGS",)
) -> list[str]:
    """Return new texts."""
    rngs = [KeyedRng("text", number) for number in range(n)]
    return [phrases.join(phrases.spell(phrases.draw(rng, path), rng, forbidden)) for rng in rngs]


TITLES = [f"{a} {b} {c}" for a in ("Red", "Blue", "Green") for b in ("Small", "Large") for c in ("Tote", "Bag")] * 5


def test_titles_of_common_words_are_made_of_them() -> None:
    texts = write(learn(TITLES, "title"), 100)
    assert all(text in TITLES for text in texts)
    assert len(set(texts)) > 8


def test_rare_words_are_replaced_by_words_of_their_shape() -> None:
    rng = random.Random(0)
    texts = [f"Tote N-{rng.randrange(1000, 9999)} Bondir{'x' * (n % 3)}q{n} end" for n in range(60)]
    new = write(learn(texts, "title"), 50)
    assert not set(new) & set(texts)
    assert all(shape_of(text) in {shape_of(old) for old in texts} for text in new)
    assert all(text.startswith("Tote ") and text.endswith(" end") for text in new)


def test_words_of_fewer_than_k_owners_are_not_kept() -> None:
    texts = TITLES + ["Secret Tote"] * (K - 1)
    assert b"Secret" not in pickle.dumps(learn(texts, "title"))
    same_owner = Phrases.learn(
        TITLES + ["Secret Tote"] * 50,
        [("BAGS",)] * (len(TITLES) + 50),
        "title",
        owners=[*(str(n) for n in range(len(TITLES))), *["one"] * 50],
    )
    assert b"Secret" not in pickle.dumps(same_owner)


def test_paths_keep_their_signs() -> None:
    texts = [f"/en/tote-{n}.html" for n in range(1_000, 1_040)]
    new = write(learn(texts, "path"), 20)
    assert all(re.fullmatch(r"/en/tote-\d{4}\.html", text) for text in new)
    assert len(set(new)) > 10


def test_codes_can_be_learned_without_words() -> None:
    phrases = learn(["AB-12"] * 40, "path", keep_words=False)
    drawn = phrases.draw(KeyedRng("x"), ("BAGS",))
    assert drawn == [Word("A", True), Word("-", False), Word("9", True)]


def test_long_texts_have_the_number_of_words_that_is_asked_for() -> None:
    texts = [" ".join(["for every day"] * (3 + n % 5)) for n in range(60)]
    phrases = learn(texts, "text")
    for number in (1, 4, 17):
        assert len(phrases.draw(KeyedRng(number), ("BAGS",), num_words=number)) == number


def test_words_of_long_texts_follow_each_other_as_in_the_original() -> None:
    texts = [" ".join(["for every day"] * (3 + n % 5)) for n in range(60)]
    for text in write(learn(texts, "text"), 20):
        words = text.split(" ")
        assert words == (["for", "every", "day"] * 9)[: len(words)]


def test_the_number_of_words_follows_that_of_the_title() -> None:
    texts = ["one two"] * 30 + ["one two three four"] * 30
    phrases = Phrases.learn(
        texts, [("B",)] * 60, "title", owners=[str(n) for n in range(60)], num_title_words=[1] * 30 + [2] * 30
    )
    assert all(len(phrases.draw(KeyedRng(n), ("B",), num_title_words=1)) == 2 for n in range(20))
    assert all(len(phrases.draw(KeyedRng(n), ("B",), num_title_words=2)) == 4 for n in range(20))


def test_even_quantiles_give_lengths_their_exact_shares() -> None:
    phrases = learn(["a b"] * 30 + ["a b c"] * 10, "title")
    lengths = [len(phrases.draw(KeyedRng(n), ("BAGS",), length_quantile=(n + 0.5) / 40)) for n in range(40)]
    assert (lengths.count(2), lengths.count(3)) == (30, 10)


def test_forbidden_words_are_not_invented() -> None:
    texts = [f"Tote {chr(97 + n % 26)}{chr(97 + n // 26)}" for n in range(60)]
    phrases = learn(texts, "title")
    forbidden = ForbiddenTexts.from_texts(chr(a) + chr(b) for a in range(97, 123) for b in range(97, 123))
    assert all(len(text.split(" ")[1]) > 2 for text in write(phrases, 30, forbidden))


def test_short_numbers_are_never_forbidden() -> None:
    phrases = learn([f"Tote {n}" for n in range(100, 200)], "title")
    forbidden = ForbiddenTexts.from_texts(str(n) for n in range(1_000))
    assert all(len(text.split(" ")[1]) == 3 for text in write(phrases, 30, forbidden))


def test_texts_are_cut_after_many_words() -> None:
    phrases = learn(["word " * 5_000] * 10, "text")
    assert len(phrases.draw(KeyedRng("x"), ("BAGS",))) == 400


def test_a_word_is_cut_after_many_characters() -> None:
    assert all(len(text) <= 40 for text in write(learn(["a" * 900 + str(n) for n in range(20)], "title"), 5))


@pytest.mark.parametrize("build", ["title", "text", "path"])
def test_empty_texts_are_learned(build: Build) -> None:
    assert all(isinstance(text, str) for text in write(learn([""] * 20, build), 5))


def test_unseen_categories_get_texts_of_all_others() -> None:
    words = {word for title in TITLES for word in title.split(" ")}
    assert all(set(text.split(" ")) <= words for text in write(learn(TITLES, "title"), 20, path=("NEW", "LEAF")))


def test_suppressed_values_are_counted() -> None:
    assert learn(TITLES, "title").num_suppressed == 0
    assert learn(TITLES + ["Red Small !!"] * (K - 1), "title").num_suppressed > 0
