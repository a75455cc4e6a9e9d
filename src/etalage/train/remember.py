"""What a frozen tower says of a crop is said once and remembered."""

from collections.abc import Callable

import torch
import xxhash
from torch import Tensor, nn

from etalage.phi3v.modeling import Phi3VImageEmbedding

__all__ = ["remember_features"]


ROOM_BYTES = 1 << 30
"""For features: the first ones asked for stay. A picture of five crops takes 480 KiB of the small model."""


def remember_features(model: nn.Module) -> None:
    """Keep the tower's features of each crop, while there is room, and never compute them again.

    Only for a tower whose weights no longer change. Does nothing on a GPU: there the tower is quick, and comparing
    crops would cost more than reading them. Each crop is read on its own, so that its features do not depend, in the
    last bit, on which crops come with it.
    """
    for embedding in model.modules():
        if isinstance(embedding, Phi3VImageEmbedding) and embedding.glb_GN.device.type == "cpu":
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
