"""Feeds for Google Merchant Center become flat tables; other XML is refused by name."""

from collections.abc import Callable

import pytest

from etalage.errors import EtalageError
from etalage.task import Field

FIELDS = [Field("title", "text"), Field("category", "category"), Field("price", "price")]

ITEM = """<item>
  <title>Plain A</title><g:title>Bag A &amp; B</g:title><g:id>00123</g:id><link>https://x.example/a</link>
  <g:product_type><![CDATA[Bags > Small]]></g:product_type><g:price>9.50 EUR</g:price>
  <g:shipping><g:country>DE</g:country><g:price>4.90 EUR</g:price></g:shipping>
  <g:image_link>https://x.example/a.jpg</g:image_link>
  <g:additional_image_link>https://x.example/a2.jpg</g:additional_image_link>
  <g:additional_image_link>https://x.example/a3.jpg</g:additional_image_link></item>"""
SECOND = "<item><title>Hat</title><g:color>red</g:color><g:image_link>https://x.example/h.jpg</g:image_link></item>"
RSS = (
    '<?xml version="1.0" encoding="utf-8"?><rss xmlns:g="http://base.google.com/ns/1.0"><channel><title>Shop</title>'
    f"{ITEM}{SECOND}</channel></rss>"
)
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom" xmlns:g="http://base.google.com/ns/1.0"><title>Shop</title>
<entry><title>Bag</title><link rel="alternate" href="https://x.example/a"/><g:price>9.50 EUR</g:price>
<g:product_type>Bags</g:product_type><g:image_link>https://x.example/a.jpg</g:image_link></entry></feed>"""


def test_reads_a_feed_in_rss(write_file: Callable, open_table: Callable) -> None:
    undeclared = RSS.replace(' xmlns:g="http://base.google.com/ns/1.0"', "")
    for text in (RSS, undeclared, RSS.replace("utf-8", "utf-16").encode("utf-16")):
        source, table = open_table(write_file(text, "feed.xml"), [Field("title", "text")])
        assert source.kind == "xml"
        assert [row.cells["title"] for row in table] == ["Bag A & B", "Hat"]
        assert [row.images[0] for row in table] == ["https://x.example/a.jpg", "https://x.example/h.jpg"]
        assert [row.place for row in table] == ["product 1", "product 2"]
        columns = ["id", "product_type", "price", "shipping.price", "additional_image_link", "color"]
        found = list(source.read_rows(columns))
        more = ["https://x.example/a2.jpg", "https://x.example/a3.jpg"]
        assert found[0] == ["00123", "Bags > Small", "9.50 EUR", "4.90 EUR", more, None]
        assert found[1] == [None] * 5 + ["red"]


def test_reads_a_feed_in_atom(write_file: Callable, read_rows: Callable) -> None:
    (row,) = read_rows(write_file(ATOM, "feed.xml"), FIELDS)
    assert row.cells == {"title": "Bag", "category": "Bags", "price": "9.50 EUR"}
    assert row.images == ("https://x.example/a.jpg",)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("<SHOP><SHOPITEM><PRODUCT>A</PRODUCT></SHOPITEM></SHOP>", r"t\.xml is XML of <SHOP>; .*RSS or Atom"),
        ("<rss><channel><title>Shop</title></channel></rss>", "is a feed without products"),
        ('<!DOCTYPE rss [<!ENTITY x "y">]><rss/>', "declares an entity"),
        ("<rss><channel><item>", "cannot be read as XML"),
        ("no XML", "cannot be read as XML"),
    ],
)
def test_refuses_other_xml_by_name(text: str, complaint: str, write_file: Callable, open_table: Callable) -> None:
    with pytest.raises(EtalageError, match=complaint):
        open_table(write_file(text, "t.xml"), FIELDS)
