"""New titles are new, and other texts mention the row's own title and code."""

import pytest

from etalage.sample.mimic.effects import Effects
from etalage.sample.mimic.families import Family
from etalage.sample.mimic.fillers.draft import Draft
from etalage.sample.mimic.fillers.texts import CODE_MARK, HOST, TITLE_MARK, WORD_MARKS, Case, FreeText, Slug, Title
from etalage.sample.mimic.forbidden import ForbiddenTexts
from etalage.sample.mimic.phrases import Build, Phrases

NOTHING = ForbiddenTexts.from_texts([])
TITLES = [f"{a} {b} Tote" for a in ("Red", "Blue", "Green") for b in ("Small", "Large")] * 10


def learn(texts: list[str], build: Build) -> Phrases:
    """Learn from texts of one category."""
    owners = [str(n) for n in range(len(texts))]
    return Phrases.learn(texts, [("BAGS",)] * len(texts), build, owners=owners)


def draft_of(row: int, **texts: str | None) -> Draft:
    """Return a row that is a family of its own."""
    draft = Draft(0, row, Family(("BAGS",), row, 0, (row * 0.618) % 1), {}, {})
    draft.texts.update(texts)
    return draft


def free_text(text: str, *, build: Build = "path", separator: str = "-", **options: object) -> FreeText:
    """Return a filler that always draws the same text."""
    settings: dict = {"is_link": False, "code": None, "length": None} | options
    return FreeText("x", learn([text] * 9, build), NOTHING, slug=Slug("title", separator, "lower"), **settings)


def title_of(titles: ForbiddenTexts, words: ForbiddenTexts = NOTHING) -> Title:
    """Return a filler of titles without effects on numbers."""
    return Title("title", learn(TITLES, "title"), titles, words, Effects((), {}, ()))


def test_titles_of_the_original_are_changed() -> None:
    filler = title_of(ForbiddenTexts.from_texts(TITLES))
    made = [str(filler.fill(draft_of(row))) for row in range(60)]
    assert not set(made) & set(TITLES)
    assert all(title.endswith(" Tote") and len(title.split(" ")) == 3 for title in made)


def test_titles_that_are_new_stay() -> None:
    made = {title_of(NOTHING).fill(draft_of(row)) for row in range(100)}
    assert made == set(TITLES)


def test_a_word_has_the_same_few_replacements_in_all_titles() -> None:
    filler = title_of(ForbiddenTexts.from_texts(TITLES))
    made = [str(filler.fill(draft_of(row))).split(" ") for row in range(300)]
    invented = {word for title in made for word in title} - {word for title in TITLES for word in title.split(" ")}
    assert len(invented) <= 3 * 5


def test_the_products_name_is_replaced_if_it_is_all_there_is() -> None:
    filler = Title(
        "title", learn(["Tote"] * 20, "title"), ForbiddenTexts.from_texts(["Tote"]), NOTHING, Effects((), {}, ())
    )
    made = str(filler.fill(draft_of(1)))
    assert made != "Tote"
    assert made.istitle()


def test_words_before_the_change_are_kept_for_the_picture() -> None:
    draft = draft_of(4)
    title_of(ForbiddenTexts.from_texts(TITLES)).fill(draft)
    assert " ".join(draft.title_words) in TITLES


@pytest.mark.parametrize(
    ("separator", "case", "slug"),
    [
        ("-", "lower", "red-tote-n-5"),
        ("_", "upper", "RED_TOTE_N_5"),
        ("", "unchanged", "RedToteN5"),
        ("%20", "lower", "red%20tote%20n%205"),
    ],
)
def test_slugs_of_a_title(separator: str, case: Case, slug: str) -> None:
    style = Slug("title", separator, case)
    assert style.write("Red Tote, N° 5!") == slug
    assert style.of(draft_of(1, title="Red Tote, N° 5!")) == slug
    assert style.of(draft_of(1, title=None)) == ""


def test_links_mention_title_and_code() -> None:
    filler = free_text(f"/en/{TITLE_MARK}.html?id={CODE_MARK}", is_link=True, code="sku")
    text = filler.fill(draft_of(1, title="Blue Clutch", sku="B-77"))
    assert text == f"{HOST}/en/blue-clutch.html?id=B-77"


def test_texts_mention_single_words_of_the_title() -> None:
    filler = free_text(f"/{WORD_MARKS[0]}/{WORD_MARKS[2]}/end")
    assert filler.fill(draft_of(1, title="One Two Three")) == "/one/three/end"
    assert filler.fill(draft_of(1, title="One Two")) == "/one/two/end"
    assert not set(WORD_MARKS) & set(str(filler.fill(draft_of(1, title="One"))))


def test_texts_without_a_mark_mention_nothing() -> None:
    assert free_text("/fixed/path").fill(draft_of(1, title="Red Tote")) == "/fixed/path"


def test_a_missing_code_leaves_nothing_behind() -> None:
    assert free_text(f"/p/{CODE_MARK}/x", code="sku").fill(draft_of(1, title="Red", sku=None)) == "/p//x"


@pytest.mark.parametrize("amount", [-3.0, 1.0, 6.4])
def test_long_texts_have_the_rows_number_of_words(amount: float) -> None:
    filler = free_text("for every day", build="text", length="words of x")
    draft = draft_of(1, title="Red Tote")
    draft.amounts["words of x"] = amount
    assert len(str(filler.fill(draft)).split(" ")) == max(1, round(amount))
