"""Attention of packed rows, in which no token sees another example.

Letters: B rows, H heads, T tokens, E examples, D width of a head.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention.varlen import varlen_attn
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

__all__ = ["PACKED"]

PACKED = "packed"
"""The name under which transformers finds it: `model.set_attn_implementation(PACKED)`."""


def packed_attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    cu_seq_lens_q: Tensor | None = None,
    max_length_q: int | None = None,
    scaling: float | None = None,
    dropout: float = 0.0,
    sliding_window: int | None = None,
    **kwargs: Any,
) -> tuple[Tensor, None]:
    """Attend within each example, to what comes before; torch's SDPA where a call names no examples.

    One kernel for all of them on a GPU of Ampere's generation or a later one, in half precision; elsewhere one call for
    each, which spends nothing on pairs of tokens that do not see each other.

    Args:
        query, key, value: (1, H, T, D), the keys' heads may be fewer.
        cu_seq_lens_q: (E + 1,) int32, where examples begin, and the last one ends.
        max_length_q: Tokens of the longest one.
    Returns:
        (1, T, H, D), and None as there are no weights to show.
    Source: `torch.nn.attention.varlen`.
    """
    if cu_seq_lens_q is None:
        return sdpa_attention_forward(
            module, query, key, value, attention_mask, dropout=dropout, scaling=scaling, **kwargs
        )
    assert dropout == 0, "Phi-3-vision has none"
    assert max_length_q is not None
    window = sliding_window if sliding_window and sliding_window < max_length_q else None
    grouped = query.shape[1] != key.shape[1]
    if query.is_cuda and query.element_size() == 2 and torch.cuda.get_device_capability(query.device) >= (8, 0):
        tokens = [states[0].transpose(0, 1) for states in (query, key, value)]
        borders, longest = (cu_seq_lens_q, cu_seq_lens_q), (max_length_q, max_length_q)
        seen = (-1 if window is None else window - 1, 0)
        few_keys = {"enable_gqa": True} if grouped else {}  # only younger torches know it
        return varlen_attn(*tokens, *borders, *longest, scale=scaling, window_size=seen, **few_keys)[None], None
    attended = []
    lengths = cu_seq_lens_q.diff().tolist()
    for q, k, v in zip(*(states.split(lengths, dim=2) for states in (query, key, value)), strict=True):
        banded = None
        if window is not None:
            ones = torch.ones(2 * q.shape[2:3], dtype=torch.bool, device=q.device)
            banded = ones.tril().triu(1 - window)
        attended.append(
            scaled_dot_product_attention(
                q, k, v, attn_mask=banded, is_causal=banded is None, scale=scaling, enable_gqa=grouped
            )
        )
    return torch.cat(attended, 2).transpose(1, 2), None


AttentionInterface.register(PACKED, packed_attention)
AttentionMaskInterface.register(PACKED, sdpa_mask)
