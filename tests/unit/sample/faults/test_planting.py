"""Faults are planted where the seed says, and each row says what `prepare` will do about it."""

import pickle
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

import pytest

from etalage.catalogue.pictures import BadPicture, open_picture
from etalage.catalogue.prices import find_decimal_mark, parse_amount
from etalage.sample.faults import KINDS, LINK_KINDS, FaultyRows, describe_fault, parse_rates, picture_number
from etalage.sample.rows import Picture, Row
from tests.unit.sample.faults.blots import COLUMNS, BlotRows, make_faulty, rows_with


def test_the_constructor_refuses_impossible_rates() -> None:
    with pytest.raises(ValueError, match="flaky, which only a server can do"):
        make_faulty(links=False, flaky=0.1)
    with pytest.raises(ValueError, match="did you mean huge"):
        make_faulty(hugh=0.1)


def test_a_row_follows_from_its_number_alone() -> None:
    rows = make_faulty(60, **parse_rates("0.8", links=True))
    there = [rows.make(number) for number in range(60)]
    copy = pickle.loads(pickle.dumps(rows))  # noqa: S301 - our own
    assert [copy.make(number) for number in reversed(range(60))] == there[::-1]
    other = FaultyRows(BlotRows(), parse_rates("0.8", links=True), seed=4, num_rows=60, links=True)
    assert [other.make(number).fault for number in range(60)] != [row.fault for row in there]
    assert there[0].fault is None
    assert rows.manifest()["version"] == 1
    assert sum(rows.manifest()["fault_rates"].values()) == pytest.approx(0.8)


def test_the_share_of_rows_with_a_fault_is_the_rate() -> None:
    rows = make_faulty(4000, missing=0.02, price_text=0.1)
    found = Counter(fault.kind for number in range(4000) if (fault := rows.make(number).fault))
    assert found["missing"] == pytest.approx(80, abs=30)
    assert found["price-text"] == pytest.approx(400, abs=60)
    assert len(found) == 2


def test_copies_are_of_rows_without_a_fault() -> None:
    rows = make_faulty(80, duplicate=0.3, colour_variant=0.3, repeated_row=0.3)
    for number in range(80):
        row = rows.make(number)
        if row.fault is None:
            continue
        assert row.fault.other is not None
        assert row.fault.other < number
        other = rows.make(row.fault.other)
        assert other.fault is None
        assert rows.make(row.fault.other, code=number) == BlotRows().make(row.fault.other, code=number)
        same_picture, same_record = row.picture == other.picture, row.record == other.record
        expected = {"duplicate": (True, False), "colour-variant": (False, False), "repeated-row": (True, True)}
        assert (same_picture, same_record) == expected[row.fault.kind]
        assert (row.record["sku"] == f"S{number:05d}") == (row.fault.kind != "repeated-row")
        assert picture_number(number, row) == (row.fault.other if row.fault.kind == "repeated-row" else number)


def test_a_variant_that_prepare_takes_for_another_product_is_not_expected_in_its_group() -> None:
    rows = make_faulty(rows=BlotRows("{colour} Model {number} Bag"), colour_variant=0.5)
    faults = [fault for number in range(40) if (fault := rows.make(number).fault)]
    assert faults
    assert {fault.expect for fault in faults} == {"kept"}


def test_a_wrong_suffix_is_that_of_another_format() -> None:
    for number, row in rows_with("wrong-suffix")[:5]:
        assert row.picture == Picture(BlotRows().make(number).picture.content, ".png")  # type: ignore[union-attr]


def test_a_dead_link_names_a_picture_without_content() -> None:
    for links, reason in ((True, "fetch_not_found"), (False, "image_not_found")):
        for _, row in rows_with("dead-link", links=links):
            assert row.picture == Picture(None, ".jpg")
            assert row.fault is not None
            assert row.fault.expect == f"dropped: {reason}"


def test_a_placeholder_is_flagged_only_under_many_titles() -> None:
    rate = {"placeholder": 0.4}
    many, few = make_faulty(100, **rate), make_faulty(8, **rate)
    same_titles = make_faulty(100, rows=BlotRows("Bag"), **rate)
    for number in range(8):
        for rows, expect in ((many, "flagged"), (few, "kept"), (same_titles, "kept")):
            fault = rows.make(number).fault
            assert fault is None or fault.expect == expect
    assert any(few.make(number).fault for number in range(8))


@dataclass(frozen=True)
class RowsWithoutTitle(BlotRows):
    """Blots for a task that asks for neither title nor price."""

    @property
    def columns(self) -> Mapping[str, str]:
        return {"category": "kind", "image": "photo"}


def test_a_table_may_lack_title_price_and_code() -> None:
    rows = make_faulty(
        rows=RowsWithoutTitle(), **dict.fromkeys(("missing", "placeholder", "price_text", "colour_variant"), 0.25)
    )
    made = [(number, row) for number in range(60) if (row := rows.make(number)).fault]
    found = {(row.fault.kind, row.fault.expect) for _, row in made if row.fault}
    assert found == {
        ("missing", "dropped: missing_category"),
        ("missing", "dropped: image_missing"),
        ("placeholder", "kept"),
        ("colour-variant", "kept"),
    }
    assert all(
        describe_fault(number, row, None, rows.columns)["product_code"] == str(number + 1) for number, row in made
    )


def test_missing_empties_one_of_four_fields() -> None:
    seen = set()
    for _, row in rows_with("missing", num_rows=100):
        assert row.fault is not None
        empty = [role for role in ("title", "category", "price") if row.record[COLUMNS[role]] is None]
        if row.picture is None:
            empty.append("image")
        assert empty == [row.fault.detail]
        seen |= set(empty)
    assert len(seen) == 4


@dataclass(frozen=True)
class RowsWithTextPrice(BlotRows):
    """Blots with a text as price."""

    cost: str | None = None

    def make(self, number: int, *, code: int | None = None, recolour: int = 0) -> Row:
        row = super().make(number, code=code, recolour=recolour)
        return replace(row, record={**row.record, "cost": self.cost})


@pytest.mark.parametrize(
    ("cost", "expect"),
    [("1.290,00 EUR", "kept: price=1290.0"), ("12.5", "kept: price=12.5"), ("1.290", ""), ("free", ""), (None, "")],
)
def test_prices_that_are_text_get_a_phrase_if_they_read_in_one_way(cost: str | None, expect: str) -> None:
    rows = make_faulty(rows=RowsWithTextPrice(cost=cost), price_text=0.9)
    made = [rows.make(number) for number in range(20)]
    assert {row.fault.expect for row in made if row.fault} == {expect} - {""}
    for row in made:
        assert row.record["cost"] == (row.fault.detail if row.fault else cost)
        assert cost is None or cost in str(row.record["cost"])


def test_prices_as_text_read_in_one_way_whatever_the_columns_decimal_mark() -> None:
    texts = set()
    for number, row in rows_with("price-text", num_rows=300):
        text, price = str(row.record["cost"]), 40.0 + 12.5 * number
        assert row.fault is not None
        assert row.fault.expect == f"kept: price={price}"
        for mark in ("auto", ".", ","):
            assert parse_amount(text, price_range="low", decimal=mark).value == price  # type: ignore[arg-type]
        texts.add("".join(c for c in text if not c.isdecimal()))
        assert find_decimal_mark([text, "1290.0"]) in ("auto", ".")
    assert len(texts) >= 6


@pytest.mark.parametrize("kind", ["truncated", "html-page", "wrong-suffix", "huge", "sliver", "placeholder"])
def test_bad_pictures_open_or_fail_as_expected(kind: str) -> None:
    for _, row in rows_with(kind, links=False)[:5]:
        assert row.picture is not None
        assert row.picture.content is not None
        assert row.fault is not None
        assert len(row.picture.content) < 200_000
        try:
            open_picture(row.picture.content)
            found = "kept"
        except BadPicture as bad:
            found = f"dropped: {bad.reason}"
        assert found == row.fault.expect.replace("flagged", "kept")


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_planted_where_it_is_asked_for(kind: str) -> None:
    rows = FaultyRows(BlotRows(), {kind: 1.0}, seed=0, num_rows=20, links=True)
    faults = [rows.make(number).fault for number in range(20)]
    assert faults[0] is None, "there is always a row to copy"
    assert all(fault is not None and fault.kind == kind for fault in faults[1:])
    assert all(re.match(r"kept|grouped|flagged|dropped: \w+", fault.expect) for fault in faults[1:] if fault)


@pytest.mark.parametrize("kind", LINK_KINDS)
def test_faults_of_a_server_leave_the_row_as_it_is(kind: str) -> None:
    for number, row in rows_with(kind):
        assert replace(row, fault=None) == BlotRows().make(number)
        assert row.fault is not None
        assert row.fault.expect == ("dropped: fetch_http_error" if kind == "server-error" else "kept")
        assert (row.fault.detail in ("500", "reset")) == (kind == "flaky")


def test_no_rates_change_nothing() -> None:
    rows = make_faulty(20)
    assert [rows.make(number) for number in range(20)] == [BlotRows().make(number) for number in range(20)]
    assert rows.columns == COLUMNS


def test_more_faults_of_one_kind_keep_those_that_were_there() -> None:
    few, many = make_faulty(100, huge=0.1), make_faulty(100, huge=0.3)
    bad = {number for number in range(100) if few.make(number).fault}
    assert bad < {number for number in range(100) if many.make(number).fault}
