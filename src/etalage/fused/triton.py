"""What layers of decoder and tower do between their products, each tensor read and written once: Triton kernels.

The compiler's own take up to twice as long (docs/log.md). Triton comes with torch where there is a GPU. Functions are
those of elementwise.py, where they are spelled out.
"""

from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor

from etalage.fused.reference import FP8_DTYPE, Form, Rows

__all__ = [
    "formed",
    "gate",
    "gate_backward",
    "norm",
    "norm_backward",
    "quick_gelu",
    "quick_gelu_backward",
    "rotate",
    "rotate_back",
    "rounded",
]

_BLOCK = 1024


@triton.jit
def _store(value, row, column, inside, width, wide, stride, eight, scales, largest):  # type: ignore[no-untyped-def]
    """A row's columns, (BLOCK,) in float32 as near as its type holds them; in eight bits, if all are here at once."""
    if wide is not None:
        tl.store(wide + row * stride + column, value, mask=inside)
    if eight is not None:
        scale = tl.maximum(tl.max(tl.abs(value), 0), 1e-12) / largest
        tl.store(scales + row, scale)
        tl.store(eight + row * width + column, (value / scale).to(eight.dtype.element_ty), mask=inside)


@triton.jit
def _centred(value, bias, inside, width):  # type: ignore[no-untyped-def]
    if bias is not None:
        value = tl.where(inside, value - tl.sum(value, 0) / width, 0.0)
    return value


@triton.jit
def _normed(direction, weight, bias, column, inside, dtype):  # type: ignore[no-untyped-def]
    """Rounded where transformers and torch round."""
    each = tl.load(weight + column, mask=inside, other=0.0).to(tl.float32)
    if bias is None:
        out = direction.to(dtype).to(tl.float32) * each
    else:
        out = direction * each + tl.load(bias + column, mask=inside, other=0.0).to(tl.float32)
    return out.to(dtype).to(tl.float32)


@triton.jit
def _norm(  # type: ignore[no-untyped-def]
    x,
    delta,
    total,
    weight,
    bias,
    roots,
    wide,
    stride,
    eight,
    scales,
    largest,
    width,
    eps,
    BLOCK: tl.constexpr,
):
    row = tl.program_id(0).to(tl.int64)
    column = tl.arange(0, BLOCK)
    inside = column < width
    value = tl.load(x + row * width + column, mask=inside, other=0.0).to(tl.float32)
    if delta is not None:
        value += tl.load(delta + row * width + column, mask=inside, other=0.0).to(tl.float32)
        stored = value.to(total.dtype.element_ty)
        tl.store(total + row * width + column, stored, mask=inside)
        value = stored.to(tl.float32)
    value = _centred(value, bias, inside, width)
    root = 1 / tl.sqrt(tl.sum(value * value, 0) / width + eps)
    tl.store(roots + row, root)
    normed = _normed(value * root, weight, bias, column, inside, x.dtype.element_ty)
    _store(normed, row, column, inside, width, wide, stride, eight, scales, largest)


@triton.jit
def _norm_backward(  # type: ignore[no-untyped-def]
    grad,
    x,
    weight,
    bias,
    roots,
    beside,
    beside_stride,
    again,
    wide,
    stride,
    eight,
    scales,
    largest,
    width,
    BLOCK: tl.constexpr,
):
    row = tl.program_id(0).to(tl.int64)
    column = tl.arange(0, BLOCK)
    inside = column < width
    root = tl.load(roots + row)
    each = tl.load(weight + column, mask=inside, other=0.0).to(tl.float32)
    wanted = tl.load(grad + row * width + column, mask=inside, other=0.0).to(tl.float32) * each
    wanted = _centred(wanted, bias, inside, width)
    value = tl.load(x + row * width + column, mask=inside, other=0.0).to(tl.float32)
    direction = _centred(value, bias, inside, width) * root
    normed = _normed(direction, weight, bias, column, inside, again.dtype.element_ty)
    tl.store(again + row * width + column, normed, mask=inside)
    along = tl.sum(wanted * direction, 0) / width
    other = tl.load(beside + row * beside_stride + column, mask=inside, other=0.0).to(tl.float32)
    for_x = (other + root * (wanted - direction * along)).to(again.dtype.element_ty).to(tl.float32)
    _store(for_x, row, column, inside, width, wide, stride, eight, scales, largest)


@triton.jit
def _quick_gelu(x, wide, stride, eight, scales, largest, width, BLOCK: tl.constexpr):  # type: ignore[no-untyped-def]
    row = tl.program_id(0).to(tl.int64)
    column = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    inside = column < width
    value = tl.load(x + row * width + column, mask=inside, other=0.0).to(tl.float32)
    out = (value / (1 + tl.exp(-1.702 * value))).to(x.dtype.element_ty).to(tl.float32)
    _store(out, row, column, inside, width, wide, stride, eight, scales, largest)


@triton.jit
def _quick_gelu_backward(grad, x, out, stride, again, width, BLOCK: tl.constexpr):  # type: ignore[no-untyped-def]
    row = tl.program_id(0).to(tl.int64)
    column = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    inside = column < width
    wanted = tl.load(grad + row * width + column, mask=inside, other=0.0).to(tl.float32)
    value = tl.load(x + row * width + column, mask=inside, other=0.0).to(tl.float32)
    share = 1 / (1 + tl.exp(-1.702 * value))
    tl.store(out + row * stride + column, wanted * share * (1 + 1.702 * value * (1 - share)), mask=inside)
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
def _gate(gate_up, out, stride, width, BLOCK: tl.constexpr):  # type: ignore[no-untyped-def]
    row, column, inside, gate, up = _gates(gate_up, width, BLOCK)
    tl.store(out + row * stride + column, up * gate / (1 + tl.exp(-gate)), mask=inside)


@triton.jit
def _gate_backward(grad, gate_up, out, stride, again, width, BLOCK: tl.constexpr):  # type: ignore[no-untyped-def]
    row, column, inside, gate, up = _gates(gate_up, width, BLOCK)
    wanted = tl.load(grad + row * width + column, mask=inside, other=0.0).to(tl.float32)
    share = 1 / (1 + tl.exp(-gate))
    there = out + row * stride + column
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
def _copy(x, out, stride, width, BLOCK: tl.constexpr):  # type: ignore[no-untyped-def]
    row = tl.program_id(0).to(tl.int64)
    column = tl.arange(0, BLOCK)
    inside = column < width
    tl.store(out + row * stride + column, tl.load(x + row * width + column, mask=inside, other=0.0), mask=inside)


@triton.jit
def _rounded(x, x_stride, eight, scales, largest, width, BLOCK: tl.constexpr):  # type: ignore[no-untyped-def]
    row = tl.program_id(0).to(tl.int64)
    column = tl.arange(0, BLOCK)
    inside = column < width
    value = tl.load(x + row * x_stride + column, mask=inside, other=0.0).to(tl.float32)
    _store(value, row, column, inside, width, None, 0, eight, scales, largest)


def _blank(like: Tensor, width: int, form: Form) -> tuple[Rows, tuple[Any, ...]]:
    """Rows to be written, and how kernels are told of them."""
    num_rows = len(like)
    wide = like.new_empty(num_rows, width + form.room) if form.wide else None
    eight = like.new_empty(num_rows, width, dtype=FP8_DTYPE) if form.eight else None
    scales = like.new_empty(num_rows, 1, dtype=torch.float32) if form.eight else None
    return Rows(wide, eight, scales), (wide, width + form.room, eight, scales, torch.finfo(FP8_DTYPE).max)


def _pieces(rows: Tensor, width: int) -> tuple[int, int]:
    """The grid of a kernel that takes each number by itself."""
    return len(rows), triton.cdiv(width, _BLOCK)


def formed(*parts: Tensor, form: Form) -> Rows:
    """elementwise.formed"""
    wide, num_rows, width = parts[0], len(parts[0]), sum(part.shape[1] for part in parts)
    if len(parts) > 1 or form.room:
        wide, start = wide.new_empty(num_rows, width + form.room), 0
        for part in parts:
            own = part.shape[1]
            block = triton.next_power_of_2(own)
            _copy[(num_rows,)](part.contiguous(), wide[:, start:], wide.stride(0), own, BLOCK=block)
            start += own
    return _with_eight(wide, width, form)


def _with_eight(wide: Tensor, width: int, form: Form) -> Rows:
    """Where a row is too long for one block, or does not come at once: rounded when it is complete."""
    eight = rounded(wide[:, :width]) if form.eight else (None, None)
    return Rows(wide if form.wide else None, *eight)


def norm(
    x: Tensor, delta: Tensor | None, weight: Tensor, bias: Tensor | None, eps: float, form: Form
) -> tuple[Tensor, Rows, Tensor]:
    """elementwise.norm"""
    num_tokens, width = x.shape
    total = x if delta is None else torch.empty_like(x)
    roots = x.new_empty(num_tokens, 1, dtype=torch.float32)
    rows, there = _blank(x, width, form)
    _norm[(num_tokens,)](
        *(x, delta, total, weight, bias, roots, *there, width, eps), BLOCK=triton.next_power_of_2(width)
    )
    return total, rows, roots


def norm_backward(
    grad: Tensor, x: Tensor, weight: Tensor, bias: Tensor | None, scale: Tensor, beside: Tensor, form: Form
) -> tuple[Rows, Tensor]:
    """elementwise.norm_backward"""
    num_tokens, width = x.shape
    again = torch.empty_like(x)
    rows, there = _blank(grad, width, form)
    _norm_backward[(num_tokens,)](
        *(grad, x, weight, bias, scale, beside, beside.stride(0), again, *there, width),
        BLOCK=triton.next_power_of_2(width),
    )
    return rows, again


def quick_gelu(x: Tensor, form: Form) -> Rows:
    """elementwise.quick_gelu"""
    width = x.shape[1]
    rows, there = _blank(x, width, form)
    if form.eight:
        _quick_gelu[(len(x), 1)](x, *there, width, BLOCK=triton.next_power_of_2(width), num_warps=16)
    else:
        _quick_gelu[_pieces(x, width)](x, *there, width, BLOCK=_BLOCK)
    return rows


def quick_gelu_backward(grad: Tensor, x: Tensor, form: Form) -> tuple[Rows, Tensor]:
    """elementwise.quick_gelu_backward"""
    width, again = x.shape[1], torch.empty_like(x)
    out = x.new_empty(len(x), width + form.room)
    _quick_gelu_backward[_pieces(x, width)](grad, x, out, out.stride(0), again, width, BLOCK=_BLOCK)
    return _with_eight(out, width, form), again


def gate(gate_up: Tensor, form: Form) -> Rows:
    """elementwise.gate"""
    width = gate_up.shape[1] // 2
    out = gate_up.new_empty(len(gate_up), width + form.room)
    _gate[_pieces(gate_up, width)](gate_up, out, out.stride(0), width, BLOCK=_BLOCK)
    return _with_eight(out, width, form)


def gate_backward(grad: Tensor, gate_up: Tensor, form: Form) -> tuple[Rows, Tensor]:
    """elementwise.gate_backward"""
    width, again = grad.shape[1], torch.empty_like(grad)
    out = grad.new_empty(len(grad), 2 * width + form.room)
    _gate_backward[_pieces(grad, width)](grad, gate_up, out, out.stride(0), again, width, BLOCK=_BLOCK)
    return _with_eight(out, 2 * width, form), again


def rotate(states: Tensor, cos: Tensor, sin: Tensor) -> None:
    """elementwise.rotate"""
    num_tokens, num_heads, width = states.shape
    _rotate[(num_tokens,)](*(states, states.stride(0), cos, sin, num_heads, width), **_blocks(num_heads, width))


def rotate_back(query: Tensor, key: Tensor, value: Tensor, cos: Tensor, sin: Tensor, form: Form) -> Rows:
    """elementwise.rotate_back"""
    num_tokens, num_heads, width = query.shape
    out = query.new_empty(num_tokens, 3 * num_heads * width + form.room)
    grads = (grad.contiguous() for grad in (query, key, value))
    _rotate_back[(num_tokens, 3)](
        *(*grads, cos, sin, out, out.stride(0), num_heads, width), **_blocks(num_heads, width)
    )
    return _with_eight(out, 3 * num_heads * width, form)


def _blocks(num_heads: int, width: int) -> dict[str, int]:
    return {"HEADS": triton.next_power_of_2(num_heads), "HALF": triton.next_power_of_2(width // 2)}


def rounded(rows: Tensor) -> tuple[Tensor, Tensor]:
    """elementwise.rounded"""
    num_rows, width = rows.shape
    written, (_, _, *there) = _blank(rows, width, Form(wide=False, eight=True))
    _rounded[(num_rows,)](*(rows, rows.stride(0), *there, width), BLOCK=triton.next_power_of_2(width), num_warps=16)
    return written.eight, written.scales
