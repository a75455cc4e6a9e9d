"""The line that names the columns is found below titles and notes, and a real header is never skipped."""

import pytest

from etalage.catalogue.readers.header import clean_name, find_header, header_note, is_value

NAMES = ["Name", "Type", "Price", "Image"]
BAG = ["Bag A", "T", 9.5, "a.png"]
TEXT_BAG = ["Bag A", "T", "9,50 €", "https://x.example/a"]


@pytest.mark.parametrize(
    ("rows", "position"),
    [
        # a header in the first line stays, whatever follows
        ([NAMES, BAG, BAG], 0),
        ([NAMES], 0),
        ([["Title", "Image"], ["A", "a"], ["B", "b"]], 0),
        ([["", "Name", "Image"], ["0", "Bag", "a.png"], ["1", "Hat", "b.png"]], 0),
        ([["Name", "Image", "Image"], ["Bag", "a.png", "b.png"]], 0),
        ([["Name", "Image", "38", "39"], ["Bag", "a.png", "x", "y"]], 0),
        ([["Name", "Kind", "Note", ""], ["Bag", "T", "new", "red"], ["Hat", "U", "old", "blue"]], 0),
        ([["image"], ["a.png"], ["b.png"]], 0),
        (
            [
                ["Name", "Type", "", "Price", "Image"],
                ["Bag", "T", "red", "on request", "none"],
                ["Hat", "U", "x", 5, "a.png"],
            ],
            0,
        ),
        ([BAG, BAG], 0),
        # titles, notes and blank lines above it
        ([["Products as of 30 November", "", "", ""], ["", "", "", ""], NAMES, TEXT_BAG], 2),
        ([["Shop", "Muster GmbH"], ["As of", "30.11.2026"], [], NAMES, BAG, BAG], 3),
        ([["Stand:", 2026, "", ""], NAMES, BAG], 1),
        ([["Please do not change the order"], ["of columns"], NAMES, BAG], 2),
        ([["All prices", "with VAT", "", ""], NAMES, TEXT_BAG], 1),
        ([["Autumn"], ["Name", "Price", "Img 1", "Bild 2"], ["Bag", 5, "a.png", "b.png"]], 1),
        # groups of columns, merged or not
        ([["Product", "", "Money", "Media"], NAMES, BAG], 1),
        ([["Product", "Product", "Money", "Media"], NAMES, BAG], 1),
        ([["Spring"] * 4, NAMES, BAG, BAG], 1),
        (
            [
                ["Name", "Type", "Price", "Price", "Image"],
                ["Name", "Type", "Net", "Gross", "Image"],
                [*BAG[:3], 9, "a.png"],
            ],
            1,
        ),
        # flat files of Amazon: settings, labels, names for programs
        (
            [
                ["TemplateType=fptcustom", "Version=2021.1026", "This row is for Amazon.com use only", "", ""],
                ["Seller SKU", "Product Name", "Item Type", "Standard Price", "Main Image URL"],
                ["item_sku", "item_name", "item_type_keyword", "standard_price", "main_image_url"],
                ["A-1", "Bag A", "bags", "9.5", "https://x.example/a.jpg"],
            ],
            2,
        ),
        ([], 0),
        ([["", ""], ["", ""]], 0),
    ],
)
def test_finds_the_line_that_names_the_columns(rows: list[list[object]], position: int) -> None:
    assert find_header(rows) == position


def test_tells_of_the_lines_that_are_skipped() -> None:
    assert header_note([NAMES, BAG], 0) == ""
    assert header_note([["Spring"] * 4, [], NAMES], 2) == "row 3 names the columns; 1 line above it skipped: 'Spring'"


def test_names_lose_what_cannot_be_seen() -> None:
    assert clean_name("\ufeff Price\u200b\xa0 incl.\nVAT ") == "Price incl. VAT"
    assert clean_name(None) == ""
    assert clean_name(2026) == "2026"
    assert clean_name("half \ud800") == "half ?"


@pytest.mark.parametrize(
    "text", ["9.5", "€ 9,50", "9,50 €", "1 299,00 kr", "USD 5", "-3", "30.11.2026", "50%", "a/b.JPG", "http://x/y"]
)
def test_numbers_and_paths_are_values(text: str) -> None:
    assert is_value(text)


@pytest.mark.parametrize(
    "text", ["Name", "Price (EUR)", "Image URL", "Bild 1", "Img 2", "Pic 1", "category3_code", "Größe", "URL"]
)
def test_names_are_no_values(text: str) -> None:
    assert not is_value(text)
