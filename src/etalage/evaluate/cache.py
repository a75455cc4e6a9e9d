"""Keys and values of what has been read and written, which grow in place.

Letters: B rows, N heads, T tokens, D width of a head.
"""

from typing import Any

from torch import Tensor
from transformers.cache_utils import Cache, DynamicLayer

__all__ = ["RoomyLayer", "roomy_cache"]

ROOM = 64
"""Tokens that there is room for whenever it has run out."""


class RoomyLayer(DynamicLayer):
    """As its parent, which copies everything for each new token."""

    def update(self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
        """Append (B, N, T, D) of both and return all of them."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        before = self.get_seq_length()
        after = before + key_states.shape[-2]
        for name, new in (("keys", key_states), ("values", value_states)):
            held, roomy = getattr(self, name), getattr(self, f"roomy_{name}", None)
            # its own no longer where rows were repeated or left out
            if roomy is None or roomy.data_ptr() != held.data_ptr() or roomy.shape[2] < after:
                roomy = new.new_empty(*new.shape[:2], after + ROOM, new.shape[3])
                if before:
                    roomy[:, :, :before] = held
                setattr(self, f"roomy_{name}", roomy)
            roomy[:, :, before:after] = new
            setattr(self, name, roomy[:, :, :after])
        return self.keys, self.values


def roomy_cache() -> Cache:
    """Empty."""
    return Cache(layer_class_to_replicate=RoomyLayer)
