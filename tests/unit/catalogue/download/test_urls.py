"""URLs as people write them are encoded as browsers do; others are refused."""

import pytest

from etalage.catalogue.download.results import FetchError
from etalage.catalogue.download.urls import parse_url

from .conftest import FetchAll, reasons

REFUSED = [
    "file:///etc/passwd",
    "ftp://example.com/a.jpg",
    "data:image/png;base64,AAAA",
    "http://user:secret@example.com/a.jpg",
    "http://user@example.com/",
    "http://exa mple.com/",
    "http://example.com\\@127.0.0.1/",
    "http:///a.jpg",
    "http://[::1",
    "http://example.com:port/",
    "http://example.com:99999/",
    "img/1.jpg",
    "",
]


@pytest.mark.parametrize("url", REFUSED)
def test_other_urls_are_refused(url: str, fetch_all: FetchAll) -> None:
    assert reasons(fetch_all([url])) == ["fetch_url_invalid"]


@pytest.mark.parametrize(
    ("text", "url"),
    [
        (" http://Example.com ", "http://example.com/"),
        ("//cdn.example.com/a.jpg", "https://cdn.example.com/a.jpg"),
        (
            "http://example.com/a b%20c%zz.jpg?q=ü&r=a%2Fb+c#part",
            "http://example.com/a%20b%20c%25zz.jpg?q=%C3%BC&r=a%2Fb+c",
        ),
        ("https://bücher.example:8443/日本.png", "https://xn--bcher-kva.example:8443/%E6%97%A5%E6%9C%AC.png"),
        ("http://[::1]:8000/a", "http://[::1]:8000/a"),
        ("http://under_score.example.com/a//b/../c", "http://under_score.example.com/a//b/../c"),
    ],
)
def test_urls_are_encoded_as_browsers_do(text: str, url: str) -> None:
    assert str(parse_url(text)) == url


@pytest.mark.parametrize("text", ["http://example.com/a%2Fb?c=%C3%BC", "https://xn--bcher-kva.example:8443/a%25"])
def test_an_encoded_url_stays_as_it_is(text: str) -> None:
    assert str(parse_url(str(parse_url(text)))) == text


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("b.jpg", "http://example.com/a/b.jpg"),
        ("/b.jpg", "http://example.com/b.jpg"),
        ("?size=2", "http://example.com/a/?size=2"),
        ("//cdn.example.com/b.jpg", "http://cdn.example.com/b.jpg"),
        ("https://other.example/b.jpg", "https://other.example/b.jpg"),
    ],
)
def test_redirects_are_relative_to_the_page_that_names_them(location: str, url: str) -> None:
    assert str(parse_url(location, "http://example.com/a/")) == url


def test_a_redirect_to_another_scheme_is_refused() -> None:
    with pytest.raises(FetchError) as caught:
        parse_url("file:///etc/passwd", "http://example.com/a/")
    assert caught.value.reason == "fetch_url_invalid"
    assert not caught.value.retryable


def test_details_of_hostile_urls_stay_short() -> None:
    for text in ("ftp://" + "x" * 10_000, "http://" + "x" * 10_000 + "/", "http://[" + "x" * 10_000):
        with pytest.raises(FetchError) as caught:
            parse_url(text)
        assert len(caught.value.detail) < 300
