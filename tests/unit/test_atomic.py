"""Files and folders appear complete or not at all, and leftovers of killed runs are removed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from etalage.atomic import atomic_directory, atomic_file, atomic_write_text
from etalage.errors import EtalageError


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def dead_pid() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_a_file_appears_only_when_the_block_ends(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    with atomic_file(path) as temporary:
        temporary.write_text("new")
        assert not path.exists()
        assert temporary.parent == path.parent, "a rename is atomic only within one file system"
    assert path.read_text() == "new"
    assert names_in(tmp_path) == ["a.txt"]


def test_a_failed_block_keeps_the_old_file_and_leaves_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")

    def write_half() -> None:
        with atomic_file(path) as temporary:
            temporary.write_text("half of the n")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_half()
    assert path.read_text() == "old"
    assert names_in(tmp_path) == ["a.txt"]


def test_text_keeps_line_ends_and_escapes_what_utf8_cannot_encode(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    atomic_write_text(path, "é\r\nname \udcff\n")
    assert path.read_bytes() == "é\r\nname \\udcff\n".encode()


def test_a_folder_appears_only_when_the_block_ends(tmp_path: Path) -> None:
    out = tmp_path / "new" / "out"
    with atomic_directory(out) as partial:
        (partial / "a").write_text("a")
        assert not out.exists()
    assert names_in(out) == ["a"]
    assert names_in(out.parent) == ["out"]


def test_an_empty_folder_may_be_there_already(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    with atomic_directory(out) as partial:
        (partial / "a").write_text("a")
    assert names_in(out) == ["a"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_failed_block_leaves_no_folder(tmp_path: Path, error: type[BaseException]) -> None:
    def write_half() -> None:
        with atomic_directory(tmp_path / "out") as partial:
            (partial / "a").write_text("a")
            raise error

    with pytest.raises(error):
        write_half()
    assert names_in(tmp_path) == []


def test_refuses_a_file_and_a_folder_that_is_not_empty(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "a").write_text("kept")
    with pytest.raises(EtalageError, match="file is a file"), atomic_directory(tmp_path / "file"):
        pass
    with pytest.raises(EtalageError, match="already holds something"), atomic_directory(tmp_path / "full"):
        pass
    assert (tmp_path / "full" / "a").read_text() == "kept"
    assert names_in(tmp_path) == ["file", "full"]


def test_removes_leftovers_of_dead_processes_alone(tmp_path: Path) -> None:
    removed = [f"out.partial-{dead_pid()}", f"out.partial-{os.getpid()}", f"out.partial-{2**70}"]
    kept = [f"out.partial-{os.getppid()}", "out.partial-notes", f"other.partial-{dead_pid()}"]
    for name in removed + kept:
        (tmp_path / name).mkdir()
        (tmp_path / name / "a").write_text("a")
    with atomic_directory(tmp_path / "out"):
        pass
    assert names_in(tmp_path) == sorted([*kept, "out"])
