"""A database on disk with what is known of every row and picture while a catalogue is prepared.

With it, a table of a million rows needs no more memory than one of ten. The file lies in the folder that becomes the
catalogue and is removed at the end. A killed run leaves nothing in it that the next run would need.
"""

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Self

from etalage.catalogue.prepare_groups import GroupDb
from etalage.catalogue.prepare_rows import (
    SCHEMA,
    CatalogueCounts,
    CheckedRow,
    DroppedRow,
    Fallback,
    KeptProduct,
    Placeholder,
)

__all__ = ["PrepareDb"]

MAX_ROWS_NAMED = 5
"""Rows that the message of an internal error names."""

_NUM_EXAMPLES = 2


class PrepareDb(GroupDb):
    """The database. A context manager; leaving it removes the file.

    Args:
        folder: The folder to put the file in.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "prepare.sqlite")
        self._num_read = self._num_shared = 0

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

    def add_rows(self, rows: Iterable[CheckedRow], *, all_images: bool = False) -> None:
        """Add all rows of the table, then drop those that repeat an earlier one.

        Args:
            rows: The rows, in the order of the table.
            all_images: Each picture of a row becomes a product; else the others stand in for the first if it fails.
        """
        self._db.execute("BEGIN")
        for row in rows:
            self._num_read += 1
            values = None if row.values is None else json.dumps(dict(row.values), ensure_ascii=False)
            self._db.execute(
                "INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    *(row.number, row.place, row.product_code, values, row.title, row.family, row.category),
                    *(row.question, row.split, row.parent, row.digest, row.reason, row.detail),
                ),
            )
            if row.reason is None:
                self._add_shown(row.number, row.pictures, all_images=all_images)
        self._db.execute(
            "UPDATE rows SET reason = 'row_repeated',"
            " detail = 'an earlier row has the same text in every column used'"
            " WHERE number NOT IN (SELECT min(number) FROM rows GROUP BY digest)"
        )
        self._db.execute("DELETE FROM shown WHERE number IN (SELECT number FROM rows WHERE reason IS NOT NULL)")
        self._db.execute("COMMIT")

    def check_accounting(self) -> None:
        """Check that every row that was read is either kept or dropped.

        Raises:
            RuntimeError: Some rows are neither or both; the message names them.
        """
        kept = "SELECT DISTINCT number FROM kept"
        num_kept, num_dropped = self._count(f"({kept})"), self._count("dropped")
        lost = self._places(f"number NOT IN ({kept}) AND number NOT IN (SELECT number FROM dropped)")
        doubled = self._places(f"number IN ({kept}) AND number IN (SELECT number FROM dropped)")
        if lost or doubled or self._num_read != num_kept + num_dropped:
            raise RuntimeError(
                f"{self._num_read} rows were read, but {num_kept} are kept and {num_dropped} dropped; in neither: "
                f"{', '.join(lost) or 'none'}; in both: {', '.join(doubled) or 'none'}"
            )

    def _places(self, condition: str) -> list[str]:
        rows = self._db.execute(f"SELECT place FROM rows WHERE {condition} ORDER BY number LIMIT {MAX_ROWS_NAMED}")
        return [place for (place,) in rows]

    def most_frequent_question(self) -> str:
        """Return the question that most rows ask; of several, the first in alphabetical order."""
        row = self._db.execute(
            "SELECT question FROM rows WHERE question != '' GROUP BY question ORDER BY count(*) DESC, question LIMIT 1"
        ).fetchone()
        return row[0] if row else ""

    # Placeholders

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
        """Drop the products whose pictures are flagged as placeholders; of those with others, only such pictures."""
        self._db.execute(
            "UPDATE rows SET reason = 'image_is_placeholder', detail = 'many different products show this picture'"
            " WHERE number IN (SELECT number FROM kept GROUP BY number HAVING min(placeholder))"
        )
        self._db.execute("DELETE FROM shown WHERE id IN (SELECT id FROM kept WHERE placeholder)")

    def drop_shared_pictures(self, min_titles: int) -> None:
        """Let no row show the same pixels twice, nor what many titles share beside what its product alone has.

        A chart of sizes among the pictures of each product would otherwise make all products one group.

        Args:
            min_titles: The number of titles from which on a picture counts as shared by many.
        """
        self._db.execute(
            "DELETE FROM shown WHERE id IN (SELECT id FROM good)"
            " AND id NOT IN (SELECT min(id) FROM good GROUP BY number, pixels)"
        )
        shared = f"SELECT pixels FROM good GROUP BY pixels HAVING count(DISTINCT lower(title)) >= {min_titles:d}"
        self._num_shared = self._db.execute(
            f"DELETE FROM shown WHERE id IN (SELECT id FROM good WHERE pixels IN ({shared})"
            f" AND number IN (SELECT number FROM good WHERE pixels NOT IN ({shared})))"
        ).rowcount

    # Results

    def kept_products(self) -> Iterator[KeptProduct]:
        """Yield the products of the catalogue, in the order of the table."""
        query = (
            "SELECT number, code, field_values, question, path, sha256, width, height, extension, group_name,"
            " group_reason, split, placeholder FROM kept ORDER BY number, id"
        )
        for row in self._rows(query):
            number, code, values, question, path, sha256, width, height, extension, group, reason, split, flag = row
            yield KeptProduct(
                number=number,
                product_code=code,
                values=json.loads(values),
                question=question,
                picture=Path(os.fsdecode(path)),
                sha256=sha256,
                width=width,
                height=height,
                extension=extension,
                group=group,
                group_reason=reason,
                split=split,
                placeholder=bool(flag),
            )

    def kept_row_numbers(self) -> Iterator[int]:
        """Yield the row numbers of `kept_products`, in the same order; with --all-images, a number may come again."""
        return (number for (number,) in self._rows("SELECT number FROM kept ORDER BY number, id"))

    def num_kept(self) -> int:
        """Return the number of products of the catalogue."""
        return self._count("kept")

    def dropped_rows(self) -> Iterator[DroppedRow]:
        """Yield the rows that were dropped, in the order of the table."""
        rows = self._rows("SELECT number, place, code, reason, detail FROM dropped ORDER BY number")
        return (DroppedRow(*row) for row in rows)

    def counts(self) -> CatalogueCounts:
        """Return how many products and rows there are, by split, reason and so on."""
        same_pixels = "SELECT coalesce(sum(n), 0) FROM (SELECT count(*) AS n FROM kept GROUP BY pixels HAVING n > 1)"
        placeholders = (
            "SELECT sha256, extension, count(*), count(DISTINCT lower(title)) FROM kept WHERE placeholder"
            " GROUP BY pixels ORDER BY 3 DESC, 1"
        )
        unused = (
            "SELECT coalesce(first_reason, reason) AS reason FROM shown JOIN pictures ON shown.picture = pictures.id"
            " WHERE number IN (SELECT number FROM kept) AND coalesce(first_reason, reason) IS NOT NULL"
        )
        found = "(SELECT DISTINCT number, shown.found_by FROM shown JOIN kept USING (id, number) WHERE found_by != '')"
        unused_pictures = self._count_by("reason", f"({unused})")
        if self._num_shared:
            unused_pictures["image_is_placeholder"] = self._num_shared
        return CatalogueCounts(
            splits=self._count_by("split", "kept"),
            drops=self._count_by("reason", "dropped"),
            num_groups=self._db.execute("SELECT count(DISTINCT group_name) FROM kept").fetchone()[0],
            num_test_groups=self._count("(SELECT DISTINCT group_name FROM kept WHERE split = 'test')"),
            num_same_pixels=self._db.execute(same_pixels).fetchone()[0],
            placeholders=[Placeholder(*row) for row in self._db.execute(placeholders)],
            num_rows=self._count("(SELECT DISTINCT number FROM kept)"),
            num_other_pictures=self._count("kept JOIN shown USING (id) WHERE num_tried > 1"),
            unused_pictures=unused_pictures,
            fallbacks=[
                Fallback(found_by, num_rows, self._written_by(found_by))
                for found_by, num_rows in self._count_by("found_by", found).items()
            ],
        )

    def _written_by(self, found_by: str) -> list[str]:
        """Return examples of how the table writes pictures that were found in some way."""
        rows = self._db.execute(
            "SELECT DISTINCT shown.written FROM shown JOIN kept USING (id) WHERE shown.found_by = ?"
            f" LIMIT {_NUM_EXAMPLES}",
            (found_by,),
        )
        return [written for (written,) in rows]

    # Sorted, since catalogue.json holds these counts, and equal input gives equal bytes.
    def _count_by(self, column: str, table: str) -> dict[str, int]:
        return dict(self._db.execute(f"SELECT {column}, count(*) FROM {table} GROUP BY {column} ORDER BY {column}"))
