"""Rows of a drawn catalogue: the schema, the stated noise, families, and rows made on their own."""

import json
import math
import pickle
import random
from collections import Counter
from itertools import pairwise
from statistics import pstdev

import pytest

from etalage.catalogue.columns import match_columns
from etalage.config import TaskConfig
from etalage.sample import drawn
from etalage.sample.appearance import Scene
from etalage.sample.brands import NOISE, make_brand
from etalage.sample.drawn import COLUMNS, DrawnRows
from etalage.sample.rows import Row
from etalage.task import Task


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    made = DrawnRows(seed=3, brands=range(4), picture_px=24)
    return [made.make(number) for number in range(2000)]


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
    assert [again.make(number) for number in (1999, 17, 0)] == [rows[1999], rows[17], rows[0]]
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


def test_attributes_have_the_same_scalar_columns_in_every_row(rows: list[Row]) -> None:
    names = list(rows[0].attributes)
    assert all(list(row.attributes) == names for row in rows)
    assert all(isinstance(value, str | int | float | bool) for row in rows[:200] for value in row.attributes.values())


def test_product_codes_rise_with_the_row_but_not_evenly(rows: list[Row]) -> None:
    codes = [int(str(row.record["product_code"])) for row in rows]
    assert codes == sorted(codes)
    assert len({after - before for before, after in pairwise(codes)}) > 20


def test_files_are_of_the_format_that_their_suffix_says(rows: list[Row]) -> None:
    magic = {".jpg": b"\xff\xd8\xff", ".png": b"\x89PNG", ".webp": b"RIFF"}
    for row in rows[:500]:
        assert row.picture is not None
        assert row.picture.content is not None
        assert row.picture.content.startswith(magic[row.picture.suffix])


@pytest.mark.parametrize("picture_px", [24, 100, 336])
def test_the_longer_side_is_usually_the_one_asked_for(picture_px: int) -> None:
    drawn_rows = DrawnRows(seed=2, brands=range(5), picture_px=picture_px)
    sides = [max(scene.width_px, scene.height_px) for scene in scenes(drawn_rows, 200)]
    assert sum(side == picture_px for side in sides) > 160
    assert all(0.6 * picture_px - 1 <= side <= 1.6 * picture_px + 1 for side in sides)


def scenes(drawn_rows: DrawnRows, num: int) -> list[Scene]:
    return [drawn_rows._scene(make_brand(number % 5), random.Random(number)) for number in range(num)]


def test_no_picture_is_smaller_than_sixteen_pixels() -> None:
    assert all(min(scene.width_px, scene.height_px) >= 16 for scene in scenes(DrawnRows(0, picture_px=10), 100))


def test_only_pictures_with_alpha_have_a_transparent_background() -> None:
    for scene in scenes(DrawnRows(0), 500):
        assert (scene.background == "transparent") == (scene.mode == "RGBA")
        assert scene.mode != "CMYK" or scene.format == "JPEG"


def test_the_manifest_states_how_the_rows_were_made() -> None:
    manifest = json.loads(json.dumps(DrawnRows(9, [4, 2], 64).manifest()))
    assert (manifest["kind"], manifest["version"], manifest["seed"]) == ("drawn", drawn.VERSION, 9)
    assert manifest["picture_px"] == 64
    assert [brand["number"] for brand in manifest["brands"]] == [4, 2]


def test_recolouring_goes_through_the_other_colours_and_begins_again() -> None:
    made = DrawnRows(seed=1, picture_px=24)
    num_colours = len(make_brand(0).colours)
    own = made.make(5).attributes["colour"]
    colours = [made.make(5, recolour=number).attributes["colour"] for number in range(1, num_colours + 1)]
    assert own not in colours
    assert len(set(colours)) == num_colours - 1
    assert colours[-1] == colours[0]
    pictures = {made.make(5, recolour=number).picture for number in (1, num_colours)}
    assert len(pictures) == 2, "the same colour in another scene"


def test_families_begin_anew_with_every_block() -> None:
    drawn._family_starts.cache_clear()
    late = drawn._family_starts(3, 40)
    assert late[0] == 40 * 16
    assert late[-1] < 41 * 16
    assert list(late) == sorted(set(late))
    assert drawn._family_starts(3, 40) == late


@pytest.mark.parametrize("title", ["Coat", "Red Coat", "Long Wool Check Coat in Navy", "Wool Coat"])
def test_dropping_a_word_keeps_the_end_of_the_title(title: str) -> None:
    shorter = drawn._drop_word(title, random.Random(0))
    assert shorter.split()[-2:] == title.split()[-2:]
    assert len(title.split()) - len(shorter.split()) == (len(title.split()) > 2)
