"""Pictures are read in one way, hostile ones refused by a reason; rows unfit to learn from are counted out."""

import os
import struct
import threading
import warnings
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from etalage.catalogue.checks import BadPicture, check_rows, open_picture, read_picture, resolve_picture
from etalage.catalogue.sources import read_table
from etalage.config import PrepareConfig, TaskConfig
from etalage.task import Task

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
    assert a.pixel_sha256 == b.pixel_sha256
    (tmp_path / "camera.jpg").write_bytes(
        encoded(Image.new("RGB", (20, 30)), "MPO", save_all=True, append_images=[Image.new("RGB", (20, 30))])
    )
    assert read_picture(tmp_path / "camera.jpg", **LIMITS).extension == "jpg"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "image_missing"),
        ("https://example.com/a.png", "image_is_url"),
        ("HTTP://example.com/a.png", "image_is_url"),
        ("//example.com/a.png", "image_is_url"),
        ("file:///etc/passwd", "image_is_url"),
        ("data:image/png;base64,AAAA", "image_is_url"),
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


def test_each_row_is_kept_or_dropped_for_one_reason(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(encoded(Image.new("RGB", (9, 9))))
    (tmp_path / "bad.png").write_bytes(b"no picture")
    rows = {
        "1,Scarf,SCARVES,990.0,a.png": "",
        "1,Scarf,SCARVES,990,a.png": "",  # a code may be shared
        "1,Scarf,SCARVES,990.0,a.png ": "",  # not the same text
        "1,Scarf,SCARVES,1.29e3,a.png": "",
        " 2 , ,SCARVES,990.0,a.png": "missing_title",
        "3,Scarf,\0,990.0,a.png": "missing_category",
        "4,Scarf,SCARVES,,a.png": "missing_price",
        "5,Scarf,SCARVES,£990,a.png": "price_unparsable",
        "6,Scarf,SCARVES,nan,a.png": "price_unparsable",
        "7,Scarf,SCARVES,1e999,a.png": "price_unparsable",
        "8,Scarf,SCARVES,0.004,a.png": "price_zero",
        "9,Scarf,SCARVES,-5,a.png": "price_negative",
        f"10,{'x' * 301},SCARVES,5,a.png": "title_too_long",
        f"11,Scarf,SCARVES,{'9' * 301},a.png": "price_too_long",
        '12,"A, Category: B",SCARVES,5,a.png': "",  # greedy reading finds the last separator
        '13,A,"B, Category: C",5,a.png': "answer_ambiguous",
        "14,Scarf,SCARVES,5,bad.png": "image_undecodable",
        "15,Scarf,SCARVES,5,no.png": "image_not_found",
        "16,Scarf,SCARVES,5,../a.png": "image_outside_folder",
        "1,Scarf,SCARVES,990.0,a.png\n": "row_repeated",
    }
    table = tmp_path / "t.csv"
    table.write_text("sku,title,category,price,image\n" + "\n".join(rows))
    seen: list[tuple[int, int]] = []
    task, config = Task(TaskConfig()), PrepareConfig(table, tmp_path / "out")
    kept, drops = check_rows(read_table(table, ["title", "category", "price"]), task, config, lambda *n: seen.append(n))
    found = {drop.source_row: drop.reason for drop in drops} | {product.source_row: "" for product in kept}
    assert list(dict(sorted(found.items())).values()) == list(rows.values())
    assert [drop.source_row for drop in drops] == sorted(drop.source_row for drop in drops)
    assert seen == [(1, 3), (2, 3), (3, 3)]
    assert kept[3].values == {"title": "Scarf", "category": "SCARVES", "price": 1290.0}
    assert drops[0].product_code == "2"


def test_a_table_of_which_nothing_is_left_is_an_error(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("title,category,price,image\nScarf,SCARVES,990.0,https://example.com/a.png\n")
    with pytest.raises(ValueError, match=r"nothing left of 1 rows; row 1 .code 1.: image_is_url.*image=image"):
        check_rows(
            read_table(table, ["title", "category", "price"]),
            Task(TaskConfig()),
            PrepareConfig(table, tmp_path / "out"),
        )
