"""Every mode of Pillow becomes RGB in one way, with the values that a picture editor shows."""

import struct
import zlib
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from etalage.rgb import to_rgb

ORIENTATION = 0x0112


def png(depth: int, colour: int, pixels: list[tuple[int, ...]], transparent: bytes = b"") -> Image.Image:
    """Open a PNG of one row, in depths and colours that Pillow does not write."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    row = b"".join(struct.pack(f">{len(p)}{'H' if depth == 16 else 'B'}", *p) for p in pixels)
    header = struct.pack(">IIBBBBB", len(pixels), 1, depth, colour, 0, 0, 0)
    parts = [chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(b"\0" + row)), chunk(b"IEND", b"")]
    if transparent:
        parts.insert(1, chunk(b"tRNS", transparent))
    return Image.open(BytesIO(b"\x89PNG\r\n\x1a\n" + b"".join(parts)))


def saved(image: Image.Image, kind: str, **options: object) -> Image.Image:
    """Return a picture as it is opened again from a file."""
    file = BytesIO()
    image.save(file, kind, **options)
    return Image.open(file)


def first(image: Image.Image, background: str | None = "white") -> tuple[int, ...]:
    rgb = to_rgb(image, background)
    assert rgb.mode == "RGB"
    return rgb.getpixel((0, 0))


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bit_grey_keeps_its_upper_eight(kind: str) -> None:
    ramp = np.arange(0, 65536, 256, dtype=np.uint16).reshape(16, 16)
    shown = np.asarray(to_rgb(saved(Image.fromarray(ramp), kind), "white"))
    assert np.array_equal(shown[..., 0], ramp >> 8)


def test_sixteen_bit_grey_of_either_byte_order() -> None:
    values = np.array([[0x1234, 0xFFFF]], np.uint16)
    for mode, order in (("I;16L", "<u2"), ("I;16B", ">u2")):
        image = Image.frombytes(mode, (2, 1), values.astype(order).tobytes())
        assert np.asarray(to_rgb(image, None))[0, :, 0].tolist() == [0x12, 0xFF]


def test_sixteen_bit_colours_and_alpha() -> None:
    assert first(png(16, 2, [(40000, 20000, 10000)])) == (156, 78, 39)
    assert first(png(16, 6, [(40000, 20000, 10000, 0)])) == (255, 255, 255)
    assert first(png(16, 6, [(40000, 20000, 10000, 65535)])) == (156, 78, 39)
    assert first(png(16, 4, [(40000, 0)])) == (255, 255, 255)


def test_a_transparent_colour_of_sixteen_bits() -> None:
    grey = png(16, 0, [(40000,), (40001,)], struct.pack(">H", 40000))
    assert np.asarray(to_rgb(grey, "white"))[0, :, 0].tolist() == [255, 156]
    colours = png(16, 2, [(40000, 20000, 10000), (9, 9, 9)], struct.pack(">3H", 40000, 20000, 10000))
    assert np.asarray(to_rgb(colours, "white")).tolist() == [[[255, 255, 255], [0, 0, 0]]]


def test_a_tiff_of_twelve_bits_is_not_dark() -> None:
    image = saved(Image.fromarray(np.full((4, 4), 0xFFF, np.uint16)), "TIFF")
    image.tag_v2[258] = (12,)
    assert first(image) == (255, 255, 255)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.0, 0.5, 1.0], [0, 127, 255]),
        ([0.2, 0.4], [51, 102]),
        ([0.0, 100.0, 255.0], [0, 100, 255]),
        ([0.0, 25600.0, 65280.0], [0, 100, 255]),
        ([-1.0, 0.0, 1.0], [0, 127, 255]),
        ([0.0, 5e5, 1e6], [0, 127, 255]),
        ([np.nan, 0.5, np.inf], [127, 127, 127]),
        ([np.nan, np.nan], [0, 0]),
    ],
)
def test_floats_are_taken_at_their_word_or_stretched(values: list[float], expected: list[int]) -> None:
    image = saved(Image.fromarray(np.array([values], np.float32)), "TIFF")
    assert np.asarray(to_rgb(image, "white"))[0, :, 0].tolist() == expected


def test_whole_numbers_of_thirty_two_bits() -> None:
    for values, expected in (([0, 1], [0, 1]), ([0, 0x1234], [0, 0x12]), ([-(2**31), 2**31 - 1], [0, 255])):
        image = Image.fromarray(np.array([values], np.int32))
        assert np.asarray(to_rgb(image, "white"))[0, :, 0].tolist() == expected


@pytest.mark.parametrize("kind", ["TIFF", "JPEG"])
def test_cmyk(kind: str) -> None:
    """A TIFF stores CMYK as it is, and a JPEG inverted, with or without Adobe's marker: so do browsers read them."""
    image = saved(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), kind)
    assert image.mode == "CMYK"
    assert np.abs(np.subtract(first(image), (255, 0, 0))).max() < 8


def test_cmyk_in_a_jpeg_without_adobes_marker() -> None:
    file = BytesIO()
    Image.new("CMYK", (16, 16), (0, 255, 255, 0)).save(file, "JPEG")
    data = file.getvalue()
    at = data.index(b"\xff\xee")
    data = data[:at] + data[at + 2 + int.from_bytes(data[at + 2 : at + 4]) :]
    assert np.abs(np.subtract(first(Image.open(BytesIO(data))), (255, 0, 0))).max() < 8


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA", "La", "RGBa"])
def test_alpha_is_laid_on_the_background_or_dropped(mode: str) -> None:
    clear = Image.new("RGBA", (4, 4), (0, 0, 0, 0))
    if mode == "PA":
        image = clear.convert("RGB").convert("P").convert("PA")
        image.putalpha(0)
    else:
        image = clear.convert("LA").convert("La") if mode == "La" else clear.convert(mode)
    assert image.mode == mode
    assert first(image, "#102030") == (16, 32, 48)
    assert first(image, None) == (0, 0, 0)


@pytest.mark.parametrize("transparency", [1, b"\xff\x00"])
def test_a_palette_with_transparent_entries(transparency: int | bytes) -> None:
    palette = Image.new("P", (4, 4), 1)
    palette.putpalette([255, 0, 0, 0, 0, 255])
    image = saved(palette, "PNG", transparency=transparency)
    assert image.mode == "P"
    assert first(image) == (255, 255, 255)
    assert first(image, None) == (0, 0, 255)


def test_other_colour_spaces() -> None:
    for mode in ("1", "L", "YCbCr", "HSV", "RGBX", "LAB"):
        source = Image.new("RGB", (2, 2), "white")
        image = Image.new("LAB", (2, 2), (255, 128, 128)) if mode == "LAB" else source.convert(mode)
        assert min(first(image)) > 250, mode


@pytest.mark.parametrize("mode", ["RGB", "I;16", "LA"])
def test_orientation_is_applied_once_in_every_mode(mode: str) -> None:
    image = Image.fromarray(np.full((2, 4), 30000, np.uint16)) if mode == "I;16" else Image.new(mode, (4, 2))
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    once = to_rgb(saved(image, "PNG", exif=exif), "white")
    assert once.size == (2, 4)
    assert to_rgb(once, "white").size == (2, 4)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_an_animation_gives_the_frame_that_it_is_at(kind: str) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    image = saved(frames[0], kind, save_all=True, append_images=frames[1:], lossless=True)
    assert first(image) == (255, 0, 0)
    image.seek(1)
    assert first(image) == (0, 0, 255)
