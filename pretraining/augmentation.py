"""Vary pictures on the device.

Letters: B pictures, H and W height and width after the HD transform.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["estrange", "vary"]


def vary(pixels: Tensor, generator: torch.Generator) -> Tensor:
    """Rotate, scale, shift, mirror, blur and relight pictures, and add noise. Colours keep their hue.

    Args:
        pixels: (B, 3, H, W) float32 in 0..1, with white around the product.
        generator: On the pixels' device.

    Returns:
        (B, 3, H, W) float32 in 0..1.
    """
    size, draw = len(pixels), _uniform(pixels, generator)
    angle = (draw() - 0.5) * 0.63 * (draw() < 0.5)  # up to 18 degrees either way
    # The grid maps from the new picture to the old one: a factor above 1 shrinks what it shows.
    shrink, stretch = torch.exp((0.6 - draw()) * 0.7), torch.exp((draw() - 0.5) * 0.3)
    mirror = torch.where(draw() < 0.5, -1.0, 1.0)
    cos, sin = angle.cos() * shrink, angle.sin() * shrink
    rows = [
        torch.stack([mirror * cos * stretch, -sin, (draw() - 0.5) * 0.3], 1),
        torch.stack([mirror * sin, cos / stretch, (draw() - 0.5) * 0.3], 1),
    ]
    grid = functional.affine_grid(torch.stack(rows, 1), list(pixels.shape), align_corners=False)
    # Inverted, so that what moves in from outside is white.
    pixels = 1 - functional.grid_sample(1 - pixels, grid, padding_mode="zeros", align_corners=False)
    for side in (48, 80, 128):
        coarse = draw() < 0.08
        if coarse.any():
            small = functional.interpolate(pixels[coarse], size=(side, side), mode="area")
            pixels[coarse] = functional.interpolate(small, size=pixels.shape[-2:], mode="bilinear")
    mean = pixels.mean((1, 2, 3), keepdim=True)
    contrast, light = (0.8 + 0.4 * draw(1, 1, 1) for _ in range(2))
    # The factors per channel are near 1, so that the hue, which titles name, stays.
    pixels = ((pixels - mean) * contrast + mean) * light * (0.96 + 0.08 * draw(3, 1, 1))
    noise = torch.randn(size, *pixels.shape[1:], device=pixels.device, generator=generator)
    return (pixels + noise * 0.03 * (draw(1, 1, 1) < 0.3)).clamp(0, 1)


def estrange(pixels: Tensor, generator: torch.Generator) -> Tensor:
    """Crop and recolour pictures and mix half of them, so that nobody could name them but a network sees something.

    Args:
        pixels: (B, 3, H, W) float32 in 0..1.
        generator: On the pixels' device.

    Returns:
        (B, 3, H, W) float32 in 0..1.
    """
    size, device, draw = len(pixels), pixels.device, _uniform(pixels, generator)
    zoom, zero = torch.exp(-draw() * 1.1), torch.zeros(size, device=device)
    # A crop of side `zoom` can move this far and stay inside the picture.
    across, down = ((1 - zoom) * (2 * draw() - 1) for _ in range(2))
    rows = [torch.stack([zoom, zero, across], 1), torch.stack([zero, zoom, down], 1)]
    grid = functional.affine_grid(torch.stack(rows, 1), list(pixels.shape), align_corners=False)
    pixels = functional.grid_sample(pixels, grid, padding_mode="border", align_corners=False)
    # Any linear map of the colours about grey, from nearly the identity to a wild one.
    strength = draw(1, 1) ** 2
    colours = torch.randn(size, 3, 3, device=device, generator=generator) * 0.7
    colours = torch.eye(3, device=device) * (1 - strength) + colours * strength
    pixels = torch.einsum("bij,bjhw->bihw", colours, pixels - 0.5) + 0.5
    # At most half, so that the picture itself stays the larger part of a mixture.
    share = draw(1, 1, 1) * (draw(1, 1, 1) < 0.5) / 2
    return (pixels * (1 - share) + pixels.roll(1, 0) * share).clamp(0, 1)


def _uniform(pixels: Tensor, generator: torch.Generator) -> Callable[..., Tensor]:
    """Return a function that draws from 0..1 for each picture."""

    def draw(*shape: int) -> Tensor:
        return torch.rand(len(pixels), *shape, device=pixels.device, generator=generator)

    return draw
