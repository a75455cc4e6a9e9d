"""A folder of pictures without a table."""

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from etalage.catalogue.readers.raw_table import RawTable
from etalage.errors import EtalageError

__all__ = ["IMAGE_SUFFIXES", "has_image", "open_image_folder", "printable"]

IMAGE_SUFFIXES = frozenset((".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff"))

_COLUMNS = ["file_name", "category", "title"]


def has_image(folder: Path) -> bool:
    """Return whether a folder holds a picture, at any depth."""
    return next(_find_images(folder), None) is not None


def open_image_folder(folder: Path) -> RawTable:
    """Open a table with one row per picture: its subfolder is its category, its own name the title.

    Raises:
        EtalageError: There are no pictures.
    """
    if not has_image(folder):
        raise EtalageError(f"{folder.name} holds no pictures; it may hold {', '.join(sorted(IMAGE_SUFFIXES))}")

    def read_rows(columns: Sequence[str]) -> Iterator[list[Any]]:
        for path in _find_images(folder):
            relative = path.relative_to(folder)
            cells = {
                "file_name": relative.as_posix(),  # with bytes that are not UTF-8, by which the file is found
                "category": printable(relative.parent.name),
                "title": printable(" ".join(re.sub(r"[_-]", " ", relative.stem).split())),
            }
            yield [cells[column] for column in columns]

    return RawTable(list(_COLUMNS), read_rows)


def _find_images(folder: Path) -> Iterator[Path]:
    """Yield pictures by name, folder by folder, except hidden ones; never follow a link to a folder."""
    with os.scandir(folder) as entries:
        names = sorted(entry.name for entry in entries)  # names alone: a folder may hold millions
    for name in names:
        if name.startswith("."):
            continue
        path = folder / name
        if path.suffix.lower() in IMAGE_SUFFIXES:
            yield path
        elif path.is_dir() and not path.is_symlink():  # a link may lead back up, and the search would never end
            yield from _find_images(path)


def printable(name: str) -> str:
    """Return a file's name as valid Unicode: bytes of it that are not UTF-8 become question marks."""
    return name.encode("utf-8", "replace").decode()
