"""The folder that fetched pictures are kept in, and the table of what each URL gave.

STORE/ab/<sha256 of the bytes>   a picture, named by its content only
STORE/fetched.sqlite             what each URL gave: a picture, or the reason why not
STORE/fetched.lock               held while a process uses the store
STORE/.partial                   pictures that are being written

A picture is in its place before its row is written. A run that is killed at any moment therefore leaves nothing worse
than a picture to request again.
"""

import hashlib
import shutil
import sqlite3
import time
from collections.abc import Iterable
from itertools import count
from pathlib import Path
from typing import IO, Self

from etalage.catalogue.download.results import Failed, Fetched, Outcome
from etalage.errors import EtalageError
from etalage.locks import lock

__all__ = ["DownloadStore"]

RECHECKED_REASONS = frozenset(("fetch_url_invalid", "fetch_address_refused"))
"""Refusals of our own, which another setting may lift; they are not remembered from run to run."""

_VERSION = 1
_CHUNK_BYTES = 1 << 18


class DownloadStore:
    """A folder of fetched pictures with a table of what each URL gave.

    A context manager. All methods but `add_picture` and `picture_path` belong to the thread that entered it.

    Args:
        folder: The folder, made if missing.
        retry_failed: Forget what failed in earlier runs.
    """

    def __init__(self, folder: Path, *, retry_failed: bool) -> None:
        self.folder = folder
        self.partial_folder = folder / ".partial"
        """For files that are not complete yet; on the same file system, so that renaming them is atomic."""
        self._retry_failed = retry_failed
        # Tells failures of this run, which are not tried again, from those of earlier runs.
        self._run_id = time.time_ns()
        # Its `next` is atomic in CPython, so the threads that write need no lock for a name.
        self._partial_names = count()

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._lock = lock(
            self.folder / "fetched.lock", str(self.folder), "wait for it, or choose another folder with --downloads"
        )
        self._lock.__enter__()
        try:
            shutil.rmtree(self.partial_folder, ignore_errors=True)  # killed runs leave files there
            self.partial_folder.mkdir(exist_ok=True)
            self._table = self._open_table()
        except BaseException:
            self._lock.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._table.close()
        shutil.rmtree(self.partial_folder, ignore_errors=True)
        self._lock.__exit__(None, None, None)

    def _open_table(self) -> sqlite3.Connection:
        path = self.folder / "fetched.sqlite"
        table = sqlite3.connect(path, check_same_thread=False)  # a generator may be closed by another thread
        try:
            # readers and a kill at any moment find a whole table; a power cut may only lose the last rows
            table.execute("PRAGMA journal_mode = WAL")
            table.execute("PRAGMA synchronous = NORMAL")
            version = table.execute("PRAGMA user_version").fetchone()[0]
            # A new file has version 0.
            if version not in (0, _VERSION):
                raise EtalageError(
                    f"{path} is of version {version}, but this etalage reads version {_VERSION}; choose another folder "
                    "with --downloads"
                )
            table.execute(
                "CREATE TABLE IF NOT EXISTS fetched (url TEXT PRIMARY KEY, sha256 TEXT, num_bytes INTEGER, reason TEXT,"
                " detail TEXT, tries INTEGER NOT NULL, run INTEGER NOT NULL) WITHOUT ROWID"
            )
            table.execute(f"PRAGMA user_version = {_VERSION}")
            table.commit()
        except sqlite3.DatabaseError as error:
            table.close()
            raise EtalageError(f"{path}: {error}; remove it (the pictures will be fetched again)") from error
        except BaseException:
            table.close()
            raise
        return table

    def find(self, url: str) -> Fetched | Failed | None:
        """Return what is known of a URL, or None if it has to be requested.

        Args:
            url: The URL as it was given.
        """
        row = self._table.execute(
            "SELECT sha256, num_bytes, reason, detail, run FROM fetched WHERE url = ?", (_escape(url),)
        ).fetchone()
        if row is None:
            return None
        sha256, num_bytes, reason, detail, run_id = row
        if reason is not None:
            expired = run_id != self._run_id and (self._retry_failed or reason in RECHECKED_REASONS)
            return None if expired else Failed(url, reason, detail)
        path = self.picture_path(sha256)
        try:
            complete = path.stat().st_size == num_bytes  # a power cut may keep the row and lose the bytes
        except OSError:
            complete = False
        return Fetched(url, path, sha256) if complete else None

    def record(self, outcomes: Iterable[Outcome]) -> None:
        """Write what URLs gave into the table, in one transaction.

        Args:
            outcomes: Results whose pictures are already in their places.
        """
        rows: list[tuple[str | int | None, ...]] = []
        for outcome in outcomes:
            match outcome.result:
                case Fetched(url, _, sha256):
                    rows.append((_escape(url), sha256, outcome.num_bytes, None, None, outcome.num_tries, self._run_id))
                case Failed(url, reason, detail):
                    rows.append((_escape(url), None, None, reason, _escape(detail), outcome.num_tries, self._run_id))
        with self._table:
            self._table.executemany("INSERT OR REPLACE INTO fetched VALUES (?, ?, ?, ?, ?, ?, ?)", rows)

    def picture_path(self, sha256: str) -> Path:
        """Return the place of a picture.

        Args:
            sha256: SHA-256 of the picture's bytes, in hexadecimal.
        """
        return self.folder / sha256[:2] / sha256

    def add_picture(self, body: IO[bytes]) -> tuple[str, int]:
        """Copy a picture to its place; many threads may do so at once.

        Args:
            body: A file with the picture, read from its start.

        Returns:
            SHA-256 in hexadecimal, and the number of bytes.
        """
        partial = self.partial_folder / str(next(self._partial_names))
        digest = hashlib.sha256()
        body.seek(0)
        with partial.open("wb") as file:
            while chunk := body.read(_CHUNK_BYTES):
                digest.update(chunk)
                file.write(chunk)
            num_bytes = file.tell()
        path = self.picture_path(digest.hexdigest())
        try:
            partial.replace(path)
        except FileNotFoundError:  # the first picture of its folder
            path.parent.mkdir(exist_ok=True)
            partial.replace(path)
        return digest.hexdigest(), num_bytes


def _escape(text: str) -> str:
    """Escape lone surrogates, which UTF-8 and therefore SQLite cannot hold."""
    return text.encode("utf-8", "backslashreplace").decode()
