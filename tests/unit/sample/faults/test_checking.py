"""A prepared catalogue is compared with the faults that the sample's manifest lists."""

import socket
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from etalage.commands import prepare
from etalage.config import PrepareConfig
from etalage.sample.faults import KINDS, LINK_KINDS, check_faults, parse_rates, read_faults
from etalage.sample.server import run_server
from etalage.sample.write import write_sample
from tests.unit.sample.faults.blots import COLUMNS, make_faulty

NUM_ROWS = 250


def prepare_sample(sample: Path, catalogue: Path) -> None:
    """Run `etalage prepare` on a sample."""
    columns = ",".join(f"{role}={column}" for role, column in COLUMNS.items())
    prepare.prepare(PrepareConfig(str(sample / "catalogue.csv"), catalogue, columns=columns, allow_private=True))


@pytest.fixture(scope="module", params=["links", "files"])
def prepared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return a sample with all kinds of faults at once, and the catalogue prepared from it."""
    links = request.param == "links"
    folder = tmp_path_factory.mktemp(request.param)
    sample, catalogue = folder / "sample", folder / "catalogue"
    rows = make_faulty(NUM_ROWS, links=links, **parse_rates("0.5", links=links))
    port = free_port()
    write_sample(sample, rows, NUM_ROWS, image_url=f"http://127.0.0.1:{port}/" if links else "")
    with run_server(sample, port=port, error_rate=0.1):
        prepare_sample(sample, catalogue)
    return sample, catalogue


def free_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return int(server.getsockname()[1])


def test_prepare_treats_every_planted_fault_as_expected(prepared: tuple[Path, Path]) -> None:
    sample, catalogue = prepared
    faults = read_faults(sample / "manifest.json")
    links = sample.parent.name.startswith("links")
    assert {fault["kind"] for fault in faults} == {kind for kind in KINDS if links or kind not in LINK_KINDS}
    assert check_faults(catalogue, sample / "manifest.json") == []
    dropped = pq.read_table(catalogue / "drops.parquet")["source_row"].to_pylist()
    assert sorted(dropped) == [fault["source_row"] for fault in faults if fault["expect"].startswith("dropped")]


def rewrite(path: Path, change: Callable[[pa.Table], pa.Table]) -> None:
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
        ("repeated-row", "drops", "product_code", "X", "found code X; was the catalogue prepared from this sample"),
        ("wrong-suffix", "metadata", None, None, "expected kept, found neither a product nor a drop"),
        ("duplicate", "metadata", "group", "x", "expected grouped, found kept, without row"),
        ("placeholder", "metadata", "placeholder", False, "expected flagged, found kept"),
        ("price-text", "metadata", "price", 1.29, "found kept: price=1.29"),
    ],
)
def test_a_fault_treated_differently_is_reported(
    prepared: tuple[Path, Path], tmp_path: Path, kind: str, file: str, column: str | None, value: object, found: str
) -> None:
    sample, whole = prepared
    for name in ("catalogue.json", "metadata.parquet", "drops.parquet"):
        (tmp_path / name).write_bytes((whole / name).read_bytes())
    fault = next(fault for fault in read_faults(sample / "manifest.json") if fault["kind"] == kind)
    row = fault["source_row"]
    path = tmp_path / f"{file}.parquet"
    rewrite(path, lambda table: with_column(table, column, row, value) if column else without(table, row))
    lines = check_faults(tmp_path, sample / "manifest.json")
    assert len(lines) == 1
    assert lines[0].startswith(f"row {row} (code {fault['product_code']}), {kind}: expected {fault['expect']}, ")
    assert found in lines[0]


def test_a_folder_that_is_not_a_catalogue_is_refused(prepared: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"is not a catalogue: it has no .*; make one with etalage prepare"):
        check_faults(tmp_path, prepared[0] / "manifest.json")


def test_a_sample_without_faults_has_nothing_to_find(prepared: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{}")
    assert check_faults(prepared[1], tmp_path / "manifest.json") == []
