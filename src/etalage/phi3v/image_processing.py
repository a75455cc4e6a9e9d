"""Pictures to crops: Phi-3-vision's HD transform.

Letters: N images, C crop slots (num_crops + 1, the global view first), S side of a crop in pixels.
"""

import math
import os
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, ClassVar, TypedDict

import numpy as np
import torch
from PIL import Image, ImageColor
from torch import Tensor
from torch.nn import functional
from transformers import BatchFeature
from transformers.image_processing_utils import BaseImageProcessor
from transformers.utils import logging

from etalage.phi3v.transfer import to_device
from etalage.rgb import to_rgb

__all__ = ["Phi3VImageProcessor", "Phi3VImageProcessorKwargs", "Picture", "list_pictures", "num_image_tokens"]

logger = logging.get_logger(__name__)

Picture = Image.Image | np.ndarray


def num_image_tokens(height: int, width: int, *, crop_size: int = 336, num_img_tokens: int = 144) -> int:
    """Count the tokens of a picture, given its size after the HD transform.

    Args:
        height, width: Pixels, multiples of crop_size.
        crop_size: Side of a crop in pixels.
        num_img_tokens: Tokens of one crop.

    Returns:
        Tokens of crops and global view, one separator per row of either, and one between the two.

    Source: Phi-3-vision's image embedding; the public recipes' formula rewritten in crops.
    """
    rows, columns = height // crop_size, width // crop_size
    return (rows * columns + 1) * num_img_tokens + 1 + (rows + 1) * math.isqrt(num_img_tokens)


@lru_cache(maxsize=16)
def _constant(per_channel: tuple[float, ...], device: torch.device) -> Tensor:
    """Return a (3, 1, 1) tensor. It is cached, as sending one makes a GPU and this code wait for each other."""
    # It may be made first while answers are generated, and training could not use an inference tensor.
    with torch.inference_mode(mode=False):
        return torch.tensor(per_channel, device=device).view(3, 1, 1)


def _as_image(picture: Any) -> Image.Image:
    """Return a picture as a PIL image; an array is refused with its dtype and shape, and what is expected."""
    if isinstance(picture, Image.Image):
        if 0 in picture.size:
            raise ValueError(f"picture of {picture.width}x{picture.height} pixels (width x height) is empty")
        return picture
    expected = "a PIL image, or a uint8 array of shape (height, width) or (height, width, channels), channels 1, 3 or 4"
    shape = tuple(getattr(picture, "shape", ()))
    found = " ".join(map(str, (type(picture).__name__, getattr(picture, "dtype", ""), shape or ""))).strip()
    if not isinstance(picture, np.ndarray):
        hint = "; open a file with PIL.Image.open first" if isinstance(picture, str | bytes | os.PathLike) else ""
        hint = "; pass tensor.permute(1, 2, 0).numpy()" if isinstance(picture, Tensor) and len(shape) == 3 else hint
        raise TypeError(f"expected {expected}; found {found}{hint}")
    if picture.dtype != np.uint8:
        raise TypeError(f"expected {expected}; found {found}; scale it to 0..255 and use .astype(numpy.uint8)")
    if picture.ndim == 3 and picture.shape[2] == 1:
        picture = picture[..., 0]
    if picture.ndim not in (2, 3) or 0 in shape or (picture.ndim == 3 and picture.shape[2] not in (3, 4)):
        first = picture.ndim == 3 and picture.shape[0] in (1, 3, 4)
        hint = "; its channels come first: transpose(1, 2, 0) moves them to the end" if first else ""
        hint = "; pass a list of pictures instead of a batch" if picture.ndim == 4 else hint
        raise ValueError(f"expected {expected}; found {found}{hint}")
    return Image.fromarray(picture)


def list_pictures(images: Any) -> list[Any]:
    """Return one picture or a sequence of them as a list.

    A text or a tensor counts as one: as a sequence it would be letters or channels.
    """
    is_one = isinstance(images, Picture | str | bytes | Tensor) or not isinstance(images, Iterable)
    return [images] if is_one else list(images)


class Phi3VImageProcessorKwargs(TypedDict, total=False):
    """The settings that preprocessor_config.json and `from_pretrained` may change."""

    num_crops: int
    image_mean: Sequence[float]
    image_std: Sequence[float]
    do_convert_rgb: bool
    background: str | None
    crop_size: int
    num_img_tokens: int


class Phi3VImageProcessor(BaseImageProcessor):
    """An image processor that enlarges a picture to at most `num_crops` square crops and adds a global view.

    Args:
        num_crops: Largest number of crops of one picture, global view not counted. Hub: 16 (Phi-3), 4 (Phi-3.5).
        image_mean, image_std: Per channel, of pixels in 0..1.
        do_convert_rgb: Convert other modes to RGB, upright by their EXIF orientation. False: refuse other modes.
        background: The colour under transparent parts, a CSS name or #rrggbb. None drops alpha, as the published
            processor does: transparent parts then show whatever colour is stored under them.
        crop_size: Side of a crop in pixels, the tower's image_size.
        num_img_tokens: Tokens of one crop.
        kwargs: Passed to transformers.

    Raises:
        ValueError: num_crops is below 1, num_img_tokens is not a square, or background is no colour.

    Source: image_processing_phi3_v.py of microsoft/Phi-3-vision-128k-instruct, rewritten from its description.
    """

    model_input_names: ClassVar[list[str]] = ["pixel_values", "image_sizes"]
    valid_kwargs = Phi3VImageProcessorKwargs

    def __init__(
        self,
        num_crops: int = 16,
        image_mean: Sequence[float] = (0.48145466, 0.4578275, 0.40821073),
        image_std: Sequence[float] = (0.26862954, 0.26130258, 0.27577711),
        do_convert_rgb: bool = True,
        background: str | None = None,
        crop_size: int = 336,
        num_img_tokens: int = 144,
        **kwargs: Any,
    ) -> None:
        kwargs.pop("auto_map", None)  # It points to the hub's remote code.
        super().__init__(**kwargs)
        if num_crops < 1:
            raise ValueError(f"num_crops is {num_crops}; give at least 1")
        if math.isqrt(num_img_tokens) ** 2 != num_img_tokens:
            raise ValueError(f"num_img_tokens is {num_img_tokens}; a square crop has a square number of tokens")
        if background is not None:
            ImageColor.getrgb(background)
        self.num_crops = num_crops
        self.image_mean = list(image_mean)
        self.image_std = list(image_std)
        self.do_convert_rgb = do_convert_rgb
        self.background = background
        self.crop_size = crop_size
        self.num_img_tokens = num_img_tokens

    def to_dict(self) -> dict[str, Any]:
        """Return the content of preprocessor_config.json."""
        names = Phi3VImageProcessorKwargs.__annotations__
        return {name: getattr(self, name) for name in names} | {
            "image_processor_type": type(self).__name__,
            "processor_class": "Phi3VProcessor",
        }

    def hd_size(self, width: int, height: int) -> tuple[int, int]:
        """Return the size of a picture after the HD transform.

        Args:
            width, height: Pixels before it.

        Returns:
            (height, width) in pixels, both multiples of crop_size.

        Raises:
            ValueError: The picture is so narrow that its short side vanishes.
        """
        long_side, short_side = self._resized(width, height)
        padded = math.ceil(short_side / self.crop_size) * self.crop_size
        return (long_side, padded) if width < height else (padded, long_side)

    def calc_num_image_tokens_from_image_size(self, width: int, height: int) -> int:
        """Count the tokens of a picture, given its size before any processing.

        Args:
            width, height: Pixels.

        Raises:
            ValueError: The picture is so narrow that its short side vanishes.
        """
        hd_height, hd_width = self.hd_size(width, height)
        return num_image_tokens(hd_height, hd_width, crop_size=self.crop_size, num_img_tokens=self.num_img_tokens)

    def _resized(self, width: int, height: int) -> tuple[int, int]:
        """Return the long and the short side after resizing, before padding."""
        # In floating point on purpose: the reference truncates doubles, which at some sizes is a pixel less than exact.
        ratio = max(width, height) / min(width, height)
        scale = 1
        while (scale + 1) * math.ceil((scale + 1) / ratio) <= self.num_crops:
            scale += 1
        long_side = self.crop_size * scale
        short_side = int(long_side / ratio)
        if short_side == 0:
            raise ValueError(
                f"picture of {width}x{height} pixels (width x height) is too narrow: at num_crops {self.num_crops} its "
                f"sides may differ by a factor of {long_side} at most; crop the picture or leave it out"
            )
        return long_side, short_side

    def hd_transform(self, image: Picture) -> np.ndarray:
        """Resize and pad one picture.

        Args:
            image: PIL image, or (height, width) or (height, width, channels) uint8 with 1, 3 or 4 channels.

        Returns:
            (height, width, 3) uint8, both sides multiples of crop_size, padded with white.

        Raises:
            TypeError: It is neither a PIL image nor an array of uint8.
            ValueError: The array has another shape, the picture is not RGB while do_convert_rgb is False, or it is too
                narrow.
        """
        picture = _as_image(image)
        if picture.mode != "RGB" and not self.do_convert_rgb:
            raise ValueError(f"picture has mode {picture.mode}, not RGB; convert it or set do_convert_rgb")
        if self.background is None and picture.has_transparency_data:
            logger.warning_once(
                "a picture has an alpha channel, which is dropped as the published processor does; "
                "pass background='white' to lay transparent parts on white"
            )
        image = to_rgb(picture, self.background)
        long_side, short_side = self._resized(*image.size)
        # The reference mirrors portraits to landscape and back. PIL rounds to 8 bits between its two passes, so pixels
        # depend on the order of the axes. Resizing the long side first, in a call of its own, equals that mirroring.
        # As in the reference, the border is white, and of an odd padding the far side gets the larger part.
        padding = -short_side % self.crop_size
        across, along = (padding // 2, padding - padding // 2), (0, 0)
        if image.width < image.height:
            sizes, padded = ((image.width, long_side), (short_side, long_side)), (along, across, (0, 0))
        else:
            sizes, padded = ((long_side, image.height), (long_side, short_side)), (across, along, (0, 0))
        for size in sizes:
            image = image.resize(size, Image.Resampling.BILINEAR)
        return np.pad(np.asarray(image), padded, constant_values=255)

    def pixels(self, image: Picture) -> Tensor:
        """Return hd_transform's picture as a (3, height, width) uint8 tensor.

        Args:
            image: As for hd_transform.

        Raises:
            TypeError, ValueError: hd_transform refuses the picture.
        """
        return torch.from_numpy(np.ascontiguousarray(self.hd_transform(image).transpose(2, 0, 1)))

    def crops(self, image: Picture) -> tuple[Tensor, tuple[int, int]]:
        """Turn one picture into normalised crops.

        Args:
            image: As for hd_transform.

        Returns:
            (C, 3, S, S) float32: global view, then the crops row by row, then zeros; and the (height, width) in
            pixels that the crops cover.

        Raises:
            TypeError, ValueError: hd_transform refuses the picture.
        """
        pixels = self.pixels(image)
        used = self.cut_bytes(pixels, pixels.device)
        slots = torch.zeros(self.num_crops + 1, *used.shape[1:])
        slots[: len(used)] = used
        return slots, (pixels.shape[1], pixels.shape[2])

    def num_tokens(self, pixels: Tensor) -> int:
        """Return the number of tokens of a (3, height, width) picture after the HD transform."""
        return num_image_tokens(*pixels.shape[1:], crop_size=self.crop_size, num_img_tokens=self.num_img_tokens)

    def num_used_crops(self, pixels: Tensor) -> int:
        """Return the number of crops that `cut` makes of a (3, height, width) picture, the global view counted."""
        return pixels.shape[1] * pixels.shape[2] // self.crop_size**2 + 1

    def cut(self, pixels: Tensor) -> Tensor:
        """Normalise pictures of one size and cut them, on whatever device they are.

        Args:
            pixels: (N, 3, height, width) float32 in 0..1, after the HD transform.

        Returns:
            (N, used crops, 3, S, S) float32: the global view, then the crops row by row.
        """
        side = self.crop_size
        mean, std = (_constant(tuple(values), pixels.device) for values in (self.image_mean, self.image_std))
        full = (pixels - mean).div_(std)
        # The normalised picture, without antialiasing or clamping, is what the checkpoints were trained on.
        overview = functional.interpolate(full, size=(side, side), mode="bicubic", align_corners=False)
        tiles = full.unflatten(3, (-1, side)).unflatten(2, (-1, side)).permute(0, 2, 4, 1, 3, 5).flatten(1, 2)
        return torch.cat([overview[:, None], tiles], 1)

    def cut_bytes(self, pixels: Tensor, device: torch.device) -> Tensor:
        """Send one picture to a device, and normalise and cut it there.

        Args:
            pixels: (3, height, width) uint8 on the CPU, after the HD transform.
            device: Where to cut it.

        Returns:
            (used crops, 3, S, S) float32 on the device.
        """
        # Sent as bytes, a quarter of the size of the floats that they become.
        return self.cut(to_device(pixels, device)[None].float() / 255)[0]

    def preprocess(self, images: Picture | Sequence[Picture], return_tensors: str | None = None) -> BatchFeature:
        """Turn pictures into model inputs.

        Args:
            images: One picture or a flat sequence of at least one.
            return_tensors: As everywhere in transformers; None keeps torch tensors.

        Returns:
            pixel_values: (N, C, 3, S, S) float32, normalised, unused slots zero. image_sizes: (N, 2) int64, pixels
            after the HD transform, height first. num_img_tokens: N ints.

        Raises:
            TypeError: hd_transform refuses the type of a picture.
            ValueError: There is no picture, or hd_transform refuses one.
        """
        images = list_pictures(images)
        if not images:
            raise ValueError("no pictures given; leave images out for text alone")
        slots, sizes = zip(*(self.crops(image) for image in images), strict=True)
        data = {"pixel_values": torch.stack(slots), "image_sizes": torch.tensor(sizes)}
        features = BatchFeature(data, tensor_type=return_tensors)
        features["num_img_tokens"] = [
            num_image_tokens(*size, crop_size=self.crop_size, num_img_tokens=self.num_img_tokens) for size in sizes
        ]
        return features
