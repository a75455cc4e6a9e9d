"""Pictures after the HD transform, kept on disk, so that later epochs and runs need not make them again."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import xxhash
from torch import Tensor

from etalage.atomic import atomic_file
from etalage.phi3v import Phi3VImageProcessor

__all__ = ["PixelCache"]


class PixelCache:
    """A folder with a file per picture: three bytes per pixel, 4 MB for 3 x 4 crops, 1.4 MB for 2 x 2.

    Processes may share it: files appear whole, and a damaged one is made again.

    Args:
        folder: Created if it does not exist; may be deleted at any time.
        images: Its crop size and number of crops are part of each file's name.
    """

    def __init__(self, folder: Path, images: Phi3VImageProcessor) -> None:
        self._folder, self._images = folder, images
        folder.mkdir(parents=True, exist_ok=True)

    def __call__(self, source: Path, augmentation: str, make: Callable[[], Tensor]) -> Tensor:
        """Return the pixels of a picture file; make and keep them if they are not there.

        Args:
            source: The picture file. Its size and time of change are part of the key.
            augmentation: Which version of the picture.
            make: Computes the pixels, (3, H, W) uint8.

        Returns:
            (3, H, W) uint8.

        Raises:
            OSError: There is no such picture file, or the folder cannot be written.
        """
        found, side, num_crops = source.stat(), self._images.crop_size, self._images.num_crops
        # Size and time of change instead of contents: reading the file would take most of the time that is saved.
        key = f"{source.resolve()} {found.st_size} {found.st_mtime_ns} {side} {num_crops} {augmentation}"
        path = self._folder / f"{xxhash.xxh3_128_hexdigest(os.fsencode(key))}.npy"
        try:
            return torch.from_numpy(np.load(path, allow_pickle=False))
        except (FileNotFoundError, ValueError, EOFError):  # the last two are what numpy raises for damaged files
            pixels = make()
        with atomic_file(path) as partial, partial.open("wb") as file:
            np.save(file, pixels.numpy(), allow_pickle=False)
        return pixels
