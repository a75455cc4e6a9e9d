"""A file that is no picture that can be read is refused by the name of its format, whatever it is called."""

import gzip
import importlib.util
import sys

import pytest
from PIL import Image

from etalage.catalogue.pictures import BadPicture, open_picture

from .conftest import RED, encode

SVG = '<?xml version="1.0" encoding="utf-8"?>\n<!-- drawn -->\n<svg xmlns="http://www.w3.org/2000/svg"/>'


def media(*brands: str) -> bytes:
    """Return the first box of an ISO media file."""
    body = brands[0].encode() + bytes(4) + "".join(brands[1:]).encode()
    return (len(body) + 8).to_bytes(4) + b"ftyp" + body + b"\0" * 40


def refusal(data: bytes) -> str:
    with pytest.raises(BadPicture) as caught:
        open_picture(data)
    return str(caught.value)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (SVG.encode(), "an SVG drawing; export it as PNG"),
        (SVG.encode("utf-16"), "an SVG drawing"),
        (b"\xef\xbb\xbf  <svg:svg xmlns:svg='x'>", "an SVG drawing"),
        (gzip.compress(SVG.encode()), "a gzip archive (an SVGZ drawing is one too)"),
        (b"DDS |\0\0\0", "a DDS texture"),
        (b"8BPS\0\1", "a Photoshop document"),
        (b"%PDF-1.7\n", "a PDF document"),
        (b"%!PS-Adobe-3.0 EPSF-3.0", "a PostScript drawing"),
        (b"\x00\x00\x01\x00\x01\x00", "a Windows icon"),
        (b"\xff\x0a\x00", "a JPEG XL picture"),
        (b"\x00\x00\x00\x0cJXL \r\n\x87\n", "a JPEG XL picture"),
        (b"gimp xcf v011\0", "a GIMP document"),
        (b"PK\x03\x04", "a ZIP archive"),
        (media("mp42", "isom"), "a video"),
        (media("qt  "), "a video"),
        (b"RIFF\0\0\0\0AVI LIST", "an AVI video"),
        (b"\x1a\x45\xdf\xa3", "a Matroska or WebM video"),
        (media("crx ", "isom"), "a camera's raw picture"),
    ],
)
def test_other_formats_are_refused_by_name(data: bytes, name: str) -> None:
    assert refusal(data).startswith(f"image_format_unsupported: it is {name}")


@pytest.mark.parametrize(("kind", "name"), [("JPEG2000", "a JPEG 2000"), ("PPM", "a Netpbm"), ("TGA", "a Targa")])
def test_pictures_of_formats_that_are_not_read(kind: str, name: str) -> None:
    picture = encode(Image.new("RGB", (64, 64), RED), kind)
    assert refusal(picture).startswith(f"image_format_unsupported: it is {name} picture")


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"<!DOCTYPE html><html><svg></svg></html>", "a web page (HTML)"),
        (b"<!-- cached --> <HTML>", "a web page (HTML)"),
        (b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', "an XML text"),
        (b'{"error": "not found"}', "a JSON text"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:", "a pointer of Git LFS"),
    ],
)
def test_what_is_no_picture_at_all_is_named_too(data: bytes, name: str) -> None:
    assert refusal(data).startswith(f"image_undecodable: it is {name}")


def test_heic_is_read_where_its_extra_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    pillow_heif = pytest.importorskip("pillow_heif")
    pillow_heif.register_heif_opener()
    data = encode(Image.new("RGB", (64, 48), RED), "HEIF", quality=90)
    picture = open_picture(data)
    assert picture.size == (64, 48)
    assert max(abs(a - b) for a, b in zip(picture.getpixel((9, 9)), RED, strict=True)) < 8
    assert refusal(data[: len(data) // 2]).startswith("image_undecodable")


@pytest.mark.parametrize("brands", [("heic", "mif1"), ("mif1", "heic"), ("msf1", "hevc")])
def test_heic_names_its_extra_where_it_is_not(monkeypatch: pytest.MonkeyPatch, brands: tuple[str, ...]) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert "it is a HEIC picture; install etalage[heif]" in refusal(media(*brands))


def test_a_damaged_avif_is_not_called_unsupported() -> None:
    assert refusal(media("mif1", "avif")).startswith("image_undecodable")


@pytest.mark.parametrize("tags", [{254: 1}, {50706: b"\1\4\0\0"}])
def test_raw_pictures_are_not_mistaken_for_their_previews(tags: dict[int, object]) -> None:
    data = encode(Image.new("RGB", (16, 12), RED), "TIFF", tiffinfo=tags)
    assert "it is a camera's raw picture, or a TIFF that begins with a preview of 16x12 pixels" in refusal(data)
