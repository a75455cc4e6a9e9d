"""A key-value cache that appends tokens in place, into memory with spare room.

Shapes: B rows, N heads, T tokens, C tokens that there is room for, D width of a head.
"""

from typing import Any

from torch import Tensor
from transformers.cache_utils import Cache, DynamicLayer

__all__ = ["ROOM_MULTIPLE", "growing_cache"]

ROOM_MULTIPLE = 64
"""The room for tokens is a multiple of it, so that few shapes occur, for which kernels are chosen or compiled."""


class _GrowingLayer(DynamicLayer):
    """The keys and values of a layer. Its parent would copy all of them for each new token.

    The room after the last token is zero, and masked by the model.
    """

    keys: Tensor
    values: Tensor
    length = 0

    def update(self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
        """Append keys and values, (B, N, T, D) each; return all of them, (B, N, C, D) each."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        self.keys = _append(self.keys, key_states, self.length)
        self.values = _append(self.values, value_states, self.length)
        self.length += key_states.shape[-2]
        return self.keys, self.values

    def get_seq_length(self) -> int:
        return self.length

    # The mask is as long as the states that `update` returns, room included.
    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        return _room_for(self.length + query_length), 0


def _append(states: Tensor, new: Tensor, length: int) -> Tensor:
    """Write new states after the first `length` ones: in place if there is room, else into a larger copy."""
    new_length = length + new.shape[-2]
    if not length or states.shape[-2] < new_length:
        # Zeros, not empty memory: attention multiplies what is masked by zero, and that must not be NaN.
        larger = new.new_zeros(*new.shape[:2], _room_for(new_length), new.shape[-1])
        if length:
            larger[:, :, :length] = states[:, :, :length]
        states = larger
    states[:, :, length:new_length] = new
    return states


def _room_for(num_tokens: int) -> int:
    return -(-num_tokens // ROOM_MULTIPLE) * ROOM_MULTIPLE


def growing_cache(num_layers: int) -> Cache:
    """Return an empty cache for a model of this number of layers."""
    return Cache(layers=[_GrowingLayer() for _ in range(num_layers)])
