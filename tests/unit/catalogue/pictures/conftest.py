"""Shared by the tests of `pictures`: files in memory, and limits small enough to be exceeded."""

from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from etalage.catalogue.pictures import BadPicture, open_picture

RED, WHITE = (255, 0, 0), (255, 255, 255)
LIMITS = {"max_image_px": 1_000_000, "max_image_bytes": 1_000_000}


def encode(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    """Return the bytes of a picture's file."""
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def reason_of(data: bytes | Path, **limits: int) -> str:
    """Return the reason for which a picture is refused."""
    with pytest.raises(BadPicture) as caught:
        open_picture(data, **{**LIMITS, **limits})
    return caught.value.reason
