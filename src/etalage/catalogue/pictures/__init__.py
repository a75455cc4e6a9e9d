"""Pictures as files have them -> RGB as the model sees it, and what is known of each file.

Training, evaluation, prediction and serving open pictures with `open_picture`, so that they all see the same pixels.
"""

from etalage.catalogue.pictures.decode import PictureLimits, check_background, open_picture, read_picture_bytes
from etalage.catalogue.pictures.errors import BadPicture, UnfitProduct
from etalage.catalogue.pictures.folder import PictureFolder
from etalage.catalogue.pictures.identity import Picture, read_picture
from etalage.catalogue.pictures.references import decode_base64, decode_data_uri, resolve_picture
from etalage.catalogue.pictures.workers import read_pictures

__all__ = [
    "BadPicture",
    "Picture",
    "PictureFolder",
    "PictureLimits",
    "UnfitProduct",
    "check_background",
    "decode_base64",
    "decode_data_uri",
    "open_picture",
    "read_picture",
    "read_picture_bytes",
    "read_pictures",
    "resolve_picture",
]
