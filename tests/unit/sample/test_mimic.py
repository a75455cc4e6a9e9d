"""Catalogues of known laws are learned: what comes out keeps the laws and gives nobody away."""

import json
import math
import pickle
import random
import re
from collections import Counter
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image

from etalage.sample.mimic import MIN_ROWS, Mimic, learn
from etalage.sample.mimic.families import Layout, family_sizes
from etalage.sample.mimic.keyed_rng import KeyedRng
from etalage.sample.mimic.marginals import Marginal
from etalage.sample.mimic.suppressed_counts import K, SuppressedCounts
from etalage.sample.mimic.words import invent_word, shape_of
from etalage.sample.mimic.writing import detect_date_style, detect_number_style
from etalage.sample.rows import Row, Rows

Columns = Mapping[str, list[str | None]]
ROLES = {
    "title": "title",
    "category": "category2",
    "price": "full_price",
    "image": "photo",
    "product_code": "sku",
}
NOUNS = {"BAGS": ("Tote", "Clutch"), "SHOES": ("Boots", "Pumps")}
ADJECTIVES = ("Red", "Blue", "Green", "Quilted", "Small", "Large", "Velvet", "Checked")


def prepared(folder: Path, columns: Columns, *, families: int = 0, splits: str = "") -> Path:
    """A catalogue folder as `prepare` leaves it, as far as `sample` reads it.

    Args:
        families: Rows are cut into families of three, this many of them.
        splits: A letter for each row; by default every seventh is test and every tenth validation.
    """
    rows = len(columns["title"])
    picture = folder / "images/aa"
    picture.mkdir(parents=True)
    Image.new("RGBA", (60, 80)).save(picture / "one.png")
    names = {"t": "train", "v": "validation", "h": "test"}
    letters = splits or "".join("h" if row % 7 == 3 else "v" if row % 10 == 5 else "t" for row in range(rows))
    groups = [f"family {row // 3}" if row < 3 * families else f"single {row}" for row in range(rows)]
    products = {
        "source_row": list(range(1, rows + 1)),
        "split": [names[letter] for letter in letters],
        "group": groups,
        "file_name": ["images/aa/one.png" if row % 2 else f"images/aa/{row}.png" for row in range(rows)],
        "placeholder": [False] * rows,
    }
    pq.write_table(pa.table(products), folder / "metadata.parquet")
    pq.write_table(pa.table({n: pa.array(c, pa.string()) for n, c in columns.items()}), folder / "table.parquet")
    roles = {role: name for role, name in ROLES.items() if name in columns}
    (folder / "catalogue.json").write_text(json.dumps({"columns": roles}), encoding="utf-8")
    return folder


def shop(rows: int = 420, seed: int = 0) -> dict[str, list[str | None]]:
    """A table with a law for each column."""
    rng = random.Random(seed)
    table: dict[str, list[str | None]] = {name: [] for name in ("sku", "title", "category1", "category2", "photo")}
    for name in ("full_price", "price", "price_eur", "sale", "weight", "season", "listed", "link", "shop", "text"):
        table[name] = []
    for row in range(rows):
        department = rng.choice(("BAGS", "BAGS", "SHOES"))
        noun = rng.choice(NOUNS[department])
        title = f"{rng.choice(ADJECTIVES)} {rng.choice(ADJECTIVES)} {noun}" if row % 4 else f"Xyloph{row} {noun}"
        full = 10 * round(rng.lognormvariate(5.5 if department == "BAGS" else 4.5, 0.5))
        price = round(full * rng.choice((1, 1, 1, 0.8, 0.5)), 2)
        sku = f"{department[0]}-{100000 + 37 * row}"
        slug = title.lower().replace(" ", "-")
        values = {
            "sku": sku,
            "title": title,
            "category1": department,
            "category2": noun.upper(),
            "photo": f"img/{row}.png",
            "full_price": f"${full:,.2f}",
            "price": f"${price:,.2f}",
            "price_eur": f"{price * 0.9:.2f}",
            "sale": "yes" if price < full else "no",
            "weight": None if rng.random() < 0.25 else f"{rng.uniform(0.1, 3):.1f}",
            "season": {"BAGS": "summer", "SHOES": "winter"}[department],
            "listed": f"2024-{rng.randint(1, 6):02d}-{rng.randint(1, 28):02d}",
            "link": f"https://shop.example/en/{slug}-{sku.lower()}.html?id={sku}",
            "shop": "Maison",
            "text": " ".join(
                rng.choice(("a fine bag", "made of leather", "for every day")) for _ in range(rng.randint(4, 9))
            ),
        }
        for name, value in values.items():
            table[name].append(value)
    return table


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Columns, Mimic]:
    columns = shop()
    folder = prepared(tmp_path_factory.mktemp("shop"), columns, families=20)
    return columns, learn(folder, seed=3, rows=600)


@pytest.fixture
def unseen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows are made without their pictures."""
    monkeypatch.setattr("etalage.sample.draw.draw", lambda look, scene: repr((look, scene)).encode())


@pytest.fixture
def made(learned: tuple[Columns, Mimic], unseen: None) -> list[Row]:
    return [learned[1].make(number) for number in range(600)]


def column(rows: list[Row], name: str) -> list[Any]:
    return [row.record[name] for row in rows]


def amount(text: Any) -> float:
    return float(str(text).replace("$", "").replace(",", ""))


def test_columns_are_those_of_the_original(learned: tuple[Columns, Mimic], made: list[Row]) -> None:
    columns, mimic = learned
    rows: Rows = mimic
    assert rows.columns == ROLES
    assert all(list(row.record) == list(columns) and row.record["photo"] is None for row in made)
    assert json.loads(json.dumps(mimic.manifest()))["seed"] == 3


def test_price_rules_hold_in_every_row(made: list[Row]) -> None:
    for row in made:
        full, price, euros = (amount(row.record[name]) for name in ("full_price", "price", "price_eur"))
        assert price <= full
        assert euros == pytest.approx(price * 0.9, abs=0.0051)
        assert row.record["sale"] == ("yes" if price < full else "no")
        assert re.fullmatch(r"\$\d{1,3}(,\d{3})*\.00", str(row.record["full_price"]))
        assert full % 10 == 0


def test_what_follows_from_a_category_follows(made: list[Row]) -> None:
    for row in made:
        assert row.record["season"] == {"BAGS": "summer", "SHOES": "winter"}[str(row.record["category1"])]
        assert str(row.record["category2"]).title() in NOUNS[str(row.record["category1"])]
        assert row.record["shop"] == "Maison"


def test_shares_are_those_of_the_original(learned: tuple[Columns, Mimic], made: list[Row]) -> None:
    columns = {name: [cells[r] for r in range(420) if r % 7 != 3] for name, cells in learned[0].items()}
    for name in ("category1", "category2", "sale"):
        was, now = Counter(columns[name]), Counter(column(made, name))
        assert all(abs(was[v] / len(columns[name]) - now[v] / len(made)) < 0.06 for v in was), name
    missing = [
        sum(value is None for value in cells) / len(cells) for cells in (columns["weight"], column(made, "weight"))
    ]
    assert abs(missing[0] - missing[1]) < 0.06
    for department in ("BAGS", "SHOES"):
        medians = []
        for names, prices in (
            (columns["category1"], columns["full_price"]),
            (column(made, "category1"), column(made, "full_price")),
        ):
            own = sorted(amount(price) for name, price in zip(names, prices, strict=True) if name == department)
            medians.append(own[len(own) // 2])
        assert medians[0] == pytest.approx(medians[1], rel=0.15)


def test_nothing_is_copied(learned: tuple[Columns, Mimic], made: list[Row]) -> None:
    columns, _ = learned
    titles = {str(title).casefold() for title in columns["title"]}
    assert not titles & {str(title).casefold() for title in column(made, "title")}
    codes = column(made, "sku")
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


def test_equal_seeds_give_equal_rows(tmp_path: Path, unseen: None) -> None:
    folder = prepared(tmp_path, shop(200))
    one, other, third = (learn(folder, seed=seed, rows=40) for seed in (1, 1, 2))
    rows = [[mimic.make(number).record for number in range(40)] for mimic in (one, other, third)]
    assert rows[0] == rows[1] != rows[2]


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


def test_pictures_are_drawn_in_the_originals_sizes(learned: tuple[Columns, Mimic]) -> None:
    picture = learned[1].make(0).picture
    assert picture is not None
    assert picture.suffix == ".png"
    assert picture.content


def test_families_share_title_and_nearly_the_price(tmp_path: Path, unseen: None) -> None:
    columns = shop(300)
    for row in range(0, 240, 3):
        for name in ("title", "category1", "category2", "full_price"):
            columns[name][row + 1 : row + 3] = [columns[name][row]] * 2
    mimic = learn(prepared(tmp_path, columns, families=80, splits="t" * 300), seed=0, rows=300)
    rows = [mimic.make(number) for number in range(300)]
    families: dict[Any, list[Row]] = {}
    for row in rows:
        families.setdefault(row.attributes["family"], []).append(row)
    threes = [members for members in families.values() if len(members) == 3]
    assert len(threes) == pytest.approx(80, abs=3)
    assert all(len(set(column(members, "category2"))) == 1 for members in threes)
    for name in ("title", "full_price"):
        assert sum(len(set(column(members, name))) == 1 for members in threes) >= 0.9 * len(threes)


# Privacy


def test_what_is_rare_never_comes_out(tmp_path: Path, unseen: None) -> None:
    columns = shop(300)
    for row in range(K - 1):
        columns["title"][10 * row] = f"Zanzibarquux Velvet {row} Tote"
        columns["category2"][10 * row + 1] = "SECRETLEAF"
        columns["season"][10 * row + 2] = "secretseason"
        columns["full_price"][10 * row + 4] = "$987,654.00"
        columns["text"][10 * row + 6] = (
            "written for Roumpelstiltskin alone by hand and with a good deal of care in Hamburg"
        )
        columns["link"][10 * row + 7] = "https://shop.example/secretpath/4711470.html"
    mimic = learn(prepared(tmp_path, columns, splits="t" * 300), seed=0, rows=400)
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


def test_the_test_split_is_not_learned_from(tmp_path: Path, unseen: None) -> None:
    columns = shop(300)
    folder, other = tmp_path / "one", tmp_path / "other"
    prepared(folder, columns)
    changed = {name: list(cells) for name, cells in columns.items()}
    for row in range(3, 300, 7):
        changed["full_price"][row], changed["weight"][row], changed["category2"][row] = "$9,990.00", "77.7", "TOTE"
    prepared(other, changed)
    one, two = (learn(path, seed=0, rows=50) for path in (folder, other))
    assert [one.make(number).record for number in range(50)] == [two.make(number).record for number in range(50)]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 9)), min_size=1, max_size=120), st.floats(0, 0.999))
def test_cells_only_keep_what_k_owners_have(pairs: list[tuple[int, int]], uniform: float) -> None:
    cells = SuppressedCounts.learn([((place, ()), value, owner) for owner, (place, value) in enumerate(pairs)], -1)
    counts = Counter(pairs)
    for place, cell in cells.tables[0].items():
        assert all(counts[(int(str(place)), value)] >= K for value in cell.values)
        left_out = sum(n for (at, value), n in counts.items() if at == place and value not in cell.values)
        assert left_out == 0 or left_out >= K or len(cell.values) == 0
    drawn = cells.draw((0, ()), uniform)
    assert drawn == -1 or Counter(value for _, value in pairs)[drawn] >= K
    assert sum(cells.shares((0, ())).values()) == pytest.approx(1)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0.01, 1e6), min_size=K, max_size=200))
@example([math.nextafter(0.01, 1)] + [0.01] * (K - 1))
def test_a_marginal_keeps_no_single_value(values: list[float]) -> None:
    marginal = Marginal.learn(values)
    assert marginal.cumulative[-1] == pytest.approx(1)
    counts = Counter(values)
    assert all(counts[low] >= K for low, _, is_kept in marginal.pieces if is_kept)
    at = [marginal.quantile(share / 20)[0] for share in range(20)]
    assert all(value > 0 for value in at)


# Hostile and small catalogues


@settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=60), min_size=1, max_size=30))
def test_any_text_is_only_data(tmp_path_factory: pytest.TempPathFactory, unseen: None, texts: list[str]) -> None:
    columns = shop(90)
    for row in range(90):
        for place, name in enumerate(("title", "text", "category2", "link", "sku", "weight", "listed")):
            columns[name][row] = texts[(row * 7 + place) % len(texts)]
    mimic = learn(prepared(tmp_path_factory.mktemp("odd"), columns), seed=0, rows=30)
    titles = {" ".join(str(text).split()).casefold() for text in columns["title"]}
    for number in range(30):
        record = mimic.make(number).record
        assert all(value is None or len(str(value)) < 20_000 for value in record.values())
        assert str(record["title"]).casefold() not in titles


def test_a_bomb_of_a_text_is_cut(tmp_path: Path, unseen: None) -> None:
    columns = shop(60)
    columns["text"] = ["(" * 100_000] * 60
    columns["title"] = ["a" * 50_000 + str(row) for row in range(60)]
    row = learn(prepared(tmp_path, columns), seed=0, rows=10).make(0)
    assert all(len(str(value)) < 10_000 for value in row.record.values())


def test_too_few_rows(tmp_path: Path) -> None:
    folder = prepared(tmp_path, shop(MIN_ROWS + 3))
    with pytest.raises(ValueError, match=f"24 products to learn from .* fewer than {MIN_ROWS}"):
        learn(folder, seed=0, rows=10)


def test_no_table(tmp_path: Path) -> None:
    folder = prepared(tmp_path, shop(60))
    (folder / "table.parquet").unlink()
    with pytest.raises(ValueError, match=r"has no table.parquet.*prepare the catalogue again"):
        learn(folder, seed=0, rows=10)


def test_no_catalogue(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is no catalogue"):
        learn(tmp_path, seed=0, rows=10)


@pytest.mark.parametrize("name", ["table.parquet", "metadata.parquet", "catalogue.json"])
def test_a_damaged_catalogue(tmp_path: Path, name: str) -> None:
    folder = prepared(tmp_path, shop(60))
    (folder / name).write_bytes(b"[")
    with pytest.raises(ValueError, match="is damaged"):
        learn(folder, seed=0, rows=10)


# Parts


@pytest.mark.parametrize(
    ("texts", "value", "written"),
    [
        (["1.5", "2", ".25"] * 5, 0.5, ".5"),
        (["1.50", "2.00", "0.25"] * 5, 3.0, "3.00"),
        (["$1,299.00", "$15.50"] * 5, 1234.5, "$1,234.50"),
        (["1.299,00 €", "15,50 €"] * 5, 1234.5, "1.234,50 €"),
        (["12", "-7"] * 5, -3.2, "-3"),
    ],
)
def test_numbers_are_written_as_in_the_column(texts: list[str], value: float, written: str) -> None:
    style = detect_number_style(texts)
    assert style is not None
    assert style.write(value) == written


@pytest.mark.parametrize("text", ["2024-02-29", "29.02.2024", "2024-02-29 13:45:00"])
def test_dates_are_read_and_written(text: str) -> None:
    style = detect_date_style([text] * 5)
    assert style is not None
    assert style.write(style.read(text) or 0) == text


@pytest.mark.parametrize(
    ("word", "shape"), [("A120", "A9"), ("Anti-Missile", "Aa-Aa"), ('"Bondir"', '"Aa"'), ("été", "a")]
)
def test_a_words_shape(word: str, shape: str) -> None:
    assert shape_of(word) == shape
    invented = invent_word(shape, len(word), KeyedRng(word))
    assert (shape_of(invented), len(invented)) == (shape, len(word))


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 500), st.integers(0, 50), st.dictionaries(st.integers(1, 5), st.integers(1, 9), min_size=1))
def test_rows_are_dealt_out_exactly(rows: int, seed: int, sizes: dict[int, int]) -> None:
    shares = {size: share / sum(sizes.values()) for size, share in sizes.items()}
    layout = Layout.plan(rows, {("A",): 0.7, ("B",): 0.3}, {("A",): shares, ("B",): shares}, seed)
    families = [layout.family_of(number) for number in range(rows)]
    assert abs(sum(family.path == ("A",) for family in families) - 0.7 * rows) <= 1
    assert len({(family.number, family.member) for family in families}) == rows


def test_sizes_of_families_are_told_by_k_families() -> None:
    groups = [f"s{n}" for n in range(20)] + [f"p{n // 2}" for n in range(20)] + [f"l{n // 9}" for n in range(18)]
    assert family_sizes(groups) == {1: 0.5, 2: 0.5}


def test_a_seed_is_all_that_counts(learned: tuple[Columns, Mimic], made: list[Row]) -> None:
    whole = sha256(repr([dict(row.record) for row in made]).encode()).hexdigest()
    again = [learned[1].make(number) for number in reversed(range(600))][::-1]
    assert sha256(repr([dict(row.record) for row in again]).encode()).hexdigest() == whole
