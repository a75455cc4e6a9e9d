"""The pictures of a catalogue in preparation: which to fetch, to decode and, where one fails, to try next.

Every picture has a number of its own, and results come back with it. No result is found again by its URL or path, since
a text may not survive the way through other libraries unchanged.
"""

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import astuple
from functools import lru_cache
from pathlib import Path
from typing import Any

from etalage.catalogue.download import Failed, Fetched
from etalage.catalogue.pictures import BadPicture, Picture
from etalage.catalogue.prepare_rows import Candidate
from etalage.chunks import chunks

__all__ = ["PAGE_SIZE", "PictureDb"]

PAGE_SIZE = 4096
"""Rows of the database that are held at once."""

_ID_CACHE_SIZE = 65536
_UNFETCHED = "path IS NULL AND reason IS NULL"
_UNREAD = "path IS NOT NULL AND pixels IS NULL AND reason IS NULL"


class PictureDb:
    """The part of the preparation database that knows pictures.

    Args:
        path: The file of the database.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._db: sqlite3.Connection
        self._picture_id = lru_cache(_ID_CACHE_SIZE)(self._add_picture)  # many rows may show one picture

    def urls_to_fetch(self) -> Iterator[tuple[int, str]]:
        """Yield the id and the URL of each picture that is not fetched yet, in the order of the table."""
        pages = self._picture_pages("id, ref", _UNFETCHED)
        return ((picture_id, _decode_url(ref)) for picture_id, ref in pages)

    def files_to_read(self) -> Iterator[tuple[int, Path]]:
        """Yield the id and the file of each picture that is not read yet, in the order of the table."""
        return ((picture_id, Path(os.fsdecode(path))) for picture_id, path in self._picture_pages("id, path", _UNREAD))

    def num_urls_to_fetch(self) -> int:
        """Return the number of pictures that are not fetched yet."""
        return self._count(f"pictures WHERE {_UNFETCHED}")

    def num_files_to_read(self) -> int:
        """Return the number of pictures that are not read yet."""
        return self._count(f"pictures WHERE {_UNREAD}")

    def record_fetched(self, results: Iterable[tuple[int, Fetched | Failed]]) -> None:
        """Record the path of each fetched picture, or why there is none.

        Args:
            results: What the pictures of `urls_to_fetch` gave, by id, in any order.
        """
        self._update(
            "UPDATE pictures SET path = ?, reason = ?, detail = ? WHERE id = ?",
            (
                (None, result.reason, _printable(result.detail), picture_id)
                if isinstance(result, Failed)
                else (os.fsencode(result.path), None, None, picture_id)
                for picture_id, result in results
            ),
        )

    def record_read(self, results: Iterable[tuple[int, Picture | BadPicture]]) -> None:
        """Record what was found in each file.

        Args:
            results: What the files of `files_to_read` hold, by id, in any order.
        """
        self._update(
            "UPDATE pictures SET sha256 = ?, pixels = ?, width = ?, height = ?, extension = ?, phash = ?, reason = ?,"
            " detail = ? WHERE id = ?",
            (
                (*[None] * 6, result.reason, _printable(result.detail), picture_id)
                if isinstance(result, BadPicture)
                # The fields of Picture are in the order of these columns, after its path.
                else (*astuple(result)[1:], None, None, picture_id)
                for picture_id, result in results
            ),
        )

    def try_next_pictures(self) -> bool:
        """Let rows whose picture failed show their next one; return whether any of these is to be fetched or read.

        Call it once the pictures so far are fetched and read.
        """
        while True:
            failed = self._db.execute(
                "SELECT shown.id, shown.more, pictures.reason, pictures.detail FROM shown"
                " JOIN pictures ON shown.picture = pictures.id"
                f" WHERE shown.more IS NOT NULL AND pictures.reason IS NOT NULL LIMIT {PAGE_SIZE}"
            ).fetchall()
            if not failed:
                break
            self._db.execute("BEGIN")
            for shown_id, more, reason, detail in failed:
                following = _load_candidates(more)
                self._db.execute(
                    "UPDATE shown SET picture = ?, found_by = ?, written = ?, more = ?, num_tried = num_tried + 1,"
                    " first_reason = coalesce(first_reason, ?), first_detail = coalesce(first_detail, ?) WHERE id = ?",
                    (*self._shown_columns(following), reason, detail, shown_id),
                )
            self._db.execute("COMMIT")
        return bool(self.num_urls_to_fetch() or self.num_files_to_read())

    def _add_shown(self, number: int, candidates: tuple[Candidate, ...], *, all_images: bool) -> None:
        """Add the pictures of a row: each of them, or the first with the others to fall back on."""
        for shown in ((candidate,) for candidate in candidates) if all_images else (candidates,):
            if shown:
                self._db.execute(
                    "INSERT INTO shown (number, picture, found_by, written, more) VALUES (?, ?, ?, ?, ?)",
                    (number, *self._shown_columns(shown)),
                )

    def _shown_columns(self, candidates: tuple[Candidate, ...]) -> tuple[int, str, str, str | None]:
        """Return picture, found_by, written and more for the first of some candidates."""
        first, *others = candidates
        return self._picture_id(first), first.found_by, first.written, _dump_candidates(others)

    def _add_picture(self, candidate: Candidate) -> int:
        """Return the id of a picture, which is added unless it is known."""
        path = None
        # A letter tells apart a URL and a file of the same name.
        if candidate.path is not None:
            path = os.fsencode(candidate.path)
            ref = b"f" + path
        elif candidate.url:
            ref = b"u" + candidate.url.encode("utf-8", "surrogatepass")
        else:
            ref = f"x{candidate.reason}\n{candidate.detail}".encode("utf-8", "backslashreplace")
        detail = None if candidate.detail is None else _printable(candidate.detail)
        self._db.execute(
            "INSERT OR IGNORE INTO pictures (ref, path, reason, detail) VALUES (?, ?, ?, ?)",
            (ref, path, candidate.reason, detail),
        )
        # Asked for, since `lastrowid` is not set where the insertion was ignored.
        return int(self._db.execute("SELECT id FROM pictures WHERE ref = ?", (ref,)).fetchone()[0])

    def _picture_pages(self, columns: str, condition: str) -> Iterator[tuple[Any, ...]]:
        """Yield pictures page by page, so that the table may change meanwhile; the first column is the id."""
        last_id = 0
        while page := self._db.execute(
            f"SELECT {columns} FROM pictures WHERE id > ? AND {condition} ORDER BY id LIMIT {PAGE_SIZE}", (last_id,)
        ).fetchall():
            last_id = page[-1][0]
            yield from page

    def _count(self, table: str) -> int:
        return int(self._db.execute(f"SELECT count(*) FROM {table}").fetchone()[0])

    def _rows(self, query: str) -> Iterator[tuple[Any, ...]]:
        cursor = self._db.execute(query)
        while page := cursor.fetchmany(PAGE_SIZE):
            yield from page

    def _update(self, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
        """Run a statement for each row, page by page: reading the rows may read from the same table."""
        for page in chunks(rows, PAGE_SIZE):
            self._db.execute("BEGIN")
            self._db.executemany(statement, page)
            self._db.execute("COMMIT")


def _decode_url(ref: bytes) -> str:
    return ref[1:].decode("utf-8", "surrogatepass")


def _printable(text: str) -> str:
    """Escape lone surrogates, as of file names that are not Unicode: neither SQLite nor Parquet can hold them."""
    return text.encode("utf-8", "backslashreplace").decode()


def _dump_candidates(candidates: list[Candidate]) -> str | None:
    if not candidates:
        return None
    # JSON escapes lone surrogates and reads them back.
    return json.dumps(
        [
            (one.url, None if one.path is None else str(one.path), one.found_by, one.written, one.reason, one.detail)
            for one in candidates
        ]
    )


def _load_candidates(text: str) -> tuple[Candidate, ...]:
    return tuple(Candidate(url, None if path is None else Path(path), *rest) for url, path, *rest in json.loads(text))
