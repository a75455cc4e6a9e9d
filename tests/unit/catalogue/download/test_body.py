"""Bodies are decompressed, bounded, and kept whole; pages of text are refused."""

import pytest

from etalage.catalogue.download import Failed, Fetched

from .conftest import MAX_BYTES, FetchAll, reasons
from .faulty_server import FaultyServer, picture


def test_large_pictures_are_kept_whole(server: FaultyServer, fetch_all: FetchAll) -> None:
    (result,) = fetch_all([server.url("/big")], max_image_bytes=4_000_000)
    assert isinstance(result, Fetched)
    assert result.path.read_bytes() == picture("/big", 3_000_000)


@pytest.mark.parametrize(
    "path", ["/compressed/gzip", "/compressed/deflate", "/compressed/bare", "/compressed/not", "/wrong_type"]
)
def test_bodies_are_read_by_what_they_hold_not_by_their_headers(
    path: str, server: FaultyServer, fetch_all: FetchAll
) -> None:
    (result,) = fetch_all([server.url(path)])
    assert isinstance(result, Fetched), result
    assert result.path.read_bytes() == picture(path)


def test_compression_that_was_not_asked_for_is_refused(server: FaultyServer, fetch_all: FetchAll) -> None:
    brotli, damaged = fetch_all([server.url(path) for path in ("/encoded/br", "/encoded/deflate")])
    assert reasons([brotli, damaged]) == ["fetch_not_a_picture"] * 2
    assert isinstance(brotli, Failed)
    assert isinstance(damaged, Failed)
    assert brotli.detail == "compressed with br, which was not asked for"
    assert damaged.detail.startswith("deflate that cannot be decompressed")


def test_unknown_formats_are_left_to_the_decoder(server: FaultyServer, fetch_all: FetchAll) -> None:
    (result,) = fetch_all([server.url("/unknown/format")])
    assert isinstance(result, Fetched)
    assert result.path.read_bytes() == b"\0\1\2no text, and no format that is known"


@pytest.mark.parametrize(("num_bytes", "reason"), [(MAX_BYTES, ""), (MAX_BYTES + 1, "fetch_too_many_bytes")])
def test_the_limit_of_bytes_is_exact(num_bytes: int, reason: str, server: FaultyServer, fetch_all: FetchAll) -> None:
    for kind in ("announced", "unannounced"):
        assert reasons(fetch_all([server.url(f"/sized/{num_bytes}/{kind}")])) == [reason]


@pytest.mark.parametrize("kind", ["svg", "pdf", "avif"])
def test_what_the_decoder_reads_or_refuses_by_name_is_no_web_page(
    kind: str, server: FaultyServer, fetch_all: FetchAll
) -> None:
    (result,) = fetch_all([server.url(f"/named/{kind}")])
    assert isinstance(result, Fetched), result
