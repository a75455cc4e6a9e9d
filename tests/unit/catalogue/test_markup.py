"""HTML in titles is decoded and stripped; signs that only look like HTML stay."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etalage.catalogue.markup import clean_cell, strip_markup


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Schuh rot &amp; Co. <b>neu</b> &euro; &#39;x&#39;", "Schuh rot & Co. neu € 'x'"),
        ("Donau&shy;dampf&shy;schiff", "Donaudampfschiff"),
        ("Donau\u00addampf", "Donaudampf"),
        ("Wool&nbsp;Scarf&#160;Red", "Wool Scarf Red"),
        ("Fish &amp;amp; Chips", "Fish & Chips"),
        ("It&amp;#39;s &amp;quot;new&amp;quot;", 'It\'s "new"'),
        ("Men&#x27;s &apos;T&apos;", "Men's 'T'"),
        ("M&uuml;tze Gr&ouml;&szlig;e", "Mütze Größe"),
        ("Scarf<br>Red<br/>Wool<BR />", "Scarf Red Wool"),
        ("<p>Scarf</p><p>Red</p>", "Scarf Red"),
        ("<ul><li>Wool</li><li>Silk</li></ul>", "Wool Silk"),
        ("&lt;b&gt;Sale&lt;/b&gt; Bag", "Sale Bag"),
        ('<span style="color:red">Bag</span>', "Bag"),
        ("<STRONG>Bag</STRONG>", "Bag"),
        ('<a href="https://x.example/?a=1&amp;b=2">Bag</a>', "Bag"),
        ('Bag <a href="https://x.exam', "Bag"),
        ("Rug 2 m<sup>2</sup>", "Rug 2 m²"),
        ("Brand<sup>TM</sup> Bag", "Brand™ Bag"),
        ("CO<sub>2</sub> meter", "CO2 meter"),
        ("<![CDATA[Fish & Chips]]>", "Fish & Chips"),
        ("Bag<!-- internal --> Red<script>alert(1)</script>", "Bag Red"),
        ("su<wbr>per", "super"),
        ("&#8222;Bag&#8220; &#150; red", "„Bag“ – red"),
        ("Home &gt; Kitchen &amp; Dining", "Home > Kitchen & Dining"),
        ("Zero\u200bwidth \ufeffBag", "Zerowidth Bag"),
        ("Caf&eacute; cr&egrave;me", "Café crème"),
        ("Tom &amp Jerry", "Tom & Jerry"),
        ("Bag &#0; Red", "Bag Red"),
    ],
)
def test_decodes_and_strips(text: str, plain: str) -> None:
    assert clean_cell(text, 300) == plain


@pytest.mark.parametrize(
    "text",
    [
        "Ring <3",
        "Size < 40",
        "Size < 40 and > 30",
        "AT&T",
        "R&D; Kit",
        "Salt&paradise",
        "A&W Root Beer",
        "Black & Decker",
        "Shirt <M>",
        "Shirt <S>",
        "1<2>0",
        "a<b",
        "Q&A",
        "Cable <-> Plug",
        "H&M;C",
        "x &unknown; y",
        "<Titel>",
        "Learn C++ <vector>",
        "می\u200cخواهم",
    ],
)
def test_leaves_what_only_looks_like_html(text: str) -> None:
    assert clean_cell(text, 300) == text


@given(st.text(alphabet="<>/&;#abx3 brp=amp\"'\u00ad"))
def test_ends_and_never_grows(text: str) -> None:
    assert len(strip_markup(text)) <= len(text)
