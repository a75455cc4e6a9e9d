"""Which pictures of a batch stand where, worked out on the CPU before anything is sent to the model.

Letters: B rows, T tokens, N images, C crop slots, U used crops, S side of a crop in pixels, G side of a crop's grid
after the 2x2 merge, P image tokens of the whole batch.
"""

import math
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import pad

__all__ = ["ImagePlan", "plan_images", "token_order"]

# Rows of the separators in an image's token order, counted from the end of the projected rows.
SUB_GN, GLB_GN = -2, -1


class ImagePlan(NamedTuple):
    """The source of each image token of a batch, and its place in input_ids."""

    used: Tensor | None
    """(N, C) bool, the crop slots that hold a crop; None if unused slots were left out before."""
    order: Tensor
    """(P,) int64, for each image token its row among the projected cells; SUB_GN and GLB_GN are separators."""
    rows: Tensor
    """(P,) int64, for each image token its row of input_ids."""
    columns: Tensor
    """(P,) int64, for each image token its column of input_ids."""


@lru_cache(maxsize=256)
def token_order(rows: int, columns: int, side: int) -> Tensor:
    """Return the order in which the cells of one picture are read.

    Args:
        rows, columns: The picture's size in crops.
        side: G, cells along one side of a crop.

    Returns:
        (tokens,) int64: first the tiled picture, then GLB_GN, then the global view, with SUB_GN after every row. The
        numbers index the cells of the picture's crops, global view first, each crop row by row.

    Source: "sub_glb" order with learnable separators of Phi-3-vision's image embedding.
    """
    cells = torch.arange((rows * columns + 1) * side * side)
    overview, tiles = cells[: side * side].view(side, side), cells[side * side :]
    tiles = tiles.view(rows, columns, side, side).transpose(1, 2).reshape(rows * side, columns * side)
    overview, tiles = (pad(grid, (0, 1), value=SUB_GN).flatten() for grid in (overview, tiles))
    return torch.cat([tiles, torch.tensor([GLB_GN]), overview])


def plan_images(
    input_ids: Tensor,
    pixel_shape: Sequence[int] | None,
    image_sizes: Tensor | None,
    *,
    crop_size: int,
    num_img_tokens: int,
) -> ImagePlan | None:
    """Bind every image position to a picture.

    Args:
        input_ids: (B, T) int64 on the CPU; id -n is image n of its own row.
        pixel_shape: The shape of pixel_values: (N, C, 3, S, S), images of row 0, then of row 1 ...; or (U, 3, S, S),
            their used crops alone.
        image_sizes: (N, 2) int64, pixels after the HD transform, height first.
        crop_size: S.
        num_img_tokens: Tokens of one crop, G * G.

    Returns:
        The plan, or None if there are neither pictures nor image positions.

    Raises:
        ValueError: An image is missing, left over or cut, or a shape is wrong. Names row and image.
    """
    rows, columns = (input_ids < 0).nonzero(as_tuple=True)
    if pixel_shape is None:
        if image_sizes is not None:
            raise ValueError("image_sizes without pixel_values; pass both, as the processor returns them")
        if len(rows):
            row, number = int(rows[0]), -int(input_ids[rows[0], columns[0]])
            raise ValueError(
                f"row {row}: input_ids hold positions of image {number} but no pixel_values were passed; pass "
                "pixel_values and image_sizes as the processor returns them"
            )
        return None
    grids = _check_pixels(tuple(pixel_shape), image_sizes, crop_size)
    side = math.isqrt(num_img_tokens)
    numbers = -input_ids[rows, columns]
    counts = Counter(zip(rows.tolist(), numbers.tolist(), strict=True))
    _check_positions(counts, grids, len(input_ids), side)

    order, offset = [], 0
    for height, width in grids:
        cells = token_order(height, width, side)
        # A new tensor: the one from token_order is cached and must not change. Separators are no cells, so they stay.
        order.append(torch.where(cells < 0, cells, cells + offset))
        offset += (height * width + 1) * side * side
    used = None
    if len(pixel_shape) == 5:
        num_used = torch.tensor([height * width + 1 for height, width in grids])
        used = torch.arange(pixel_shape[1]) < num_used[:, None]
    # Images go by row and number, whichever comes first in the text. The sort is stable, so that the tokens of one
    # image keep their order.
    by_image = (rows * (numbers.max() + 1) + numbers).argsort(stable=True)
    return ImagePlan(used, torch.cat(order), rows[by_image], columns[by_image])


def _check_pixels(shape: tuple[int, ...], image_sizes: Tensor | None, side: int) -> list[tuple[int, int]]:
    """Return the grids of the pictures, in crops."""
    if image_sizes is None:
        raise ValueError(
            f"pixel_values {shape} without image_sizes: the pictures would not be seen; pass the processor's "
            "image_sizes (N, 2) with them"
        )
    if len(shape) not in (4, 5) or shape[-3:] != (3, side, side):
        raise ValueError(
            f"pixel_values have shape {shape}, expected (images, crop slots, 3, {side}, {side}) or "
            f"(used crops, 3, {side}, {side})"
        )
    num_images, num_slots = shape[:2] if len(shape) == 5 else (len(image_sizes), shape[0])
    if tuple(image_sizes.shape) != (num_images, 2):
        raise ValueError(
            f"image_sizes have shape {tuple(image_sizes.shape)} for {num_images} pictures, expected "
            f"({num_images}, 2): padded height and width"
        )
    grids = []
    for image, (height, width) in enumerate(image_sizes.tolist()):
        rows, columns = height // side, width // side
        # Fewer crops than slots, as the global view takes one.
        if height % side or width % side or not 0 < rows * columns < num_slots:
            raise ValueError(
                f"pixel_values[{image}]: image_sizes says {height}x{width} (height x width), expected multiples of "
                f"{side} that make 1 to {num_slots - 1} crops; pass the image_sizes of the same processor call"
            )
        grids.append((rows, columns))
    if len(shape) == 4 and (num_crops := sum(rows * columns + 1 for rows, columns in grids)) != num_slots:
        raise ValueError(
            f"pixel_values hold {num_slots} used crops, image_sizes {num_crops}, global views counted; pass the "
            "image_sizes that belong to them"
        )
    return grids


def _check_positions(counts: Counter, grids: list[tuple[int, int]], num_rows: int, side: int) -> None:
    """Compare the image positions, counted by (row, number), with the pictures."""
    numbers_by_row = [sorted(number for at, number in counts if at == row) for row in range(num_rows)]
    image = 0
    for row, numbers in enumerate(numbers_by_row):
        if numbers != list(range(1, len(numbers) + 1)):
            raise ValueError(
                f"row {row}: input_ids hold images {numbers}, expected 1 to {len(numbers)} without gaps; an image "
                "was cut away, or the row mixes rows of another batch and must be renumbered"
            )
        for number in numbers:
            if image == len(grids):
                raise ValueError(
                    f"row {row}, image {number}: no picture left, pixel_values hold {len(grids)} and input_ids "
                    f"name {sum(map(len, numbers_by_row))}; pass the pictures of all rows, in row order"
                )
            height, width = grids[image]
            expected = len(token_order(height, width, side))
            if counts[row, number] != expected:
                raise ValueError(
                    f"row {row}, image {number}: found {counts[row, number]} image positions, expected {expected} "
                    f"for {height}x{width} crops; do not cut input_ids inside an image and pass the image_sizes "
                    "that belong to them"
                )
            image += 1
    if image < len(grids):
        raise ValueError(
            f"pixel_values hold {len(grids)} pictures but the {num_rows} rows of input_ids have positions for "
            f"{image} (by row: {[len(numbers) for numbers in numbers_by_row]}); leave the surplus out or name them "
            "in the text"
        )
