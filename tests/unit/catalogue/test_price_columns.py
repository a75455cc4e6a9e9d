"""All prices of a column are read alike, in one currency; what is only guessed is said."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from etalage.catalogue.price_columns import PriceColumn, read_price_columns
from etalage.catalogue.prices import BadPrice
from etalage.catalogue.sources import open_source
from etalage.catalogue.table import read_table
from etalage.config import PrepareConfig, TaskConfig
from etalage.errors import EtalageError
from etalage.task import Task

TASK = Task(TaskConfig())


def columns_of(path: Path, task: Task = TASK, **settings: Any) -> dict[str, PriceColumn]:
    config = PrepareConfig(str(path), path.parent / "out", **settings)
    return read_price_columns(read_table(open_source(config.source, config), task.fields, config), task.fields, config)


def column_of(folder: Path, prices: list[Any], header: str = "price", **settings: Any) -> PriceColumn:
    """Return the price column of a table in JSON lines, where texts are texts and numbers numbers."""
    path = folder / "t.jsonl"
    rows = [{"title": "Bag", "category": "BAGS", header: price, "image": "a.png"} for price in prices]
    path.write_text("\n".join(map(json.dumps, rows)))
    return columns_of(path, columns=f"price={header}" if header != "price" else "", **settings)["price"]


def values(column: PriceColumn, prices: list[Any], row_currency: str = "") -> list[float | str]:
    found: list[float | str] = []
    for price in prices:
        try:
            found.append(column.read(price, row_currency, "low"))
        except BadPrice as bad:
            found.append(bad.reason)
    return found


@pytest.mark.parametrize(
    "cells",
    [
        pa.array([1.299, 2.499, 3.999, 4.125] * 3),
        pa.array([1.299, 2.499, 3.999, 4.125] * 3, pa.float32()),
        pa.array([Decimal("1.299"), Decimal("2.499"), Decimal("3.999"), Decimal("4.125")] * 3, pa.decimal128(9, 3)),
    ],
)
def test_numbers_of_a_parquet_column_stay_as_they_are(tmp_path: Path, cells: pa.Array) -> None:
    num_rows = len(cells)
    table = {"title": ["Bag"] * num_rows, "category": ["B"] * num_rows, "price": cells, "image": ["a"] * num_rows}
    pq.write_table(pa.table(table), tmp_path / "t.parquet")
    column = columns_of(tmp_path / "t.parquet")["price"]
    assert values(column, cells.to_pylist())[:4] == [1.3, 2.5, 4.0, 4.13]
    assert column.notes == ("12 prices with more than two decimals, such as '1.299', rounded to two, as answers have",)


def test_numbers_never_meet_the_text_parser(tmp_path: Path) -> None:
    prices = [1.299, 1299, 0.004, -5, 1e13, 19.990000000000002, 4.125]
    column = column_of(tmp_path, prices)
    assert values(column, prices) == [1.3, 1299.0, "price_zero", "price_negative", "price_unparsable", 19.99, 4.13]
    assert column.counts == {"": 7}
    assert values(column_of(tmp_path, [5, 10**400]), [10**400]) == ["price_unparsable"]
    assert values(column, [float("inf"), Decimal("4.255"), "True"]) == ["price_unparsable", 4.26, "price_unparsable"]


@pytest.mark.parametrize(
    ("header", "prices", "wanted", "currency"),
    [
        ("price", ["4.250 KWD", "5.260 KWD", "12 KWD"], [4.25, 5.26, 12], "KWD"),
        ("Price (KWD)", ["4.250", "5.260", "1,250.500"], [4.25, 5.26, 1250.5], "KWD"),
        ("price_omr", ["4.250", "12"], [4.25, 12], "OMR"),
        ("prix", ["12,900 DT", "1 250,000 DT"], [12.9, 1250], "TND"),
        ("price", ["1,250 KWD", "850.500 KWD"], [1250, 850.5], "KWD"),
        ("price_jpy", ["1,299", "12,800"], [1299, 12800], "JPY"),
        ("price", ["¥1.299", "¥12,800"], [1299, 12800], "JPY"),
        ("Precio CLP", ["12.990", "5.990"], [12990, 5990], "CLP"),
        ("price", ["₩12,900", "₩1,299"], [12900, 1299], "KRW"),
        ("Preis in EUR", ["1.299", "12,50"], [1299, 12.5], "EUR"),
        ("price", ["1.299", "12.50", "1,299.00"], [1.3, 12.5, 1299], ""),
        ("price", ["4.250", "12", "5.500", "3"], [4.25, 12, 5.5, 3], ""),
        ("price", ["1.299", "850", "25", "2.499"], [1299, 850, 25, 2499], ""),
        ("price", ["1.299", "5"], [1299, 5], ""),
        ("price", ["12.500", "9.900", "149.900", "79.900", "19.900", "5"], [12500, 9900, 149900, 79900, 19900, 5], ""),
        ("price", ["12.500", "9.900", "950"], [12500, 9900, 950], ""),
        ("price", ["19,99 $", "$12.99 CAD", "$1.299"], [19.99, 12.99, 1299], "CAD"),
    ],
)
def test_currency_and_column_decide(
    tmp_path: Path, header: str, prices: list[str], wanted: list[float], currency: str
) -> None:
    column = column_of(tmp_path, prices, header)
    assert (values(column, prices), column.currency) == (wanted, currency)


def test_a_guess_is_said_with_two_examples_and_the_way_out(tmp_path: Path) -> None:
    prices = ["1.299", "2.499", "850"]
    assert column_of(tmp_path, prices).notes == (
        "2 prices such as '1.299' and '2.499' are read as 1299.00 and 2499.00, which is a guess, as "
        "nothing in the column proves it; --decimal . reads '1.299' as 1.299",
    )
    column = column_of(tmp_path, prices, decimal=".")
    assert values(column, prices) == [1.3, 2.5, 850]
    assert column.notes[0] == ("2 prices such as '1.299' and '2.499' are read as 1.30 and 2.50, as --decimal is .")
    assert values(column_of(tmp_path, prices, decimal=","), prices) == [1299, 2499, 850]


def test_what_a_column_proves_is_said_too(tmp_path: Path) -> None:
    (note,) = column_of(tmp_path, ["1.299", "12,50"]).notes
    assert note == "1 price such as '1.299' is read as 1299.00, as '12,50' has a decimal comma"


def test_late_evidence_and_contradictions_are_not_lost(tmp_path: Path) -> None:
    prices = [*[f"1.{n}" for n in range(100, 999)] * 2, "12.50"]
    assert values(column_of(tmp_path, prices), ["1.299"]) == [1.3]
    column = column_of(tmp_path, ["12.50", "12,50", "9,90", "1.299"])
    assert values(column, ["1.299"]) == [1299]
    assert column.notes[0] == (
        "1 price with a decimal point ('12.50') and 2 prices with a decimal comma ('12,50' and "
        "'9,90'); each is read as it is written"
    )
    assert "which is a guess" in column.notes[1]
    # Nine of ten decide.
    assert values(column_of(tmp_path, ["12.50"] * 9 + ["12,50", "1.299"]), ["1.299"]) == [1.3]


def test_several_currencies_are_counted_and_refused(tmp_path: Path) -> None:
    prices = ["19 €", "23 €", "CHF 20.00", "$21.00", "¥3520", "7"]
    with pytest.raises(EtalageError) as caught:
        column_of(tmp_path, prices)
    assert str(caught.value) == (
        "t.jsonl: column 'price' has prices in several currencies: 2 EUR (such as '19 €'), 1 without a currency (such "
        "as '7'), 1 $ (such as '$21.00'), 1 CHF (such as 'CHF 20.00'), 1 ¥ (such as '¥3520'); keep those in one with "
        "--currency EUR, or convert the others with --currency EUR --rates FILE, which has lines such as USD,RATE: "
        "what one USD is in EUR"
    )


def test_a_currency_that_is_asked_for_leaves_the_others_out(tmp_path: Path) -> None:
    prices = ["19 €", "CHF 20.00", "7"]
    column = column_of(tmp_path, prices, currency="eur")
    assert values(column, prices) == [19, "price_other_currency", 7]
    assert column.notes == (
        "1 price in CHF such as 'CHF 20.00' left out, as --currency is EUR; --rates FILE converts them",
    )
    with pytest.raises(EtalageError, match=r"no price of column 'price' is in --currency USD; found 1 EUR \(such as"):
        column_of(tmp_path, ["19 €"], currency="USD")


def test_rates_convert_the_others(tmp_path: Path) -> None:
    rates = tmp_path / "rates.csv"
    rates.write_text("currency,rate\nCHF,1.05\nUSD,0.9\nJPY,0.006\n")
    prices = ["19 €", "CHF 20.00", "$21.00", "¥3,520", "1.299 €", "12,50 €", "$1,299.00"]
    column = column_of(tmp_path, prices, currency="EUR", rates=rates)
    assert values(column, prices) == [19, 21, 18.9, 21.12, 1299, 12.5, 1169.1]
    assert column.record["rates"] == {"CHF": 1.05, "USD": 0.9, "JPY": 0.006}
    assert column.notes[0] == (
        "2 prices in USD such as '$21.00' at 0.9, 1 price in CHF such as 'CHF 20.00' at 1.05, 1 price in JPY such as "
        "'¥3,520' at 0.006 converted to EUR"
    )
    with pytest.raises(EtalageError, match=r"has no rate for GBP, in which t\.jsonl has prices such as 'GBP 3'"):
        column_of(tmp_path, [*prices, "GBP 3"], currency="EUR", rates=rates)
    with pytest.raises(EtalageError, match="--rates needs --currency"):
        column_of(tmp_path, prices, rates=rates)


def test_each_currency_has_the_decimal_mark_of_its_own_prices(tmp_path: Path) -> None:
    rates = tmp_path / "rates.json"
    rates.write_text('{"USD": 1.0}')
    prices = ["$1,299.00", "$1,500", "1.299 €", "12,50 €"]
    column = column_of(tmp_path, prices, currency="EUR", rates=rates)
    assert values(column, prices) == [1299, 1500, 1299, 12.5]


def test_a_sign_has_the_rate_of_its_usual_or_only_code(tmp_path: Path) -> None:
    rates = tmp_path / "rates.json"
    for codes, prices, wanted in [
        ({"USD": 2, "CAD": 3}, ["$5"], [10]),
        ({"CAD": 3}, ["$5"], [15]),
        ({"SEK": 0.5}, ["kr 5"], [2.5]),
        ({"CNY": 0.5}, ["¥1,299"], [649.5]),
    ]:
        rates.write_text(json.dumps(codes))
        assert values(column_of(tmp_path, prices, currency="EUR", rates=rates), prices) == wanted
    rates.write_text('{"CAD": 3, "AUD": 4}')
    with pytest.raises(EtalageError, match="has no rate for USD"):
        column_of(tmp_path, ["$5"], currency="EUR", rates=rates)


def test_a_shared_sign_is_compatible_with_its_codes(tmp_path: Path) -> None:
    assert column_of(tmp_path, ["$5", "6 AUD"]).currency == "AUD"
    assert column_of(tmp_path, ["kr 5", "6 SEK"]).currency == "SEK"
    assert column_of(tmp_path, ["¥5", "6 CNY"]).currency == "CNY"
    assert column_of(tmp_path, ["¥5", "¥6", "7元"]).currency == "CNY"
    assert column_of(tmp_path, ["$5", "6"], currency="CAD").currency == "CAD"
    dollars, crowns = column_of(tmp_path, ["$5", "6"]), column_of(tmp_path, ["kr 5"])
    assert (dollars.currency, crowns.currency) == ("USD", "")
    assert dollars.notes == (
        "'$' is taken for USD, which is a guess; --currency says which it is (USD, CAD, AUD, NZD, ...)",
        "1 price without a currency taken for USD, like the others",
    )
    assert "'kr' may be one of several currencies" in crowns.notes[0]
    for prices in (["$5", "6 EUR"], ["$5", "£6"], ["$5", "6元"], ["6 AUD", "6 CAD", "$5"]):
        with pytest.raises(EtalageError, match="has prices in several currencies"):
            column_of(tmp_path, prices)


def test_a_column_of_currencies_states_those_of_the_rows(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    header = "title,category,price,Currency,image\n"
    path.write_text(header + "A,B,4.250,KWD,a\nC,D,1.500,KWD,b\nE,F,3,nan,c\n")
    column = columns_of(path)["price"]
    assert (column.currency, column.read("4.250", "KWD", "low")) == ("KWD", 4.25)
    assert column.notes[0] == "1 price without a currency taken for KWD, like the others"
    path.write_text(header + "A,B,4.25,EUR,a\nC,D,1.50,GBP,b\n")
    with pytest.raises(EtalageError, match=r"several currencies: 1 EUR \(such as '4.25'\), 1 GBP"):
        columns_of(path)
    column = columns_of(path, currency="GBP")["price"]
    assert values(column, ["1.50"], "GBP") == [1.5]
    assert values(column, ["4.25"], "EUR") == ["price_other_currency"]
    path.write_text(header + "A,B,4.25,US Dollars of 2020,a\n")
    assert columns_of(path)["price"].notes == (
        "1 price beside words that are no currency, such as 'US Dollars of 2020'; the words are ignored",
    )


def test_a_sign_means_the_currency_that_the_row_or_the_header_states(tmp_path: Path) -> None:
    rows = [{"title": "Bag", "category": "B", "price": {"value": "$12.990", "currency": "CLP"}, "image": "a.png"}] * 3
    (tmp_path / "t.jsonl").write_text("\n".join(map(json.dumps, rows)))
    column = columns_of(tmp_path / "t.jsonl", columns="price=price.value")["price"]
    assert (column.currency, column.counts) == ("CLP", {"CLP": 3})
    assert values(column, ["$12.990"], "CLP") == [12990]
    dollars = column_of(tmp_path, ["$12.50", "13"], "Price (CAD)")
    assert (dollars.currency, dollars.counts, dollars.notes) == ("CAD", {"CAD": 2}, ())
    assert values(dollars, ["$12.50", "US$5"]) == [12.5, "price_other_currency"]


def test_each_price_column_has_its_own_currency(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text('title,price_eur,price_jpy,image\nA,1.299,1.299,a\nB,"12,50",500,b\n')
    task = Task(TaskConfig(answer="{title} {price_eur:price} {price_jpy:price}"))
    euro, yen = columns_of(path, task).values()
    assert (euro.currency, yen.currency) == ("EUR", "JPY")
    assert euro.read("1.299", "", "low") == yen.read("1.299", "", "low") == 1299


def test_html_in_a_price_does_not_join_its_digits(tmp_path: Path) -> None:
    prices = ["19,90&nbsp;&euro;", "<b>12</b>,50 €", "<del>99 €</del> <ins>79 €</ins>", "12<sup>99</sup> €"]
    assert values(column_of(tmp_path, prices), prices) == [19.9, "price_unparsable", 79, "price_unparsable"]
