"""Attention of packed rows, in which no token sees another example, registered with transformers.

Letters: B rows, H heads, T tokens, E examples, D width of a head.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from etalage.phi3v.attention_kernels import (
    attend_packed,
    attend_packed_backward,
    cudnn_is_faster,
    equal_length_runs,
    stack_examples,
)

__all__ = ["PACKED", "packed_attention"]

PACKED = "packed"
"""The name to pass to transformers: `model.set_attn_implementation(PACKED)`."""


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
    """Attend within each example, to the tokens before; use torch's SDPA if a call names no examples.

    Neighbouring examples of one length are one call, so rows are best sorted by length.

    Args:
        module: The layer that attends; says whether it is causal.
        query, key, value: (B, H, T, D), the keys' heads may be fewer. B is 1 if examples are named.
        attention_mask: As transformers makes it; not read if examples are named.
        cu_seq_lens_q: (E + 1,) int32 on the CPU, where examples begin, and the last one ends.
        max_length_q: Tokens of the longest one.
        scaling: Factor of the scores; None is 1 / sqrt(D).
        dropout: Must be 0 if examples are named.
        sliding_window: How many tokens a token sees, itself included; None or 0 is all.
        kwargs: Passed to transformers' SDPA.

    Returns:
        (B, T, H, D), and None as there are no attention weights to show.

    Source: transformers' names for the arguments of a packed row.
    """
    is_fused = query.shape[1] == key.shape[1] and cudnn_is_faster(query.device, query.dtype, query.shape[3])
    is_fused = is_fused and dropout == 0
    if cu_seq_lens_q is None:
        if not is_fused or attention_mask is not None or getattr(module, "is_causal", True):
            return sdpa_attention_forward(
                module, query, key, value, attention_mask, dropout=dropout, scaling=scaling, **kwargs
            )
        # The tower: its crops have equally many patches, so they are attended to as examples of one length.
        rows, _, length, _ = query.shape
        flat = (states.transpose(1, 2).flatten(0, 1) for states in (query, key, value))
        return _attend(*flat, None, length, False, scaling)[0].unflatten(0, (rows, length)), None
    assert dropout == 0, "Phi-3-vision has none"
    assert max_length_q is not None
    window = sliding_window if sliding_window and sliding_window < max_length_q else None
    # Views of (T, H, D), in which examples follow one another.
    query, key, value = (states[0].transpose(0, 1) for states in (query, key, value))
    if is_fused and window is None:
        return _attend(query, key, value, cu_seq_lens_q, max_length_q, True, scaling)[0][None], None
    return _attend_with_sdpa(query, key, value, cu_seq_lens_q, window, scaling)[None], None


def _attend_with_sdpa(
    query: Tensor, key: Tensor, value: Tensor, cu_seqlens: Tensor, window: int | None, scale: float | None
) -> Tensor:
    """Attend causally within each example, (T, H, D), by torch's SDPA, which allows fewer heads and a window."""
    outs = []
    for tokens, num_examples, length in equal_length_runs(cu_seqlens):
        q, k, v = (stack_examples(states[tokens], num_examples) for states in (query, key, value))
        mask = None
        if window is not None:
            mask = torch.ones(length, length, dtype=torch.bool, device=q.device).tril().triu(1 - window)
        is_grouped = query.shape[1] != key.shape[1]
        out = scaled_dot_product_attention(
            q, k, v, attn_mask=mask, is_causal=mask is None, scale=scale, enable_gqa=is_grouped
        )
        outs.append(out.transpose(1, 2).flatten(0, 1))
    return torch.cat(outs)


def _fake_forward(query: Tensor, *_: Any) -> tuple[Tensor, Tensor]:
    # The compiler relies on these shapes and on contiguous outputs, whichever kernel runs.
    lse = query.new_empty(query.shape[0] * query.shape[1], dtype=torch.float32)
    return query.new_empty(query.shape), lse


def _fake_backward(grad: Tensor, *states: Any) -> tuple[Tensor, ...]:
    return tuple(state.new_empty(state.shape) for state in states[:3])


def _setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
    query, key, value, cu_seqlens, *ctx.options = inputs
    ctx.save_for_backward(query, key, value, *output, cu_seqlens)


def _backward(ctx: Any, grad: Tensor, _: Tensor) -> tuple[Any, ...]:
    # The log-sum-exp has no gradient: nothing but this backward pass reads it.
    return *_attend_backward(grad, *ctx.saved_tensors, *ctx.options), None, None, None, None


# An operator that the compiler does not look into, so layers are compiled once, whatever lengths a row's examples have.
# A Library is used because a call of a torch.library.custom_op takes three times as long.
_library = torch.library.Library("etalage", "FRAGMENT")
_OPTIONS = "Tensor? cu_seqlens, SymInt max_seqlen, bool causal, float? scale"
_library.define(f"attend_packed(Tensor query, Tensor key, Tensor value, {_OPTIONS}) -> (Tensor, Tensor)")
_library.define(
    "attend_packed_backward(Tensor grad, Tensor query, Tensor key, Tensor value, Tensor out, Tensor lse, "
    f"{_OPTIONS}) -> (Tensor, Tensor, Tensor)"
)
_library.impl("attend_packed", attend_packed, "CUDA")
_library.impl("attend_packed_backward", attend_packed_backward, "CUDA")
torch.library.register_fake("etalage::attend_packed", _fake_forward, lib=_library)
torch.library.register_fake("etalage::attend_packed_backward", _fake_backward, lib=_library)
torch.library.register_autograd("etalage::attend_packed", _backward, setup_context=_setup_context, lib=_library)
_attend, _attend_backward = torch.ops.etalage.attend_packed.default, torch.ops.etalage.attend_packed_backward.default

AttentionInterface.register(PACKED, packed_attention)
# Calls that name no examples go to SDPA and need its masks.
AttentionMaskInterface.register(PACKED, sdpa_mask)
