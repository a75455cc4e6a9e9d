"""The dropped rows as a table that a spreadsheet opens: its encoding, its separator, and nothing that it computes."""

import csv
import locale
from pathlib import Path

import pytest

from etalage.catalogue.drops_csv import has_decimal_comma, write_drops_csv
from etalage.catalogue.prepare_rows import DroppedRow


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LC_NUMERIC", "LANG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LC_ALL", "C")


def read(path: Path, delimiter: str = ",") -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file, delimiter=delimiter))


def test_a_row_says_where_it_is_and_what_to_do(tmp_path: Path) -> None:
    write_drops_csv(tmp_path / "d.csv", [DroppedRow(13, "row 14", "P-Ä", "missing_title", "no text")])
    assert (tmp_path / "d.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    header, row = read(tmp_path / "d.csv")
    assert header == ["Row", "Product code", "Why it was left out", "What to do", "Details", "Reason"]
    assert row == [
        "row 14", "P-Ä", "The title is empty.", "fill it in, or name another column: --column title=COLUMN", "no text",
        "missing_title",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "start", ["=", "+", "-", "@", "\t=", "\r=", " =", "\uff1d", "\uff0b", "\uff0d", "\uff20", "\n@"]
)
def test_no_cell_is_a_formula(tmp_path: Path, start: str) -> None:
    text = f"{start}cmd|'/C calc'!A0"
    write_drops_csv(tmp_path / "d.csv", [DroppedRow(1, text, text, "image_missing", f'a";{text}\n{text}')])
    _, row = read(tmp_path / "d.csv")
    assert row[0].startswith("'")
    assert row[1].startswith("'")
    assert not any(set(cell) & set("\t\r\n") for cell in row)
    assert len((tmp_path / "d.csv").read_text(encoding="utf-8").splitlines()) == 2


@pytest.mark.parametrize(
    ("name", "has_comma"),
    [
        ("de_DE.UTF-8", True), ("fr_FR", True), ("pl_PL.UTF-8@euro", True), ("pt_BR.UTF-8", True), ("ru", True),
        ("en_US.UTF-8", False), ("C.UTF-8", False), ("de_CH.UTF-8", False), ("es_MX.UTF-8", False),
        ("ja_JP.UTF-8", False),        ("", False), ("xx_nonsense", False),
    ],
)  # fmt: skip
def test_the_separator_follows_from_the_decimal_mark(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, has_comma: bool
) -> None:
    before = locale.setlocale(locale.LC_NUMERIC)
    monkeypatch.setenv("LC_ALL", name)
    assert has_decimal_comma() == has_comma
    write_drops_csv(tmp_path / "d.csv", [DroppedRow(1, "row 2", "P1", "image_missing", "no; picture, given")])
    assert read(tmp_path / "d.csv", ";" if has_comma else ",")[1][4] == "no; picture, given"
    assert locale.setlocale(locale.LC_NUMERIC) == before


def test_odd_characters_are_kept_or_escaped(tmp_path: Path) -> None:
    write_drops_csv(tmp_path / "d.csv", [DroppedRow(1, "row 2", "P\udce9", "image_missing", "日本\x00x")])
    assert read(tmp_path / "d.csv")[1][1] == "P\\udce9"
    assert read(tmp_path / "d.csv")[1][4] == "日本 x"
