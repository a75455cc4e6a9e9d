"""The encoding of a text file is found, and the place of a broken byte is named."""

import codecs
from collections.abc import Callable

import pytest

from etalage.catalogue.readers.encoding import find_encoding, utf8_error
from etalage.catalogue.readers.raw_table import CHUNK_BYTES
from etalage.errors import EtalageError

FRENCH = "titre,prix\nChemise d’été à carreaux,12 €\n"


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (b"", "utf-8"),
        (b"title\n", "utf-8"),
        (FRENCH.encode(), "utf-8"),
        (codecs.BOM_UTF8 + FRENCH.encode(), "utf-8-sig"),
        (FRENCH.encode("utf-16"), "utf-16"),
        (codecs.BOM_UTF16_BE + FRENCH.encode("utf-16-be"), "utf-16"),
        (FRENCH.encode("utf-32"), "utf-32"),
    ],
)
def test_marks_and_valid_utf8_are_certain(write_file: Callable, data: bytes, encoding: str) -> None:
    assert find_encoding(write_file(data)) == (encoding, False)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "cp1252"])
def test_everything_else_is_a_guess(write_file: Callable, encoding: str) -> None:
    assert find_encoding(write_file(FRENCH.encode(encoding))) == (encoding, True)


def test_a_character_across_two_chunks_is_valid(write_file: Callable) -> None:
    assert find_encoding(write_file(b"x" * (CHUNK_BYTES - 1) + "é".encode() + b"\n")) == ("utf-8", False)


def test_a_byte_of_another_encoding_far_into_the_file_is_noticed(write_file: Callable) -> None:
    data = b"plain ascii\n" * 200_000 + "Chemise d’été\n".encode("cp1252")
    assert find_encoding(write_file(data)) == ("cp1252", True)


def test_mostly_utf8_with_a_broken_byte_is_refused(write_file: Callable) -> None:
    with pytest.raises(EtalageError, match=r"table\.csv is not UTF-8: byte 15 \(0xe9\) on line 2; save it as UTF-8"):
        find_encoding(write_file("été, à\nété".encode() + b"\xe9" + "é".encode()))


def test_places_count_the_byte_order_mark_and_files_cut_inside_a_character(write_file: Callable) -> None:
    assert "byte 4 (0xff) on line 1" in str(utf8_error(write_file(codecs.BOM_UTF8 + b"a\xff")))
    assert "byte 3 (0xc3) on line 2" in str(utf8_error(write_file(b"a\n" + b"b\xc3")))
