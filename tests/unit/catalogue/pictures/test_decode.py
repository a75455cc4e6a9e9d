"""Pictures are decoded in one way, and hostile ones refused with a reason."""

import os
import pickle
import struct
import threading
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, features

from etalage.catalogue.pictures import BadPicture, check_background, open_picture

from .conftest import RED, WHITE, encode, reason_of

needs_avif = pytest.param("AVIF", marks=pytest.mark.skipif(not features.check("avif"), reason="Pillow without AVIF"))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", needs_avif])
def test_known_formats_are_read_as_rgb(kind: str) -> None:
    image = open_picture(encode(Image.new("RGB", (20, 30), RED), kind))
    assert (image.mode, image.size) == ("RGB", (20, 30))
    assert np.abs(np.subtract(image.getpixel((10, 10)), RED)).max() < 6


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", needs_avif])
def test_exif_orientation_is_applied_once(kind: str) -> None:
    image = Image.new("RGB", (40, 20), "blue")
    image.paste("white", (0, 0, 20, 20))
    exif = Image.Exif()
    exif[0x0112] = 6  # rotate by 90 degrees clockwise
    upright = open_picture(encode(image, kind, exif=exif, quality=95))
    assert upright.size == (20, 40)
    assert min(upright.getpixel((10, 4))) > 240
    assert upright.getpixel((10, 36))[0] < 20


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "1", "L"])
def test_transparency_is_laid_on_white(mode: str) -> None:
    image = Image.new("RGBA", (8, 8), (0, 0, 0, 0))
    options: dict[str, object] = {}
    if mode == "P":
        image, options = Image.new("P", (8, 8), 1), {"transparency": 1}
        image.putpalette([255, 0, 0, 0, 0, 0])
    elif mode in ("1", "L"):
        image, options = Image.new(mode, (8, 8), 0), {"transparency": 0}
    else:
        image = image.convert(mode)
    assert open_picture(encode(image, **options)).getpixel((4, 4)) == WHITE


def test_the_background_can_be_chosen() -> None:
    clear = encode(Image.new("RGBA", (8, 8), (0, 0, 0, 0)))
    assert open_picture(clear, background="#102030").getpixel((4, 4)) == (16, 32, 48)
    check_background("#102030")
    with pytest.raises(ValueError, match=r"--background 'whit' is no colour"):
        check_background("whit")


def test_half_transparent_black_is_grey() -> None:
    grey = open_picture(encode(Image.new("RGBA", (8, 8), (0, 0, 0, 128)))).getpixel((4, 4))
    assert grey == (127, 127, 127)


def test_an_animation_gives_its_first_frame() -> None:
    frames = [Image.new("RGB", (12, 12), colour) for colour in ("red", "lime", "blue")]
    for kind in ("GIF", "WEBP", "PNG", "TIFF"):
        data = encode(frames[0], kind, save_all=True, append_images=frames[1:])
        assert np.abs(np.subtract(open_picture(data).getpixel((6, 6)), RED)).max() < 6


def test_damaged_and_foreign_files_are_undecodable(tmp_path: Path) -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 255, (60, 60, 3), dtype=np.uint8))
    for kind in ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"):
        data = encode(noise, kind)
        assert reason_of(data[: len(data) // 2]) == "image_undecodable"
    assert reason_of(b"<html>404</html>") == "image_undecodable"
    assert reason_of(b"\x00\x01\x02") == "image_undecodable"
    assert reason_of(b"") == "image_empty"
    assert reason_of(tmp_path) == "image_not_found"
    assert reason_of(tmp_path / "no.png") == "image_not_found"
    os.mkfifo(tmp_path / "pipe.png")
    assert reason_of(tmp_path / "pipe.png") == "image_not_found"


def test_limits_are_checked_before_decoding(tmp_path: Path) -> None:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    def bomb(side: int) -> bytes:  # only a header: decoding it would give image_undecodable
        return (
            b"\x89PNG\r\n\x1a\n"
            + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", b"")
        )

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert reason_of(bomb(1001)) == "image_too_many_pixels"
        assert reason_of(bomb(10_000)) == "image_too_many_pixels"  # where Pillow warns
        assert reason_of(bomb(60_000)) == "image_too_many_pixels"  # where Pillow raises
    picture = tmp_path / "a.png"
    picture.write_bytes(encode(Image.new("RGB", (20, 20))))
    assert reason_of(picture, max_image_bytes=20) == "image_too_many_bytes"
    assert reason_of(picture.read_bytes(), max_image_bytes=20) == "image_too_many_bytes"
    assert reason_of(encode(Image.new("RGB", (161, 10)))) == "image_too_extreme"
    assert open_picture(encode(Image.new("RGB", (10, 160)))).size == (10, 160)


def test_threads_leave_the_warning_filters_as_they_were() -> None:
    data = encode(Image.new("RGB", (64, 64)))
    before = list(warnings.filters)
    threads = [threading.Thread(target=lambda: [open_picture(data) for _ in range(20)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert warnings.filters == before


def test_a_bad_picture_keeps_its_reason_between_processes() -> None:
    bad = pickle.loads(pickle.dumps(BadPicture("image_empty", "the file is empty")))  # noqa: S301
    assert isinstance(bad, BadPicture)
    assert (bad.reason, bad.detail, str(bad)) == ("image_empty", "the file is empty", "image_empty: the file is empty")


def test_a_bad_picture_is_described_the_same_each_time() -> None:
    """Pillow's message names the address of the buffer, which would make equal catalogues differ."""
    details = []
    for _ in range(2):
        with pytest.raises(BadPicture) as caught:
            open_picture(b"no picture")
        details.append(caught.value.detail)
    assert details == ["UnidentifiedImageError: cannot identify image file"] * 2
