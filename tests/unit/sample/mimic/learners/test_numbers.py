"""Numbers learn their marginals by category, their correlations, and what families share."""

import random

import numpy as np
import pytest

from etalage.sample.mimic.fillers.categories import Constant
from etalage.sample.mimic.fillers.numbers import Number, ReducedPrice, Scaled
from etalage.sample.mimic.learners.numbers import NumberLearner
from etalage.sample.mimic.suppressed_counts import K
from tests.unit.sample.mimic.shop import analysis_of, shop_columns


def test_large_categories_have_marginals_of_their_own() -> None:
    filler = NumberLearner(analysis_of(shop_columns(420))).filler("full_price")
    assert isinstance(filler, Number)
    assert set(filler.marginals) == {
        (),
        *((wide,) for wide in ("BAGS", "SHOES")),
        *(
            (wide, narrow)
            for wide, narrow in (("BAGS", "TOTE"), ("BAGS", "CLUTCH"), ("SHOES", "BOOTS"), ("SHOES", "PUMPS"))
        ),
    }
    bags, shoes = (filler.marginals[(wide,)][0].quantile(0.5)[0] for wide in ("BAGS", "SHOES"))
    assert bags > 1.5 * shoes


def test_small_categories_share_a_marginal() -> None:
    filler = NumberLearner(analysis_of(shop_columns(120))).filler("full_price")
    assert isinstance(filler, Number)
    assert ("SHOES",) not in filler.marginals
    assert () in filler.marginals


def test_prices_that_follow_from_others_have_their_rules() -> None:
    learner = NumberLearner(analysis_of(shop_columns(300)))
    price, euros = learner.filler("price"), learner.filler("price_eur")
    assert isinstance(price, ReducedPrice)
    assert price.source == "full_price"
    assert price.factors is not None
    assert {low for low, _, is_kept in price.factors.pieces if is_kept} == {0.5, 0.8}
    assert isinstance(euros, Scaled)
    assert (euros.source, euros.factor) == ("price", 0.9)


def test_columns_of_few_amounts_stay_empty() -> None:
    columns = shop_columns(300)
    columns["weight"] = [f"{row}.5" if row < 2 * K - 1 else None for row in range(300)]
    assert NumberLearner(analysis_of(columns)).filler("weight") == Constant(None)


def test_correlated_columns_stay_correlated() -> None:
    columns = shop_columns(420)
    columns["weight"] = [
        f"{float(str(price)[1:].replace(',', '')) / 100 + 0.05:.1f}" for price in columns["full_price"]
    ]
    rng = random.Random(0)
    columns["stock"] = [str(rng.randrange(5_000)) for _ in range(420)]
    analysis = analysis_of(columns)
    factor = np.array(NumberLearner(analysis).correlation_factor())
    correlation = factor @ factor.T
    index = {name: place for place, name in enumerate(analysis.numbers)}
    assert correlation[index["full_price"], index["weight"]] > 0.8
    assert abs(correlation[index["full_price"], index["stock"]]) < 0.25


def test_families_of_equal_price_are_noticed() -> None:
    columns = shop_columns(300)
    for row in range(0, 300, 3):
        for name in ("category1", "category2", "full_price"):
            columns[name][row + 1 : row + 3] = [columns[name][row]] * 2
    analysis = analysis_of(columns, groups=[f"family {row // 3}" for row in range(300)])
    shares = dict(zip(analysis.numbers, NumberLearner(analysis).family_variance_shares(), strict=True))
    assert shares["full_price"] > 0.8
    assert shares["listed"] < 0.3


def test_catalogues_without_numbers_are_learned() -> None:
    columns = {name: shop_columns(80)[name] for name in ("title", "category1", "category2", "photo", "season")}
    learner = NumberLearner(analysis_of(columns))
    assert learner.correlation_factor() == learner.family_variance_shares() == ()
    assert learner.effects.numbers == ()


def test_titles_explain_a_part_of_the_price() -> None:
    columns = shop_columns(420)
    for row, title in enumerate(columns["title"]):
        columns["full_price"][row] = f"${(3 if 'Velvet' in str(title) else 1) * (100 + row % 50)}.00"
    effects = NumberLearner(analysis_of(columns)).effects
    place = effects.numbers.index("full_price")
    assert effects.shifts["Velvet"][place] > 0.5
    assert effects.shifts["Velvet"][place] > 3 * abs(effects.shifts["Red"][place])
    assert effects.unexplained[place] == pytest.approx(0.6, abs=0.4)
