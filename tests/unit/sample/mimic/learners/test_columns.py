"""Each column gets the filler of its kind, after those that it depends on."""

import pytest

from etalage.sample.mimic.fillers.categories import Categorical, Constant, Lookup, Nullable, PriceFlag, TreeLevel
from etalage.sample.mimic.fillers.codes import Code
from etalage.sample.mimic.fillers.draft import Filler
from etalage.sample.mimic.fillers.numbers import Number, ReducedPrice, Scaled
from etalage.sample.mimic.fillers.texts import FreeText, Title
from etalage.sample.mimic.learners.analysis import Analysis
from etalage.sample.mimic.learners.columns import ColumnLearner, count_suppressed, scalar_type
from etalage.sample.mimic.learners.families import learn_layout
from etalage.sample.mimic.learners.numbers import NumberLearner
from etalage.sample.mimic.learners.texts import TextLearner
from tests.unit.sample.mimic.shop import analysis_of, shop_columns


def learn(analysis: Analysis) -> dict[str, Filler]:
    """Learn all columns."""
    numbers = NumberLearner(analysis)
    return ColumnLearner(analysis, numbers, TextLearner(analysis, learn_layout(analysis), numbers.effects)).fillers()


@pytest.fixture(scope="module")
def fillers() -> dict[str, Filler]:
    columns = shop_columns(300)
    columns["size"] = [("S", "M", "L", "XL")[row * row % 4 + row % 3 // 2] for row in range(300)]
    return learn(analysis_of(columns))


def test_every_column_has_the_filler_of_its_kind(fillers: dict[str, Filler]) -> None:
    kinds = {name: type(filler) for name, filler in fillers.items()}
    assert kinds == {
        "photo": Constant,
        "shop": Constant,
        "category1": TreeLevel,
        "category2": TreeLevel,
        "season": Lookup,
        "size": Categorical,
        "title": Title,
        "full_price": Number,
        "weight": Nullable,
        "listed": Number,
        "words of text": Number,
        "price": ReducedPrice,
        "price_eur": Scaled,
        "sale": PriceFlag,
        "sku": Code,
        "link": FreeText,
        "text": FreeText,
    }


def test_columns_come_after_those_that_they_depend_on(fillers: dict[str, Filler]) -> None:
    order = list(fillers)
    for first, later in (
        ("category1", "season"),
        ("title", "full_price"),
        ("full_price", "price"),
        ("price", "price_eur"),
        ("price", "sale"),
        ("sku", "link"),
        ("words of text", "text"),
    ):
        assert order.index(first) < order.index(later)


def test_a_constant_is_the_columns_text(fillers: dict[str, Filler]) -> None:
    assert fillers["shop"] == Constant("Maison")
    assert fillers["photo"] == Constant(None)


def test_links_mention_the_code_and_texts_do_not(fillers: dict[str, Filler]) -> None:
    link, text = fillers["link"], fillers["text"]
    assert isinstance(link, FreeText)
    assert isinstance(text, FreeText)
    assert (link.code, link.is_link, link.slug.separator, link.length) == ("sku", True, "-", None)
    assert (text.code, text.is_link, text.length) == (None, False, "words of text")


def test_suppressed_values_within_gaps_are_counted(fillers: dict[str, Filler]) -> None:
    weight = fillers["weight"]
    assert isinstance(weight, Nullable)
    assert count_suppressed(weight) == count_suppressed(weight.filler) + weight.is_missing.num_suppressed
    assert count_suppressed(Constant("x")) == 0


@pytest.mark.parametrize(
    ("texts", "kind"),
    [
        (["1", "-20", "0", None], int),
        (["1.5", "0.25", "-3.0"], float),
        (["1.50", "2.00"], str),
        (["007"], str),
        (["+1"], str),
        (["1", "2.5"], str),
        (["12345678901234567890"], str),
        (["one"], str),
        ([None], str),
        ([], str),
    ],
)
def test_types_are_those_that_python_would_write(texts: list[str | None], kind: type) -> None:
    assert scalar_type(texts) is kind
