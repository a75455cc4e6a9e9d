"""Finds the file that a table names, in the spellings that shops, systems and archives leave behind.

An exact name is one look at the disk. Only where there is none, other spellings are tried, and then the listing of the
folder is searched for names that differ in case, in the form of their letters or in their suffix. Nothing is reached
outside the folder, and what several files may be is refused.
"""

import errno
import html
import os
import re
import unicodedata
import urllib.parse
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from etalage.catalogue.pictures.errors import BadPicture
from etalage.catalogue.pictures.references import resolve_picture

__all__ = ["FoundFile", "PictureFolder"]

MAX_LISTED_FILES = 1_000_000
"""The most names of files that are held in memory."""

MAX_FOUND_FOLDERS = 16
"""The most folders that are searched for one path; only folders that differ in case alone are several."""

_SUFFIXES = frozenset(
    (
        *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff"),
        *(".avif", ".heic", ".heif"),
    )
)
_MAX_PATH_CHARS = 4096
_MAX_SHOWN_CHARS = 100
_MAX_FILES_SHOWN = 3
_DRIVE = re.compile(r"[A-Za-z]:[/\\]")
_HOST = re.compile(r"(?:[\w-]+\.)+[A-Za-z]{2,}/")
_QUERY = re.compile(r"(\.\w{3,4})[?#][^/]*$")


class FoundFile(NamedTuple):
    """A file of the folder."""

    path: Path
    found_by: str
    """How its name differs from the table's; empty if it does not."""


class PictureFolder:
    """A folder of pictures, with listings of the folders in it that were searched.

    Args:
        folder: The folder, resolved; no path leads out of it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._listings: OrderedDict[Path, dict[str, list[str]]] = OrderedDict()
        self._num_listed = 0
        self._unlisted: set[Path] = set()

    def find(self, text: str) -> FoundFile:
        """Return the file that a text names.

        Args:
            text: A path as the table has it: absolute or relative, of any system, or a file:// URL.

        Raises:
            BadPicture: image_path_invalid, image_outside_folder, image_not_found, or image_ambiguous where several
                files may be meant.
        """
        shown = repr(text[:_MAX_SHOWN_CHARS])
        if len(text) > _MAX_PATH_CHARS:
            raise BadPicture("image_path_invalid", f"{shown}: a text of {len(text)} characters is no path and no URL")
        refusal: BadPicture | None = None
        inside: list[tuple[str, Path]] = []
        for spelling, found_by in _spellings(text):
            try:
                path = resolve_picture(self.folder, spelling)
            except BadPicture as bad:
                refusal = refusal or bad
                continue
            if os.path.isfile(path):  # noqa: PTH113  # False where Path.is_file raises, as for long names
                return FoundFile(path, found_by)
            inside.append((spelling, path))
        for spelling, _ in inside:
            if (found := self._search(spelling, shown)) is not None:
                return found
        if refusal is not None:
            also = ", and no file is there from the folder's own start" if inside else ""
            raise BadPicture(refusal.reason, refusal.detail + also)
        raise BadPicture("image_not_found", f"{shown} {self._why_missing(text, inside[0][1])}")

    def _why_missing(self, text: str, path: Path) -> str:
        """Return why a path inside the folder cannot be used."""
        if _DRIVE.match(text):
            return "names a drive of a Windows machine; write paths from the folder that --image-folder gives"
        # False where Path.is_dir raises, as for long names.
        if _HOST.match(text) and not os.path.isdir(self.folder / text.partition("/")[0]):  # noqa: PTH112
            return "is not there; if it is a URL, write https:// before it"
        if path.parent in self._unlisted:
            return f"is not there by exactly this name, and its folder has more than {MAX_LISTED_FILES:,} names"
        try:
            path.stat()
        except OSError as error:
            return "is not there" if error.errno == errno.ENOENT else f"cannot be read: {error.strerror}"
        return "is not a file"

    def _search(self, spelling: str, shown: str) -> FoundFile | None:
        """Return the one file whose name is nearly the given one, by the first rule that fits any file."""
        if Path(spelling).is_absolute():
            try:
                spelling = str(Path(spelling).relative_to(self.folder))
            except ValueError:
                return None
        *parents, name = [part for part in spelling.split("/") if part not in ("", ".")] or [""]
        if ".." in parents or name in ("", ".."):
            return None
        folders = [self.folder]
        for parent in parents:
            folders = [child for folder in folders for child in self._similar(folder, parent, os.path.isdir)]
            folders = folders[:MAX_FOUND_FOLDERS]
        files = [path for folder in folders for path in self._similar(folder, name, os.path.isfile)]
        for rule, fits in _RULES:
            fitting = [path for path in files if fits(path.name, name)]
            if rule != "other suffix":  # which is a rule for names of files alone
                fitting = [path for path in fitting if _all_fit(path, self.folder, parents, fits)]
            fitting = list({path.resolve(): path for path in fitting}.values())  # links to one file are one
            if len(fitting) > 1:
                names = ", ".join(repr(str(path.relative_to(self.folder))) for path in fitting[:_MAX_FILES_SHOWN])
                raise BadPicture("image_ambiguous", f"{shown} may be any of {len(fitting)} files: {names}")
            if fitting:
                return FoundFile(resolve_picture(self.folder, str(fitting[0])), rule)
        return None

    def _similar(self, folder: Path, name: str, is_kind: Callable[[Path], bool]) -> Iterator[Path]:
        """Yield what is like a name in a folder."""
        for found in self._listing(folder).get(_key(name), ()):
            path = folder / found
            # A link may lead anywhere.
            if path.resolve().is_relative_to(self.folder) and is_kind(path):
                yield path

    def _listing(self, folder: Path) -> dict[str, list[str]]:
        """Return the names in a folder by their keys; the folders asked for longest ago are forgotten."""
        if (known := self._listings.get(folder)) is not None:
            self._listings.move_to_end(folder)
            return known
        listing: dict[str, list[str]] = {}
        with suppress(OSError), os.scandir(folder) as entries:
            for num_names, entry in enumerate(entries, 1):
                listing.setdefault(_key(entry.name), []).append(entry.name)
                # With a part of the names, it would not be known whether only one fits.
                if num_names > MAX_LISTED_FILES:
                    listing.clear()
                    self._unlisted.add(folder)
                    break
        self._num_listed += sum(map(len, listing.values()))
        self._listings[folder] = listing
        while self._num_listed > MAX_LISTED_FILES and len(self._listings) > 1:
            _, forgotten = self._listings.popitem(last=False)
            self._num_listed -= sum(map(len, forgotten.values()))
        return listing


def _spellings(text: str) -> Iterator[tuple[str, str]]:
    """Yield a path as it is, then as other systems write it, each step on top of the last one."""
    yield text, ""
    done = text
    for found_by, change in _CHANGES:
        changed = change(done)
        if changed and changed != done:
            done = changed
            yield done, found_by


def _strip_file_url(text: str) -> str:
    match = re.match(r"file:(?://[^/]*)?(/.*)", text, re.IGNORECASE)
    return urllib.parse.unquote(match[1], errors="surrogateescape") if match else text


def _use_slashes(text: str) -> str:
    return text.replace("\\", "/")


def _strip_query(text: str) -> str:
    return _QUERY.sub(r"\1", text)


_CHANGES: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("file:// URL", _strip_file_url),
    ("backslashes", _use_slashes),
    ("leading slash", lambda text: text.lstrip("/")),
    ("HTML entities", html.unescape),
    ("query string", _strip_query),
    ("percent-encoding", lambda text: urllib.parse.unquote(text, errors="surrogateescape")),
    ("leading slash", lambda text: text.lstrip("/")),
)


def _letters(name: str) -> str:
    """Return a name in composed letters; bytes that are not UTF-8 are read as Western letters."""
    if not name.isascii():
        name = "".join(_western(char) if "\udc80" <= char <= "\udcff" else char for char in name)
    return unicodedata.normalize("NFC", name)


def _western(surrogate: str) -> str:
    return os.fsencode(surrogate).decode("cp1252", "replace")


def _stem(name: str) -> str:
    return name.rpartition(".")[0] if _is_picture(name) else name


def _fold(name: str) -> str:
    return unicodedata.normalize("NFC", _letters(name).casefold())


def _key(name: str) -> str:
    """Return what a name shares with all names that may be meant by it."""
    return _fold(_stem(name))


def _is_picture(name: str) -> bool:
    stem, dot, suffix = name.rpartition(".")
    return bool(stem) and (dot + suffix).lower() in _SUFFIXES


# The strictest rule first; each says whether a name on disk fits a name in a table.
_RULES: tuple[tuple[str, Callable[[str, str], bool]], ...] = (
    ("letters in another encoding", lambda found, name: _letters(found) == _letters(name)),
    ("upper or lower case", lambda found, name: _fold(found) == _fold(name)),
    ("other suffix", lambda found, name: _is_picture(found) and _letters(_stem(found)) == _letters(_stem(name))),
    ("other suffix", lambda found, name: _is_picture(found)),
)


def _all_fit(path: Path, root: Path, parents: list[str], fits: Callable[[str, str], bool]) -> bool:
    """Return whether each folder of a path fits its name in the table."""
    return all(fits(found, name) for found, name in zip(path.relative_to(root).parts, parents, strict=False))
