"""Fused attention kernels for packed rows, forward and backward, and the choice between them.

Letters: T tokens, H heads, D width of a head, E examples, L tokens of one of them.
"""

import warnings
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from itertools import groupby
from typing import Any

import torch
from torch import Tensor

from etalage.phi3v.private_api import (
    cpu_attention,
    cpu_attention_backward,
    cudnn_attention,
    cudnn_attention_backward,
)
from etalage.phi3v.transfer import to_device

__all__ = [
    "attend_packed",
    "attend_packed_backward",
    "cudnn_is_faster",
    "equal_length_runs",
    "flash_attention",
    "stack_examples",
]


def cudnn_is_faster(device: torch.device, dtype: torch.dtype, head_dim: int) -> bool:
    """Return whether cuDNN's kernels are faster than the ones that torch would choose.

    On Hopper they take two thirds of the time (docs/log.md).

    Args:
        device: Where the states are.
        dtype: Their type.
        head_dim: Width of a head.
    """
    return (
        device.type == "cuda"
        # What the kernels take: 16 bits, and heads of these widths.
        and dtype.itemsize == 2
        and head_dim % 8 == 0
        and head_dim <= 128
        and torch.cuda.get_device_capability(device) >= (9, 0)
    )


@cache
def flash_attention(device: torch.device) -> Any:
    """Return the module with FlashAttention 4's functions, or None where they are not used.

    They are used if `etalage[flash]` is installed and the GPU is a Hopper, where they were found to be faster
    (docs/decisions.md).

    Args:
        device: Where the states are.

    Raises:
        ValueError: The package is installed and does not load.
    """
    if device.type != "cuda" or torch.cuda.get_device_capability(device)[0] != 9:
        return None
    try:
        version("flash-attn-4")  # By distribution: FlashAttention 2's module has the same name.
    except PackageNotFoundError:
        return None
    try:
        from flash_attn.cute import interface
    except ImportError as error:
        raise ValueError(f"flash-attn-4 does not load: {error}; pip install etalage[flash], or uninstall it") from error
    warnings.filterwarnings("ignore", "Argument aux_data", UserWarning)  # A warning about the package's own code.
    return interface


def attend_packed(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    cu_seqlens: Tensor | None,
    max_seqlen: int,
    causal: bool,
    scale: float | None,
) -> tuple[Tensor, Tensor]:
    """Attend within each example of a packed row.

    A GPU uses FlashAttention 4 or cuDNN, a CPU torch's own kernel.

    Args:
        query, key, value: (T, H, D).
        cu_seqlens: (E + 1,) int32 on the CPU, where examples begin, and the last one ends. None if all examples have
            max_seqlen tokens.
        max_seqlen: Tokens of the longest example.
        causal: Whether a token sees only itself and those before it.
        scale: Factor of the scores; None is 1 / sqrt(D).

    Returns:
        (T, H, D) the output, and (T * H,) float32 the log-sum-exp of the scores, which the backward pass needs.
    """
    if flash := flash_attention(query.device):
        states, options = _flash_inputs((query, key, value), cu_seqlens, max_seqlen)
        out, lse, *_ = flash._flash_attn_fwd(*states, **options, softmax_scale=scale, causal=causal, return_lse=True)
        return out.reshape(query.shape), lse.flatten()
    outs, lses = [], []
    # A call for each run of equal lengths: for a row of several lengths, cuDNN builds its plan anew in every call.
    for tokens, num_examples, _ in _runs(query, cu_seqlens, max_seqlen):
        q, k, v = (stack_examples(states[tokens], num_examples) for states in (query, key, value))
        if query.is_cuda:
            out, lse, *_ = cudnn_attention(q, k, v, None, True, 0.0, causal, False, scale=scale)
        else:
            out, lse = cpu_attention(q, k, v, 0.0, causal, scale=scale)
        outs.append(out.transpose(1, 2).flatten(0, 1))
        lses.append(lse.flatten())
    return _concatenate(outs), _concatenate(lses)


def attend_packed_backward(
    grad: Tensor,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    out: Tensor,
    lse: Tensor,
    cu_seqlens: Tensor | None,
    max_seqlen: int,
    causal: bool,
    scale: float | None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Compute the gradients of attend_packed.

    Args:
        grad: (T, H, D), the gradient of the output.
        query, key, value, cu_seqlens, max_seqlen, causal, scale: The inputs of attend_packed.
        out, lse: Its outputs.

    Returns:
        The gradients of query, key and value, (T, H, D) each.
    """
    if flash := flash_attention(query.device):
        states, options = _flash_inputs((query, key, value, out, grad), cu_seqlens, max_seqlen)
        # The forward pass has flattened it. FlashAttention has (H, T) for a row and (E, H, L) for a batch.
        lse = lse.view(query.shape[1], -1) if options else lse.view(-1, query.shape[1], max_seqlen)
        found = flash._flash_attn_bwd(*states, lse, **options, softmax_scale=scale, causal=causal)
        grad_query, grad_key, grad_value = (each.reshape(query.shape) for each in found[:3])
        return grad_query, grad_key, grad_value
    # torch 2.11 looks up cuDNN's plan by the layouts of query, key and value alone. If the output or its gradient has
    # another layout than in the call that built the plan, the gradients are wrong, without an error. Its own calls lay
    # out the output as the query, so the query has to be laid out as ours.
    query, out, grad = query.contiguous(), out.contiguous(), grad.contiguous()
    seed = torch.zeros((), dtype=torch.int64, device=query.device)  # For dropout, which is not used.
    grads: tuple[list[Tensor], ...] = ([], [], [])
    for tokens, num_examples, length in _runs(query, cu_seqlens, max_seqlen):
        g, q, k, v, o = (stack_examples(states[tokens], num_examples) for states in (grad, query, key, value, out))
        num_heads = query.shape[1]
        part = lse[tokens.start * num_heads : tokens.stop * num_heads].view(num_examples, num_heads, length)
        if query.is_cuda:
            found = cudnn_attention_backward(
                # No bias, and no cu_seqlens, as the examples of a run have one length.
                *(g, q, k, v, o, part[..., None], seed, seed, None, None, None),
                *(length, length, 0.0, causal),
                scale=scale,
            )
        else:
            found = cpu_attention_backward(g, q, k, v, o, part, 0.0, causal, scale=scale)
        for parts, each in zip(grads, found, strict=True):
            parts.append(each.transpose(1, 2).flatten(0, 1))
    grad_query, grad_key, grad_value = map(_concatenate, grads)
    return grad_query, grad_key, grad_value


def equal_length_runs(cu_seqlens: Tensor) -> Iterator[tuple[slice, int, int]]:
    """Yield the runs of neighbouring examples that have the same length.

    Args:
        cu_seqlens: (E + 1,) int32 on the CPU, where examples begin, and the last one ends.

    Yields:
        The tokens of a run, its number of examples, and their length.
    """
    start = 0
    for length, run in groupby(cu_seqlens.diff().tolist()):
        num_examples = len(list(run))
        yield slice(start, start + num_examples * length), num_examples, length
        start += num_examples * length


def stack_examples(states: Tensor, num_examples: int) -> Tensor:
    """Stack examples of one length as the rows of a batch.

    Args:
        states: (E * L, H, D).
        num_examples: E.

    Returns:
        (E, H, L, D), a view.
    """
    return states.unflatten(0, (num_examples, -1)).transpose(1, 2)


def _runs(query: Tensor, cu_seqlens: Tensor | None, max_seqlen: int) -> Iterator[tuple[slice, int, int]]:
    if cu_seqlens is None:
        return iter([(slice(0, len(query)), len(query) // max_seqlen, max_seqlen)])
    return equal_length_runs(cu_seqlens)


def _flash_inputs(
    states: Sequence[Tensor], cu_seqlens: Tensor | None, max_seqlen: int
) -> tuple[Sequence[Tensor], dict[str, Any]]:
    """Return (T, H, D) states as FlashAttention takes them.

    Examples of one length become a batch (E, L, H, D); others stay in one row and need cu_seqlens.
    """
    if cu_seqlens is None or bool((cu_seqlens.diff() == max_seqlen).all()):
        return [each.unflatten(0, (-1, max_seqlen)) for each in states], {}
    ends = to_device(cu_seqlens, states[0].device)
    return states, {
        "cu_seqlens_q": ends,
        "cu_seqlens_k": ends,
        "max_seqlen_q": max_seqlen,
        "max_seqlen_k": max_seqlen,
    }


def _concatenate(parts: list[Tensor]) -> Tensor:
    """Concatenate parts in one contiguous piece, as the compiler has been promised."""
    return parts[0].contiguous() if len(parts) == 1 else torch.cat(parts)
