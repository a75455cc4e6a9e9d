"""On a terminal a short list is shown for each open role, and nothing is taken without a choice."""

import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image

from etalage.catalogue.columns.content import ColumnProfile
from etalage.catalogue.columns.questions import OpenRole, ask_columns, can_ask, refusal

OPEN = [
    OpenRole(
        "price",
        "several columns may be it",
        [
            ColumnProfile("Preis, A", ["1", "2", "2", "3", "4"]),
            ColumnProfile("Preis B", [b"x"]),
            ColumnProfile("C", []),
        ],
    ),
    OpenRole("title", "no column is called that", [ColumnProfile("C", ["c"]), ColumnProfile("It's", ["t"])]),
]


def answering(*lines: str) -> Callable[[str], str]:
    left: Iterator[str] = iter(lines)

    def read_line(prompt: str) -> str:
        assert "Enter: none of these" in prompt
        return next(left)

    return read_line


def test_a_number_or_a_name_chooses_a_column_and_enter_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert ask_columns(OPEN, answering("2", "It's")) == {"price": "Preis B", "title": "It's"}
    shown = capsys.readouterr().out
    assert "  1  Preis, A  (1 | 2 | 3)" in shown
    assert "to be asked no more: --column price='Preis B' --column title='It'\"'\"'s'" in shown
    assert ask_columns(OPEN, answering("", "")) == {}


def test_a_wrong_number_is_asked_again_a_few_times() -> None:
    assert ask_columns(OPEN[:1], answering("9", "x", "1")) == {"price": "Preis, A"}
    assert ask_columns(OPEN[:1], answering("0", "-1", "4")) == {}


def test_a_chosen_column_is_not_offered_again_and_a_closed_input_chooses_none() -> None:
    assert ask_columns(OPEN, answering("3", "1")) == {"price": "C", "title": "It's"}

    def end_of_file(prompt: str) -> str:
        raise EOFError

    assert ask_columns(OPEN, end_of_file) == {}


def test_the_refusal_has_a_line_for_each_candidate() -> None:
    assert refusal(OPEN, "or stop").splitlines() == [
        "say which column holds price and title",
        "price: several columns may be it",
        "  --column price='Preis, A'  1 | 2 | 3",
        "  --column price='Preis B'   (a picture)",
        "  --column price=C           empty in the first rows",
        "title: no column is called that",
        "  --column title=C           c",
        "  --column title='It'\"'\"'s'  t",
        "add an option for each of them; or stop",
    ]
    many = [ColumnProfile(f"c{i}", ["x"]) for i in range(30)]
    assert "  and 18 more columns" in refusal([OpenRole("title", "none", many)])


def test_nobody_is_asked_in_a_pipe() -> None:
    assert not can_ask()


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")
@pytest.mark.parametrize(
    ("answer", "code", "expected"), [("2\n", 0, "price=Preis B"), ("\n", 2, "say which column holds price")]
)
def test_the_command_asks_on_a_terminal(tmp_path: Path, answer: str, code: int, expected: str) -> None:
    lines = ["Titel,Kategorie,Preis A,Preis B,Bild"]
    for n in range(8):
        Image.new("RGB", (20, 20), (30 * n, 0, 0)).save(tmp_path / f"{n}.png")
        lines.append(f"Schal {'ABCDEFGH'[n]},{'XY'[n % 2]},{100 + n},{50 + n},{n}.png")
    (tmp_path / "t.csv").write_text("\n".join(lines))
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "etalage", "prepare", str(tmp_path / "t.csv"), "--out", str(tmp_path / "cat")]
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env={**os.environ, "COLUMNS": "80"})
    os.close(theirs)
    shown, sent, deadline = "", False, time.monotonic() + 120
    while time.monotonic() < deadline:
        if not select.select([ours], [], [], 1)[0]:
            continue
        try:
            shown += os.read(ours, 65536).decode("utf-8", "replace")
        except OSError:  # the other side was closed
            break
        if not sent and "number of the column for price" in shown:
            os.write(ours, answer.encode())
            sent = True
    assert process.wait(timeout=60) == code
    assert "2  Preis B  (50 | 51 | 52)" in shown
    assert expected in shown
