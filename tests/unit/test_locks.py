"""A folder has one writer, and no writer that is gone stands in the way."""

import errno
import fcntl
import json
import os
import platform
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from etalage.errors import EtalageError
from etalage.locks import lock

HOLD = """
import os, sys, time
from pathlib import Path
from etalage.locks import lock
sys.argv = ["/usr/bin/etalage", "--debug", "train", "shop"]
with lock(Path({path!r}), "run"):
    {extra}
    print("held", flush=True)
    time.sleep(60)
"""


@contextmanager
def holder(path: Path, extra: str = "") -> Iterator[subprocess.Popen[str]]:
    """Start a process that holds a lock."""
    program = HOLD.format(path=str(path), extra=extra)
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_the_second_is_refused_with_who_holds_it_and_leaves_its_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "run.lock"
    with holder(path) as process:
        before = path.read_text()
        by = rf"`etalage train` runs there since .* \(process {process.pid} on {platform.node()}\)"
        with pytest.raises(EtalageError, match=f"run is in use: {by}; wait"), lock(path, "run"):
            pass
        assert path.read_text() == before


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_process_leaves_nothing_that_blocks(tmp_path: Path, number: signal.Signals) -> None:
    with holder(tmp_path / "run.lock") as process:
        process.send_signal(number)
        process.wait()
        with lock(tmp_path / "run.lock", "run"):
            pass
    assert not list(tmp_path.iterdir())


def test_a_forked_child_does_not_keep_a_killed_parents_lock(tmp_path: Path) -> None:
    with holder(tmp_path / "run.lock", "os.fork() or time.sleep(3) or os._exit(0); time.sleep(0.5)") as process:
        process.kill()
        process.wait()
        with lock(tmp_path / "run.lock", "run"):
            pass


def test_a_lock_in_the_same_process_counts_too(tmp_path: Path) -> None:
    with lock(tmp_path / "a", "run"), pytest.raises(EtalageError, match="run is in use"), lock(tmp_path / "a", "run"):
        pass
    with lock(tmp_path / "a", "run"):
        pass


def test_a_lock_is_released_when_the_block_fails(tmp_path: Path) -> None:
    with pytest.raises(KeyError), lock(tmp_path / "a", "run"):
        raise KeyError
    assert not list(tmp_path.iterdir())


@pytest.fixture
def without_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the file system one without locks, such as Lustre mounted without them."""

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", refuse)


OWNER = {"pid": os.getpid(), "host": platform.node(), "command": "etalage train", "since": "2026-12-01 10:00:00"}


def test_without_locks_of_the_system_a_live_process_counts(tmp_path: Path, without_locks: None) -> None:
    with lock(tmp_path / "a", "run"), pytest.raises(EtalageError, match="run is in use"), lock(tmp_path / "a", "run"):
        pass
    with lock(tmp_path / "a", "run"):
        pass


@pytest.mark.parametrize(
    "stale",
    [
        {"pid": 2**22 + 7},
        {"boot": "another"},
        {"started": "1"},
        {"pid": "x"},
        {"pid": 2**70},
    ],
)
def test_without_locks_of_the_system_a_dead_process_is_replaced(tmp_path: Path, without_locks: None, stale) -> None:
    with lock(tmp_path / "a", "run"):
        owner = json.loads((tmp_path / "a").read_text())
    (tmp_path / "a").write_text(json.dumps({**owner, **stale}))
    with lock(tmp_path / "a", "run"):
        pass


def test_without_locks_of_the_system_another_host_is_believed_and_the_way_out_is_named(
    tmp_path: Path, without_locks: None
) -> None:
    (tmp_path / "a").write_text(json.dumps({**OWNER, "host": "node7"}))
    with (
        pytest.raises(EtalageError, match=r"on node7\).*if that process is gone, remove .*a$"),
        lock(tmp_path / "a", ""),
    ):
        pass


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"pid": 1}', "\0" * 9000])
def test_a_lock_file_with_anything_else_in_it_is_taken_over(tmp_path: Path, content: str) -> None:
    (tmp_path / "a").write_text(content)
    with lock(tmp_path / "a", "run"):
        assert json.loads((tmp_path / "a").read_text())["pid"] == os.getpid()


@pytest.mark.parametrize("kind", ["link", "dangling link", "second name", "pipe", "folder"])
def test_a_lock_file_that_is_something_else_is_refused_and_what_it_leads_to_is_kept(tmp_path: Path, kind: str) -> None:
    other, path = tmp_path / "thesis.txt", tmp_path / "run.lock"
    other.write_text("ten years of work")
    match kind:
        case "link":
            path.symlink_to(other)
        case "dangling link":
            path.symlink_to(tmp_path / "new.txt")
        case "second name":
            path.hardlink_to(other)
        case "pipe":
            os.mkfifo(path)
        case "folder":
            path.mkdir()
    with pytest.raises(EtalageError, match=r"run\.lock is not a regular file.*; remove it"), lock(path, "run"):
        pass
    assert other.read_text() == "ten years of work"
    assert not (tmp_path / "new.txt").exists()
    assert path.is_symlink() or path.exists(), "not removed"
