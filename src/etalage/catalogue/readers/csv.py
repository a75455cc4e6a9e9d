"""CSV and its relatives: any delimiter, any encoding."""

import csv
import re
from collections.abc import Iterator
from io import StringIO
from itertools import islice
from pathlib import Path

from etalage.catalogue.readers.encoding import decoding_error, find_encoding
from etalage.catalogue.readers.raw_table import MAX_CELL_CHARS, RawTable, table_with_header
from etalage.errors import EtalageError

__all__ = ["open_csv"]

_DELIMITERS = ",;\t|"
_NUM_SAMPLE_CHARS = 1 << 16
_NUM_SAMPLE_ROWS = 50


def open_csv(path: Path) -> RawTable:
    """Open a table of cells separated by commas, semicolons, tabs or bars.

    Raises:
        EtalageError: The file is empty, or is mostly UTF-8 but holds a broken byte. While reading: a row has another
            number of cells than the header, or quotes are broken.
    """
    # The default limit of 131072 would end the run; a longer title should only drop its product.
    csv.field_size_limit(MAX_CELL_CHARS)
    encoding, is_guess = find_encoding(path)
    try:
        with path.open(encoding=encoding, newline="") as file:
            sample = file.read(_NUM_SAMPLE_CHARS)
    except UnicodeError as error:
        raise decoding_error(path, encoding, error) from error
    hint = re.match(r"sep=(.)\r?\n", sample)  # the line by which Excel names the delimiter
    delimiter = hint[1] if hint else _find_delimiter(sample, is_tsv=path.suffix.lower() in (".tsv", ".tab"))

    def iterate() -> Iterator[list[str]]:
        return _read_rows(path, encoding, delimiter, has_hint=bool(hint))

    notes = [f"read as {encoding}, which was guessed; save it as UTF-8 if accents look wrong"] if is_guess else []
    if delimiter not in (",", "\t"):
        notes.append(f"cells are separated by {delimiter!r}")
    return table_with_header(path.name, iterate, "; ".join(notes))


def _read_rows(path: Path, encoding: str, delimiter: str, *, has_hint: bool) -> Iterator[list[str]]:
    """Yield the header, then the rows; all have the same width."""
    with path.open(encoding=encoding, newline="") as file:
        if has_hint:
            file.readline()
        # Without `strict`, a quote that is never closed would silently take in the rest of the file.
        reader = csv.reader(file, strict=True, delimiter=delimiter)
        number, width = -1, 0
        try:
            for number, row in enumerate(filter(None, reader)):  # blank lines are no rows
                width = width or len(row)
                if len(row) != width:
                    raise EtalageError(
                        f"{path.name} row {number} (line {reader.line_num + has_hint}) has {len(row)} cells where the "
                        f"header has {width}; quote cells that hold {delimiter!r} or line breaks"
                    )
                yield row
        except csv.Error as error:
            raise EtalageError(
                f"{path.name} row {number + 1} (to line {reader.line_num + has_hint}): {error}; check its quotes"
            ) from error
        except UnicodeError as error:
            raise decoding_error(path, encoding, error) from error


def _find_delimiter(sample: str, *, is_tsv: bool) -> str:
    """Return the delimiter with which most rows are as wide as the header, which has at least two columns."""
    if is_tsv and "\t" in sample.partition("\n")[0]:
        return "\t"

    def score(delimiter: str) -> tuple[bool, float, int]:
        reader = csv.reader(StringIO(sample, newline=""), delimiter=delimiter)
        rows = list(filter(None, islice(reader, _NUM_SAMPLE_ROWS)))
        if len(rows) > 1 and not sample.endswith(("\n", "\r")):
            rows.pop()  # the sample may end inside it
        width = len(rows[0]) if rows else 0
        return width > 1, sum(len(row) == width for row in rows) / max(1, len(rows)), width

    return max(_DELIMITERS, key=score)  # the first of several with equal scores
