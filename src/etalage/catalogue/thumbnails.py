"""Small copies of picture files, to be shown on a page."""

import base64
import io
from pathlib import Path

from PIL import Image

from etalage.catalogue.pictures import BadPicture, PictureLimits, open_picture

__all__ = ["encode_thumbnail", "thumbnail"]


def thumbnail(path: Path, max_side_px: int, limits: PictureLimits) -> str:
    """Return a picture file as a data URI of a small JPEG.

    Args:
        path: The picture file.
        max_side_px: A picture with a longer side is made smaller; others keep their size.
        limits: The limits under which the catalogue's pictures are opened.

    Returns:
        The data URI; an empty text if the file is missing or is no picture that can be opened under the limits.
    """
    try:
        return encode_thumbnail(open_picture(path, **limits), max_side_px)
    except BadPicture:
        return ""


def encode_thumbnail(picture: Image.Image, max_side_px: int) -> str:
    """Return a picture as a data URI of a small JPEG.

    Args:
        picture: An RGB picture, which is made smaller in place.
        max_side_px: A picture with a longer side is made smaller; others keep their size.
    """
    # Pillow keeps the side ratio, and never makes a picture larger.
    picture.thumbnail((max_side_px, max_side_px))
    picture.save(file := io.BytesIO(), "JPEG", quality=80)
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()
