"""Pictures -> cells: a folder of them, and WebDataset tars. A name from either is text, never a path to write to."""

import os
import re
import tarfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any

from etalage.catalogue.readers import AS_WRITTEN, Opened
from etalage.errors import EtalageError

__all__ = ["PICTURES", "TARS", "has_picture", "open_pictures", "open_tars"]

PICTURES = frozenset((".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff"))
TARS = (".tar", ".tar.gz", ".tgz")

NUM_NAMED_BY = 200
"""Samples of a tar whose fields become its columns; looking through all of it would read every picture twice."""


def has_picture(folder: Path) -> bool:
    """Whether there is a picture in it, however deep."""
    return next(_pictures(folder), None) is not None


def open_pictures(folder: Path) -> Opened:
    """A picture per row; its subfolder is its category, its own name the title.

    Raises:
        EtalageError: no pictures.
    """
    if not has_picture(folder):
        raise EtalageError(f"{folder.name} holds no pictures; it may hold {', '.join(sorted(PICTURES))}")

    def records(columns: Sequence[str]) -> Iterator[list[Any]]:
        for path in _pictures(folder):
            place = path.relative_to(folder)
            cells = {
                "file_name": _printable(place.as_posix()),
                "category": _printable(place.parent.name),
                "title": _printable(" ".join(re.sub(r"[_-]", " ", place.stem).split())),
            }
            yield [cells[column] for column in columns]

    return Opened(["file_name", "category", "title"], records)


def open_tars(paths: Sequence[Path], max_bytes: int) -> Opened:
    """WebDataset's layout: the members of a sample stand together and share their name up to its first dot.

    Pictures become `image`, the fields of .json columns, .txt `title`, .cls `category`, the shared name `__key__`.

    Args:
        max_bytes: Of a member. A larger picture is cut one byte beyond, so that it is dropped for its size.
    Raises:
        EtalageError: no samples; while reading, a damaged tar or a larger member of another kind, by name.
    """
    names: dict[str, None] = {"image": None, "__key__": None}
    samples = list(islice(_samples(paths, max_bytes, with_pictures=False), NUM_NAMED_BY))
    if not samples:
        raise EtalageError(f"{paths[0].name} is empty: no samples in it")
    for sample in samples:
        names.update(dict.fromkeys(sample))

    def records(columns: Sequence[str]) -> Iterator[list[Any]]:
        samples = _samples(paths, max_bytes, with_pictures="image" in columns)
        return ([sample.get(column) for column in columns] for sample in samples)

    return Opened(list(names), records)


def _pictures(folder: Path) -> Iterator[Path]:
    """By name, folder by folder; what is hidden is left out, and no link to a folder is followed."""
    with os.scandir(folder) as entries:
        names = sorted(entry.name for entry in entries)  # all that is held of a folder of millions
    for name in names:
        if name.startswith("."):
            continue
        path = folder / name
        if path.suffix.lower() in PICTURES:
            yield path
        elif path.is_dir() and not path.is_symlink():
            yield from _pictures(path)


def _samples(paths: Sequence[Path], max_bytes: int, *, with_pictures: bool) -> Iterator[dict[str, Any]]:
    for path in paths:
        key = ""
        sample: dict[str, Any] = {}
        for name, member, tar in _members(path):
            stem, _, ending = PurePosixPath(name).name.partition(".")
            suffix = "." + ending.rpartition(".")[2].lower()
            own_key = _printable(name[: len(name) - len(ending) - 1] if ending else name)
            if not stem or not ending:  # hidden, or of no kind
                continue
            if own_key != key and sample:
                yield {"__key__": key, **sample}
                sample = {}
            key = own_key
            if suffix in PICTURES:
                picture = _read(tar, member, max_bytes + 1, path) if with_pictures else b""
                sample.setdefault("image", picture)
            elif suffix in (".json", ".txt", ".cls"):
                if member.size > max_bytes:
                    raise EtalageError(
                        f"{path.name}, {own_key}{suffix}: {member.size} bytes, at most {max_bytes} are read"
                    )
                text = _read(tar, member, max_bytes, path).decode("utf-8-sig", "replace")
                _add(sample, suffix, text, f"{path.name}, {own_key}.{ending}")
        if sample:
            yield {"__key__": key, **sample}


def _members(path: Path) -> Iterator[tuple[str, tarfile.TarInfo, tarfile.TarFile]]:
    try:
        with tarfile.open(path, "r|*", errors="surrogateescape") as tar:
            for member in tar:
                tar.members = []  # type: ignore[attr-defined]  # of which a tar of millions would hold as many
                if member.isreg():
                    yield member.name, member, tar
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise EtalageError(f"{path.name} cannot be read as tar: {error}") from error


def _read(tar: tarfile.TarFile, member: tarfile.TarInfo, size: int, path: Path) -> bytes:
    file = tar.extractfile(member)
    assert file is not None, "only regular members are read"
    data = file.read(size)
    if len(data) < min(size, member.size):
        raise EtalageError(f"{path.name} is cut short: it says {member.size} bytes of {_printable(member.name)}")
    return data


def _add(sample: dict[str, Any], suffix: str, text: str, where: str) -> None:
    if suffix != ".json":
        sample.setdefault({".txt": "title", ".cls": "category"}[suffix], text.strip())
        return
    try:
        fields = AS_WRITTEN.decode(text)
    except (ValueError, RecursionError) as error:
        raise EtalageError(f"{where} is not JSON: {error}") from error
    if not isinstance(fields, dict):
        raise EtalageError(f"{where} holds a {type(fields).__name__}; write an object")
    flat = dict(_flat(fields))
    sample.update({name: value for name, value in flat.items() if name not in ("image", "__key__")})


def _flat(fields: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in fields.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def _printable(name: str) -> str:
    return name.encode("utf-8", "replace").decode()
