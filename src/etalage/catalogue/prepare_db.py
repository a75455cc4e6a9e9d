"""A database on disk with what is known of every row and picture while a catalogue is prepared.

With it, a table of a million rows needs no more memory than one of ten. The file lies in the folder that becomes the
catalogue and is removed at the end. A killed run leaves nothing in it that the next run would need.
"""

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import astuple
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

from etalage.catalogue.download import Failed, Fetched
from etalage.catalogue.pictures import BadPicture, Picture
from etalage.catalogue.prepare_rows import (
    SCHEMA,
    CatalogueCounts,
    CheckedRow,
    DroppedRow,
    KeptProduct,
    Leak,
    Placeholder,
)
from etalage.chunks import chunks
from etalage.config import Split

__all__ = ["PrepareDb"]

_PAGE_SIZE = 4096
_ID_CACHE_SIZE = 65536
_UNFETCHED = "path IS NULL AND reason IS NULL"
_UNREAD = "path IS NOT NULL AND pixels IS NULL AND reason IS NULL"


class PrepareDb:
    """The database. A context manager; leaving it removes the file.

    Args:
        folder: The folder to put the file in.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / "prepare.sqlite"

    def __enter__(self) -> Self:
        # Without an isolation level, Python begins no transactions of its own between ours.
        self._db = sqlite3.connect(self.path, isolation_level=None)
        # nothing needs to survive a crash, so nothing is synced; but sorting must not fill the memory
        for setting in ("journal_mode=OFF", "synchronous=OFF", "temp_store=FILE", "cache_size=-65536"):
            self._db.execute(f"PRAGMA {setting}")
        self._db.executescript(SCHEMA)
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()
        self.path.unlink(missing_ok=True)

    # Rows

    def add_rows(self, rows: Iterable[CheckedRow]) -> None:
        """Add all rows of the table, then drop those that repeat an earlier one.

        Args:
            rows: The rows, in the order of the table.
        """
        # many rows may show one picture
        picture_id = lru_cache(_ID_CACHE_SIZE)(self._picture_id)
        self._db.execute("BEGIN")
        self._db.executemany(
            "INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (
                    row.number,
                    row.place,
                    row.product_code,
                    picture_id(row.pictures[0]) if row.pictures else None,
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

    def _picture_id(self, ref: str) -> int:
        # what has a path needs no fetching; what has none is not read before it is fetched
        is_remote = ref.startswith(("http://", "https://", "//"))
        path = None if is_remote else ref
        self._db.execute("INSERT OR IGNORE INTO pictures (ref, path) VALUES (?, ?)", (ref, path))
        # Asked for, since `lastrowid` is not set where the insertion was ignored.
        return int(self._db.execute("SELECT id FROM pictures WHERE ref = ?", (ref,)).fetchone()[0])

    def most_frequent_question(self) -> str:
        """Return the question that most rows ask; of several, the first in alphabetical order."""
        row = self._db.execute(
            "SELECT question FROM rows WHERE question != '' GROUP BY question ORDER BY count(*) DESC, question LIMIT 1"
        ).fetchone()
        return row[0] if row else ""

    # Pictures

    def urls_to_fetch(self) -> Iterator[str]:
        """Yield the URLs of pictures that are not fetched yet, in the order of the table."""
        return (ref for _, ref in self._picture_pages("id, ref", _UNFETCHED))

    def paths_to_read(self) -> Iterator[Path]:
        """Yield the files of pictures that are not read yet, in the order of the table."""
        return (Path(path) for _, path in self._picture_pages("id, path", _UNREAD))

    def num_urls_to_fetch(self) -> int:
        """Return the number of pictures that are not fetched yet."""
        return self._count(f"pictures WHERE {_UNFETCHED}")

    def num_paths_to_read(self) -> int:
        """Return the number of pictures that are not read yet."""
        return self._count(f"pictures WHERE {_UNREAD}")

    def record_fetched(self, results: Iterable[Fetched | Failed]) -> None:
        """Record the path of each fetched picture, or why there is none.

        Args:
            results: Results of `urls_to_fetch`, in any order.
        """
        self._update(
            "UPDATE pictures SET path = ?, reason = ?, detail = ? WHERE ref = ?",
            (
                (None, result.reason, result.detail, result.url)
                if isinstance(result, Failed)
                else (str(result.path), None, None, result.url)
                for result in results
            ),
        )

    def record_read(self, results: Iterable[tuple[Path, Picture | BadPicture]]) -> None:
        """Record what was found in each file.

        Args:
            results: The files of `paths_to_read` with what they hold, in any order.
        """
        # only now, since fetching changes paths; several URLs may have led to one file
        self._db.execute("CREATE INDEX by_path ON pictures (path)")
        self._update(
            "UPDATE pictures SET sha256 = ?, pixels = ?, width = ?, height = ?, extension = ?, phash = ?, reason = ?,"
            " detail = ? WHERE path = ?",
            (
                (*[None] * 6, result.reason, result.detail, str(path))
                if isinstance(result, BadPicture)
                # The fields of Picture are in the order of these columns, after its path.
                else (*astuple(result)[1:], None, None, str(path))
                for path, result in results
            ),
        )

    def picture_hashes(self) -> list[tuple[str, bytes]]:
        """Return the pixels' hash and the perceptual hash of each distinct picture of a good row, sorted."""
        return self._db.execute(
            "SELECT DISTINCT pictures.pixels, pictures.phash FROM pictures JOIN rows ON rows.picture = pictures.id"
            " WHERE rows.reason IS NULL AND pictures.pixels IS NOT NULL ORDER BY pictures.pixels"
        ).fetchall()

    # Groups and splits

    def picture_families(self) -> Iterator[tuple[str, str]]:
        """Yield each pair of a picture (its pixels' hash) and a title family that a good row has."""
        return self._rows("SELECT DISTINCT pixels, family FROM good WHERE family != ''")

    def set_groups(self, groups: Mapping[str, str]) -> None:
        """Record the group of each distinct picture.

        Args:
            groups: Names of groups by pixels' hash.
        """
        self._update("INSERT INTO groups (pixels, name) VALUES (?, ?)", groups.items())

    def flag_placeholders(self, min_titles: int) -> None:
        """Flag pictures that many different titles share.

        Args:
            min_titles: The number of titles from which on a picture is flagged.
        """
        self._db.execute(
            "UPDATE groups SET placeholder = 1 WHERE pixels IN"
            # lower() knows ASCII only, so titles in other scripts count by their exact letters
            " (SELECT pixels FROM good GROUP BY pixels HAVING count(DISTINCT lower(title)) >= ?)",
            (min_titles,),
        )

    def drop_placeholders(self) -> None:
        """Drop the products whose picture is flagged as a placeholder."""
        self._db.execute(
            "UPDATE rows SET reason = 'image_is_placeholder', detail = 'many different products show this picture'"
            " WHERE number IN (SELECT number FROM kept WHERE placeholder)"
        )

    def group_categories(self) -> dict[str, Counter[str]]:
        """Return the number of products by category, of each group."""
        categories: dict[str, Counter[str]] = defaultdict(Counter)
        query = "SELECT group_name, category, count(*) FROM kept GROUP BY group_name, category"
        for group, category, count in self._rows(query):
            categories[group][category] = count
        return categories

    def set_splits(self, splits: Mapping[str, Split]) -> None:
        """Record the split of each group.

        Args:
            splits: Splits by group.
        """
        self._update("UPDATE groups SET split = ? WHERE name = ?", ((split, group) for group, split in splits.items()))

    def find_leaks(self, split_of: Callable[[int], str] | None = None) -> Iterator[Leak]:
        """Yield the held-out products whose group has a product in training too, in the order of the table.

        Args:
            split_of: Returns the split of a row by its number; None for the catalogue's own splits.
        """
        split = self._split_expression(split_of)
        # a table of its own: joining the view with itself would compare each product with all of its group
        self._db.executescript(
            "DROP TABLE IF EXISTS trained; CREATE TEMP TABLE trained AS SELECT group_name, min(number) AS number"
            f" FROM kept WHERE {split} = 'train' GROUP BY group_name;"
            " CREATE UNIQUE INDEX by_group ON trained (group_name)"
        )
        rows = self._rows(
            "SELECT own.number, own.code, own.title, own.own_split, own.group_name, other.number, other.title,"
            " own.pixels = other.pixels, own.family = other.family AND own.family != ''"
            f" FROM (SELECT *, {split} AS own_split FROM kept) AS own"
            " JOIN trained ON own.group_name = trained.group_name"
            " JOIN good AS other ON other.number = trained.number"
            " WHERE own.own_split != 'train' ORDER BY own.number"
        )
        return (Leak(*row[:-2], *map(bool, row[-2:])) for row in rows)

    def num_held_out(self, split_of: Callable[[int], str] | None = None) -> int:
        """Return the number of products outside training.

        Args:
            split_of: As for `find_leaks`.
        """
        return self._count(f"kept WHERE {self._split_expression(split_of)} != 'train'")

    def _split_expression(self, split_of: Callable[[int], str] | None) -> str:
        """Return the SQL for a product's split."""
        if split_of is None:
            return "split"
        # SQLite calls it for each row, so that rows need not be held in Python to be filtered.
        self._db.create_function("split_of", 1, split_of, deterministic=True)
        return "split_of(number)"

    # Results

    def kept_products(self) -> Iterator[KeptProduct]:
        """Yield the products of the catalogue, in the order of the table."""
        query = (
            "SELECT number, code, field_values, question, path, sha256, width, height, extension, group_name, split,"
            " placeholder FROM kept ORDER BY number"
        )
        for row in self._rows(query):
            number, code, values, question, path, sha256, width, height, extension, group, split, flag = row
            yield KeptProduct(
                number=number,
                product_code=code,
                values=json.loads(values),
                question=question,
                picture=Path(path),
                sha256=sha256,
                width=width,
                height=height,
                extension=extension,
                group=group,
                split=split,
                placeholder=bool(flag),
            )

    def kept_row_numbers(self) -> Iterator[int]:
        """Yield the row numbers of `kept_products`, in the same order."""
        return (number for (number,) in self._rows("SELECT number FROM kept ORDER BY number"))

    def num_kept(self) -> int:
        """Return the number of products of the catalogue."""
        return self._count("kept")

    def dropped_rows(self) -> Iterator[DroppedRow]:
        """Yield the rows that were dropped, in the order of the table."""
        rows = self._rows("SELECT number, code, reason, detail FROM dropped ORDER BY number")
        return (DroppedRow(*row) for row in rows)

    def counts(self) -> CatalogueCounts:
        """Return how many products and rows there are, by split, reason and so on."""
        same_pixels = "SELECT coalesce(sum(n), 0) FROM (SELECT count(*) AS n FROM kept GROUP BY pixels HAVING n > 1)"
        placeholders = (
            "SELECT sha256, extension, count(*), count(DISTINCT lower(title)) FROM kept WHERE placeholder"
            " GROUP BY pixels ORDER BY 3 DESC, 1"
        )
        return CatalogueCounts(
            splits=self._count_by("split", "kept"),
            drops=self._count_by("reason", "dropped"),
            num_groups=self._db.execute("SELECT count(DISTINCT group_name) FROM kept").fetchone()[0],
            num_same_pixels=self._db.execute(same_pixels).fetchone()[0],
            placeholders=[Placeholder(*row) for row in self._db.execute(placeholders)],
        )

    # Queries

    def _count(self, table: str) -> int:
        return int(self._db.execute(f"SELECT count(*) FROM {table}").fetchone()[0])

    # Sorted, since catalogue.json holds these counts, and equal input gives equal bytes.
    def _count_by(self, column: str, table: str) -> dict[str, int]:
        return dict(self._db.execute(f"SELECT {column}, count(*) FROM {table} GROUP BY {column} ORDER BY {column}"))

    def _rows(self, query: str) -> Iterator[tuple[Any, ...]]:
        cursor = self._db.execute(query)
        while page := cursor.fetchmany(_PAGE_SIZE):
            yield from page

    def _picture_pages(self, columns: str, condition: str) -> Iterator[tuple[Any, ...]]:
        """Yield pictures page by page, so that the table may change meanwhile; the first column is the id."""
        last_id = 0
        while page := self._db.execute(
            f"SELECT {columns} FROM pictures WHERE id > ? AND {condition} ORDER BY id LIMIT {_PAGE_SIZE}", (last_id,)
        ).fetchall():
            last_id = page[-1][0]
            yield from page

    def _update(self, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
        """Run a statement for each row, page by page: reading the rows may read from the same table."""
        for page in chunks(rows, _PAGE_SIZE):
            self._db.execute("BEGIN")
            self._db.executemany(statement, page)
            self._db.execute("COMMIT")
