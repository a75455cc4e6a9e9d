"""The files of a folder that may be from elsewhere: which of them may be read, and whether they have changed."""

import errno
import os
import re
import stat
from pathlib import Path

import xxhash

from etalage.errors import EtalageError

__all__ = [
    "SMALL",
    "SUMS",
    "WHOLE_MODEL",
    "file_digest",
    "file_in",
    "model_folder",
    "optional_file_in",
    "verify_sums",
    "write_sums",
]

SMALL = Path(__file__).parent / "base" / "small"
"""The small model that ships: a checkpoint folder like any other; its card is README.md."""

WHOLE_MODEL = (
    "give --model a folder that holds a whole Phi-3-vision checkpoint (config.json, safetensors and tokenizer), a hub "
    "id that this machine can reach, or small"
)
"""The remedy for a model that cannot be loaded."""

SUMS = "xxh128sums.txt"
"""The digests of a model folder's files, in the format that `xxhsum -c` checks."""

_SUFFIXES = (".json", ".safetensors", ".jinja")
"""The files that a model is loaded from; a README may be edited."""

_LINE = re.compile(r"([0-9a-f]{32})  ([\w.-]+)")


def model_folder(model: str, remedy: str = WHOLE_MODEL) -> Path | None:
    """Return the folder of a base without loading anything; None if its name is a hub id.

    Args:
        model: `small`, a checkpoint folder, or a hub id.
        remedy: What the user can do, as the end of a sentence.

    Raises:
        EtalageError: It is a path, and there is no folder.
    """
    if model == "small":  # also where the working directory has a folder of this name
        return SMALL
    folder = Path(model)
    if model and folder.is_dir():  # an empty path would be the working directory
        return folder
    if folder.exists() or folder.is_absolute() or model.count("/") != 1 or model[0] in ".~":
        raise EtalageError(f"the model {model} is no folder; {remedy}")
    return None


def file_in(folder: Path, name: str, remedy: str) -> Path:
    """Return the path of a file of a folder, without opening it.

    Args:
        folder: The folder.
        name: The file's name; names from other files may be anything.
        remedy: What the user can do, as the end of a sentence.

    Raises:
        EtalageError: The name leads out of the folder, or there is no regular file of this name.
    """
    path = optional_file_in(folder, name, remedy)
    if path is None:
        raise EtalageError(f"{str(folder / name)!r} cannot be read ({os.strerror(errno.ENOENT)}); {remedy}")
    return path


def optional_file_in(folder: Path, name: str, remedy: str) -> Path | None:
    """Return the path of a file of a folder that may be missing, without opening it.

    Args:
        folder: The folder.
        name: The file's name; names from other files may be anything.
        remedy: What the user can do, as the end of a sentence.

    Returns:
        Its path; None if it is missing.

    Raises:
        EtalageError: The name leads out of the folder, or what has this name is not a regular file.
    """
    if "\0" in name or name in ("", "..") or Path(name).name != name:
        raise EtalageError(f"{folder} names a file {name!r}, which is not inside the folder; {remedy}")
    path = folder / name
    try:
        status = path.lstat()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise EtalageError(f"{str(path)!r} cannot be read ({error.strerror}); {remedy}") from error
    if stat.S_ISLNK(status.st_mode):
        status = _follow(path, remedy)
    if not stat.S_ISREG(status.st_mode):
        raise EtalageError(f"{path} is not a regular file; {remedy}")
    return path


def _follow(path: Path, remedy: str) -> os.stat_result:
    """Return the status of what a link leads to, which has to be in the folder, or in the hub's cache around it."""
    try:
        target = path.resolve(strict=True)
        status = target.stat()
    except (OSError, RuntimeError) as error:  # a RuntimeError is a loop of links
        raise EtalageError(f"{path} is a link that leads nowhere; {remedy}") from error
    folder = path.parent.resolve()
    # The hub's cache keeps models--NAME/blobs/DIGEST, and links to them in models--NAME/snapshots/REVISION.
    blobs = folder.parent.parent / "blobs" if folder.parent.name == "snapshots" else folder
    if not (target.is_relative_to(folder) or target.is_relative_to(blobs)):
        raise EtalageError(f"{path} is a link to {target}, outside the folder; copy the file there, or {remedy}")
    return status


def file_digest(path: Path) -> str:
    """Return the XXH3 digest of a file's bytes, 32 hexadecimal digits.

    It tells damage and change, at the speed of memory; it does not withstand someone who forges it.

    Args:
        path: A regular file.
    """
    digest = xxhash.xxh3_128()
    buffer = memoryview(bytearray(1 << 20))
    with path.open("rb", buffering=0) as file:
        while count := file.readinto(buffer):
            digest.update(buffer[:count])
    return digest.hexdigest()


def write_sums(folder: Path) -> None:
    """Write the digests of the files that a model is loaded from into SUMS.

    Args:
        folder: The model's folder.
    """
    names = sorted(path.name for path in folder.iterdir() if path.suffix in _SUFFIXES)
    lines = [f"{file_digest(folder / name)}  {name}\n" for name in names]
    (folder / SUMS).write_text("".join(lines), encoding="utf-8")


def verify_sums(folder: Path, sums: str, remedy: str) -> None:
    """Compare a folder's files with the digests that were taken when they were written.

    Args:
        folder: The folder.
        sums: The content of SUMS.
        remedy: What the user can do, as the end of a sentence.

    Raises:
        EtalageError: A file has changed, is missing, or was not there.
    """
    expected = {}
    for number, line in enumerate(sums.splitlines(), 1):
        if not (found := _LINE.fullmatch(line)):
            raise EtalageError(f"{folder / SUMS} line {number} is damaged; {remedy}")
        expected[found[2]] = found[1]
    for name, digest in expected.items():
        path = file_in(folder, name, remedy)
        if file_digest(path) != digest:
            raise EtalageError(f"{path} has changed since it was written (its digest was {digest}); {remedy}")
    # One more could be read instead of one that is known.
    present = {path.name for path in folder.iterdir() if path.suffix in _SUFFIXES}
    if unknown := sorted(present - expected.keys()):
        raise EtalageError(f"{folder / unknown[0]} is not among the files that were written; remove it")
