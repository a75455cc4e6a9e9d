"""CSV and its relatives: any delimiter, any encoding, and rows that are not quite as they should be."""

import csv
import re
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from itertools import islice
from math import log2
from pathlib import Path
from statistics import fmean
from typing import Any, Self, TextIO

from etalage.catalogue.readers.encoding import check_is_text, decoding_error, find_encoding
from etalage.catalogue.readers.header import clean_name, is_value
from etalage.catalogue.readers.raw_table import MAX_CELL_CHARS, RawTable, UnreadableRow, table_with_header

__all__ = ["MAX_LINES_PER_ROW", "open_csv"]

MAX_LINES_PER_ROW = 2000
"""The longest row, in lines. A quote that is never closed would take in the rest of the file."""

_DELIMITERS = ",;\t|"
_NUM_SAMPLE_CHARS = 1 << 16
_NUM_SAMPLE_ROWS = 50
_QUOTING: Mapping[str, Mapping[str, Any]] = {
    "": {},
    "quotes in cells are escaped by backslashes": {"escapechar": "\\"},
    "spaces after separators are left out": {"skipinitialspace": True},
}
"""By the note about it, the ways to write quotes; the first is the standard."""

_QUOTE_ERRORS = {
    "unexpected end": "a quote is opened and never closed",
    "expected after": "a quote stands inside a quoted cell and is not doubled",
}
"""What the csv module means by its messages."""

_ACCENTED_WORD = re.compile(r"\w*[^\W\x00-\x7f]\w*")
_ESCAPED_QUOTE = '\\"'
_TEXT_FOR_EXCEL = re.compile(r'="([^"]*)"')
_SEPARATOR_HINT = re.compile(r"sep=(.)\r?\n")
"""The line by which Excel names the delimiter."""


def open_csv(path: Path) -> RawTable:
    """Open a table of cells separated by commas, semicolons, tabs or bars.

    A row that cannot be read is counted and costs no other row.

    Raises:
        EtalageError: The file is empty or no text, or is mostly UTF-8 but holds a broken byte.
    """
    # The default limit of 131072 would end the run; a longer title should only drop its product.
    csv.field_size_limit(MAX_CELL_CHARS)
    check_is_text(path)
    encoding, is_guess = find_encoding(path)
    try:
        with path.open(encoding=encoding, newline="") as file:
            sample = file.read(_NUM_SAMPLE_CHARS)
            is_cut = bool(file.read(1))
    except UnicodeError as error:
        raise decoding_error(path, encoding, error) from error
    hint = _SEPARATOR_HINT.match(sample)
    sample = sample[hint.end() :] if hint else sample
    sample = sample[: sample.rfind("\n") + 1] or sample if is_cut else sample
    delimiter = hint[1] if hint else _find_delimiter(sample, is_tsv=path.suffix.lower() in (".tsv", ".tab"))
    quoting = max(_QUOTING, key=lambda name: _num_usual_rows(sample, delimiter, _QUOTING[name]))
    shape = _Shape.of(sample, delimiter, _QUOTING[quoting])

    def iterate() -> Iterator[list[str] | UnreadableRow]:
        try:
            with path.open(encoding=encoding, newline="") as file:
                if hint:
                    file.readline()
                    yield []  # a spreadsheet counts it
                lines = _Lines(file, 1 + bool(hint), delimiter, _QUOTING[quoting])
                rows = _read_rows(lines, _QUOTING[quoting], shape)
                yield from map(_unwrap_texts, rows) if '="' in sample else rows
        except UnicodeError as error:
            raise decoding_error(path, encoding, error) from error

    guessed = ""
    if is_guess:
        words = sorted(dict.fromkeys(_ACCENTED_WORD.findall(sample)), key=_tells_encodings_apart, reverse=True)[:2]
        shown = f" ({' and '.join(map(repr, words))})" if words else ""
        guessed = f"read as {encoding}, which was guessed; save it as UTF-8 if accents look wrong{shown}"
    separated = f"cells are separated by {delimiter!r}" if delimiter not in (",", "\t") else ""
    return table_with_header(path.name, iterate, [guessed, separated, quoting])


class _Lines:
    """The lines of a file, of which those of the present row can be taken back."""

    def __init__(self, file: TextIO, first_line: int, delimiter: str, quoting: Mapping[str, Any]) -> None:
        self.row: list[str] = []
        """The lines that were read since the row began."""
        self._file = file
        self._pending: deque[str] = deque()
        self._next_line = first_line
        # With escapes, the csv module would read MySQL's mark for no value as the letter N.
        d = re.escape(delimiter)
        self._null = re.compile(rf"(?:(?<={d})|^)\\N(?={d}|\r|\n|$)") if "escapechar" in quoting else None

    @property
    def first_line(self) -> int:
        """The number of the row's first line."""
        return self._next_line - len(self.row)

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if len(self.row) >= MAX_LINES_PER_ROW:
            raise csv.Error(f"a quote is not closed within {MAX_LINES_PER_ROW} lines")
        line = self._pending.popleft() if self._pending else next(self._file)
        self.row.append(line)
        self._next_line += 1
        return self._null.sub("", line) if self._null else line

    def take_back(self, num_kept: int) -> None:
        """Put back the lines of the row after the first `num_kept` ones."""
        rest = self.row[num_kept:]
        self._pending.extendleft(reversed(rest))
        self._next_line -= len(rest)
        del self.row[num_kept:]


@dataclass(frozen=True)
class _Shape:
    """What the rows of a table look like, by which a line in a cell is told from a row that a quote has taken in."""

    delimiter: str
    width: int
    """How many cells most rows have."""
    num_parts: int
    """How many parts most lines have between delimiters, whatever the quotes."""
    value_parts: tuple[int, ...]
    """The parts that are numbers or paths in most lines."""

    @classmethod
    def of(cls, sample: str, delimiter: str, quoting: Mapping[str, Any]) -> Self:
        """Return the shape of the rows in a sample."""
        lines = [line.split(delimiter) for line in sample.splitlines() if line.strip()]
        num_parts = _usual_width(lines)
        columns = zip(*(parts for parts in lines if len(parts) == num_parts), strict=True)
        value_parts = tuple(i for i, column in enumerate(columns) if fmean(map(_is_value_part, column)) >= 0.7)
        return cls(delimiter, _usual_width(_parse_sample(sample, delimiter, quoting)), num_parts, value_parts)

    def is_row(self, line: str) -> bool:
        """Return whether a line looks like a row of its own."""
        if line.count(self.delimiter) != self.num_parts - 1:
            return False
        parts = line.rstrip("\r\n").split(self.delimiter)
        filled = [parts[i] for i in self.value_parts if parts[i].strip()]
        return bool(filled) and all(map(_is_value_part, filled))

    def is_too_long(self, row: Sequence[str]) -> bool:
        """Return whether a row has cells beyond the usual ones."""
        return any(map(clean_name, row[self.width :]))


def _read_rows(lines: _Lines, quoting: Mapping[str, Any], shape: _Shape) -> Iterator[list[str] | UnreadableRow]:
    """Yield a row for each line or quoted group of lines; after broken quotes, go on at the next row."""
    # Without `strict`, a quote that is never closed would silently take in the rows after it.
    reader = csv.reader(lines, strict=True, delimiter=shape.delimiter, **quoting)
    escaped_reader = csv.reader(lines, strict=True, delimiter=shape.delimiter, escapechar="\\")
    while True:
        lines.row.clear()
        try:
            row = _next_row(reader, lines, shape)
            # A few quotes that are escaped by backslashes may come late in a file.
            if isinstance(row, str) or (shape.is_too_long(row) and any(_ESCAPED_QUOTE in line for line in lines.row)):
                num_lines = len(lines.row)
                lines.take_back(0)
                other = _next_row(escaped_reader, lines, shape)
                if isinstance(row, str) or not isinstance(other, str):
                    row = other
                else:
                    lines.take_back(0)
                    deque(islice(lines, num_lines), maxlen=0)  # the lines of the row as it was read first
        except StopIteration:
            return
        if isinstance(row, str):
            first_line = lines.first_line
            ends = (i for i, line in enumerate(lines.row) if i and (shape.is_row(line) or not shape.value_parts))
            lines.take_back(next(ends, len(lines.row)))
            yield UnreadableRow("row_broken_quote", f"line {first_line}: {row}")
        else:
            yield row


def _tells_encodings_apart(word: str) -> bool:
    """Return whether a word shows which encoding is right: é is one byte in most, and č or è is not."""
    return word.encode("cp1252", "ignore") != word.encode("cp1250", "ignore")


def _unwrap_texts(row: list[str] | UnreadableRow) -> list[str] | UnreadableRow:
    """Return a row with 0042 for ="0042", which shops write so that Excel keeps the zeros."""
    if isinstance(row, UnreadableRow):
        return row
    return [match[1] if (match := _TEXT_FOR_EXCEL.fullmatch(cell)) else cell for cell in row]


def _next_row(reader: Iterator[list[str]], lines: _Lines, shape: _Shape) -> list[str] | str:
    """Return the next row, or what is wrong with its quotes.

    Raises:
        StopIteration: There are no more rows.
    """
    try:
        row = next(reader)
    except csv.Error as error:
        message = str(error)
        return next((words for part, words in _QUOTE_ERRORS.items() if part in message), message)
    if len(lines.row) > 1 and all(map(shape.is_row, lines.row)):
        return "a quote that is not closed takes in the rows after it"
    return row


def _find_delimiter(sample: str, *, is_tsv: bool) -> str:
    """Return the delimiter that gives rows of one width, from the first line on if possible, with the most cells."""
    if is_tsv and "\t" in sample.partition("\n")[0]:
        return "\t"

    def score(delimiter: str) -> tuple[bool, bool, float]:
        rows = _parse_sample(sample, delimiter, {}, strict=False)
        width = _usual_width(rows)
        begins = len(rows) > 0 and all(len(row) == width for row in rows[:2])
        share = sum(len(row) == width for row in rows) / max(1, len(rows))
        return width > 1, begins, share * log2(width + 1)

    return max(_DELIMITERS, key=score)  # the first of several with equal scores


def _parse_sample(sample: str, delimiter: str, quoting: Mapping[str, Any], *, strict: bool = True) -> list[list[str]]:
    """Return the first rows that can be read and are not blank."""
    reader = csv.reader(StringIO(sample, newline=""), strict=strict, delimiter=delimiter, **quoting)
    rows: list[list[str]] = []
    while len(rows) < _NUM_SAMPLE_ROWS:
        try:
            row = next(reader)
        except StopIteration:
            break
        except csv.Error:
            continue
        if row:
            rows.append(row)
    return rows


def _usual_width(rows: Sequence[Sequence[str]]) -> int:
    """Return the number of cells that most rows have, of rows of several cells if there are any."""
    counts = Counter(map(len, rows))
    return max(counts, key=lambda width: (width > 1, counts[width], width), default=0)


def _num_usual_rows(sample: str, delimiter: str, quoting: Mapping[str, Any]) -> int:
    """Return how many rows have the usual width and no quotes left at the beginning of a cell."""
    rows = _parse_sample(sample, delimiter, quoting)
    width = _usual_width(rows)
    return sum(len(row) == width and not any(cell.startswith(' "') for cell in row) for row in rows)


def _is_value_part(part: str) -> bool:
    return is_value(part.strip(' "'))
