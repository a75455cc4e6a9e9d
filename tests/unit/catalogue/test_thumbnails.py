"""Tests of thumbnails."""

import base64
import io
from pathlib import Path

import pytest
from PIL import Image

from etalage.catalogue.thumbnails import thumbnail


def decode(uri: str) -> Image.Image:
    prefix, data = uri.split(",")
    assert prefix == "data:image/jpeg;base64"
    return Image.open(io.BytesIO(base64.b64decode(data)))


@pytest.mark.parametrize(
    ("size", "shown"), [((400, 100), (96, 24)), ((100, 400), (24, 96)), ((96, 96), (96, 96)), ((20, 30), (20, 30))]
)
def test_large_pictures_are_made_smaller_and_small_ones_stay(
    size: tuple[int, int], shown: tuple[int, int], tmp_path: Path
) -> None:
    Image.new("RGB", size, "red").save(tmp_path / "p.png")
    assert decode(thumbnail(tmp_path / "p.png", 96, {})).size == shown


def test_transparency_is_laid_on_the_background(tmp_path: Path) -> None:
    Image.new("RGBA", (16, 16), (0, 0, 0, 0)).save(tmp_path / "p.png")
    red, green, blue = decode(thumbnail(tmp_path / "p.png", 96, {"background": "blue"})).getpixel((8, 8))
    assert blue > 240
    assert max(red, green) < 15


def test_files_that_cannot_be_opened_have_no_thumbnail(tmp_path: Path) -> None:
    (tmp_path / "text.png").write_bytes(b"no picture")
    (tmp_path / "empty.png").touch()
    Image.new("RGB", (100, 100)).save(tmp_path / "large.png")
    assert thumbnail(tmp_path / "gone.png", 96, {}) == ""
    assert thumbnail(tmp_path / "text.png", 96, {}) == ""
    assert thumbnail(tmp_path / "empty.png", 96, {}) == ""
    assert thumbnail(tmp_path / "large.png", 96, {"max_image_px": 9999}) == ""
