"""Picture files are spoilt in one way each."""

import struct
from io import BytesIO

import pytest
from PIL import Image

from etalage.config import PrepareConfig
from etalage.sample.faults.bad_pictures import spoil_picture
from etalage.sample.rows import Picture


def picture(file_format: str = "JPEG", suffix: str = ".jpg") -> Picture:
    file = BytesIO()
    Image.new("RGB", (40, 30), (200, 20, 30)).save(file, file_format)
    return Picture(file.getvalue(), suffix)


def test_a_dead_link_has_no_content() -> None:
    assert spoil_picture(picture(), "dead-link") == Picture(None, ".jpg")


def test_a_truncated_file_is_the_first_half() -> None:
    whole, half = picture().content, spoil_picture(picture(), "truncated").content
    assert whole is not None
    assert half is not None
    assert whole.startswith(half)
    assert len(half) == len(whole) // 2


def test_a_page_stands_under_the_pictures_name() -> None:
    page = spoil_picture(picture("PNG", ".png"), "html-page")
    assert page.suffix == ".png"
    assert page.content is not None
    assert page.content.startswith(b"<!DOCTYPE html>")


@pytest.mark.parametrize(
    ("file_format", "suffix", "wrong"), [("JPEG", ".jpg", ".png"), ("PNG", ".png", ".jpg"), ("WEBP", ".webp", ".jpg")]
)
def test_a_wrong_suffix_keeps_the_content(file_format: str, suffix: str, wrong: str) -> None:
    right = picture(file_format, suffix)
    assert spoil_picture(right, "wrong-suffix") == Picture(right.content, wrong)


@pytest.mark.parametrize(("kind", "fits"), [("huge", False), ("sliver", True)])
def test_black_pngs_are_small_files_of_the_size_they_claim(kind: str, fits: bool) -> None:
    bad = spoil_picture(picture(), kind)
    assert bad.suffix == ".png"
    assert bad.content is not None
    assert len(bad.content) < 20_000
    width, height = struct.unpack(">II", bad.content[16:24])
    assert (width * height <= PrepareConfig.max_image_px) == fits
    if fits:
        with Image.open(BytesIO(bad.content)) as image:
            assert image.getextrema() == (0, 0)


def test_all_placeholders_are_the_same_grey_picture() -> None:
    one, other = spoil_picture(picture(), "placeholder"), spoil_picture(picture("PNG", ".png"), "placeholder")
    assert one == other
    assert one.content is not None
    with Image.open(BytesIO(one.content)) as image:
        assert image.size == (240, 300)
        assert all(red == green == blue for _, (red, green, blue) in image.getcolors())
