"""Pictures as the model sees them, kept on disk, so that later epochs and runs neither decode nor resize them again."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import xxhash
from torch import Tensor

from etalage.aside import file_aside
from etalage.phi3v import Phi3VImageProcessor

__all__ = ["PreparedPictures"]


class PreparedPictures:
    """A folder with a file for each picture: three bytes a pixel, 4 MB for 3 x 4 crops, 1.4 MB for 2 x 2.

    Processes share it: each file is written aside and renamed, and one that is damaged is made again.

    Args:
        folder: Made if it is not there; may be thrown away at any time.
        images: How pictures are cut is part of their names.
    """

    def __init__(self, folder: Path, images: Phi3VImageProcessor) -> None:
        self._folder, self._images = folder, images
        folder.mkdir(parents=True, exist_ok=True)

    def __call__(self, source: Path, view: str, make: Callable[[], Tensor]) -> Tensor:
        """The pixels of a view of a picture file, (3, height, width) uint8; made and kept if they are not there.

        Raises:
            OSError: there is no such picture file, or the folder cannot be written.
        """
        found, side, num_crops = source.stat(), self._images.crop_size, self._images.num_crops
        key = f"{source.resolve()} {found.st_size} {found.st_mtime_ns} {side} {num_crops} {view}"
        path = self._folder / f"{xxhash.xxh3_128_hexdigest(os.fsencode(key))}.npy"
        try:
            return torch.from_numpy(np.load(path, allow_pickle=False))
        except (FileNotFoundError, ValueError, EOFError):
            pixels = make()
        with file_aside(path) as aside, aside.open("wb") as file:
            np.save(file, pixels.numpy(), allow_pickle=False)
        return pixels
