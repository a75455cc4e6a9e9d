"""The rotary embedding."""
# mypy: allow-untyped-defs, allow-incomplete-defs
# Kernels have no annotations, which Triton would read.

import triton
import triton.language as tl
from torch import Tensor

from etalage.fused.reference import Operand, OperandFormat
from etalage.fused.triton.operand import with_fp8

__all__ = ["apply_rotary", "apply_rotary_backward"]


@triton.jit
def _load_cos_sin(cos, sin, token, column, head_dim):
    """Load cosines and sines of a token's position, for the first halves of its heads and for the second halves."""
    half = head_dim // 2
    inside, first = column < half, token * head_dim + column
    second = first + half
    return (
        tl.load(cos + first, mask=inside, other=0.0).to(tl.float32),
        tl.load(cos + second, mask=inside, other=0.0).to(tl.float32),
        tl.load(sin + first, mask=inside, other=0.0).to(tl.float32),
        tl.load(sin + second, mask=inside, other=0.0).to(tl.float32),
    )


@triton.jit
def _apply_rotary(states, stride, cos, sin, num_heads, head_dim, HEADS: tl.constexpr, HALF: tl.constexpr):
    """Rotate one token: the first halves of its heads against the second halves."""
    token = tl.program_id(0).to(tl.int64)
    # Halves are loaded one by one, as a block's sides are powers of two and a head of 96 is not.
    head, column = tl.arange(0, HEADS)[:, None], tl.arange(0, HALF)[None, :]
    half = head_dim // 2
    inside = (head < num_heads) & (column < half)
    target = states + token * stride + head * head_dim + column
    first = tl.load(target, mask=inside, other=0.0).to(tl.float32)
    second = tl.load(target + half, mask=inside, other=0.0).to(tl.float32)
    cos_first, cos_second, sin_first, sin_second = _load_cos_sin(cos, sin, token, column, head_dim)
    tl.store(target, first * cos_first - second * sin_first, mask=inside)
    tl.store(target + half, second * cos_second + first * sin_second, mask=inside)


@triton.jit
def _apply_rotary_backward(
    query, key, value, cos, sin, out, stride, num_heads, head_dim, HEADS: tl.constexpr, HALF: tl.constexpr
):
    """Treat the queries (kind 0), the keys (1) or the values (2) of one token, which are contiguous."""
    token, kind = tl.program_id(0).to(tl.int64), tl.program_id(1)
    head, column = tl.arange(0, HEADS)[:, None], tl.arange(0, HALF)[None, :]
    half = head_dim // 2
    inside = (head < num_heads) & (column < half)
    offset = head * head_dim + column
    target = out + token * stride + kind * num_heads * head_dim + offset
    source = token * num_heads * head_dim + offset
    if kind == 2:
        tl.store(target, tl.load(value + source, mask=inside, other=0.0), mask=inside)
        tl.store(target + half, tl.load(value + source + half, mask=inside, other=0.0), mask=inside)
    else:
        if kind == 0:
            first = tl.load(query + source, mask=inside, other=0.0).to(tl.float32)
            second = tl.load(query + source + half, mask=inside, other=0.0).to(tl.float32)
        else:
            first = tl.load(key + source, mask=inside, other=0.0).to(tl.float32)
            second = tl.load(key + source + half, mask=inside, other=0.0).to(tl.float32)
        cos_first, cos_second, sin_first, sin_second = _load_cos_sin(cos, sin, token, column, head_dim)
        tl.store(target, first * cos_first + second * sin_second, mask=inside)
        tl.store(target + half, second * cos_second - first * sin_first, mask=inside)


def apply_rotary(states: Tensor, cos: Tensor, sin: Tensor) -> None:
    """Rotate states by their positions, in place, as reference.apply_rotary does.

    Args:
        states, cos, sin: As there.
    """
    num_tokens, num_heads, head_dim = states.shape
    _apply_rotary[(num_tokens,)](
        *(states, states.stride(0), cos, sin, num_heads, head_dim), **_head_blocks(num_heads, head_dim)
    )


def apply_rotary_backward(
    query: Tensor, key: Tensor, value: Tensor, cos: Tensor, sin: Tensor, fmt: OperandFormat
) -> Operand:
    """Compute the gradient of the query-key-value projection, as reference.apply_rotary_backward does.

    Args:
        query, key, value, cos, sin, fmt: As there.
    """
    num_tokens, num_heads, head_dim = query.shape
    out = query.new_empty(num_tokens, 3 * num_heads * head_dim + fmt.num_extra_columns)
    grads = (grad.contiguous() for grad in (query, key, value))
    _apply_rotary_backward[(num_tokens, 3)](
        *(*grads, cos, sin, out, out.stride(0), num_heads, head_dim), **_head_blocks(num_heads, head_dim)
    )
    return with_fp8(out, 3 * num_heads * head_dim, fmt)


def _head_blocks(num_heads: int, head_dim: int) -> dict[str, int]:
    return {"HEADS": triton.next_power_of_2(num_heads), "HALF": triton.next_power_of_2(head_dim // 2)}
