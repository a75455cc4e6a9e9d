"""Faults are planted where the seed says, as `prepare` meets them, and `check` tells those that it did not."""

import pickle
import random
import socket
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from PIL import Image

from etalage.catalogue.pictures import BadPicture, open_picture
from etalage.catalogue.prices import find_decimal_mark, parse_amount
from etalage.commands import prepare as command
from etalage.config import PrepareConfig
from etalage.sample.faults import KINDS, LINK_KINDS, Faulty, check, parse_rates, pictured, planted, read_planted
from etalage.sample.rows import Picture, Row, Rows
from etalage.sample.server import serving
from etalage.sample.write import write_sample

COLUMNS = {"title": "name", "category": "kind", "price": "cost", "image": "photo", "product_code": "sku"}


@dataclass(frozen=True)
class Blots:
    """Products that look like nothing in particular, each in a picture of its own."""

    titles: str = "Model {number} Bag in {colour}"

    @property
    def columns(self) -> Mapping[str, str]:
        return COLUMNS

    def make(self, number: int, *, code: int | None = None, recolour: int = 0) -> Row:
        rng = random.Random(f"{number} {recolour}")
        coarse = Image.frombytes("RGB", (6, 6), rng.randbytes(108))
        file = BytesIO()
        coarse.resize((80, 100), Image.Resampling.BICUBIC).save(file, "JPEG")
        record = {
            "sku": f"S{number if code is None else code:05d}",
            "name": self.titles.format(number=number, colour="Red" if recolour else "Navy"),
            "kind": "BAGS",
            "cost": 40.0 + 12.5 * number,
            "photo": None,
        }
        return Row(record, Picture(file.getvalue(), ".jpg"))

    def manifest(self) -> dict[str, Any]:
        return {"version": 1}


def faulty(num_rows: int = 100, *, links: bool = True, rows: Rows | None = None, **rates: float) -> Faulty:
    named = {kind.replace("_", "-"): rate for kind, rate in rates.items()}
    return Faulty(rows or Blots(), named, seed=3, num_rows=num_rows, links=links)


def only(kind: str, *, links: bool = True, num_rows: int = 40) -> list[tuple[int, Row]]:
    """The rows with a fault, of which there are some."""
    rows = faulty(num_rows, links=links, **{kind: 0.4})
    made = [(number, rows.make(number)) for number in range(num_rows)]
    bad = [(number, row) for number, row in made if row.fault]
    assert len(bad) > num_rows / 5
    assert all(row.fault and row.fault.kind == kind for _, row in bad)
    return bad


def test_rates_are_read() -> None:
    assert parse_rates("", links=True) == {}
    assert parse_rates("huge=0.02, dead-link=0", links=False) == {"huge": 0.02}
    spread = parse_rates("0.1,huge=0.02,dead-link=0", links=False)
    assert spread["huge"] == 0.02
    assert "dead-link" not in spread
    assert not set(LINK_KINDS) & set(spread)
    assert sum(spread.values()) == pytest.approx(0.12)
    assert set(parse_rates("1", links=True)) == set(KINDS)
    assert list(parse_rates("flaky=.1,huge=.1", links=True)) == ["huge", "flaky"], "the same order however written"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hug=0.1", r"names 'hug' \(did you mean huge\?\); there are dead-link"),
        ("dead_link=0.1", "did you mean dead-link"),
        ("xyz=0.1", "names 'xyz'; there are"),
        ("huge", "write a share .* did you mean huge=RATE"),
        ("5%", "write a share of the rows as 0.1"),
        ("huge=-0.1", "gives huge the rate -0.1; it is a share"),
        ("huge=nan", "rate nan"),
        ("huge=2", "from 0 to 1"),
        ("huge=0.7,sliver=0.7", "adds up to 1.4"),
        ("0.7,sliver=0.7", "adds up to 1.4"),
        ("huge=0.1,huge=0.2", "names huge twice"),
        ("0.1,0.2", "two rates without a kind, the second '0.2'"),
        ("flaky=0.1", "flaky, which only a server can do"),
        ("0.1," + ",".join(f"{kind}=0" for kind in KINDS), "names every kind"),
    ],
)
def test_rates_that_make_no_sense_are_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_rates(text, links=False)


def test_the_constructor_refuses_them_too() -> None:
    with pytest.raises(ValueError, match="flaky, which only a server can do"):
        faulty(links=False, flaky=0.1)
    with pytest.raises(ValueError, match="did you mean huge"):
        faulty(hugh=0.1)


def test_a_row_follows_from_its_number_alone() -> None:
    rows = faulty(60, **parse_rates("0.8", links=True))
    there = [rows.make(number) for number in range(60)]
    copy = pickle.loads(pickle.dumps(rows))  # noqa: S301 - our own
    assert [copy.make(number) for number in reversed(range(60))] == there[::-1]
    other = Faulty(Blots(), parse_rates("0.8", links=True), seed=4, num_rows=60, links=True)
    assert [other.make(number).fault for number in range(60)] != [row.fault for row in there]
    assert there[0].fault is None
    assert rows.manifest()["version"] == 1
    assert sum(rows.manifest()["fault_rates"].values()) == pytest.approx(0.8)


def test_as_many_rows_as_asked_for_have_a_fault() -> None:
    rows = faulty(4000, missing=0.02, price_text=0.1)
    found = Counter(fault.kind for number in range(4000) if (fault := rows.make(number).fault))
    assert found["missing"] == pytest.approx(80, abs=30)
    assert found["price-text"] == pytest.approx(400, abs=60)
    assert len(found) == 2


def test_copies_are_of_rows_without_a_fault() -> None:
    rows = faulty(80, duplicate=0.3, colour_variant=0.3, repeated_row=0.3)
    for number in range(80):
        row = rows.make(number)
        if row.fault is None:
            continue
        assert row.fault.other is not None
        assert row.fault.other < number
        other = rows.make(row.fault.other)
        assert other.fault is None
        assert rows.make(row.fault.other, code=number) == Blots().make(row.fault.other, code=number)
        same_picture, same_record = row.picture == other.picture, row.record == other.record
        wanted = {"duplicate": (True, False), "colour-variant": (False, False), "repeated-row": (True, True)}
        assert (same_picture, same_record) == wanted[row.fault.kind]
        assert (row.record["sku"] == f"S{number:05d}") == (row.fault.kind != "repeated-row")
        assert pictured(number, row) == (row.fault.other if row.fault.kind == "repeated-row" else number)


def test_a_variant_that_prepare_takes_for_another_product_is_not_expected_in_its_group() -> None:
    rows = faulty(rows=Blots("{colour} Model {number} Bag"), colour_variant=0.5)
    faults = [fault for number in range(40) if (fault := rows.make(number).fault)]
    assert faults
    assert {fault.expect for fault in faults} == {"kept"}


@pytest.mark.parametrize("kind", ["truncated", "html-page", "wrong-suffix", "huge", "sliver", "placeholder"])
def test_pictures_are_read_as_expected(kind: str) -> None:
    for _, row in only(kind, links=False)[:5]:
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


def test_a_suffix_is_that_of_another_format() -> None:
    for number, row in only("wrong-suffix")[:5]:
        assert row.picture == Picture(Blots().make(number).picture.content, ".png")  # type: ignore[union-attr]


def test_a_picture_that_is_not_there_is_named() -> None:
    for links, reason in ((True, "fetch_not_found"), (False, "image_not_found")):
        for _, row in only("dead-link", links=links):
            assert row.picture == Picture(None, ".jpg")
            assert row.fault is not None
            assert row.fault.expect == f"dropped: {reason}"


def test_a_placeholder_in_few_rows_is_not_known_for_one() -> None:
    rate = {"placeholder": 0.4}
    many, few = faulty(100, **rate), faulty(8, **rate)
    same_titles = faulty(100, rows=Blots("Bag"), **rate)
    for number in range(8):
        for rows, expect in ((many, "flagged"), (few, "kept"), (same_titles, "kept")):
            fault = rows.make(number).fault
            assert fault is None or fault.expect == expect
    assert any(few.make(number).fault for number in range(8))


def test_prices_as_text_read_in_one_way_whatever_the_column_is_like() -> None:
    texts = set()
    for number, row in only("price-text", num_rows=300):
        text, price = str(row.record["cost"]), 40.0 + 12.5 * number
        assert row.fault is not None
        assert row.fault.expect == f"kept: price={price}"
        for mark in ("auto", ".", ","):
            assert parse_amount(text, price_range="low", decimal=mark).value == price  # type: ignore[arg-type]
        texts.add("".join(c for c in text if not c.isdecimal()))
        assert find_decimal_mark([text, "1290.0"]) in ("auto", ".")
    assert len(texts) >= 6


@dataclass(frozen=True)
class Priced(Blots):
    """With a text for a price."""

    cost: str | None = None

    def make(self, number: int, *, code: int | None = None, recolour: int = 0) -> Row:
        row = super().make(number, code=code, recolour=recolour)
        return replace(row, record={**row.record, "cost": self.cost})


@pytest.mark.parametrize(
    ("cost", "expect"),
    [("1.290,00 EUR", "kept: price=1290.0"), ("12.5", "kept: price=12.5"), ("1.290", ""), ("free", ""), (None, "")],
)
def test_prices_that_are_text_already_get_words_if_they_read_in_one_way(cost: str | None, expect: str) -> None:
    rows = faulty(rows=Priced(cost=cost), price_text=0.9)
    made = [rows.make(number) for number in range(20)]
    assert {row.fault.expect for row in made if row.fault} == {expect} - {""}
    for row in made:
        assert row.record["cost"] == (row.fault.detail if row.fault else cost)
        assert cost is None or cost in str(row.record["cost"])


@dataclass(frozen=True)
class Untitled(Blots):
    """For a task that asks for neither title nor price."""

    @property
    def columns(self) -> Mapping[str, str]:
        return {"category": "kind", "image": "photo"}


def test_a_table_may_lack_title_price_and_code() -> None:
    rows = faulty(rows=Untitled(), **dict.fromkeys(("missing", "placeholder", "price_text", "colour_variant"), 0.25))
    made = [(number, row) for number in range(60) if (row := rows.make(number)).fault]
    found = {(row.fault.kind, row.fault.expect) for _, row in made if row.fault}
    assert found == {
        ("missing", "dropped: missing_category"),
        ("missing", "dropped: image_missing"),
        ("placeholder", "kept"),
        ("colour-variant", "kept"),
    }
    assert all(planted(number, row, None, rows.columns)["product_code"] == str(number + 1) for number, row in made)


def test_what_is_missing_is_one_of_four() -> None:
    seen = set()
    for _, row in only("missing", num_rows=100):
        assert row.fault is not None
        empty = [role for role in ("title", "category", "price") if row.record[COLUMNS[role]] is None]
        if row.picture is None:
            empty.append("image")
        assert empty == [row.fault.detail]
        seen |= set(empty)
    assert len(seen) == 4


# The whole way through prepare

NUM_ROWS = 250


def prepare(out: Path, catalogue: Path) -> None:
    """Through the command's own function."""
    columns = ",".join(f"{role}={column}" for role, column in COLUMNS.items())
    command.prepare(PrepareConfig(str(out / "catalogue.csv"), catalogue, columns=columns, allow_private=True))


@pytest.fixture(scope="module", params=["links", "files"])
def prepared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """All kinds at once: a sample and the catalogue that prepare makes of it."""
    links = request.param == "links"
    folder = tmp_path_factory.mktemp(request.param)
    out, catalogue = folder / "sample", folder / "catalogue"
    rows = faulty(NUM_ROWS, links=links, **parse_rates("0.5", links=links))
    port = free_port()
    write_sample(out, rows, NUM_ROWS, image_url=f"http://127.0.0.1:{port}/" if links else "")
    with serving(out, port=port, error_rate=0.1):
        prepare(out, catalogue)
    return out, catalogue


def free_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return int(server.getsockname()[1])


def test_all_faults_are_found_in_what_prepare_leaves(prepared: tuple[Path, Path]) -> None:
    out, catalogue = prepared
    faults = read_planted(out / "manifest.json")
    links = out.parent.name.startswith("links")
    assert {fault["kind"] for fault in faults} == {kind for kind in KINDS if links or kind not in LINK_KINDS}
    assert check(catalogue, out / "manifest.json") == []
    dropped = pq.read_table(catalogue / "drops.parquet")["source_row"].to_pylist()
    assert sorted(dropped) == [fault["source_row"] for fault in faults if fault["expect"].startswith("dropped")]


def rewrite(path: Path, change: Any) -> None:
    pq.write_table(change(pq.read_table(path)), path)


def without(table: pa.Table, row: int) -> pa.Table:
    return table.filter(pc.not_equal(table["source_row"], row))


def with_column(table: pa.Table, name: str, row: int, value: object) -> pa.Table:
    old = zip(table["source_row"].to_pylist(), table[name].to_pylist(), strict=True)
    new = pa.array([value if number == row else cell for number, cell in old], table[name].type)
    return table.set_column(table.schema.get_field_index(name), name, new)


@pytest.mark.parametrize(
    ("kind", "file", "column", "value", "found"),
    [
        ("huge", "drops", None, None, "expected dropped: image_too_many_pixels, found neither a product nor a drop"),
        ("truncated", "drops", "reason", "image_empty", "found dropped: image_empty"),
        ("repeated-row", "drops", "product_code", "X", "found code X; is the catalogue prepared from this sample"),
        ("wrong-suffix", "metadata", None, None, "expected kept, found neither a product nor a drop"),
        ("duplicate", "metadata", "group", "x", "expected grouped, found kept, without row"),
        ("placeholder", "metadata", "placeholder", False, "expected flagged, found kept"),
        ("price-text", "metadata", "price", 1.29, "found kept: price=1.29"),
    ],
)
def test_what_is_not_accounted_for_is_told(
    prepared: tuple[Path, Path], tmp_path: Path, kind: str, file: str, column: str | None, value: object, found: str
) -> None:
    out, whole = prepared
    for name in ("catalogue.json", "metadata.parquet", "drops.parquet"):
        (tmp_path / name).write_bytes((whole / name).read_bytes())
    fault = next(fault for fault in read_planted(out / "manifest.json") if fault["kind"] == kind)
    row = fault["source_row"]
    path = tmp_path / f"{file}.parquet"
    rewrite(path, lambda table: with_column(table, column, row, value) if column else without(table, row))
    told = check(tmp_path, out / "manifest.json")
    assert len(told) == 1
    assert told[0].startswith(f"row {row} (code {fault['product_code']}), {kind}: expected {fault['expect']}, ")
    assert found in told[0]


def test_a_folder_that_is_no_catalogue_is_named(prepared: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"is no catalogue: .* is not there; make one with etalage prepare"):
        check(tmp_path, prepared[0] / "manifest.json")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "is no sample: manifest.json is not there; make one with etalage sample"),
        ("{", "manifest.json is damaged: Expecting .*; make the sample again"),
        ("[]", "it lists no faults"),
        ('{"faults": 3}', "it lists no faults"),
        ('{"faults": [{"kind": "huge"}]}', r"fault 0 is \{'kind': 'huge'\}; make the sample again"),
    ],
)
def test_a_manifest_that_cannot_be_read_is_named(tmp_path: Path, text: str | None, message: str) -> None:
    if text is not None:
        (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(ValueError, match=message):
        read_planted(tmp_path / "manifest.json")


def test_a_sample_without_faults_has_nothing_to_find(prepared: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{}")
    assert check(prepared[1], tmp_path / "manifest.json") == []
