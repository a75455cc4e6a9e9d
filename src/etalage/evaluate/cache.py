"""Keys and values of what has been read and written, in memory with room behind them.

Letters: B rows, N heads, T tokens, C that there is room for, D width of a head.
"""

from typing import Any

from torch import Tensor
from transformers.cache_utils import Cache, DynamicLayer

__all__ = ["roomy_cache"]

ROOM = 64
"""The room for tokens is a multiple of it, so that kernels made for each shape meet few."""


class _RoomyLayer(DynamicLayer):
    """As its parent, which copies everything for each new token. What is behind the last one is zero and masked."""

    length = 0

    def update(self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
        """Append (B, N, T, D) of both; return all of them, (B, N, C, D)."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        before, after = self.length, self.length + key_states.shape[-2]
        for name, new in (("keys", key_states), ("values", value_states)):
            held = getattr(self, name)
            if not before or held.shape[-2] < after:
                roomy = new.new_zeros(*new.shape[:2], _room(after), new.shape[-1])
                if before:
                    roomy[:, :, :before] = held[:, :, :before]
                setattr(self, name, roomy)
            getattr(self, name)[:, :, before:after] = new
        self.length = after
        return self.keys, self.values

    def get_seq_length(self) -> int:
        return self.length

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        return _room(self.length + query_length), 0


def _room(num_tokens: int) -> int:
    return -(-num_tokens // ROOM) * ROOM


def roomy_cache(num_layers: int) -> Cache:
    """Empty."""
    return Cache(layers=[_RoomyLayer() for _ in range(num_layers)])
