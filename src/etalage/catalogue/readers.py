"""Files of rows -> cells: CSV, JSON, conversations, Excel. Streamed, except for Excel, which has to be read whole."""

import codecs
import csv
import json
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from itertools import islice
from pathlib import Path
from typing import Any

from etalage.errors import EtalageError

__all__ = [
    "AS_WRITTEN",
    "CONVERSATION",
    "Opened",
    "is_conversations",
    "open_conversations",
    "open_csv",
    "open_excel",
    "open_json",
]

CONVERSATION = ("question", "answer", "image", "product_code")
"""The columns of conversations; the last one if they have an id. One more can be asked for, `unsupported`: why a row is
no single question on one picture."""

MAX_CELL_CHARS = 100_000_000
MAX_SHEET_CELLS = 50_000_000
"""A sheet is held in memory with every cell between its first and its last one, filled or not."""

_DELIMITERS = ",;\t|"
_CHUNK = 1 << 20
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins as UTF-16's does, hence before it
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_WESTERN = frozenset("€£¥§©®™°²³µ·«»‘’“”„‚–—…•¿¡ºª´¨\xa0\xad")
_IMAGE_MARK = re.compile(r"<image>|<\|image_\d+\|>")
_ROLES = {"human": "user", "gpt": "assistant", "model": "assistant", "bot": "assistant"}
_CELL_PLACE = re.compile(rb'<(?:\w{1,9}:)?c [^<>]{0,200}?r="([A-Z]{1,3})(\d{1,7})"')


_BAD_ZIP = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, OSError, EOFError, UnicodeDecodeError)


@dataclass(frozen=True)
class Opened:
    """A file that was looked into."""

    names: list[str]
    """Its columns, in its order."""
    records: Callable[[Sequence[str]], Iterator[list[Any]]]
    """Reads from the start the cells of these columns: text; None for nothing; bytes, lists and objects as they are."""
    note: str = ""
    """What was guessed, for the user."""


def _headed(path: Path, rows: Callable[[], Iterator[list[str]]], note: str = "") -> Opened:
    """A table whose first row names its columns."""
    names = next(rows(), None)
    if names is None:
        raise EtalageError(f"{path.name} is empty")

    def records(columns: Sequence[str]) -> Iterator[list[str]]:
        places = [names.index(column) for column in columns]
        return ([row[place] for place in places] for row in islice(rows(), 1, None))

    return Opened(names, records, note)


# CSV


def open_csv(path: Path) -> Opened:
    """A table of cells with something between them, in whatever encoding.

    Raises:
        EtalageError: empty, or nearly UTF-8 with a broken byte; while reading, a row of another length or broken quotes.
    """
    csv.field_size_limit(MAX_CELL_CHARS)  # a monstrous title drops its product (checks.py), it does not end the run
    encoding, guessed = _find_encoding(path)
    try:
        with path.open(encoding=encoding, newline="") as file:
            sample = file.read(1 << 16)
    except UnicodeError as error:
        raise _undecodable(path, encoding, error) from error
    hint = re.match(r"sep=(.)\r?\n", sample)  # Excel's own way to say it
    delimiter = hint[1] if hint else _find_delimiter(sample, path.suffix.lower() in (".tsv", ".tab"))

    def rows() -> Iterator[list[str]]:
        return _csv_rows(path, encoding, delimiter, bool(hint))

    notes = [f"read as {encoding}, which was guessed; save it as UTF-8 if accents look wrong"] if guessed else []
    if delimiter not in (",", "\t"):
        notes.append(f"cells are separated by {delimiter!r}")
    return _headed(path, rows, "; ".join(notes))


def _csv_rows(path: Path, encoding: str, delimiter: str, has_hint: bool) -> Iterator[list[str]]:
    """The header, then the rows."""
    with path.open(encoding=encoding, newline="") as file:
        if has_hint:
            file.readline()
        reader = csv.reader(file, strict=True, delimiter=delimiter)
        number, width = -1, 0
        try:
            for number, row in enumerate(filter(None, reader)):
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
            raise _undecodable(path, encoding, error) from error


def _find_delimiter(sample: str, is_tsv: bool) -> str:
    """The one that gives most rows the width of the header, which is at least 2."""
    if is_tsv and "\t" in sample.partition("\n")[0]:
        return "\t"

    def score(delimiter: str) -> tuple[bool, float, int]:
        rows = list(filter(None, islice(csv.reader(StringIO(sample, newline=""), delimiter=delimiter), 50)))
        rows = rows[:-1] if len(rows) > 1 and not sample.endswith(("\n", "\r")) else rows  # the last one may be cut
        width = len(rows[0]) if rows else 0
        return width > 1, sum(len(row) == width for row in rows) / max(1, len(rows)), width

    return max(_DELIMITERS, key=score)  # the first one of equals


def _find_encoding(path: Path) -> tuple[str, bool]:
    """How a text file is encoded, and whether that is a guess."""
    offset = 0
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as file:
        head = file.read(4096)
        for bom, encoding in _BOMS:
            if head.startswith(bom):
                return encoding, False
        for encoding, zeros in (("utf-16-le", head[1::2]), ("utf-16-be", head[::2])):
            if zeros.count(0) > len(head) * 0.3:
                return encoding, True
        file.seek(0)
        try:
            while chunk := file.read(_CHUNK):
                decoder.decode(chunk)
                offset += len(chunk)
            decoder.decode(b"", final=True)
            return "utf-8", False
        except UnicodeDecodeError:
            file.seek(max(0, offset - (1 << 16)))
            sample = file.read(_CHUNK + (1 << 16))
    text = sample.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    if sum(c > "\x7f" for c in text) - broken > broken:  # then it is UTF-8 with a broken place, not another encoding
        raise _not_utf8(path)
    return _guess_encoding(sample), True


def _guess_encoding(sample: bytes) -> str:
    """For Western letters our own rule: on short texts charset-normalizer takes them for Central European ones."""
    from charset_normalizer import from_bytes

    western = sample.decode("cp1252", "replace")
    if all(c.isalpha() or c in _WESTERN for c in western if c > "\x7f") and not re.search(r"[À-ÿ]{3}", western):
        return "cp1252"
    best = from_bytes(sample[: 1 << 18]).best()
    return best.encoding if best is not None else "latin-1"


def _undecodable(path: Path, encoding: str, error: UnicodeError) -> ValueError:
    if encoding.startswith("utf-8"):
        return _not_utf8(path)
    return ValueError(f"{path.name} cannot be read as {encoding}: {error.args[-1]}; save it as UTF-8")


def _not_utf8(path: Path) -> ValueError:
    offset = 0
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                line.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError as error:
                byte = f"byte {offset + error.start} (0x{line[error.start]:02x}) on line {number}"
                return ValueError(f"{path.name} is not UTF-8: {byte}; save it as UTF-8")
            offset += len(line)
    return ValueError(f"{path.name} is not UTF-8: it ends inside a character; save it as UTF-8")


# JSON


AS_WRITTEN = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=lambda s: None if s == "NaN" else str(s))
"""Keeps numbers as they are written, such as 990.0; NaN is no value."""


def open_json(path: Path) -> Opened:
    """An object per line, or one array of objects.

    Raises:
        EtalageError: empty; not UTF-8; a row that is no JSON object, which it names.
    """
    names: dict[str, None] = {}
    for record in _json_records(path):  # all of them: a column may come late
        names.update(dict.fromkeys(record))
    if not names:
        raise EtalageError(f"{path.name} is empty")

    def records(columns: Sequence[str]) -> Iterator[list[Any]]:
        return ([record.get(column) for column in columns] for record in _json_records(path))

    return Opened(list(names), records)


def is_conversations(path: Path) -> bool:
    """Whether the first row of this JSON file holds turns rather than columns."""
    return _has_turns(next(_json_records(path), {}))


def open_conversations(path: Path) -> Opened:
    """Rows of one question and one answer each; the shapes are those of the Phi-3 cookbook, of chats, and of LLaVA.

    Raises:
        EtalageError: no such file, or broken JSON.
    """
    first = next(_json_records(path), {})
    if not _has_turns(first):
        raise EtalageError(f"{path.name}: its first row has no list `conversations` or `messages`; leave out --format")

    def records(columns: Sequence[str]) -> Iterator[list[Any]]:
        for record in _json_records(path):
            cells = _read_conversation(record)
            yield [cells[column] for column in columns]

    return Opened([name for name in CONVERSATION if name != "product_code" or "id" in first], records)


def _json_records(path: Path) -> Iterator[dict[str, Any]]:
    with path.open("rb") as file:
        head = file.read(4096).removeprefix(codecs.BOM_UTF8).lstrip()
    rows = _array_items(path) if head.startswith(b"[") else _json_lines(path)
    for where, record in rows:
        if not isinstance(record, dict):
            raise EtalageError(f"{where} is no object; write one per row, with the columns' names")
        yield record


def _json_lines(path: Path) -> Iterator[tuple[str, Any]]:
    number = 0
    with path.open("rb") as file:
        for line_number, line in enumerate(file, 1):
            try:
                text = line.decode("utf-8-sig" if line_number == 1 else "utf-8")
            except UnicodeDecodeError as error:
                raise _not_utf8(path) from error
            if not text.strip():
                continue
            number += 1
            where = f"{path.name} row {number} (line {line_number})"
            try:
                yield where, AS_WRITTEN.decode(text)
            except (json.JSONDecodeError, RecursionError) as error:
                raise EtalageError(f"{where} is not JSON: {error}; write one object per line") from error


def _array_items(path: Path) -> Iterator[tuple[str, Any]]:
    """The items of an array, of which never more than one is held."""
    number = 0
    space = re.compile(r"\s*")
    with path.open(encoding="utf-8-sig") as file:
        try:
            text = file.read(_CHUNK)
            at = text.index("[") + 1
            while True:
                where = f"{path.name} row {number + 1}"
                try:
                    at = _match_end(space, text, at)
                    if text[at : at + 1] == "]":
                        break
                    if number:
                        if text[at : at + 1] != ",":
                            raise json.JSONDecodeError("Expecting ',' or ']'", text, at)
                        value, end = AS_WRITTEN.raw_decode(text, _match_end(space, text, at + 1))
                    else:
                        value, end = AS_WRITTEN.raw_decode(text, at)
                    if end == len(text):  # a number might go on
                        raise json.JSONDecodeError("Expecting ',' or ']'", text, end)
                except (json.JSONDecodeError, RecursionError) as error:
                    more = file.read(max(_CHUNK, len(text) - at)) if len(text) - at < MAX_CELL_CHARS else ""
                    if not more or isinstance(error, RecursionError):
                        raise EtalageError(f"{where} is not JSON: {error}; write an array of objects") from error
                    text, at = text[at:] + more, 0
                    continue
                number, at = number + 1, end
                yield where, value
            if text[at + 1 :].strip() or file.read(_CHUNK).strip():
                raise EtalageError(f"{path.name} goes on after its array of {number} rows; write one array, or lines")
        except UnicodeDecodeError as error:
            raise _not_utf8(path) from error


def _match_end(pattern: re.Pattern[str], text: str, at: int) -> int:
    match = pattern.match(text, at)
    assert match is not None
    return match.end()


def _has_turns(record: Mapping[str, Any]) -> bool:
    return any(isinstance(record.get(key), list) for key in ("conversations", "messages"))


def _read_conversation(record: Mapping[str, Any]) -> dict[str, Any]:
    turns = record.get("conversations", record.get("messages"))
    said: dict[str, list[str]] = {"user": [], "assistant": [], "system": []}
    images = _listed(record.get("images", record.get("image")))
    unknown = not isinstance(turns, list)
    for turn in turns if isinstance(turns, list) else ():
        if not isinstance(turn, dict):
            unknown = True
        elif "user" in turn or "assistant" in turn:
            images += _listed(turn.get("images", turn.get("image")))
            for role in ("user", "assistant"):
                if role in turn:
                    said[role].append(_spoken(turn[role], images))
        else:
            role = str(turn.get("from", turn.get("role")))
            text = _spoken(turn.get("value", turn.get("content")), images)
            said.setdefault(_ROLES.get(role, role), []).append(text)
    question, answer = (next(iter(said[role]), "").strip() for role in ("user", "assistant"))
    num_turns = max(len(said["user"]), len(said["assistant"]))
    reason = ""
    if unknown or len(said) > 3:
        reason = "turns of an unknown shape"
    elif said["system"]:
        reason = "a system turn"
    elif len(images) > 1:
        reason = f"{len(images)} pictures"
    elif num_turns > 1:
        reason = f"{num_turns} turns"
    elif not answer:
        reason = "no answer"
    return {
        "question": _IMAGE_MARK.sub("", question).strip(),
        "answer": answer,
        "image": images[0] if images else None,
        "product_code": record.get("id"),
        "unsupported": reason,
    }


def _listed(value: Any) -> list[Any]:
    if isinstance(value, list):
        return list(value)
    return [] if value is None else [value]


def _spoken(content: Any, images: list[Any]) -> str:
    """What a turn says; the pictures among its parts are added to `images`."""
    texts = []
    for part in _listed(content):
        if isinstance(part, str):
            texts.append(part)
        elif isinstance(part, dict) and isinstance(part.get("text"), str):
            texts.append(part["text"])
        elif isinstance(part, dict):
            image = part.get("image_url", part.get("image", part.get("path", part.get("url"))))
            images += _listed(image.get("url") if isinstance(image, dict) and "url" in image else image)
    return "\n".join(texts)


# Excel


def open_excel(path: Path) -> Opened:
    """The first sheet of a workbook, from its first row that holds something.

    Raises:
        EtalageError: no workbook, protected by a password, too large, or the library for it is not installed.
    """
    try:
        from python_calamine import CalamineError, load_workbook
    except ModuleNotFoundError as error:
        raise EtalageError(f"{path.name}: reading Excel needs one more package; pip install etalage[excel]") from error
    try:
        _check_extent(path)
    except _BAD_ZIP as error:
        raise EtalageError(f"{path.name} cannot be read as Excel: {error}; save it as .xlsx or .csv") from error

    def rows() -> Iterator[list[Any]]:
        try:
            with load_workbook(path) as book:
                yield from book.get_sheet_by_index(0).iter_rows()
        except (CalamineError, OSError) as error:
            raise EtalageError(f"{path.name} cannot be read as Excel: {error}; save it as .xlsx or .csv") from error

    def filled() -> Iterator[list[str]]:
        """Without empty rows before the header and after the last product."""
        empty: list[list[str]] = []
        started = False
        for row in rows():
            texts = [_excel_text(cell) for cell in row]
            if not any(texts):
                empty += [texts] * started
                continue
            yield from empty
            yield texts
            started, empty = True, []

    return _headed(path, filled)


def _excel_text(cell: Any) -> str:
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else repr(cell)  # Excel knows no integers: it shows 990.0 as 990
    return "" if cell is None else str(cell)


def _check_extent(path: Path) -> None:
    """A few hundred bytes can name a cell in the last corner of a sheet, and every one before it takes memory."""
    if not zipfile.is_zipfile(path):
        return
    rows = columns = 0
    with zipfile.ZipFile(path) as book:
        for entry in book.infolist():
            if entry.file_size > MAX_SHEET_CELLS * 40:
                raise EtalageError(f"{path.name} unpacks to {entry.file_size} bytes; save it as .csv")
            if not re.fullmatch(r"xl/worksheets/[^/]+\.xml", entry.filename):
                continue
            with book.open(entry) as file:
                kept = b""
                while chunk := file.read(_CHUNK):
                    for letters, digits in _CELL_PLACE.findall(kept + chunk):
                        rows = max(rows, int(digits))
                        columns = max(columns, sum((c - 64) * 26**i for i, c in enumerate(reversed(letters))))
                    kept = chunk[-200:]
    if rows * columns > MAX_SHEET_CELLS:
        raise EtalageError(
            f"{path.name} has a sheet of {rows} x {columns} cells, at most {MAX_SHEET_CELLS} are read; save it as .csv"
        )
