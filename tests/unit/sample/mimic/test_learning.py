"""Learning gives nobody away, treats any text as data, and refuses what it cannot learn from."""

import json
import pickle
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from etalage.errors import EtalageError
from etalage.sample.mimic import MIN_ROWS, learn
from etalage.sample.mimic.suppressed_counts import K
from tests.unit.sample.mimic.shop import prepare_folder, shop_columns


def test_equal_seeds_give_equal_rows(tmp_path: Path, without_drawing: None) -> None:
    folder = prepare_folder(tmp_path, shop_columns(200))
    one, other, third = (learn(folder, seed=seed, rows=40) for seed in (1, 1, 2))
    rows = [[mimic.make(number).record for number in range(40)] for mimic in (one, other, third)]
    assert rows[0] == rows[1] != rows[2]


# Privacy


def test_rare_values_never_come_out(tmp_path: Path, without_drawing: None) -> None:
    columns = shop_columns(300)
    for row in range(K - 1):
        columns["title"][10 * row] = f"Zanzibarquux Velvet {row} Tote"
        columns["category2"][10 * row + 1] = "SECRETLEAF"
        columns["season"][10 * row + 2] = "secretseason"
        columns["full_price"][10 * row + 4] = "$987,654.00"
        columns["text"][10 * row + 6] = (
            "written for Roumpelstiltskin alone by hand and with a good deal of care in Hamburg"
        )
        columns["link"][10 * row + 7] = "https://shop.example/secretpath/4711470.html"
    mimic = learn(prepare_folder(tmp_path, columns, splits="t" * 300), seed=0, rows=400)
    state = pickle.dumps(mimic).lower() + json.dumps(mimic.manifest()).encode().lower()
    shown = "\n".join(str(dict(mimic.make(number).record)) for number in range(400)).lower().encode()
    for secret in (
        b"zanzibar",
        b"secretleaf",
        b"secretseason",
        b"987,654",
        b"roumpel",
        b"hamburg",
        b"secretpath",
        b"4711470",
    ):
        assert secret not in state
        assert secret not in shown


def test_the_test_split_is_not_learned_from(tmp_path: Path, without_drawing: None) -> None:
    columns = shop_columns(300)
    folder, other = tmp_path / "one", tmp_path / "other"
    prepare_folder(folder, columns)
    changed = {name: list(texts) for name, texts in columns.items()}
    for row in range(3, 300, 7):
        changed["full_price"][row], changed["weight"][row], changed["category2"][row] = "$9,990.00", "77.7", "TOTE"
    prepare_folder(other, changed)
    one, two = (learn(path, seed=0, rows=50) for path in (folder, other))
    assert [one.make(number).record for number in range(50)] == [two.make(number).record for number in range(50)]


def test_titles_of_the_test_split_are_not_made_again(tmp_path: Path, without_drawing: None) -> None:
    columns = shop_columns(300)
    seen = {str(title).casefold() for title in columns["title"]}
    first = learn(prepare_folder(tmp_path / "one", columns), seed=0, rows=50)
    columns["title"][3] = made = str(first.make(0).record["title"])
    assert made.casefold() not in seen
    second = learn(prepare_folder(tmp_path / "other", columns), seed=0, rows=50)
    assert made.casefold() not in {str(second.make(number).record["title"]).casefold() for number in range(50)}


# Hostile and small catalogues


@settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=60), min_size=1, max_size=30))
def test_any_text_is_only_data(
    tmp_path_factory: pytest.TempPathFactory, without_drawing: None, texts: list[str]
) -> None:
    columns = shop_columns(90)
    for row in range(90):
        for place, name in enumerate(("title", "text", "category2", "link", "sku", "weight", "listed")):
            columns[name][row] = texts[(row * 7 + place) % len(texts)]
    mimic = learn(prepare_folder(tmp_path_factory.mktemp("odd"), columns), seed=0, rows=30)
    titles = {" ".join(str(text).split()).casefold() for text in columns["title"]}
    for number in range(30):
        record = mimic.make(number).record
        assert all(value is None or len(str(value)) < 20_000 for value in record.values())
        assert str(record["title"]).casefold() not in titles


def test_huge_texts_are_cut(tmp_path: Path, without_drawing: None) -> None:
    columns = shop_columns(60)
    columns["text"] = ["(" * 100_000] * 60
    columns["title"] = ["a" * 50_000 + str(row) for row in range(60)]
    row = learn(prepare_folder(tmp_path, columns), seed=0, rows=10).make(0)
    assert all(len(str(value)) < 10_000 for value in row.record.values())


def test_too_few_rows_are_refused(tmp_path: Path) -> None:
    folder = prepare_folder(tmp_path, shop_columns(MIN_ROWS + 3))
    with pytest.raises(EtalageError, match=f"24 products to learn from .* fewer than {MIN_ROWS}"):
        learn(folder, seed=0, rows=10)


def test_the_smallest_catalogue_is_learned(tmp_path: Path, without_drawing: None) -> None:
    folder = prepare_folder(tmp_path, shop_columns(MIN_ROWS), splits="t" * MIN_ROWS)
    mimic = learn(folder, seed=0, rows=10)
    assert len({mimic.make(number).record["sku"] for number in range(10)}) == 10
