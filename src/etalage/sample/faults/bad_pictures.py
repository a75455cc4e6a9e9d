"""Picture files with faults."""

import math
import struct
import zlib
from dataclasses import replace
from functools import cache
from io import BytesIO

from PIL import Image, ImageDraw

from etalage.config import PrepareConfig
from etalage.sample.rows import Picture

__all__ = ["spoil_picture"]

_JPEG_MAGIC = b"\xff\xd8"
_HTML_PAGE = b"<!DOCTYPE html>\n<html><head><title>Not here</title></head><body>This page has moved.</body></html>\n"


def spoil_picture(picture: Picture, kind: str) -> Picture:
    """Plant a fault in a picture.

    Args:
        picture: A picture with content.
        kind: The kind of fault, one that lies in the picture's file.

    Returns:
        The picture with the fault.
    """
    assert picture.content is not None, "rows have no faults of their own"
    match kind:
        case "dead-link":
            return replace(picture, content=None)
        case "truncated":
            return replace(picture, content=picture.content[: len(picture.content) // 2])
        case "html-page":
            return replace(picture, content=_HTML_PAGE)
        case "wrong-suffix":
            # The other suffix is always that of a format which the content is not.
            return replace(picture, suffix=".png" if picture.content.startswith(_JPEG_MAGIC) else ".jpg")
        case "huge":
            # The smallest square above the limit.
            side = 1 + math.isqrt(PrepareConfig.max_image_px)
            return Picture(_black_png(side, side), ".png")
        case "sliver":
            return Picture(_black_png(1, 400), ".png")
        case _:
            assert kind == "placeholder"
            return Picture(_placeholder(), ".png")


@cache
def _black_png(width: int, height: int) -> bytes:
    """Return a black PNG of one bit per pixel: 64 million pixels take a few kilobytes.

    It is written by hand since an image library would allocate all of its pixels.
    """

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    # Each row begins with a filter byte, 0 for none.
    rows = zlib.compress(bytes((1 + (width + 7) // 8) * height), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@cache
def _placeholder() -> bytes:
    """Return a grey PNG with the mountains and the sun that stand for a missing picture."""
    image = Image.new("RGB", (240, 300), (226, 226, 226))
    draw = ImageDraw.Draw(image)
    draw.rectangle((50, 90, 190, 210), outline=(168, 168, 168), width=6)
    draw.polygon([(62, 198), (104, 130), (130, 172), (148, 150), (178, 198)], fill=(168, 168, 168))
    draw.ellipse((146, 108, 166, 128), fill=(168, 168, 168))
    file = BytesIO()
    image.save(file, "PNG")
    return file.getvalue()
