"""The character encoding of a text file: found by its byte order mark, by decoding it as UTF-8, or guessed."""

import codecs
import re
from pathlib import Path

from etalage.catalogue.readers.raw_table import CHUNK_BYTES
from etalage.errors import EtalageError

__all__ = ["check_is_text", "decoding_error", "find_encoding", "find_mark", "utf8_error"]

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    # The mark of UTF-32 begins with that of UTF-16, so it is tried first.
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_OTHER_FILES = {
    b"PK\x03\x04": "a workbook or a zip; rename it to .xlsx, or unpack it",
    b"\xd0\xcf\x11\xe0": "an old workbook; rename it to .xls",
    b"PAR1": "Parquet; rename it to .parquet",
    b"\x1f\x8b": "packed with gzip; unpack it",
    b"SQLite format 3": "a database; export the table as .csv",
    b"%PDF": "a PDF; export the table as .csv",
}
"""What files are by their first bytes."""

_WESTERN_SIGNS = frozenset("€£¥§©®™°²³µ·«»‘’“”„‚–—…•¿¡ºª´¨\xa0\xad")
_SAMPLE_OVERLAP_BYTES = 1 << 16
_MAX_GUESS_BYTES = 1 << 18


def check_is_text(path: Path) -> None:
    """Refuse a file that has the name of a text and is something else.

    Raises:
        EtalageError: It is such a file; the message says what it is.
    """
    with path.open("rb") as file:
        head = file.read(512)
    for mark, description in _OTHER_FILES.items():
        if head.startswith(mark):
            raise EtalageError(f"{path.name} is no text but {description}")
    if head.removeprefix(codecs.BOM_UTF8).lstrip()[:9].lower().startswith((b"<!doctype", b"<html")):
        raise EtalageError(f"{path.name} is a web page, perhaps one that asks to log in; export the table again")


def find_mark(head: bytes) -> str | None:
    """Return the encoding that a byte order mark at the start of a file stands for, or None if there is no mark."""
    return next((encoding for mark, encoding in _BYTE_ORDER_MARKS if head.startswith(mark)), None)


def find_encoding(path: Path) -> tuple[str, bool]:
    """Return the name of a text file's encoding, and whether it is a guess.

    Raises:
        EtalageError: The file is mostly UTF-8 but holds a broken byte.
    """
    offset = 0
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as file:
        head = file.read(4096)
        if encoding := find_mark(head):
            return encoding, False
        # Latin letters in UTF-16 have a zero as every other byte.
        for encoding, high_bytes in (("utf-16-le", head[1::2]), ("utf-16-be", head[::2])):
            if high_bytes.count(0) > len(head) * 0.3:
                return encoding, True
        file.seek(0)
        try:
            while chunk := file.read(CHUNK_BYTES):
                decoder.decode(chunk)
                offset += len(chunk)
            decoder.decode(b"", final=True)
            return "utf-8", False
        except UnicodeDecodeError:
            file.seek(max(0, offset - _SAMPLE_OVERLAP_BYTES))
            sample = file.read(CHUNK_BYTES + _SAMPLE_OVERLAP_BYTES)
    text = sample.decode("utf-8", "replace")
    num_broken = text.count("\ufffd")
    num_decoded = sum(c > "\x7f" for c in text) - num_broken
    if num_decoded > num_broken:  # then it is UTF-8 with a broken place, not another encoding
        raise utf8_error(path)
    return _guess_encoding(sample), True


def _guess_encoding(sample: bytes) -> str:
    """Recognise Western texts by our own rule: charset-normalizer takes short ones for Central European."""
    from charset_normalizer import from_bytes

    western = sample.decode("cp1252", "replace")
    is_plausible = all(c.isalpha() or c in _WESTERN_SIGNS for c in western if c > "\x7f")
    if is_plausible and not re.search(r"[À-ÿ]{3}", western):
        return "cp1252"
    best = from_bytes(sample[:_MAX_GUESS_BYTES]).best()
    return best.encoding if best is not None else "latin-1"


def decoding_error(path: Path, encoding: str, error: UnicodeError) -> EtalageError:
    """Return the error to raise for a file that cannot be decoded.

    Args:
        path: The file.
        encoding: The encoding that was tried.
        error: The error that Python raised.
    """
    if encoding.startswith("utf-8"):
        return utf8_error(path)
    return EtalageError(f"{path.name} cannot be read as {encoding}: {error.args[-1]}; save it as UTF-8")


def utf8_error(path: Path) -> EtalageError:
    """Return the error to raise for a file that is not UTF-8, with the place of its first broken byte."""
    offset = 0
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                line.decode("utf-8")  # not utf-8-sig, which counts from after the mark
            except UnicodeDecodeError as error:
                byte = f"byte {offset + error.start} (0x{line[error.start]:02x}) on line {number}"
                return EtalageError(f"{path.name} is not UTF-8: {byte}; save it as UTF-8")
            offset += len(line)
    return EtalageError(f"{path.name} is not UTF-8: it ends inside a character; save it as UTF-8")
