"""Planted faults are written to the manifest and read from it."""

import json
from pathlib import Path

import pytest

from etalage.errors import EtalageError
from etalage.sample.faults import describe_fault, parse_rates, read_faults
from etalage.sample.rows import Fault, Row
from tests.unit.sample.faults.blots import make_faulty


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "is not a sample: it has no manifest.json; make a sample with etalage sample"),
        ("{", "manifest.json is damaged: Expecting .*; make the sample again"),
        ("[]", "it has no list of faults"),
        ('{"faults": 3}', "it has no list of faults"),
        ('{"faults": [{"kind": "huge"}]}', r"fault 0 is \{'kind': 'huge'\}; make the sample again"),
    ],
)
def test_a_manifest_that_cannot_be_read_is_reported(tmp_path: Path, text: str | None, message: str) -> None:
    if text is not None:
        (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(ValueError, match=message):
        read_faults(tmp_path / "manifest.json")


def fault(**changes: object) -> dict[str, object]:
    return {
        **{"row": 3, "source_row": 4, "product_code": "A", "kind": "huge", "expect": "kept", "detail": ""},
        **{"other": None, "picture": "images/000004.png"},
        **changes,
    }


def test_described_faults_are_read_back(tmp_path: Path) -> None:
    rows = make_faulty(40, **parse_rates("0.9", links=True))
    described = [
        describe_fault(number, row, None if row.picture is None else f"images/{number}.jpg", rows.columns)
        for number in range(40)
        if (row := rows.make(number)).fault
    ]
    (tmp_path / "manifest.json").write_text(json.dumps({"faults": described}))
    assert read_faults(tmp_path / "manifest.json") == described
    assert all(entry["source_row"] == entry["row"] + 1 for entry in described)
    assert all(entry["other"] is None or 1 <= entry["other"] < entry["source_row"] for entry in described)


@pytest.mark.parametrize(
    "changes",
    [
        {"source_row": "4"},
        {"other": "1"},
        {"kind": "unknown"},
        {"product_code": 7},
        {"expect": None},
        {"detail": None},
        {"picture": 3},
    ],
)
def test_a_fault_of_the_wrong_type_is_reported(tmp_path: Path, changes: dict[str, object]) -> None:
    (tmp_path / "manifest.json").write_text(json.dumps({"faults": [fault(), fault(**changes)]}))
    with pytest.raises(EtalageError, match="is damaged: fault 1 is"):
        read_faults(tmp_path / "manifest.json")


@pytest.mark.parametrize("missing", fault())
def test_a_fault_without_a_field_is_reported(tmp_path: Path, missing: str) -> None:
    entry = {name: value for name, value in fault().items() if name != missing}
    (tmp_path / "manifest.json").write_text(json.dumps({"faults": [entry]}))
    with pytest.raises(EtalageError, match="is damaged: fault 0 is"):
        read_faults(tmp_path / "manifest.json")


@pytest.mark.parametrize(("code", "expected"), [(" A-1 ", "A-1"), (17, "17"), ("", "8"), (None, "8")])
def test_a_row_without_a_code_goes_by_its_number(code: str | int | None, expected: str) -> None:
    row = Row({"sku": code}, None, fault=Fault("missing", "dropped: image_missing", "image"))
    assert describe_fault(7, row, None, {"product_code": "sku"})["product_code"] == expected
