"""Files and folders that are either complete or absent: written under a temporary name, then renamed."""

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from etalage.errors import EtalageError
from etalage.locks import lock

__all__ = ["atomic_directory", "atomic_file", "atomic_write_text"]


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path to write; it replaces `path` when the block ends, or is removed if the block fails."""
    # In the same folder, as renaming is atomic only within a file system. The name is random, as processes may write at
    # once, and those in containers often have equal ids.
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)  # renamed already, unless the block failed


def atomic_write_text(path: Path, text: str) -> None:
    """Write a text file in UTF-8.

    Args:
        path: The file to write or replace.
        text: Its contents. Characters that UTF-8 cannot encode, as in odd file names, are escaped; line ends are kept.
    """
    with atomic_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace", newline="")


@contextmanager
def atomic_directory(out: Path) -> Iterator[Path]:
    """Yield a folder to write into; it becomes `out` when the block ends, or is removed if the block fails.

    Folders that killed runs left for the same `out` are removed first.

    Raises:
        EtalageError: `out` is a file, or a folder that is not empty, or another process is writing it.
    """
    out = out.resolve()
    if out.exists() and not out.is_dir():
        raise EtalageError(f"{out} is a file; name a folder to write")
    if out.exists() and any(out.iterdir()):
        raise EtalageError(f"{out} already holds something; name another folder, or remove it first")
    out.parent.mkdir(parents=True, exist_ok=True)
    with lock(out.with_name(f".{out.name}.lock"), str(out), "wait for it, or name another folder"):
        prefix = f"{out.name}.partial-"
        for leftover in [path for path in out.parent.iterdir() if path.name.startswith(prefix)]:
            if not _is_in_use(leftover.name.removeprefix(prefix)):
                shutil.rmtree(leftover)
        partial = out.parent / f"{prefix}{os.getpid()}"
        partial.mkdir()
        try:
            yield partial
            if out.exists():
                out.rmdir()  # empty, as was checked; it fails if something has filled it meanwhile
            partial.rename(out)
        except BaseException:  # Ctrl-C, too
            shutil.rmtree(partial, ignore_errors=True)
            raise


def _is_in_use(pid: str) -> bool:
    """Return whether a partial folder belongs to another process that is alive."""
    if not pid.isdecimal():
        return True  # we never give such a name, so the folder is not ours to remove
    # Processes in containers often have equal ids: a folder with our own is from an earlier container.
    if int(pid) == os.getpid():
        return False
    try:
        os.kill(int(pid), 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
