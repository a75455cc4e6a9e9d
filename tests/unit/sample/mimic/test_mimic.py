"""Rows that were learned from a known law keep the law, share it within families, and depend on their number alone."""

import json
import pickle
import re
from collections import Counter
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from etalage.sample.mimic import Mimic, learn
from etalage.sample.mimic.mimic import VERSION
from etalage.sample.mimic.suppressed_counts import K
from etalage.sample.rows import Row, Rows
from tests.unit.sample.mimic.shop import (
    NOUNS,
    ROLES,
    Columns,
    column_of,
    dollars,
    prepare_folder,
    shop_columns,
)


def test_columns_are_those_of_the_original(learned: tuple[Columns, Mimic], made: list[Row]) -> None:
    columns, mimic = learned
    rows: Rows = mimic
    assert rows.columns == ROLES
    assert all(list(row.record) == list(columns) and row.record["photo"] is None for row in made)


def test_manifest_says_what_was_learned(learned: tuple[Columns, Mimic]) -> None:
    manifest = json.loads(json.dumps(learned[1].manifest()))
    assert {name: manifest[name] for name in ("kind", "version", "seed", "k")} == {
        "kind": "mimic",
        "version": VERSION,
        "seed": 3,
        "k": K,
    }
    assert manifest["num_learned_from"] == sum(row % 7 != 3 for row in range(420))
    assert manifest["num_suppressed"] > 0
    assert manifest["columns"]["listed"] == "date"
    assert manifest["rules"] == {
        "price": "Reduced(source='full_price', downwards=True)",
        "price_eur": "Ratio(source='price', factor=0.9)",
    }
    assert sum(manifest["categories"].values()) == pytest.approx(1, abs=0.001)
    assert set(manifest["categories"]) == {f"{wide} / {noun.upper()}" for wide in NOUNS for noun in NOUNS[wide]}


def test_price_rules_hold_in_every_row(made: list[Row]) -> None:
    for row in made:
        full, price, euros = (dollars(row.record[name]) for name in ("full_price", "price", "price_eur"))
        assert price <= full
        assert euros == pytest.approx(price * 0.9, abs=0.0051)
        assert row.record["sale"] == ("yes" if price < full else "no")
        assert re.fullmatch(r"\$\d{1,3}(,\d{3})*\.00", str(row.record["full_price"]))
        assert full % 10 == 0


def test_columns_that_follow_from_a_category_follow_it(made: list[Row]) -> None:
    for row in made:
        assert row.record["season"] == {"BAGS": "summer", "SHOES": "winter"}[str(row.record["category1"])]
        assert str(row.record["category2"]).title() in NOUNS[str(row.record["category1"])]
        assert row.record["shop"] == "Maison"


def test_shares_are_those_of_the_original(learned: tuple[Columns, Mimic], made: list[Row]) -> None:
    columns = {name: [texts[r] for r in range(420) if r % 7 != 3] for name, texts in learned[0].items()}
    for name in ("category1", "category2", "sale"):
        before, after = Counter(columns[name]), Counter(column_of(made, name))
        assert all(abs(before[v] / len(columns[name]) - after[v] / len(made)) < 0.06 for v in before), name
    missing = [
        sum(value is None for value in texts) / len(texts) for texts in (columns["weight"], column_of(made, "weight"))
    ]
    assert abs(missing[0] - missing[1]) < 0.06
    for department in ("BAGS", "SHOES"):
        medians = []
        for names, prices in (
            (columns["category1"], columns["full_price"]),
            (column_of(made, "category1"), column_of(made, "full_price")),
        ):
            own = sorted(dollars(price) for name, price in zip(names, prices, strict=True) if name == department)
            medians.append(own[len(own) // 2])
        assert medians[0] == pytest.approx(medians[1], rel=0.15)


def test_dates_stay_within_the_originals_months(made: list[Row]) -> None:
    assert all(re.fullmatch(r"2024-0[1-6]-\d\d|2023-12-3\d|2024-07-0\d", date) for date in column_of(made, "listed"))


def test_values_have_the_type_that_python_would_write(learned: tuple[Columns, Mimic], made: list[Row]) -> None:
    assert learned[1].column_types["weight"] is float
    assert all(value is None or isinstance(value, float) for value in column_of(made, "weight"))
    assert all(isinstance(value, str) for value in column_of(made, "price_eur"))


def test_nothing_is_copied(learned: tuple[Columns, Mimic], made: list[Row]) -> None:
    columns, _ = learned
    titles = {str(title).casefold() for title in columns["title"]}
    assert not titles & {str(title).casefold() for title in column_of(made, "title")}
    codes = column_of(made, "sku")
    assert not set(columns["sku"]) & set(codes)
    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch(r"[BS]-\d{6,}", code) for code in codes)


def test_links_hold_the_new_title_and_code_on_another_machine(made: list[Row]) -> None:
    for row in made:
        slug = "-".join(re.findall(r"[a-z0-9]+", str(row.record["title"]).lower()))
        assert str(row.record["link"]).startswith(f"https://sample.example/en/{slug}-")
        assert str(row.record["link"]).endswith(f"?id={row.record['sku']}")


def test_a_row_follows_from_its_number_alone(learned: tuple[Columns, Mimic], made: list[Row]) -> None:
    copy: Mimic = pickle.loads(pickle.dumps(learned[1]))  # noqa: S301
    assert [copy.make(number) for number in (599, 0, 17)] == [made[599], made[0], made[17]]


def test_rows_are_the_same_in_any_order(learned: tuple[Columns, Mimic], made: list[Row]) -> None:
    whole = sha256(repr([dict(row.record) for row in made]).encode()).hexdigest()
    again = [learned[1].make(number) for number in reversed(range(600))][::-1]
    assert sha256(repr([dict(row.record) for row in again]).encode()).hexdigest() == whole


def test_rows_beyond_the_planned_ones_are_new(learned: tuple[Columns, Mimic], made: list[Row]) -> None:
    beyond = [learned[1].make(number) for number in range(600, 640)]
    assert not set(column_of(made, "sku")) & set(column_of(beyond, "sku"))
    assert not {row.attributes["family"] for row in made} & {row.attributes["family"] for row in beyond}


def test_a_copy_has_another_rows_code(learned: tuple[Columns, Mimic], made: list[Row]) -> None:
    again = learned[1].make(5, code=11)
    assert again.record["sku"] == made[11].record["sku"]
    assert str(again.record["link"]).endswith(f"?id={made[11].record['sku']}")
    assert again.record["title"] == made[5].record["title"]
    assert again.picture == made[5].picture


def test_recoloured_is_the_same_product_in_another_picture(learned: tuple[Columns, Mimic], made: list[Row]) -> None:
    variants = [learned[1].make(5, recolour=number) for number in range(4)]
    assert all(variant.record == made[5].record for variant in variants)
    assert len({variant.picture.content for variant in variants if variant.picture}) == 4
    assert len({variant.attributes["colour"] for variant in variants}) == 4


def test_attributes_have_the_same_keys_in_every_row(made: list[Row]) -> None:
    assert len({tuple(row.attributes) for row in made}) == 1
    for row in made:
        assert re.fullmatch("#[0-9a-f]{6}", str(row.attributes["colour"]))
        assert 0 <= float(str(row.attributes["worth"])) <= 1


def test_pictures_are_drawn_in_the_originals_sizes(learned: tuple[Columns, Mimic]) -> None:
    picture = learned[1].make(0).picture
    assert picture is not None
    assert picture.suffix == ".png"
    assert picture.content
    with Image.open(BytesIO(picture.content)) as image:
        assert (image.size, image.mode, image.format) == ((60, 80), "RGBA", "PNG")


def test_families_share_title_and_nearly_the_price(tmp_path: Path, without_drawing: None) -> None:
    columns = shop_columns(300)
    for row in range(0, 240, 3):
        for name in ("title", "category1", "category2", "full_price"):
            columns[name][row + 1 : row + 3] = [columns[name][row]] * 2
    mimic = learn(prepare_folder(tmp_path, columns, families=80, splits="t" * 300), seed=0, rows=300)
    rows = [mimic.make(number) for number in range(300)]
    families: dict[Any, list[Row]] = {}
    for row in rows:
        families.setdefault(row.attributes["family"], []).append(row)
    threes = [members for members in families.values() if len(members) == 3]
    assert len(threes) == pytest.approx(80, abs=3)
    assert all(len(set(column_of(members, "category2"))) == 1 for members in threes)
    for name in ("title", "full_price"):
        assert sum(len(set(column_of(members, name))) == 1 for members in threes) >= 0.9 * len(threes)


def test_a_catalogue_without_codes_and_prices_is_mimicked(tmp_path: Path, without_drawing: None) -> None:
    columns = {name: texts for name, texts in shop_columns(120).items() if name not in ("sku", "full_price")}
    mimic = learn(prepare_folder(tmp_path, columns), seed=0, rows=20)
    assert set(mimic.columns) == {"title", "category", "image"}
    assert mimic.price_number == ""
    row = mimic.make(3)
    assert row.attributes["worth"] == 0.5
    assert mimic.make(3, code=7).record == row.record
