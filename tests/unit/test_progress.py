"""The progress bar counts what was done, tells how fast, and shows that on any output."""

import io
import os
import pty
import subprocess
import sys
import time

import pytest
from rich.console import Console

from etalage import progress
from etalage.progress import ProgressBar, _line, progress_bar


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Hold the clock at a time that a test sets."""
    now = [1000.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_starts_with_what_an_earlier_process_completed() -> None:
    with progress_bar("read", 10, completed=2) as bar:
        assert (bar.completed, bar.total) == (2, 10)


def test_counts_an_item_when_the_next_one_is_asked_for() -> None:
    bar = ProgressBar("read", 10)
    items = bar.track("ab")
    assert next(items) == "a"
    assert bar.completed == 0
    assert next(items) == "b"
    assert bar.completed == 1
    assert list(items) == []
    assert bar.completed == 2


def test_advances_by_several_items_and_keeps_a_note() -> None:
    bar = ProgressBar("train", 10, 2)
    bar.advance(3, "loss 1.2")
    assert (bar.completed, bar.note) == (5, "loss 1.2")
    bar.update(7, 20)
    assert (bar.completed, bar.total) == (7, 20)


def test_slow_steps_have_a_speed_and_a_time_left_after_the_first_one(now: list[float]) -> None:
    """Rich shows neither when updates are further apart than half a minute."""
    bar = ProgressBar("train", 10, 4)
    now[0] += 80
    assert bar.figures() == ["4/10", "1:20"], "the time so far, as nothing else is known yet"
    now[0] += 70
    bar.advance()
    assert bar.figures() == ["5/10", "2:30 each", "12:30 left"]
    now[0] += 60
    assert bar.figures()[-1] == "11:30 left", "it counts down within a step"
    now[0] += 900
    assert bar.figures()[-1] == "10:00 left", "and waits if a step takes longer"


def test_the_first_items_do_not_count_once_there_are_later_ones(now: list[float]) -> None:
    """Compilation takes minutes in the first step, and the steps then seconds."""
    bar = ProgressBar("train", 100)
    for seconds in (120, 2, 2, 2):
        now[0] += seconds
        bar.advance()
    assert bar.seconds_per_item == 2
    assert bar.seconds_left == 96 * 2


def test_items_that_come_in_a_burst_have_the_speed_of_the_whole_time(now: list[float]) -> None:
    bar = ProgressBar("decode", 20)
    now[0] += 2
    bar.advance()
    now[0] += 0.0002
    bar.advance(15)
    assert bar.figures() == ["16/20", "8.0/s", "0:01 left"]


def test_a_last_item_that_takes_longer_shows_the_time_passed(now: list[float]) -> None:
    """Validation belongs to the last step of an epoch and takes longer than a step."""
    bar = ProgressBar("train", 3)
    for _ in range(2):
        now[0] += 5
        bar.advance()
    now[0] += 60
    assert bar.figures() == ["2/3", "5.0 s each", "1:10"]


@pytest.mark.parametrize(("pace", "text"), [(0.00008, "12,500/s"), (0.5, "2.0/s"), (12.34, "12.3 s each")])
def test_shows_items_per_second_or_seconds_per_item(now: list[float], pace: float, text: str) -> None:
    bar = ProgressBar("read", 1_000_000)
    now[0] += pace * 100
    bar.update(100, 1_000_000)
    assert bar.figures()[1] == text


def test_without_a_total_the_time_passed_is_shown(now: list[float]) -> None:
    bar = ProgressBar("writing the model")
    now[0] += 61
    assert bar.figures() == ["1:01"]
    bar.advance(1500)
    assert bar.figures() == ["1,500", "24.6/s", "1:01"]


def test_no_items_at_all_are_no_division_by_zero(now: list[float]) -> None:
    bar = ProgressBar("fetch", 0)
    bar.update(0, 0)
    assert bar.figures() == ["0/0", "0:00"]


@pytest.mark.parametrize("width", [10, 20, 40, 60, 80, 200])
@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "cp437", "latin-1"])
def test_a_line_fits_every_terminal_in_every_encoding(width: int, encoding: str, now: list[float]) -> None:
    file = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    bar = ProgressBar("train", 120)
    now[0] += 60
    bar.advance(30, "loss 1.234, matmul efficiency 40%")
    line = _line(bar, Console(file=file, width=width)).plain
    assert len(line) < width
    line.encode(encoding)
    assert ("loss" in line) == (width >= 80)
    assert ("##-----" in line) == (encoding != "utf-8" and width in (60, 200)), "at 80 columns the note takes its room"


PROGRAM = """
import time
from etalage import progress
progress._PLAIN_LINES_EVERY_S = 0.1
with progress.progress_bar("train", 3) as bar:
    bar.advance(note="loss 1.5 für 手")
    with bar.stage("validate", 8) as stage:
        stage.advance(2)
        time.sleep(0.35)
    bar.advance(2, "loss 0.5")
"""


def test_plain_lines_go_on_during_a_stage_and_end_with_the_last_count() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    *lines, last = done.stderr.splitlines()
    assert len(lines) >= 2
    assert lines[0].startswith("train 1/3, ")
    assert "; validate 2/8, " in lines[0]
    assert last.startswith("train 3/3, ")
    assert last.endswith("; loss 0.5")
    assert not done.stdout, "what a command prints can be piped"


def test_quick_work_leaves_no_plain_line(capsys: pytest.CaptureFixture[str], now: list[float]) -> None:
    for seconds in (4, 6):
        with progress_bar("read", 12) as bar:
            now[0] += seconds
            bar.advance(12)
    assert capsys.readouterr().err == "read 12/12, 2.0/s, 0:06\n"


@pytest.mark.parametrize("environment", [{"PYTHONIOENCODING": "ascii"}, {"FORCE_COLOR": "1"}, {"COLUMNS": "20"}])
def test_plain_lines_are_plain_in_any_environment(environment: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, env={**os.environ, **environment}, check=True
    )
    assert b"\r" not in done.stderr
    assert b"\x1b[?25l" not in done.stderr
    assert b"train 3/3" in done.stderr


def test_an_error_output_that_is_gone_does_not_end_the_work() -> None:
    program = PROGRAM + "print('done')"
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=write, check=True)
    os.close(write)
    assert done.stdout == b"done\n"


@pytest.mark.parametrize(
    ("environment", "is_live"),
    [({}, True), ({"CI": "true"}, False), ({"TERM": "dumb"}, False), ({"NO_COLOR": "1"}, True)],
)
def test_a_terminal_gets_a_line_that_moves_unless_it_cannot(environment: dict[str, str], is_live: bool) -> None:
    main, terminal = pty.openpty()
    plain = {k: v for k, v in os.environ.items() if k not in ("CI", "NO_COLOR", "FORCE_COLOR", "COLUMNS")}
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        stdout=terminal,
        stderr=terminal,
        env={**plain, "TERM": "xterm", "PYTHONIOENCODING": "latin-1", **environment},
    )
    os.close(terminal)
    shown, until = b"", time.monotonic() + 20
    while time.monotonic() < until:
        try:
            shown += os.read(main, 4096)
        except OSError:  # Linux's word for the end
            break
    os.close(main)
    assert process.wait() == 0
    assert b"Traceback" not in shown
    assert (b"\x1b[?25l" in shown) == is_live
    assert b"3/3" in shown
