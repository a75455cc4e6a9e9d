"""Keys and values of what has been read and written, in memory with room behind them.

Letters: B rows, N heads, T tokens, C that there is room for, D width of a head.
"""

from typing import Any

from torch import Tensor
from transformers.cache_utils import Cache, DynamicLayer

__all__ = ["growing_cache"]

ROOM = 64
"""The room for tokens is a multiple of it, so that kernels made for each shape meet few."""


class _RoomyLayer(DynamicLayer):
    """As its parent, which copies everything for each new token. What is behind the last one is zero and masked."""

    keys: Tensor
    values: Tensor
    length = 0

    def update(self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
        """Append (B, N, T, D) of both; return all of them, (B, N, C, D)."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        self.keys = _appended(self.keys, key_states, self.length)
        self.values = _appended(self.values, value_states, self.length)
        self.length += key_states.shape[-2]
        return self.keys, self.values

    def get_seq_length(self) -> int:
        return self.length

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        return _room(self.length + query_length), 0


def _appended(held: Tensor, new: Tensor, before: int) -> Tensor:
    """Behind the tokens `before`, in place if there is room."""
    after = before + new.shape[-2]
    if not before or held.shape[-2] < after:
        roomy = new.new_zeros(*new.shape[:2], _room(after), new.shape[-1])
        if before:
            roomy[:, :, :before] = held[:, :, :before]
        held = roomy
    held[:, :, before:after] = new
    return held


def _room(num_tokens: int) -> int:
    return -(-num_tokens // ROOM) * ROOM


def growing_cache(num_layers: int) -> Cache:
    """Empty."""
    return Cache(layers=[_RoomyLayer() for _ in range(num_layers)])
