"""One process at a time for a folder: a second one is refused with the id of the first.

A lock is a small file that the system unlocks when its process ends, however it ends. Where a network file system has
no such locks, the file counts as locked while the process that it names is alive.
"""

import errno
import fcntl
import json
import os
import platform
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from etalage.errors import EtalageError

__all__ = ["lock"]

_held: set[int] = set()
"""Descriptors of the locks that this process holds."""


def _let_go_in_child() -> None:
    """Close a forked child's copies: they would keep a killed parent's locks until the child ends, too."""
    for descriptor in _held:
        with suppress(OSError):
            os.close(descriptor)
    _held.clear()


os.register_at_fork(after_in_child=_let_go_in_child)


@contextmanager
def lock(path: Path, what: str, remedy: str = "wait for it to finish, or stop it first") -> Iterator[None]:
    """Hold a lock while the block runs.

    Args:
        path: The lock's file, in a folder that exists. It is removed at the end; one that a killed process left is
            taken over.
        what: What is locked, in the words of the error, such as a folder's name.
        remedy: What the user of a second process can do.

    Raises:
        EtalageError: Another process holds it, or the path is a link, a folder or a device.
    """
    descriptor = _acquire(path, what, remedy)
    try:
        _held.add(descriptor)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(_this_process()).encode(), 0)
        yield
    finally:
        # Removed while it is still held: whoever opens the path next makes a file of its own.
        path.unlink(missing_ok=True)
        if descriptor in _held:
            _held.remove(descriptor)
            os.close(descriptor)


def _acquire(path: Path, what: str, remedy: str) -> int:
    while True:
        descriptor = _open(path)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise EtalageError(_in_use(what, _read_owner(descriptor), remedy)) from None
            except OSError:  # this file system has no locks
                owner = _read_owner(descriptor)
                if owner and _may_be_alive(owner):
                    hint = f"; if that process is gone, remove {path}" if owner["host"] != platform.node() else ""
                    raise EtalageError(_in_use(what, owner, remedy) + hint) from None
            # The process before may have removed the file between our opening and locking it.
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(descriptor), path.stat()):
                    return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _open(path: Path) -> int:
    """Open a lock's file, which is overwritten: in a folder from elsewhere it may be a link to another file."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, 0o644)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EISDIR, errno.ENXIO):
            raise EtalageError(f"{path} is not a regular file; remove it") from error
        raise
    status = os.fstat(descriptor)
    # A second name of another file is as bad as a link to it.
    if stat.S_ISREG(status.st_mode) and status.st_nlink <= 1:
        return descriptor
    os.close(descriptor)
    raise EtalageError(f"{path} is not a regular file of its own; remove it")


def _this_process() -> dict[str, Any]:
    return {
        "pid": os.getpid(),
        "host": platform.node(),
        "boot": _boot_id(),
        "started": _start_time(os.getpid()),
        "command": _command(),
        "since": time.strftime("%Y-%m-%d %H:%M:%S"),
    }


def _command() -> str:
    """Return this process's command in short, such as `etalage train`; of another program its name alone."""
    program = Path(sys.argv[0])
    name = program.parent.name if program.name == "__main__.py" else program.name
    return " ".join([name, *[word for word in sys.argv[1:] if word[:1] != "-"][: name == "etalage"]])


def _read_owner(descriptor: int) -> dict[str, Any] | None:
    """Return what the process that holds a lock wrote into it; None if it has not done so yet."""
    try:
        owner = json.loads(os.pread(descriptor, 4096, 0))
    except (ValueError, RecursionError):
        return None
    return owner if isinstance(owner, dict) and {"pid", "host", "command", "since"} <= owner.keys() else None


def _in_use(what: str, owner: dict[str, Any] | None, remedy: str) -> str:
    if owner is None:
        return f"{what} is in use by another process; {remedy}"
    return (
        f"{what} is in use: `{owner['command']}` runs there since {owner['since']} (process {owner['pid']} on "
        f"{owner['host']}); {remedy}"
    )


def _may_be_alive(owner: dict[str, Any]) -> bool:
    """Return whether the process that wrote a lock may still run: on another host, nobody can tell from here."""
    if owner["host"] != platform.node():
        return True
    pid, this_boot = owner["pid"], owner.get("boot") == _boot_id()
    if not this_boot or not isinstance(pid, int):
        return False
    try:
        os.kill(pid, 0)
    except PermissionError:
        pass
    except (OSError, OverflowError):
        return False
    return owner.get("started") == _start_time(pid)  # or the id went to a later process


def _boot_id() -> str | None:
    with suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return None


def _start_time(pid: int) -> str | None:
    """Return when a process began, in ticks since the boot; None where the system does not tell."""
    with suppress(OSError, IndexError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    return None
