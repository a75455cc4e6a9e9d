"""What a frozen tower says of a picture is said once and remembered."""

import os
from collections.abc import Callable, Sequence

import torch
import xxhash
from torch import Tensor, nn

from etalage.phi3v import Phi3VImageProcessor
from etalage.phi3v.image_embedding import find_image_embedding
from etalage.phi3v.transfer import to_device

__all__ = ["FeatureCache", "cache_features"]


ROOM_BYTES = 1 << 30
"""For features: the first ones asked for stay. A picture of five crops takes 480 KiB of the small model."""


def cache_features(model: nn.Module) -> None:
    """Keep the tower's features of each crop, while there is room, and never compute them again.

    Only for a tower whose weights no longer change. Does nothing on a GPU, where crops would have to come back to be
    compared; see FeatureCache. Each crop is read on its own, so that its features do not depend, in the
    last bit, on which crops come with it.
    """
    embedding = find_image_embedding(model)
    if embedding.glb_GN.device.type == "cpu":
        embedding.tower_features = _Memory(embedding.tower_features, ROOM_BYTES)  # type: ignore[method-assign]


class _Memory:
    def __init__(self, tower: Callable[[Tensor], Tensor], room_bytes: int) -> None:
        self._tower, self._room = tower, room_bytes
        self._known: dict[bytes, Tensor] = {}

    @torch.inference_mode(mode=False)  # what is first seen while generating may be trained on later
    @torch.no_grad()
    def __call__(self, crops: Tensor) -> Tensor:
        """(U, 3, S, S) -> (U, patches, D), as Phi3VImageEmbedding.tower_features."""
        return torch.stack([self._features(crop) for crop in crops])

    def _features(self, crop: Tensor) -> Tensor:
        key = xxhash.xxh3_128_digest(crop.numpy())
        if key in self._known:
            return self._known[key]
        features = self._tower(crop[None])[0].clone()
        if features.nbytes <= self._room:
            self._room -= features.nbytes
            self._known[key] = features
        return features


class FeatureCache:
    """Features of whole pictures, for training on a GPU: kept in the machine's memory, while there is room.

    Of the full size they take 1.2 MB a crop, which is sent in less time than the tower takes for it.

    Args:
        model: Holds a tower whose weights no longer change.
        images: Cuts pictures.
        room_bytes: For features; None is half of the memory that is free. The first ones asked for stay.
    """

    def __init__(self, model: nn.Module, images: Phi3VImageProcessor, room_bytes: int | None = None) -> None:
        self._embedding = find_image_embedding(model)
        self._images = images
        self._room = (
            os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2 if room_bytes is None else room_bytes
        )
        self._known: dict[bytes, Tensor] = {}

    @torch.no_grad()
    def __call__(self, pictures: Sequence[Tensor]) -> Tensor:
        """Features of pictures' crops, on the tower's device.

        Args:
            pictures: Each (3, height, width) uint8 on the CPU, after the HD transform.
        Returns:
            (U, patches, D), as Phi3VImageEmbedding.tower_features of their crops.
        """
        device = self._embedding.glb_GN.device
        keys = [xxhash.xxh3_128_digest(picture.numpy()) for picture in pictures]
        features = {key: to_device(self._known[key], device) for key in keys if key in self._known}
        unknown = {key: picture for key, picture in zip(keys, pictures, strict=True) if key not in features}
        if unknown:
            crops = [self._images.cut_bytes(picture, device) for picture in unknown.values()]
            read = self._embedding.tower_features(torch.cat(crops)).split([len(c) for c in crops])
            for key, said in zip(unknown, read, strict=True):
                features[key] = said
                self._keep(key, said)
        return torch.cat([features[key] for key in keys])

    def _keep(self, key: bytes, features: Tensor) -> None:
        if features.nbytes <= self._room:
            self._room -= features.nbytes
            kept = torch.empty(features.shape, dtype=features.dtype, pin_memory=features.is_cuda)
            self._known[key] = kept.copy_(features, non_blocking=True)  # sent back behind this, in the same stream
