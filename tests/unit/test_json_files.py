"""Files that are damaged or hostile end in one message, and never hang."""

import os
from pathlib import Path

import pytest

from etalage.errors import EtalageError
from etalage.json_files import parse_json, read_json, read_json_lines, read_json_object, read_text

REMEDY = "write it again"


def test_values_are_read_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(
        '{"a": [1, -2.5, true, null, "\\u00e9\\ud83d\\ude00"], "b": 1e30}', encoding="utf-8"
    )
    assert read_json_object(tmp_path / "a.json", remedy=REMEDY) == {"a": [1, -2.5, True, None, "é😀"], "b": 1e30}
    assert parse_json("1000000000000000019884624838656", "here", remedy=REMEDY) == int(1e30)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "Expecting value"),
        ('{"a": ', "Expecting value"),
        ("[" * 200_000, "nested too deeply"),
        ('{"a":' * 200_000, "nested too deeply"),
        ("9" * 5000, "a number has 5000 digits"),
        ("[-" + "1" * 41 + "]", "a number has 42 digits"),
        ("1e999", "the number 1e999 is too large"),
        ("[NaN]", "NaN is not a JSON number"),
        ("-Infinity", "-Infinity is not a JSON number"),
        ('{"a": 1, "b": {"c": 1, "c": 2}}', "the key 'c' stands twice"),
        ('["\\ud800"]', "half of a surrogate pair"),
        ('{"\\udc00 ": 1}', "half of a surrogate pair"),
    ],
    ids=lambda value: value[:20],
)
def test_what_is_no_plain_json_is_one_message(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(EtalageError, match=rf"a\.json is damaged \(.*{reason}.*\); write it again"):
        read_json(tmp_path / "a.json", remedy=REMEDY)


def test_another_encoding_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes('{"a": "é"}'.encode("latin-1"))
    with pytest.raises(EtalageError, match=r"a\.json is damaged \(byte 7 is not UTF-8\); write it again"):
        read_json(tmp_path / "a.json", remedy=REMEDY)


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.json")
    (tmp_path / "link.json").symlink_to(tmp_path / "a.json")
    for name in ("a.json", "link.json"):
        with pytest.raises(EtalageError, match=rf"{name} is a device, pipe or socket, not a file; write it again"):
            read_json(tmp_path / name, remedy=REMEDY)


def test_devices_and_folders_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.json").symlink_to("/dev/zero")
    with pytest.raises(EtalageError, match=r"a\.json is a device"):
        read_text(tmp_path / "a.json", remedy=REMEDY)
    with pytest.raises(EtalageError, match="is a folder, not a file"):
        read_text(tmp_path, remedy=REMEDY)


@pytest.mark.parametrize("name", ["gone.json", "a\0b.json", "x" * 300, "loop.json"])
def test_a_path_that_leads_nowhere_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "loop.json").symlink_to(tmp_path / "loop.json")
    with pytest.raises(EtalageError, match=r"cannot be read \(.*\); write it again"):
        read_text(tmp_path / name, remedy=REMEDY)


def test_a_size_is_a_limit_and_not_allocated(tmp_path: Path) -> None:
    with (tmp_path / "a.json").open("wb") as file:
        file.truncate(1 << 40)  # sparse: it takes no room on the disk
    with pytest.raises(EtalageError, match="has 1,099,511,627,776 bytes, and files of its kind have less than 67,"):
        read_json(tmp_path / "a.json", remedy=REMEDY)


def test_lines_are_named(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"a": "\u2028"}\n{"a": 2}\n', encoding="utf-8")
    assert [line for _, line in read_json_lines(path, remedy=REMEDY)] == [{"a": "\u2028"}, {"a": 2}]
    path.write_text('{"a": 1}\n\n[2]\n')
    with pytest.raises(EtalageError, match=r"a\.jsonl line 2 is damaged"):
        list(read_json_lines(path, remedy=REMEDY))
    path.write_text('{"a": 1}\n[2]')
    with pytest.raises(EtalageError, match=r"line 2 is damaged \(found a list, not an object\)"):
        list(read_json_lines(path, remedy=REMEDY))
    path.write_text("")
    assert not list(read_json_lines(path, remedy=REMEDY))
