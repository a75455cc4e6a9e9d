"""Attention of packed rows, in which no token sees another example.

Letters: B rows, H heads, T tokens, E examples, L tokens of one of them, D width of a head.
"""

import warnings
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from itertools import groupby
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from etalage.phi3v.transfer import to_device

__all__ = ["PACKED", "attend_packed", "attend_packed_backward", "cudnn_is_faster", "flash_attention"]

_aten = torch.ops.aten
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

    Examples of one length that stand side by side are one call, so rows are best sorted by length.

    Args:
        query, key, value: (B, H, T, D), the keys' heads may be fewer. B is 1 where examples are named.
        cu_seq_lens_q: (E + 1,) int32 on the CPU, where examples begin, and the last one ends.
        max_length_q: Tokens of the longest one.
    Returns:
        (B, T, H, D), and None as there are no weights to show.
    Source: transformers' names for the arguments of a packed row.
    """
    quick = query.shape[1] == key.shape[1] and cudnn_is_faster(query.device, query.dtype, query.shape[3])
    quick = quick and dropout == 0
    if cu_seq_lens_q is None:
        if not quick or attention_mask is not None or getattr(module, "is_causal", True):
            return sdpa_attention_forward(
                module, query, key, value, attention_mask, dropout=dropout, scaling=scaling, **kwargs
            )
        rows, _, length, _ = query.shape
        flat = (states.transpose(1, 2).flatten(0, 1) for states in (query, key, value))
        return _attend(*flat, None, length, False, scaling)[0].unflatten(0, (rows, length)), None
    assert dropout == 0, "Phi-3-vision has none"
    assert max_length_q is not None
    window = sliding_window if sliding_window and sliding_window < max_length_q else None
    if quick and window is None:
        flat = (states[0].transpose(0, 1) for states in (query, key, value))
        return _attend(*flat, cu_seq_lens_q, max_length_q, True, scaling)[0][None], None
    attended = []
    for piece, count, length in _runs(cu_seq_lens_q):
        q, k, v = (_stacked(states[0, :, piece].transpose(0, 1), count) for states in (query, key, value))
        banded = None
        if window is not None:
            banded = torch.ones(length, length, dtype=torch.bool, device=q.device).tril().triu(1 - window)
        grouped = query.shape[1] != key.shape[1]
        out = scaled_dot_product_attention(
            q, k, v, attn_mask=banded, is_causal=banded is None, scale=scaling, enable_gqa=grouped
        )
        attended.append(out.transpose(1, 2).flatten(0, 1))
    return torch.cat(attended)[None], None


def cudnn_is_faster(device: torch.device, dtype: torch.dtype, width: int) -> bool:
    """On Hopper its kernels take two thirds of the time of those that torch would choose (docs/log.md)."""
    return (
        device.type == "cuda"
        and dtype.itemsize == 2
        and width % 8 == 0
        and width <= 128
        and torch.cuda.get_device_capability(device) >= (9, 0)
    )


@cache
def flash_attention(device: torch.device) -> Any:
    """FlashAttention 4's functions, if they are installed (`etalage[flash]`) and the GPU is one that they were found to
    be quicker on (docs/decisions.md): a Hopper.

    Raises:
        ValueError: they are installed and do not load.
    """
    if device.type != "cuda" or torch.cuda.get_device_capability(device)[0] != 9:
        return None
    try:
        version("flash-attn-4")  # its module's name is FlashAttention 2's, too
    except PackageNotFoundError:
        return None
    try:
        from flash_attn.cute import interface
    except ImportError as error:
        raise ValueError(f"flash-attn-4 does not load: {error}; pip install etalage[flash], or uninstall it") from error
    warnings.filterwarnings("ignore", "Argument aux_data", UserWarning)  # it tells users of its own code
    return interface


def _runs(cu_seqlens: Tensor) -> Iterator[tuple[slice, int, int]]:
    """Neighbours of one length: their tokens, how many examples, of what length."""
    start = 0
    for length, alike in groupby(cu_seqlens.diff().tolist()):
        count = len(list(alike))
        yield slice(start, start + count * length), count, length
        start += count * length


def _stacked(tokens: Tensor, count: int) -> Tensor:
    """(E * L, H, D) -> (E, H, L, D)"""
    return tokens.unflatten(0, (count, -1)).transpose(1, 2)


def attend_packed(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    cu_seqlens: Tensor | None,
    length: int,
    causal: bool,
    scale: float | None,
) -> tuple[Tensor, Tensor]:
    """Attend within each example, by the kernels of FlashAttention 4 or of cuDNN on a GPU.

    Args:
        query, key, value: (T, H, D).
        cu_seqlens: As packed_attention's; None: all examples are of the length.
    Returns:
        (T, H, D), and (T * H,) float32 the logarithms of the sums that its backward needs.
    """
    if flash := flash_attention(query.device):
        states, how = _for_flash((query, key, value), cu_seqlens, length)
        out, log_sums, *_ = flash._flash_attn_fwd(*states, **how, softmax_scale=scale, causal=causal, return_lse=True)
        return out.reshape(query.shape), log_sums.flatten()
    outs, sums = [], []
    for piece, count, _ in _runs_of(query, cu_seqlens, length):
        q, k, v = (_stacked(tokens[piece], count) for tokens in (query, key, value))
        if query.is_cuda:
            out, log_sum, *_ = _aten._scaled_dot_product_cudnn_attention(
                q, k, v, None, True, 0.0, causal, False, scale=scale
            )
        else:
            out, log_sum = _aten._scaled_dot_product_flash_attention_for_cpu(q, k, v, 0.0, causal, scale=scale)
        outs.append(out.transpose(1, 2).flatten(0, 1))
        sums.append(log_sum.flatten())
    return _joined(outs), _joined(sums)


def attend_packed_backward(
    grad: Tensor,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    out: Tensor,
    log_sums: Tensor,
    cu_seqlens: Tensor | None,
    length: int,
    causal: bool,
    scale: float | None,
) -> tuple[Tensor, Tensor, Tensor]:
    """(T, H, D) gradients of query, key and value, from that of the output and what attend_packed took and gave."""
    if flash := flash_attention(query.device):
        states, how = _for_flash((query, key, value, out, grad), cu_seqlens, length)
        sums = log_sums.view(query.shape[1], -1) if how else log_sums.view(-1, query.shape[1], length)
        found = flash._flash_attn_bwd(*states, sums, **how, softmax_scale=scale, causal=causal)
        for_query, for_key, for_value = (each.reshape(query.shape) for each in found[:3])
        return for_query, for_key, for_value
    no_dropout = torch.zeros((), dtype=torch.int64, device=query.device)
    grads: tuple[list[Tensor], ...] = ([], [], [])
    for piece, count, longest in _runs_of(query, cu_seqlens, length):
        g, q, k, v, o = (_stacked(tokens[piece], count) for tokens in (grad, query, key, value, out))
        heads = query.shape[1]
        log_sum = log_sums[piece.start * heads : piece.stop * heads].view(count, heads, longest)
        if query.is_cuda:
            seeds, ends = (no_dropout, no_dropout), (None, None, longest, longest)
            found = _aten._scaled_dot_product_cudnn_attention_backward(
                g, q, k, v, o, log_sum[..., None], *seeds, None, *ends, 0.0, causal, scale=scale
            )
        else:
            found = _aten._scaled_dot_product_flash_attention_for_cpu_backward(
                g, q, k, v, o, log_sum, 0.0, causal, scale=scale
            )
        for kept, one in zip(grads, found, strict=True):
            kept.append(one.transpose(1, 2).flatten(0, 1))
    for_query, for_key, for_value = map(_joined, grads)
    return for_query, for_key, for_value


def _for_flash(
    states: Sequence[Tensor], cu_seqlens: Tensor | None, length: int
) -> tuple[Sequence[Tensor], dict[str, Any]]:
    """(T, H, D) as FlashAttention takes them: (E, L, H, D) where all are of a length, else as they are and cu_seqlens."""
    if cu_seqlens is None or bool((cu_seqlens.diff() == length).all()):
        return [each.unflatten(0, (-1, length)) for each in states], {}
    ends = to_device(cu_seqlens, states[0].device)
    return states, {"cu_seqlens_q": ends, "cu_seqlens_k": ends, "max_seqlen_q": length, "max_seqlen_k": length}


def _runs_of(query: Tensor, cu_seqlens: Tensor | None, length: int) -> Iterator[tuple[slice, int, int]]:
    if cu_seqlens is None:
        return iter([(slice(0, len(query)), len(query) // length, length)])
    return _runs(cu_seqlens)


def _joined(parts: list[Tensor]) -> Tensor:
    """In one piece and in order, as the compiler has been told."""
    return parts[0].contiguous() if len(parts) == 1 else torch.cat(parts)


def _shapes(query: Tensor, *_: Any) -> tuple[Tensor, Tensor]:
    sums = query.new_empty(query.shape[0] * query.shape[1], dtype=torch.float32)
    return query.new_empty(query.shape), sums


def _shapes_backward(grad: Tensor, *states: Any) -> tuple[Tensor, ...]:
    return tuple(state.new_empty(state.shape) for state in states[:3])


def _keep(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
    query, key, value, cu_seqlens, *ctx.how = inputs
    ctx.save_for_backward(query, key, value, *output, cu_seqlens)


def _gradients(ctx: Any, grad: Tensor, _: Tensor) -> tuple[Any, ...]:
    return *_attend_backward(grad, *ctx.saved_tensors, *ctx.how), None, None, None, None


# Opaque to the compiler: whatever lengths a row has, the layers around are compiled once.
_library = torch.library.Library("etalage", "FRAGMENT")  # torch.library.custom_op takes thrice as long a call
_HOW = "Tensor? cu_seqlens, SymInt length, bool causal, float? scale"
_library.define(f"attend(Tensor query, Tensor key, Tensor value, {_HOW}) -> (Tensor, Tensor)")
_library.define(
    "attend_backward(Tensor grad, Tensor query, Tensor key, Tensor value, Tensor out, Tensor log_sums, "
    f"{_HOW}) -> (Tensor, Tensor, Tensor)"
)
_library.impl("attend", attend_packed, "CUDA")
_library.impl("attend_backward", attend_packed_backward, "CUDA")
torch.library.register_fake("etalage::attend", _shapes, lib=_library)
torch.library.register_fake("etalage::attend_backward", _shapes_backward, lib=_library)
torch.library.register_autograd("etalage::attend", _gradients, setup_context=_keep, lib=_library)
_attend, _attend_backward = torch.ops.etalage.attend.default, torch.ops.etalage.attend_backward.default

AttentionInterface.register(PACKED, packed_attention)
AttentionMaskInterface.register(PACKED, sdpa_mask)
