"""Decides what a row's pictures are: URLs to fetch, files in the folder of pictures, and pictures inside the table."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from etalage.catalogue.picture_cells import is_url, read_picture_text
from etalage.catalogue.pictures import BadPicture, PictureFolder, decode_base64, decode_data_uri
from etalage.catalogue.prepare_rows import Candidate

__all__ = ["PictureLocator"]

MAX_PICTURES = 1000
"""The most pictures of a row; a cell that names more is no cell of pictures."""

MAX_INLINE_PICTURES = 3
"""The most pictures inside the table that are written to a file for a row that shows only one."""

_CACHE_SIZE = 65536
_MAX_SHOWN_CHARS = 100
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):(?://|blob:|https?:)")


class PictureLocator:
    """Finds the pictures that rows name.

    Args:
        folder: What paths are relative to; None for a source without a folder.
        inline_folder: The folder to write pictures to that come inside the table.
        max_image_bytes: Larger pictures inside the table are not written.
        all_images: All pictures inside the table are wanted, not the first few of each row.
    """

    def __init__(self, folder: Path | None, inline_folder: Path, max_image_bytes: int, *, all_images: bool) -> None:
        self._folder = None if folder is None else PictureFolder(folder.resolve())
        self._inline_folder, self._max_image_bytes = inline_folder, max_image_bytes
        self._max_inline = MAX_PICTURES if all_images else MAX_INLINE_PICTURES
        self._find = lru_cache(_CACHE_SIZE)(self._locate_text)  # thousands of rows may show one picture

    def locate(self, images: Sequence[str | bytes]) -> tuple[Candidate, ...]:
        """Return the pictures of a row, the best first; those that cannot be used beside others have a reason.

        Args:
            images: The row's pictures as the table has them, the best first.

        Raises:
            BadPicture: image_missing if it has none, image_too_many, or what is wrong with the first one if none can be
                used.
        """
        found: dict[tuple[str, Path | None, str | None], Candidate] = {}
        num_inline = 0
        for image in images:
            for one in self._candidates(image):
                if isinstance(one, bytes):
                    num_inline += 1
                    if num_inline > self._max_inline:
                        continue
                    one = self._write(one)
                # A picture that is named twice is one.
                found.setdefault((one.url, one.path, one.detail), one)
                if len(found) > MAX_PICTURES:
                    raise BadPicture("image_too_many", f"more than {MAX_PICTURES} pictures of one product")
        if not found:
            text = next((image.strip() for image in images if isinstance(image, str) and image.strip()), "")
            raise BadPicture(
                "image_missing", f"{text[:_MAX_SHOWN_CHARS]!r} names no picture" if text else "no picture given"
            )
        if all(one.reason is not None for one in found.values()):
            first = next(iter(found.values()))
            others = f"; none of its {len(found)} pictures can be used" if len(found) > 1 else ""
            raise BadPicture(first.reason or "", f"{first.detail}{others}")
        return tuple(found.values())

    def _candidates(self, image: str | bytes) -> Iterator[Candidate | bytes]:
        """Yield what an image cell names, in the way to read it in which most of its pictures can be used."""
        if isinstance(image, bytes):
            yield image
            return
        ways = [[self._locate_one(one) for one in way[: MAX_PICTURES + 1]] for way in read_picture_text(image)]
        if not ways:
            return
        best = max(ways, key=_usable_share)
        whole, parts = ways[0][0], ways[-1]
        if isinstance(whole, Candidate) and len(best) == 1 < len(parts) and not _usable_share(best):
            yield replace(whole, detail=f"{whole.detail}, nor is any of the {len(parts)} names in it")
        else:
            yield from best

    def _locate_one(self, image: str | bytes) -> Candidate | bytes:
        if isinstance(image, bytes):
            return image
        image = image.strip()
        try:
            if image[:5].casefold() == "data:":
                return decode_data_uri(image, self._max_image_bytes)
            if (data := decode_base64(image, self._max_image_bytes)) is not None:
                return data
        except BadPicture as bad:
            return _refused(bad, image)
        return self._find(image)

    def _locate_text(self, text: str) -> Candidate:
        shown = repr(text[:_MAX_SHOWN_CHARS])
        if is_url(text):
            return Candidate(url=text, written=shown)
        try:
            scheme = _SCHEME.match(text)
            if scheme and scheme[1].casefold() != "file":
                raise BadPicture("image_scheme_unsupported", f"{shown}; paths, http, https and data URIs are read")
            if self._folder is None:
                raise BadPicture(
                    "image_path_invalid",
                    f"{shown} is a path, and this source has no folder; pass --image-folder",
                )
            path, found_by = self._folder.find(text)
        except BadPicture as bad:
            return _refused(bad, text)
        return Candidate(path=path, found_by=found_by, written=shown)

    def _write(self, data: bytes) -> Candidate:
        """Write a picture that comes inside the table to a file."""
        if len(data) > self._max_image_bytes:
            bad = BadPicture("image_too_many_bytes", f"{len(data)}, at most {self._max_image_bytes} are read")
            return _refused(bad, "")
        # Named by its contents, so that equal pictures are one file, and no name comes from the table.
        path = self._inline_folder / hashlib.sha256(data).hexdigest()
        if not path.exists():
            path.write_bytes(data)
        return Candidate(path=path)


def _usable_share(way: Sequence[Candidate | bytes]) -> float:
    """Return the share of pictures of which nothing bad is known yet."""
    return sum(isinstance(one, bytes) or one.reason is None for one in way) / len(way)


def _refused(bad: BadPicture, text: str) -> Candidate:
    return Candidate(written=repr(text[:_MAX_SHOWN_CHARS]), reason=bad.reason, detail=bad.detail)
