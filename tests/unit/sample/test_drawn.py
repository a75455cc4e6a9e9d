"""Rows of a drawn catalogue: the schema, the stated noise, families, and one row made on its own."""

import math
import pickle
from collections import Counter
from itertools import pairwise
from statistics import median, pstdev

import pytest

from etalage.catalogue.columns import match_columns
from etalage.config import TaskConfig
from etalage.sample import drawn
from etalage.sample.drawn import COLUMNS, Drawn, Oracle
from etalage.sample.rows import Row
from etalage.sample.world import NOISE, brand_of
from etalage.task import Task


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    made = Drawn(seed=3, brands=range(4), picture_px=24)
    return [made.make(number) for number in range(3000)]


def test_rows_have_the_burberry_schema(rows: list[Row]) -> None:
    assert all(tuple(row.record) == COLUMNS for row in rows)
    matched = match_columns(COLUMNS, Task(TaskConfig()).fields).columns
    assert {role: Drawn(0).columns[role] for role in matched} == matched
    kinds = {
        **dict.fromkeys(COLUMNS, str),
        "imageurl": type(None),
        **dict.fromkeys(("product_code", "flg_discount"), int),
        **dict.fromkeys(("full_price", "price", "full_price_eur", "price_eur"), float),
    }
    assert all({name: type(value) for name, value in row.record.items()} == kinds for row in rows)
    assert len({row.record["product_code"] for row in rows}) == len(rows)


def test_a_row_follows_from_the_seed_and_its_number_alone(rows: list[Row]) -> None:
    again = pickle.loads(pickle.dumps(Drawn(seed=3, brands=range(4), picture_px=24)))  # noqa: S301 - our own bytes
    drawn._starts.cache_clear()
    brand_of.cache_clear()
    assert [again.make(number) for number in (2999, 17, 0)] == [rows[2999], rows[17], rows[0]]
    assert Drawn(seed=4, picture_px=24).make(0).picture != rows[0].picture


def test_noise_is_what_the_manifest_says(rows: list[Row]) -> None:
    stated = Drawn(seed=3).manifest()["noise"]
    assert stated == NOISE
    families = {row.attributes["family"]: row.attributes for row in rows}.values()
    errors = [math.log(a["full_price"] / a["law_price"]) for a in families if a["law_price"] > 500]
    assert pstdev(errors) == pytest.approx(NOISE["price"], rel=0.15)
    for of in ("title", "category"):
        off = [row.attributes[of] != row.attributes[f"law_{of}"] for row in rows]
        assert sum(off) / len(off) == pytest.approx(NOISE[of], abs=0.008)
    for row in rows:
        shorter, law = str(row.attributes["title"]).split(), str(row.attributes["law_title"]).split()
        assert set(shorter) <= set(law)
        assert len(law) - len(shorter) in (0, 1)


def test_the_oracle_is_read_off_the_side_table(rows: list[Row]) -> None:
    oracle = Oracle()
    assert not oracle
    for row in rows:
        oracle.add(row.attributes)
    figures = oracle.figures()
    errors = [abs(math.log(row.record["full_price"] / row.attributes["law_price"])) for row in rows]
    assert figures["price_median_factor_error"] == pytest.approx(math.exp(median(errors)), abs=1e-6)
    exact = sum(row.record["title"] == row.attributes["law_title"] for row in rows) / len(rows)
    assert figures["title_exact"] == pytest.approx(exact, abs=1e-6)
    assert 0.97 < figures["category_accuracy"] < 1


def test_prices_and_discounts_keep_to_each_other(rows: list[Row]) -> None:
    for record in (row.record for row in rows):
        assert 0 < record["price"] <= record["full_price"]
        assert record["flg_discount"] == (record["price"] < record["full_price"])
        assert record["price_eur"] == round(record["price"] * drawn.EUR_PER_USD, 2)
    share = sum(row.record["flg_discount"] for row in rows) / len(rows)
    assert 0.03 < share < 0.4


def test_a_family_is_one_product_in_several_colours(rows: list[Row]) -> None:
    sizes = Counter(row.attributes["family"] for row in rows)
    assert Counter(sizes.values()).most_common(1)[0][0] == 1
    assert max(sizes.values()) == 5
    same = ("brand", "style", "cut", "pattern", "material", "hardware")
    for one, other in pairwise(rows):
        if one.attributes["family"] == other.attributes["family"]:
            assert [one.attributes[name] for name in same] == [other.attributes[name] for name in same]
            assert one.attributes["colour"] != other.attributes["colour"]
            assert one.picture != other.picture


def test_a_copy_and_a_recoloured_product() -> None:
    made = Drawn(seed=1, picture_px=48)
    one, copy, red = made.make(5), made.make(5, code=9), made.make(5, recolour=1)
    assert copy.picture == one.picture
    assert copy.record["product_code"] == made.make(9).record["product_code"] != one.record["product_code"]
    assert copy.record["title"] == one.record["title"]
    assert red.picture != one.picture
    assert red.attributes["colour"] != one.attributes["colour"]
    assert red.attributes["style"] == one.attributes["style"]
    assert made.make(3, code=0).record["product_code"] == made.make(0).record["product_code"]


def test_a_new_brand_is_another_world() -> None:
    first, second = (
        {(row.record["category3_code"], row.record["brand"]) for row in map(Drawn(0, [n], 24).make, range(50))}
        for n in (1, 2)
    )
    assert not first & second
