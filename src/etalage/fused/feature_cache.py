"""Caches of a frozen tower's features, so that each crop is encoded once.

Letters: U crops, S side of a crop in pixels, D tower width.
"""

import os
from collections.abc import Callable, Sequence

import torch
import xxhash
from torch import Tensor, nn

from etalage.phi3v import Phi3VImageProcessor
from etalage.phi3v.image_embedding import find_image_embedding
from etalage.phi3v.transfer import to_device

__all__ = ["FeatureCache", "cache_features"]

CAPACITY_BYTES = 1 << 30
"""What `cache_features` may keep. A picture of five crops takes 480 KiB with the small model."""


def cache_features(model: nn.Module) -> None:
    """Keep the tower's features of each crop while there is room, and never compute them again.

    For a tower whose weights no longer change. Does nothing on a GPU, from which crops would have to come back to be
    compared; see FeatureCache. Each crop is encoded by itself, so that the last bits of its features do not depend on
    the crops that come with it.

    Args:
        model: A Phi-3-Vision model, adapted or not.
    """
    embedding = find_image_embedding(model)
    if embedding.glb_GN.device.type == "cpu":
        embedding.tower_features = _CachedTower(embedding.tower_features, CAPACITY_BYTES)  # type: ignore[method-assign]


class _Store:
    """Features by the hash of the pixels, up to a capacity. The first ones stay."""

    def __init__(self, capacity_bytes: int) -> None:
        self._free_bytes = capacity_bytes
        self._features: dict[bytes, Tensor] = {}

    def get(self, key: bytes) -> Tensor | None:
        return self._features.get(key)

    def put(self, key: bytes, features: Tensor) -> None:
        """Copy features to the CPU, if there is room."""
        if features.nbytes <= self._free_bytes:
            self._free_bytes -= features.nbytes
            kept = torch.empty(features.shape, dtype=features.dtype, pin_memory=features.is_cuda)
            # Does not wait for the GPU: whatever reads the copy later is queued after it in the same stream.
            self._features[key] = kept.copy_(features, non_blocking=True)


class _CachedTower:
    """A tower_features function that keeps what it has computed."""

    def __init__(self, tower_features: Callable[[Tensor], Tensor], capacity_bytes: int) -> None:
        self._tower_features, self._store = tower_features, _Store(capacity_bytes)

    @torch.inference_mode(mode=False)  # Features that are first computed while generating may be trained on later.
    @torch.no_grad()
    def __call__(self, crops: Tensor) -> Tensor:
        """Encode (U, 3, S, S) crops, as Phi3VImageEmbedding.tower_features does."""
        return torch.stack([self._encode(crop) for crop in crops])

    def _encode(self, crop: Tensor) -> Tensor:
        key = _key(crop)
        features = self._store.get(key)
        if features is None:
            features = self._tower_features(crop[None])[0]
            self._store.put(key, features)
        return features


class FeatureCache:
    """The features of whole pictures, for training on a GPU: kept in the machine's memory while there is room.

    At the full size they take 1.2 MB a crop, which is sent in less time than the tower takes to encode it.

    Args:
        model: Its tower's weights no longer change.
        images: Cuts pictures.
        capacity_bytes: What may be kept; None is half of the free memory.
    """

    def __init__(self, model: nn.Module, images: Phi3VImageProcessor, capacity_bytes: int | None = None) -> None:
        if capacity_bytes is None:
            capacity_bytes = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
        self._embedding, self._images, self._store = find_image_embedding(model), images, _Store(capacity_bytes)

    @torch.no_grad()
    def __call__(self, pictures: Sequence[Tensor]) -> Tensor:
        """Return the features of pictures' crops, on the tower's device.

        Args:
            pictures: (3, height, width) uint8 each, on the CPU, after the HD transform.

        Returns:
            (U, patches, D), as Phi3VImageEmbedding.tower_features of their crops.
        """
        device = self._embedding.glb_GN.device
        keys = [_key(picture) for picture in pictures]
        stored = {key: self._store.get(key) for key in keys}
        features = {key: to_device(each, device) for key, each in stored.items() if each is not None}
        missing = {key: picture for key, picture in zip(keys, pictures, strict=True) if key not in features}
        if missing:
            crops = [self._images.cut_bytes(picture, device) for picture in missing.values()]
            encoded = self._embedding.tower_features(torch.cat(crops)).split([len(c) for c in crops])
            for key, each in zip(missing, encoded, strict=True):
                features[key] = each
                self._store.put(key, each)
        return torch.cat([features[key] for key in keys])


def _key(pixels: Tensor) -> bytes:
    return xxhash.xxh3_128_digest(pixels.numpy())
