"""Files and folders that are either whole or not there: written beside their place, then renamed."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from etalage.errors import EtalageError

__all__ = ["atomic_directory", "atomic_file", "atomic_write_text"]


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Give a file to write that takes the place of `path` once the block is through, or vanishes if it fails."""
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        yield aside
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def atomic_write_text(path: Path, text: str) -> None:
    """Write a file. What UTF-8 cannot hold, as in odd file names, is escaped."""
    with atomic_file(path) as aside:
        aside.write_text(text, encoding="utf-8", errors="backslashreplace", newline="")


@contextmanager
def atomic_directory(out: Path) -> Iterator[Path]:
    """Give a folder to write into that takes the place of `out` once the block is through, or vanishes if it fails.

    What killed runs for the same place have left is cleared away.

    Raises:
        EtalageError: `out` is a file, or a folder with something in it.
    """
    out = out.resolve()
    if out.exists() and not out.is_dir():
        raise EtalageError(f"{out} is a file; name a folder to write")
    if out.exists() and any(out.iterdir()):
        raise EtalageError(f"{out} already holds something; name another folder, or remove it first")
    out.parent.mkdir(parents=True, exist_ok=True)
    prefix = f"{out.name}.partial-"
    for left in [path for path in out.parent.iterdir() if path.name.startswith(prefix)]:
        if not _is_another_run(left.name.removeprefix(prefix)):
            shutil.rmtree(left)
    partial = out.parent / f"{prefix}{os.getpid()}"
    partial.mkdir()
    try:
        yield partial
        if out.exists():
            out.rmdir()
        partial.rename(out)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise


def _is_another_run(pid: str) -> bool:
    """Whether this is a process that lives and is not ours. A folder of our own id is an earlier container's."""
    if not pid.isdecimal():
        return True  # not a name that we give
    if int(pid) == os.getpid():
        return False
    try:
        os.kill(int(pid), 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
