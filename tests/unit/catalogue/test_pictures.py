"""Pictures are read in one way, and hostile ones refused by a reason."""

import os
import signal
import struct
import subprocess
import sys
import threading
import warnings
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from etalage.catalogue.pictures import (
    BadPicture,
    check_colour,
    data_of_uri,
    open_picture,
    read_picture,
    read_pictures,
    resolve_picture,
)

RED, WHITE = (255, 0, 0), (255, 255, 255)
LIMITS = {"max_image_px": 1_000_000, "max_image_bytes": 1_000_000}


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def reason(data: bytes | Path, **limits: int) -> str:
    with pytest.raises(BadPicture) as caught:
        open_picture(data, **{**LIMITS, **limits})
    return caught.value.reason


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"])
def test_known_formats_are_read_as_rgb(kind: str) -> None:
    image = open_picture(encoded(Image.new("RGB", (20, 30), RED), kind))
    assert (image.mode, image.size) == ("RGB", (20, 30))
    assert np.abs(np.subtract(image.getpixel((10, 10)), RED)).max() < 6


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_exif_orientation_is_applied_once(kind: str) -> None:
    image = Image.new("RGB", (40, 20), "blue")
    image.paste("white", (0, 0, 20, 20))
    exif = Image.Exif()
    exif[0x0112] = 6  # turn clockwise by a quarter
    upright = open_picture(encoded(image, kind, exif=exif))
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
    assert open_picture(encoded(image, **options)).getpixel((4, 4)) == WHITE


def test_the_background_can_be_chosen() -> None:
    clear = encoded(Image.new("RGBA", (8, 8), (0, 0, 0, 0)))
    assert open_picture(clear, background="#102030").getpixel((4, 4)) == (16, 32, 48)
    check_colour("#102030")
    with pytest.raises(ValueError, match=r"--background 'whit' is no colour"):
        check_colour("whit")


def test_half_transparent_black_is_grey() -> None:
    grey = open_picture(encoded(Image.new("RGBA", (8, 8), (0, 0, 0, 128)))).getpixel((4, 4))
    assert grey == (127, 127, 127)


def test_cmyk_and_16_bit_and_floats_are_converted() -> None:
    cmyk = open_picture(encoded(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "JPEG", quality=95))
    assert np.abs(np.subtract(cmyk.getpixel((8, 8)), RED)).max() < 8
    ramp = np.linspace(0, 65535, 256).astype(np.uint16).reshape(16, 16)
    for kind in ("PNG", "TIFF"):
        image = np.asarray(open_picture(encoded(Image.fromarray(ramp), kind)))
        assert (image[0, 0, 0], image[-1, -1, 0]) == (0, 255)
        assert np.array_equal(image[..., 0], ramp >> 8)
    floats = open_picture(encoded(Image.fromarray(np.linspace(-1, 1, 256, dtype=np.float32).reshape(16, 16)), "TIFF"))
    assert floats.getextrema() == ((0, 255),) * 3


def test_an_animation_gives_its_first_frame() -> None:
    frames = [Image.new("RGB", (12, 12), colour) for colour in ("red", "lime", "blue")]
    for kind in ("GIF", "WEBP", "PNG", "TIFF"):
        data = encoded(frames[0], kind, save_all=True, append_images=frames[1:])
        assert np.abs(np.subtract(open_picture(data).getpixel((6, 6)), RED)).max() < 6


def test_damaged_and_foreign_files_are_undecodable(tmp_path: Path) -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 255, (60, 60, 3), dtype=np.uint8))
    for kind in ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"):
        data = encoded(noise, kind)
        assert reason(data[: len(data) // 2]) == "image_undecodable"
    assert reason(b"<html>404</html>") == "image_undecodable"
    assert reason(encoded(noise, "PPM")) == "image_undecodable"
    assert reason(b"") == "image_empty"
    assert reason(tmp_path) == "image_not_found"
    assert reason(tmp_path / "no.png") == "image_not_found"
    os.mkfifo(tmp_path / "pipe.png")
    assert reason(tmp_path / "pipe.png") == "image_not_found"


def test_limits_are_judged_before_decoding(tmp_path: Path) -> None:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    def bomb(side: int) -> bytes:  # a header alone: decoding it would say undecodable
        return (
            b"\x89PNG\r\n\x1a\n"
            + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", b"")
        )

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert reason(bomb(1001)) == "image_too_many_pixels"
        assert reason(bomb(10_000)) == "image_too_many_pixels"  # where Pillow warns
        assert reason(bomb(60_000)) == "image_too_many_pixels"  # where Pillow raises
    picture = tmp_path / "a.png"
    picture.write_bytes(encoded(Image.new("RGB", (20, 20))))
    assert reason(picture, max_image_bytes=20) == "image_too_many_bytes"
    assert reason(picture.read_bytes(), max_image_bytes=20) == "image_too_many_bytes"
    assert reason(encoded(Image.new("RGB", (161, 10)))) == "image_too_extreme"
    assert open_picture(encoded(Image.new("RGB", (10, 160)))).size == (10, 160)


def test_threads_leave_the_warning_filters_as_they_were() -> None:
    data = encoded(Image.new("RGB", (64, 64)))
    before = list(warnings.filters)
    threads = [threading.Thread(target=lambda: [open_picture(data) for _ in range(20)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert warnings.filters == before


def test_a_picture_is_known_by_what_it_holds(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(encoded(Image.new("RGB", (20, 30), RED)))
    (tmp_path / "b.png").write_bytes(encoded(Image.new("RGB", (20, 30), RED), compress_level=0))
    a, b = (read_picture(tmp_path / name, **LIMITS) for name in ("a.jpg", "b.png"))
    assert (a.extension, a.width, a.height) == ("png", 20, 30)
    assert a.sha256 != b.sha256
    assert a.pixels == b.pixels
    (tmp_path / "camera.jpg").write_bytes(
        encoded(Image.new("RGB", (20, 30)), "MPO", save_all=True, append_images=[Image.new("RGB", (20, 30))])
    )
    assert read_picture(tmp_path / "camera.jpg", **LIMITS).extension == "jpg"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\0.png", "image_path_invalid"),
        ("/etc/passwd", "image_outside_folder"),
        ("../secret.png", "image_outside_folder"),
        ("images/../../secret.png", "image_outside_folder"),
        ("link/secret.png", "image_outside_folder"),
    ],
)
def test_nothing_outside_the_tables_folder_is_reached(tmp_path: Path, text: str, expected: str) -> None:
    folder = (tmp_path / "table").resolve()
    (folder / "images").mkdir(parents=True)
    (tmp_path / "secret.png").write_bytes(encoded(Image.new("RGB", (9, 9))))
    (folder / "link").symlink_to(tmp_path)
    with pytest.raises(BadPicture) as caught:
        resolve_picture(folder, text)
    assert caught.value.reason == expected


def test_odd_paths_inside_the_folder_are_taken_as_they_are(tmp_path: Path) -> None:
    folder = tmp_path.resolve()
    for text in ("a b#c?.png", "images/../a.png", str(folder / "a.png"), "ünï/‮x.png"):
        assert resolve_picture(folder, text).is_relative_to(folder)
    assert reason(resolve_picture(folder, "x" * 5000)) == "image_not_found"
    (folder / "loop").symlink_to(folder / "loop")
    with pytest.raises(BadPicture):
        open_picture(resolve_picture(folder, "loop/a.png"))


def test_data_uris_are_read_or_refused() -> None:
    assert data_of_uri("data:image/png;base64,aGVsbG8", 100) == b"hello"
    assert data_of_uri("data:,a%20b", 100) == b"a b"
    for uri, expected in (
        ("data:image/png;base64", "image_data_uri_invalid"),
        ("data:image/png;base64,????", "image_data_uri_invalid"),
        ("data:image/png;base64," + "A" * 500, "image_too_many_bytes"),
    ):
        with pytest.raises(BadPicture) as caught:
            data_of_uri(uri, 100)
        assert caught.value.reason == expected


def test_workers_read_in_order_and_send_back_what_is_bad(tmp_path: Path) -> None:
    paths = [tmp_path / f"{n}.png" for n in range(40)]
    for n, path in enumerate(paths):
        path.write_bytes(b"no picture" if n == 7 else encoded(Image.new("RGB", (10 + n, 12))))
    found = list(read_pictures(paths, **LIMITS))
    assert [getattr(picture, "width", None) for picture in found] == [None if n == 7 else 10 + n for n in range(40)]
    assert isinstance(found[7], BadPicture)
    assert found[7].reason == "image_undecodable"


def test_a_worker_that_dies_costs_nothing(tmp_path: Path) -> None:
    paths = [tmp_path / f"{n}.png" for n in range(200)]
    for n, path in enumerate(paths):
        path.write_bytes(encoded(Image.new("RGB", (300 + n, 200))))
    pictures = read_pictures(paths, **LIMITS)
    first = next(pictures)
    for pid in pictures.gi_frame.f_locals["workers"]._pool._processes:
        os.kill(pid, signal.SIGKILL)
    assert [picture.width for picture in (first, *pictures)] == [300 + n for n in range(200)]


def test_a_script_that_cannot_start_processes_is_told_so(tmp_path: Path) -> None:
    """No picture is blamed for it."""
    (tmp_path / "a.png").write_bytes(encoded(Image.new("RGB", (30, 20))))
    (tmp_path / "script.py").write_text(
        "from pathlib import Path\n"
        "from etalage.catalogue.pictures import read_pictures\n"
        f"print(list(read_pictures([Path('a.png')], **{LIMITS})))\n"
    )
    run = subprocess.run([sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert "ChildProcessError: no process can be started" in run.stderr
    assert not run.stdout


def test_near_copies_are_near_and_others_far(tmp_path: Path) -> None:
    random = np.random.default_rng(0)

    def drawn(kind: int) -> Image.Image:
        coarse = Image.fromarray(np.random.default_rng(kind).integers(0, 255, (9, 9, 3), dtype=np.uint8))
        return coarse.resize((240, 300), Image.Resampling.BICUBIC)

    def bits(image: Image.Image, kind: str = "PNG", **options: object) -> np.ndarray:
        path = tmp_path / f"{random.integers(1 << 40)}"
        path.write_bytes(encoded(image, kind, **options))
        return np.unpackbits(np.frombuffer(read_picture(path, **LIMITS).phash, np.uint8))

    for kind in range(4):
        image = drawn(kind)
        own = bits(image)
        assert (own != bits(image, "JPEG", quality=40)).sum() <= 16
        assert (own != bits(image.resize((180, 225)))).sum() <= 16
        assert (own != bits(drawn(kind + 10))).sum() > 60
    assert plain_hash(tmp_path, Image.new("RGB", (50, 50), RED)) == b"", "a plain picture has none"


def plain_hash(folder: Path, image: Image.Image) -> bytes:
    (folder / "plain.png").write_bytes(encoded(image))
    return read_picture(folder / "plain.png", **LIMITS).phash
