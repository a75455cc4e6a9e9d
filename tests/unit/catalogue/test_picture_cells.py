"""A cell of pictures is read alike, however the shop system or the file format writes it."""

import json
import time
from typing import Any

import pytest

from etalage.catalogue.picture_cells import cell_pictures, is_url, read_picture_text

AB = ("a.png", "b.png")
URLS = ("https://x.example/a.jpg", "https://x.example/b.jpg")


@pytest.mark.parametrize(
    "text",
    [
        "a.png, b.png", "a.png,b.png", "a.png|b.png", "a.png||b.png", "a.png;b.png", "a.png ; b.png;", "a.png\nb.png",
        "a.png\r\nb.png\r\n", "a.png\tb.png", "a.png b.png", '["a.png", "b.png"]', "['a.png', 'b.png']",
        "('a.png', 'b.png',)", "['a.png' 'b.png']", "array(['a.png', 'b.png'], dtype=object)", "[a.png, b.png]",
        "{a.png,b.png}", '"a.png","b.png"', '""a.png"",""b.png""', '[""a.png"",""b.png""]',
        "[&quot;a.png&quot;,&quot;b.png&quot;]", '[{"src": "a.png", "alt": "1, 2"}, {"src": "b.png"}]',
        "[{'src': 'a.png', 'alt': None}, {'src': 'b.png', 'width': 1e3}]", '{"images": [{"url": "a.png"}, "b.png"]}',
        '{"edges": [{"node": {"originalSrc": "a.png"}}, {"node": {"originalSrc": "b.png"}}]}',
        "\ufeffa.png, b.png\u200b", "a.png 300w, b.png 600w", "a.png,\n  b.png",
    ],
)  # fmt: skip
def test_several_paths_in_any_form_are_read_alike(text: str) -> None:
    assert AB in read_picture_text(text)


@pytest.mark.parametrize("separator", [",", ", ", "|", " | ", ";", "\n", " ", "\t", "^", ",,"])
@pytest.mark.parametrize(
    "url",
    [
        "https://res.example/image/upload/w_300,h_300,c_fill/a.jpg", "https://x.example/a?size=1,2&x=3;y=4",
        "https://x.example/a|b.jpg", "HTTP://X.example/a.jpg", "//cdn.x.example/a.jpg", "https://x.example/a b(1).jpg",
        "https://x.example/f?u=https://y.example/c.jpg",
    ],
)  # fmt: skip
def test_urls_are_divided_only_where_another_begins(url: str, separator: str) -> None:
    assert read_picture_text(f"{url}{separator}https://x.example/b.jpg") == [(url, "https://x.example/b.jpg")]
    assert read_picture_text(url) == [(url,)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('<img src="https://x.example/a.jpg?a=1&amp;b=2">', ("https://x.example/a.jpg?a=1&b=2",)),
        ("<img alt='' src='a.png'/><img src=b.png>", AB),
        ('=IMAGE("https://x.example/a.jpg")', URLS[:1]),
        ("![lamp](https://x.example/a.jpg)", URLS[:1]),
        ("a.jpg (https://x.example/a.jpg), b.jpg (https://x.example/b.jpg)", URLS),
        ("https://x.example/a.jpg 300w, https://x.example/b.jpg 2x", URLS),
        ("p.png, https://x.example/b.jpg", ("p.png", URLS[1])),
        ("https://x.example/a.jpg, p.png", (URLS[0], "p.png")),
        ("https:/x.example/a.jpg", URLS[:1]),
        ('{"https://x.example/a.jpg": [500, 400], "https://x.example/b.jpg": [50, 40]}', URLS),
        ('["https://x.example/a.jpg, https://x.example/b.jpg"]', URLS),
        ("data:image/png;base64,AA\nAA, data:,BB==", ("data:image/png;base64,AA\nAA", "data:,BB==")),
        ("{'bytes': b'\\x89PNG', 'path': 'a.png'}", ("data:;base64,iVBORw==",)),
        ("[101, 102]", ("101", "102")),
    ],
)  # fmt: skip
def test_what_stands_around_an_address_is_taken_off(text: str, found: tuple[str, ...]) -> None:
    assert found in read_picture_text(text)


@pytest.mark.parametrize(
    "name", ["lamp, red; large.png", "a|b.png", "[1].png", "(a, b).png", "{a}", "it's.png", "1001"]
)
def test_the_whole_cell_may_be_the_name_of_a_file(name: str) -> None:
    assert read_picture_text(name)[0] == (name,)


@pytest.mark.parametrize("text", ["", " ", "[]", "{}", "[null]", "[None, '']", '{"alt": "no picture"}', "\ufeff"])
def test_a_cell_may_name_nothing(text: str) -> None:
    assert read_picture_text(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "[" * 200_000, "['a'" * 50_000, "(9**9**9**9**9)", "[" + "9" * 100_000 + "]", "{'a': " * 5_000, "a," * 200_000,
        "https://" * 50_000, "a.png " * 50_000, "<img src=" * 50_000, "((" * 100_000 + "'", '"' * 100_001,
        "x" * 1_000_000,
        "[__import__('os').system('true')]", "(https://" * 30_000, "src='" * 50_000,
        "," * 200_000, "a" + " " * 200_000 + "b", "data:" + "a" * 200_000, ".jpg?" * 50_000, "https://a.jpg?" * 20_000,
        "//a." * 50_000, "a.png" + " ," * 100_000, "https://x/" + " 1" * 100_000, "\"https://" * 50_000,
    ],
    ids=lambda text: text[:12],
)  # fmt: skip
def test_hostile_cells_take_little_time(text: str) -> None:
    began = time.perf_counter()
    read_picture_text(text)
    assert time.perf_counter() - began < 5


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        (None, ()),
        (True, ()),
        ("a.png, b.png", ("a.png, b.png",)),
        (b"\x89PNG", (b"\x89PNG",)),
        (["a.png", None, {"url": "b.png"}], AB),
        ([["a.png"], ["b.png"]], AB),
        ({"bytes": None, "path": "a.png"}, ("a.png",)),
        ({"bytes": b"1", "path": "a.png"}, (b"1",)),
        ({"path": ["a.png", "b.png"], "bytes": [None, None]}, AB),
        ({"hi_res": [None, "b.png"], "large": ["a.png", "c.png"]}, AB),
        ({"thumbnail": "t.png", "large": "a.png"}, ("a.png",)),
        ({"secure_url": "a.png", "alt": "x"}, ("a.png",)),
        (1001.0, ("1001",)),
        (1001, ("1001",)),
    ],
)
def test_typed_cells_are_read_like_texts(cell: Any, found: tuple[str | bytes, ...]) -> None:
    assert cell_pictures(cell) == found
    if isinstance(cell, list | dict) and b"1" not in found:
        assert read_picture_text(json.dumps(cell))[0] == found


def test_a_host_has_a_dot_and_a_folder_may_have_none() -> None:
    assert is_url("//cdn.x.example/a.jpg")
    assert is_url("hTTp://x/a.jpg")
    assert not any(map(is_url, ("//c/d/a.jpg", "a//b.jpg", "www.x.example/a.jpg", "ftp://x/a.jpg")))
