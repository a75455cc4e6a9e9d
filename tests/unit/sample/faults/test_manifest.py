"""Planted faults are written to the manifest and read from it."""

from pathlib import Path

import pytest

from etalage.sample.faults import read_faults


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
