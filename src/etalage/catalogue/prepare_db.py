"""What is known of every row and picture while a catalogue is prepared, in a database on disk.

A table of a million rows so needs no more memory than one of ten. The file lives in the folder that becomes the
catalogue and is gone when it does; a killed run leaves nothing in it that the next one would need.
"""

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import astuple, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

from etalage.catalogue.download import Failed, Fetched
from etalage.catalogue.pictures import BadPicture, Picture
from etalage.chunks import chunks
from etalage.config import Split
from etalage.task import Value

__all__ = ["Kept", "StagedRow", "Staging"]

_PAGE = 4096
_UNREAD = "path IS NOT NULL AND pixels IS NULL AND reason IS NULL"

_SCHEMA = """
CREATE TABLE pictures (
    id INTEGER PRIMARY KEY, ref TEXT UNIQUE, path TEXT,
    sha256 TEXT, pixels TEXT, width INTEGER, height INTEGER, extension TEXT, phash BLOB,
    reason TEXT, detail TEXT);
CREATE TABLE rows (
    number INTEGER PRIMARY KEY, code TEXT, picture INTEGER, vals TEXT, title TEXT, family TEXT, category TEXT,
    question TEXT, asked TEXT, digest BLOB, reason TEXT, detail TEXT);
CREATE TABLE groups (pixels TEXT PRIMARY KEY, name TEXT, split TEXT, placeholder INTEGER DEFAULT 0);
CREATE VIEW good AS
    SELECT rows.number, rows.code, rows.vals, rows.title, rows.family, rows.category, rows.question, rows.asked,
           pictures.path, pictures.sha256, pictures.pixels, pictures.width, pictures.height, pictures.extension
    FROM rows JOIN pictures ON rows.picture = pictures.id
    WHERE rows.reason IS NULL AND pictures.reason IS NULL AND pictures.pixels IS NOT NULL;
CREATE VIEW kept AS
    SELECT good.*, groups.name AS grp, coalesce(good.asked, groups.split) AS split, groups.placeholder
    FROM good JOIN groups ON good.pixels = groups.pixels;
CREATE VIEW dropped AS
    SELECT rows.number, rows.code, coalesce(rows.reason, pictures.reason) AS reason,
           coalesce(rows.detail, pictures.detail) AS detail
    FROM rows LEFT JOIN pictures ON rows.picture = pictures.id
    WHERE rows.reason IS NOT NULL OR pictures.reason IS NOT NULL;
"""


@dataclass(frozen=True, slots=True)
class StagedRow:
    """A row of the table after its text was judged: fit so far, or with the reason why not."""

    number: int
    product_code: str
    digest: bytes
    """Of everything that is used of it; equal ones are repeats."""
    picture: str = ""
    """Where its picture is: a URL, or a path."""
    values: Mapping[str, Value] | None = None
    title: str = ""
    family: str = ""
    """Variants of one product share it; empty if nothing can be said."""
    category: str = ""
    question: str = ""
    split: Split | None = None
    """What the split column says."""
    reason: str | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """A product of the catalogue to be."""

    number: int
    product_code: str
    values: Mapping[str, Value]
    question: str
    picture: Path
    sha256: str
    width: int
    height: int
    extension: str
    group: str
    split: Split
    placeholder: bool


class Staging:
    """The database. A context manager; leaving it removes the file."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "staging.sqlite"

    def __enter__(self) -> Self:
        self._db = sqlite3.connect(self.path, isolation_level=None)
        for setting in ("journal_mode=OFF", "synchronous=OFF", "temp_store=FILE", "cache_size=-65536"):
            self._db.execute(f"PRAGMA {setting}")
        self._db.executescript(_SCHEMA)
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()
        self.path.unlink(missing_ok=True)

    # --- rows ---

    def add(self, rows: Iterable[StagedRow]) -> None:
        """Take rows in, then mark those that repeat an earlier one."""
        picture = lru_cache(65536)(self._picture)
        self._db.execute("BEGIN")
        self._db.executemany(
            "INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (
                    row.number,
                    row.product_code,
                    picture(row.picture) if row.picture else None,
                    None if row.values is None else json.dumps(dict(row.values), ensure_ascii=False),
                    row.title,
                    row.family,
                    row.category,
                    row.question,
                    row.split,
                    row.digest,
                    row.reason,
                    row.detail,
                )
                for row in rows
            ),
        )
        self._db.execute(
            "UPDATE rows SET picture = NULL, reason = 'row_repeated',"
            " detail = 'an earlier row has the same text in every column used'"
            " WHERE number NOT IN (SELECT min(number) FROM rows GROUP BY digest)"
        )
        self._db.execute("COMMIT")

    def _picture(self, ref: str) -> int:
        remote = ref.startswith(("http://", "https://", "//"))
        self._db.execute("INSERT OR IGNORE INTO pictures (ref, path) VALUES (?, ?)", (ref, None if remote else ref))
        return int(self._db.execute("SELECT id FROM pictures WHERE ref = ?", (ref,)).fetchone()[0])

    def most_frequent_question(self) -> str:
        """Of all rows; the first in alphabetical order where several are."""
        row = self._db.execute(
            "SELECT question FROM rows WHERE question != '' GROUP BY question ORDER BY count(*) DESC, question LIMIT 1"
        ).fetchone()
        return row[0] if row else ""

    # --- pictures ---

    def to_fetch(self) -> Iterator[str]:
        """URLs, in the order of the table."""
        return (ref for _, ref in self._pages("id, ref", "path IS NULL AND reason IS NULL"))

    def to_read(self) -> Iterator[Path]:
        """Files, in the order of the table."""
        return (Path(path) for _, path in self._pages("id, path", _UNREAD))

    def num_to_fetch(self) -> int:
        return self._count("pictures WHERE path IS NULL AND reason IS NULL")

    def num_to_read(self) -> int:
        return self._count(f"pictures WHERE {_UNREAD}")

    def fetched(self, outcomes: Iterable[Fetched | Failed]) -> None:
        """What became of each URL."""
        self._update(
            "UPDATE pictures SET path = ?, reason = ?, detail = ? WHERE ref = ?",
            (
                (None, outcome.reason, outcome.detail, outcome.url)
                if isinstance(outcome, Failed)
                else (str(outcome.path), None, None, outcome.url)
                for outcome in outcomes
            ),
        )

    def read(self, outcomes: Iterable[tuple[Path, Picture | BadPicture]]) -> None:
        """What was found in each file."""
        self._db.execute("CREATE INDEX by_path ON pictures (path)")
        self._update(
            "UPDATE pictures SET sha256 = ?, pixels = ?, width = ?, height = ?, extension = ?, phash = ?, reason = ?,"
            " detail = ? WHERE path = ?",
            (
                (*[None] * 6, found.reason, found.detail, str(path))
                if isinstance(found, BadPicture)
                else (*astuple(found)[1:], None, None, str(path))
                for path, found in outcomes
            ),
        )

    def hashes(self) -> list[tuple[str, bytes]]:
        """Pixels and perceptual hash of each distinct picture that a good row shows, by pixels."""
        return self._db.execute(
            "SELECT DISTINCT pictures.pixels, pictures.phash FROM pictures JOIN rows ON rows.picture = pictures.id"
            " WHERE rows.reason IS NULL AND pictures.pixels IS NOT NULL ORDER BY pictures.pixels"
        ).fetchall()

    # --- groups and splits ---

    def families(self) -> Iterator[tuple[str, str]]:
        """Each pair of a picture and a title family that some good row has."""
        return self._rows("SELECT DISTINCT pixels, family FROM good WHERE family != ''")

    def set_groups(self, names: Mapping[str, str]) -> None:
        """The group of each distinct picture."""
        self._update("INSERT INTO groups (pixels, name) VALUES (?, ?)", names.items())

    def flag_placeholders(self, least_titles: int) -> None:
        """Pictures that at least so many different titles stand beside."""
        self._db.execute(
            "UPDATE groups SET placeholder = 1 WHERE pixels IN"
            " (SELECT pixels FROM good GROUP BY pixels HAVING count(DISTINCT lower(title)) >= ?)",
            (least_titles,),
        )

    def drop_placeholders(self) -> None:
        """Drop the products whose picture is one."""
        self._db.execute(
            "UPDATE rows SET reason = 'image_is_placeholder', detail = 'many different products show this picture'"
            " WHERE number IN (SELECT number FROM kept WHERE placeholder)"
        )

    def members(self) -> dict[str, Counter[str]]:
        """By group, its products by category."""
        members: dict[str, Counter[str]] = defaultdict(Counter)
        for group, category, count in self._rows("SELECT grp, category, count(*) FROM kept GROUP BY grp, category"):
            members[group][category] = count
        return members

    def set_splits(self, splits: Mapping[str, Split]) -> None:
        """The split of each group."""
        self._update("UPDATE groups SET split = ? WHERE name = ?", ((split, group) for group, split in splits.items()))

    def leaks(self, split_of: Callable[[int], str] | None = None) -> Iterator[tuple[Any, ...]]:
        """Products held out whose group is also trained on, in the order of the table.

        Args:
            split_of: The split of a row by its number, instead of the catalogue's own.
        Returns:
            number, code, title, split and group; then of the first one trained on: number, title, whether it has the
            same pixels and whether it has the same title family.
        """
        held = self._split(split_of)
        self._db.executescript(
            "DROP TABLE IF EXISTS trained; CREATE TEMP TABLE trained AS SELECT grp, min(number) AS number FROM kept"
            f" WHERE {held} = 'train' GROUP BY grp; CREATE UNIQUE INDEX by_grp ON trained (grp)"
        )
        return self._rows(
            "SELECT own.number, own.code, own.title, held, own.grp, other.number, other.title,"
            " own.pixels = other.pixels, own.family = other.family AND own.family != ''"
            f" FROM (SELECT *, {held} AS held FROM kept) AS own JOIN trained ON own.grp = trained.grp"
            " JOIN good AS other ON other.number = trained.number WHERE held != 'train' ORDER BY own.number"
        )

    def num_held_out(self, split_of: Callable[[int], str] | None = None) -> int:
        """Products outside training, by the catalogue's own splits or by others."""
        return self._count(f"kept WHERE {self._split(split_of)} != 'train'")

    def _split(self, split_of: Callable[[int], str] | None) -> str:
        """The catalogue's own split or another one, in SQL."""
        if split_of is None:
            return "split"
        self._db.create_function("split_of", 1, split_of, deterministic=True)
        return "split_of(number)"

    # --- results ---

    def kept(self) -> Iterator[Kept]:
        """In the order of the table."""
        columns = "number, code, vals, question, path, sha256, width, height, extension, grp, split, placeholder"
        for row in self._rows(f"SELECT {columns} FROM kept ORDER BY number"):
            number, code, values, question, path, sha256, width, height, extension, group, split, placeholder = row
            picture = Path(path), sha256, width, height, extension
            yield Kept(number, code, json.loads(values), question, *picture, group, split, bool(placeholder))

    def kept_numbers(self) -> Iterator[int]:
        """The rows of `kept`."""
        return (number for (number,) in self._rows("SELECT number FROM kept ORDER BY number"))

    def dropped(self) -> Iterator[tuple[int, str, str, str]]:
        """Number, code, reason and detail, in the order of the table."""
        return self._rows("SELECT number, code, reason, detail FROM dropped ORDER BY number")

    def counts(self) -> dict[str, Any]:
        """By split and by reason; groups; copies."""

        def by(what: str, table: str) -> dict[str, int]:
            return dict(self._db.execute(f"SELECT {what}, count(*) FROM {table} GROUP BY {what} ORDER BY {what}"))

        exact = self._db.execute(
            "SELECT coalesce(sum(n), 0) FROM (SELECT count(*) AS n FROM kept GROUP BY pixels HAVING n > 1)"
        ).fetchone()[0]
        placeholders = self._db.execute(
            "SELECT sha256, extension, count(*), count(DISTINCT lower(title)) FROM kept WHERE placeholder"
            " GROUP BY pixels ORDER BY 3 DESC, 1"
        ).fetchall()
        return {
            "splits": by("split", "kept"),
            "drops": by("reason", "dropped"),
            "num_groups": self._db.execute("SELECT count(DISTINCT grp) FROM kept").fetchone()[0],
            "num_same_pixels": exact,
            "placeholders": placeholders,
        }

    def num_kept(self) -> int:
        return self._count("kept")

    def _count(self, table: str) -> int:
        return int(self._db.execute(f"SELECT count(*) FROM {table}").fetchone()[0])

    def _rows(self, query: str) -> Iterator[tuple[Any, ...]]:
        cursor = self._db.cursor().execute(query)
        while page := cursor.fetchmany(_PAGE):
            yield from page

    def _pages(self, columns: str, where: str) -> Iterator[tuple[Any, ...]]:
        """Of pictures, page by page, so that the table may change meanwhile."""
        last = 0
        while page := self._db.execute(
            f"SELECT {columns} FROM pictures WHERE id > ? AND {where} ORDER BY id LIMIT {_PAGE}", (last,)
        ).fetchall():
            last = page[-1][0]
            yield from page

    def _update(self, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
        """Apply page by page: what is read for the rows may come from the same table."""
        for page in chunks(rows, _PAGE):
            self._db.execute("BEGIN")
            self._db.executemany(statement, page)
            self._db.execute("COMMIT")
