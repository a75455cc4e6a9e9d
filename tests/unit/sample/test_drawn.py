"""Rows of a drawn catalogue: the schema, the stated noise, families, and rows made on their own."""

import math
import pickle
from collections import Counter
from itertools import pairwise
from statistics import pstdev

import pytest

from etalage.catalogue.columns import match_columns
from etalage.config import TaskConfig
from etalage.sample import drawn
from etalage.sample.brands import NOISE, make_brand
from etalage.sample.drawn import COLUMNS, DrawnRows
from etalage.sample.rows import Row
from etalage.task import Task


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    made = DrawnRows(seed=3, brands=range(4), picture_px=24)
    return [made.make(number) for number in range(3000)]


def test_rows_have_the_burberry_schema(rows: list[Row]) -> None:
    assert all(tuple(row.record) == COLUMNS for row in rows)
    matched = match_columns(COLUMNS, Task(TaskConfig()).fields).columns
    assert {role: DrawnRows(0).columns[role] for role in matched} == matched
    kinds = {
        **dict.fromkeys(COLUMNS, str),
        "imageurl": type(None),
        **dict.fromkeys(("product_code", "flg_discount"), int),
        **dict.fromkeys(("full_price", "price", "full_price_eur", "price_eur"), float),
    }
    assert all({name: type(value) for name, value in row.record.items()} == kinds for row in rows)
    assert len({row.record["product_code"] for row in rows}) == len(rows)


def test_a_row_follows_from_the_seed_and_its_number_alone(rows: list[Row]) -> None:
    again = pickle.loads(pickle.dumps(DrawnRows(seed=3, brands=range(4), picture_px=24)))  # noqa: S301 - our own bytes
    drawn._family_starts.cache_clear()
    make_brand.cache_clear()
    assert [again.make(number) for number in (2999, 17, 0)] == [rows[2999], rows[17], rows[0]]
    assert DrawnRows(seed=4, picture_px=24).make(0).picture != rows[0].picture


def test_noise_is_what_the_manifest_says(rows: list[Row]) -> None:
    stated = DrawnRows(seed=3).manifest()["noise"]
    assert stated == NOISE
    families = {row.attributes["family"]: row.attributes for row in rows}.values()
    errors = [math.log(a["full_price"] / a["law_price"]) for a in families if a["law_price"] > 500]
    assert pstdev(errors) == pytest.approx(NOISE["price"], rel=0.15)
    for field in ("title", "category"):
        off = [row.attributes[field] != row.attributes[f"law_{field}"] for row in rows]
        assert sum(off) / len(off) == pytest.approx(NOISE[field], abs=0.008)
    for row in rows:
        shorter, law = str(row.attributes["title"]).split(), str(row.attributes["law_title"]).split()
        assert set(shorter) <= set(law)
        assert len(law) - len(shorter) in (0, 1)


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
    made = DrawnRows(seed=1, picture_px=48)
    one, copy, red = made.make(5), made.make(5, code=9), made.make(5, recolour=1)
    assert copy.picture == one.picture
    assert copy.record["product_code"] == made.make(9).record["product_code"] != one.record["product_code"]
    assert copy.record["title"] == one.record["title"]
    assert red.picture != one.picture
    assert red.attributes["colour"] != one.attributes["colour"]
    assert red.attributes["style"] == one.attributes["style"]
    assert made.make(3, code=0).record["product_code"] == made.make(0).record["product_code"]


def test_brands_share_no_category_and_no_name() -> None:
    first, second = (
        {(row.record["category3_code"], row.record["brand"]) for row in map(DrawnRows(0, [n], 24).make, range(50))}
        for n in (1, 2)
    )
    assert not first & second
