"""What layers of decoder and tower do between their products, each tensor read and written once: Triton kernels.

The compiler's own take up to twice as long (docs/log.md). Triton comes with torch where there is a GPU. Functions are
those of elementwise.py, where they are spelled out.
"""

import torch
import triton
import triton.language as tl
from torch import Tensor

from etalage.train.elementwise import EIGHT_BITS

__all__ = [
    "gate",
    "gate_backward",
    "norm",
    "norm_backward",
    "quick_gelu",
    "quick_gelu_backward",
    "rotate",
    "rotate_back",
    "rounded",
    "widened",
]

_BLOCK = 1024


@triton.jit
def _centred(value, inside, width, CENTRED: tl.constexpr):  # type: ignore[no-untyped-def]
    return tl.where(inside, value - tl.sum(value, 0) / width, 0.0) if CENTRED else value


@triton.jit
def _normed(direction, weight, bias, column, inside, dtype, CENTRED: tl.constexpr):  # type: ignore[no-untyped-def]
    """Rounded where transformers and torch round."""
    each = tl.load(weight + column, mask=inside, other=0.0).to(tl.float32)
    if CENTRED:
        out = direction * each + tl.load(bias + column, mask=inside, other=0.0).to(tl.float32)
    else:
        out = direction.to(dtype).to(tl.float32) * each
    return out


@triton.jit
def _norm(  # type: ignore[no-untyped-def]
    x,
    delta,
    total,
    weight,
    bias,
    out,
    out_stride,
    scales,
    width,
    eps,
    ADD: tl.constexpr,
    CENTRED: tl.constexpr,
    BLOCK: tl.constexpr,
):
    row = tl.program_id(0).to(tl.int64)
    column = tl.arange(0, BLOCK)
    inside = column < width
    value = tl.load(x + row * width + column, mask=inside, other=0.0).to(tl.float32)
    if ADD:
        value += tl.load(delta + row * width + column, mask=inside, other=0.0).to(tl.float32)
        stored = value.to(total.dtype.element_ty)
        tl.store(total + row * width + column, stored, mask=inside)
        value = stored.to(tl.float32)
    value = _centred(value, inside, width, CENTRED)
    scale = 1 / tl.sqrt(tl.sum(value * value, 0) / width + eps)
    tl.store(scales + row, scale)
    normed = _normed(value * scale, weight, bias, column, inside, out.dtype.element_ty, CENTRED)
    tl.store(out + row * out_stride + column, normed, mask=inside)


@triton.jit
def _norm_backward(  # type: ignore[no-untyped-def]
    grad,
    x,
    weight,
    bias,
    scales,
    beside,
    beside_stride,
    out,
    out_stride,
    again,
    width,
    CENTRED: tl.constexpr,
    BLOCK: tl.constexpr,
):
    row = tl.program_id(0).to(tl.int64)
    column = tl.arange(0, BLOCK)
    inside = column < width
    scale = tl.load(scales + row)
    each = tl.load(weight + column, mask=inside, other=0.0).to(tl.float32)
    wanted = tl.load(grad + row * width + column, mask=inside, other=0.0).to(tl.float32) * each
    wanted = _centred(wanted, inside, width, CENTRED)
    value = tl.load(x + row * width + column, mask=inside, other=0.0).to(tl.float32)
    direction = _centred(value, inside, width, CENTRED) * scale
    normed = _normed(direction, weight, bias, column, inside, again.dtype.element_ty, CENTRED)
    tl.store(again + row * width + column, normed, mask=inside)
    along = tl.sum(wanted * direction, 0) / width
    other = tl.load(beside + row * beside_stride + column, mask=inside, other=0.0).to(tl.float32)
    tl.store(out + row * out_stride + column, other + scale * (wanted - direction * along), mask=inside)


@triton.jit
def _quick_gelu(x, out, out_stride, width, BLOCK: tl.constexpr):  # type: ignore[no-untyped-def]
    row = tl.program_id(0).to(tl.int64)
    column = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    inside = column < width
    value = tl.load(x + row * width + column, mask=inside, other=0.0).to(tl.float32)
    tl.store(out + row * out_stride + column, value / (1 + tl.exp(-1.702 * value)), mask=inside)


@triton.jit
def _quick_gelu_backward(grad, x, out, out_stride, again, width, BLOCK: tl.constexpr):  # type: ignore[no-untyped-def]
    row = tl.program_id(0).to(tl.int64)
    column = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    inside = column < width
    wanted = tl.load(grad + row * width + column, mask=inside, other=0.0).to(tl.float32)
    value = tl.load(x + row * width + column, mask=inside, other=0.0).to(tl.float32)
    share = 1 / (1 + tl.exp(-1.702 * value))
    for_x = wanted * share * (1 + 1.702 * value * (1 - share))
    tl.store(out + row * out_stride + column, for_x, mask=inside)
    tl.store(again + row * width + column, value * share, mask=inside)


@triton.jit
def _gates(gate_up, width, BLOCK: tl.constexpr):  # type: ignore[no-untyped-def]
    """A block of a row: its place, which columns of it there are, gates, and what they let through."""
    row = tl.program_id(0).to(tl.int64)
    column = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    inside = column < width
    here = gate_up + row * 2 * width + column
    gate = tl.load(here, mask=inside, other=0.0).to(tl.float32)
    up = tl.load(here + width, mask=inside, other=0.0).to(tl.float32)
    return row, column, inside, gate, up


@triton.jit
def _gate(gate_up, out, out_stride, width, BLOCK: tl.constexpr):  # type: ignore[no-untyped-def]
    row, column, inside, gate, up = _gates(gate_up, width, BLOCK)
    tl.store(out + row * out_stride + column, up * gate / (1 + tl.exp(-gate)), mask=inside)


@triton.jit
def _gate_backward(grad, gate_up, out, out_stride, again, width, BLOCK: tl.constexpr):  # type: ignore[no-untyped-def]
    row, column, inside, gate, up = _gates(gate_up, width, BLOCK)
    wanted = tl.load(grad + row * width + column, mask=inside, other=0.0).to(tl.float32)
    share = 1 / (1 + tl.exp(-gate))
    there = out + row * out_stride + column
    tl.store(there, wanted * up * share * (1 + gate * (1 - share)), mask=inside)
    tl.store(there + width, wanted * gate * share, mask=inside)
    tl.store(again + row * width + column, up * gate * share, mask=inside)


@triton.jit
def _turns(cos, sin, token, place, width):  # type: ignore[no-untyped-def]
    """Of a token's position, for the first halves of its heads and for the second ones."""
    half = width // 2
    known, first = place < half, token * width + place
    second = first + half
    return (
        tl.load(cos + first, mask=known, other=0.0).to(tl.float32),
        tl.load(cos + second, mask=known, other=0.0).to(tl.float32),
        tl.load(sin + first, mask=known, other=0.0).to(tl.float32),
        tl.load(sin + second, mask=known, other=0.0).to(tl.float32),
    )


@triton.jit
def _rotate(states, state_stride, cos, sin, num_heads, width, HEADS: tl.constexpr, HALF: tl.constexpr):  # type: ignore[no-untyped-def]
    """One token: the first halves of its heads and the second ones, turned against each other."""
    token = tl.program_id(0).to(tl.int64)
    head, place = tl.arange(0, HEADS)[:, None], tl.arange(0, HALF)[None, :]
    half = width // 2
    inside = (head < num_heads) & (place < half)
    here = states + token * state_stride + head * width + place
    first = tl.load(here, mask=inside, other=0.0).to(tl.float32)
    second = tl.load(here + half, mask=inside, other=0.0).to(tl.float32)
    cos_first, cos_second, sin_first, sin_second = _turns(cos, sin, token, place, width)
    tl.store(here, first * cos_first - second * sin_first, mask=inside)
    tl.store(here + half, second * cos_second + first * sin_second, mask=inside)


@triton.jit
def _rotate_back(  # type: ignore[no-untyped-def]
    query, key, value, cos, sin, out, out_stride, num_heads, width, HEADS: tl.constexpr, HALF: tl.constexpr
):
    """One token's queries, keys or values, which come in one piece."""
    token, kind = tl.program_id(0).to(tl.int64), tl.program_id(1)
    head, place = tl.arange(0, HEADS)[:, None], tl.arange(0, HALF)[None, :]
    half = width // 2
    inside = (head < num_heads) & (place < half)
    within = head * width + place
    there = out + token * out_stride + kind * num_heads * width + within
    here = token * num_heads * width + within
    if kind == 2:
        tl.store(there, tl.load(value + here, mask=inside, other=0.0), mask=inside)
        tl.store(there + half, tl.load(value + here + half, mask=inside, other=0.0), mask=inside)
    else:
        if kind == 0:
            first = tl.load(query + here, mask=inside, other=0.0).to(tl.float32)
            second = tl.load(query + here + half, mask=inside, other=0.0).to(tl.float32)
        else:
            first = tl.load(key + here, mask=inside, other=0.0).to(tl.float32)
            second = tl.load(key + here + half, mask=inside, other=0.0).to(tl.float32)
        cos_first, cos_second, sin_first, sin_second = _turns(cos, sin, token, place, width)
        tl.store(there, first * cos_first + second * sin_second, mask=inside)
        tl.store(there + half, second * cos_second - first * sin_first, mask=inside)


@triton.jit
def _widened(x, out, out_stride, width, BLOCK: tl.constexpr):  # type: ignore[no-untyped-def]
    row = tl.program_id(0).to(tl.int64)
    column = tl.arange(0, BLOCK)
    inside = column < width
    tl.store(out + row * out_stride + column, tl.load(x + row * width + column, mask=inside, other=0.0), mask=inside)


@triton.jit
def _rounded(x, x_stride, out, scales, width, largest, BLOCK: tl.constexpr):  # type: ignore[no-untyped-def]
    row = tl.program_id(0).to(tl.int64)
    column = tl.arange(0, BLOCK)
    inside = column < width
    value = tl.load(x + row * x_stride + column, mask=inside, other=0.0).to(tl.float32)
    scale = tl.maximum(tl.max(tl.abs(value), 0), 1e-12) / largest
    tl.store(scales + row, scale)
    tl.store(out + row * width + column, (value / scale).to(out.dtype.element_ty), mask=inside)


def norm(
    x: Tensor, delta: Tensor | None, weight: Tensor, bias: Tensor | None, eps: float, room: int
) -> tuple[Tensor, Tensor, Tensor]:
    """elementwise.norm"""
    num_tokens, width = x.shape
    total = x if delta is None else torch.empty_like(x)
    out = x.new_empty(num_tokens, width + room)
    scales = x.new_empty(num_tokens, 1, dtype=torch.float32)
    _norm[(num_tokens,)](
        *(x, x if delta is None else delta, total, weight, weight if bias is None else bias),
        *(out, out.stride(0), scales, width, eps),
        ADD=delta is not None,
        CENTRED=bias is not None,
        BLOCK=triton.next_power_of_2(width),
    )
    return total, out, scales


def norm_backward(
    grad: Tensor, x: Tensor, weight: Tensor, bias: Tensor | None, scale: Tensor, beside: Tensor, room: int
) -> tuple[Tensor, Tensor]:
    """elementwise.norm_backward"""
    num_tokens, width = x.shape
    out, again = x.new_empty(num_tokens, width + room), torch.empty_like(x)
    _norm_backward[(num_tokens,)](
        *(grad, x, weight, weight if bias is None else bias, scale),
        *(beside, beside.stride(0), out, out.stride(0), again, width),
        CENTRED=bias is not None,
        BLOCK=triton.next_power_of_2(width),
    )
    return out, again


def quick_gelu(x: Tensor, room: int) -> Tensor:
    """elementwise.quick_gelu"""
    num_tokens, width = x.shape
    out = x.new_empty(num_tokens, width + room)
    _quick_gelu[(num_tokens, triton.cdiv(width, _BLOCK))](x, out, out.stride(0), width, BLOCK=_BLOCK)
    return out


def quick_gelu_backward(grad: Tensor, x: Tensor, room: int) -> tuple[Tensor, Tensor]:
    """elementwise.quick_gelu_backward"""
    num_tokens, width = x.shape
    out, again = x.new_empty(num_tokens, width + room), torch.empty_like(x)
    grid = (num_tokens, triton.cdiv(width, _BLOCK))
    _quick_gelu_backward[grid](grad, x, out, out.stride(0), again, width, BLOCK=_BLOCK)
    return out, again


def gate(gate_up: Tensor, room: int) -> Tensor:
    """elementwise.gate"""
    num_tokens, width = gate_up.shape[0], gate_up.shape[1] // 2
    out = gate_up.new_empty(num_tokens, width + room)
    _gate[(num_tokens, triton.cdiv(width, _BLOCK))](gate_up, out, out.stride(0), width, BLOCK=_BLOCK)
    return out


def gate_backward(grad: Tensor, gate_up: Tensor, room: int) -> tuple[Tensor, Tensor]:
    """elementwise.gate_backward"""
    num_tokens, width = grad.shape
    out, again = gate_up.new_empty(num_tokens, 2 * width + room), torch.empty_like(grad)
    grid = (num_tokens, triton.cdiv(width, _BLOCK))
    _gate_backward[grid](grad, gate_up, out, out.stride(0), again, width, BLOCK=_BLOCK)
    return out, again


def rotate(states: Tensor, cos: Tensor, sin: Tensor) -> None:
    """elementwise.rotate"""
    num_tokens, num_heads, width = states.shape
    _rotate[(num_tokens,)](*(states, states.stride(0), cos, sin, num_heads, width), **_blocks(num_heads, width))


def rotate_back(query: Tensor, key: Tensor, value: Tensor, cos: Tensor, sin: Tensor, room: int) -> Tensor:
    """elementwise.rotate_back"""
    num_tokens, num_heads, width = query.shape
    out = query.new_empty(num_tokens, 3 * num_heads * width + room)
    grads = (grad.contiguous() for grad in (query, key, value))
    _rotate_back[(num_tokens, 3)](
        *(*grads, cos, sin, out, out.stride(0), num_heads, width), **_blocks(num_heads, width)
    )
    return out


def _blocks(num_heads: int, width: int) -> dict[str, int]:
    return {"HEADS": triton.next_power_of_2(num_heads), "HALF": triton.next_power_of_2(width // 2)}


def widened(*parts: Tensor, room: int) -> Tensor:
    """elementwise.widened"""
    if len(parts) == 1 and not room:
        return parts[0]
    num_rows, start = len(parts[0]), 0
    out = parts[0].new_empty(num_rows, sum(part.shape[1] for part in parts) + room)
    for part in parts:
        width = part.shape[1]
        _widened[(num_rows,)](
            part.contiguous(), out[:, start:], out.stride(0), width, BLOCK=triton.next_power_of_2(width)
        )
        start += width
    return out


def rounded(rows: Tensor) -> tuple[Tensor, Tensor]:
    """elementwise.rounded"""
    num_rows, width = rows.shape
    out = rows.new_empty(num_rows, width, dtype=EIGHT_BITS)
    scales = rows.new_empty(num_rows, 1, dtype=torch.float32)
    _rounded[(num_rows,)](
        *(rows, rows.stride(0), out, scales, width, torch.finfo(EIGHT_BITS).max),
        BLOCK=triton.next_power_of_2(width),
        num_warps=16,
    )
    return out, scales
