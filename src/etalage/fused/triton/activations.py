"""The activations of both MLPs: quick GELU in the tower, SwiGLU in the decoder."""
# mypy: allow-untyped-defs, allow-incomplete-defs
# Kernels have no annotations, which Triton would read.

import torch
import triton
import triton.language as tl
from torch import Tensor

from etalage.fused.reference import Operand, OperandFormat
from etalage.fused.triton.operand import ELEMENTWISE_BLOCK, elementwise_grid, empty_operand, store_row, with_fp8

__all__ = ["quick_gelu", "quick_gelu_backward", "swiglu", "swiglu_backward"]


@triton.jit
def _quick_gelu(x, dense, stride, fp8, scales, fp8_max, width, BLOCK: tl.constexpr):
    row = tl.program_id(0).to(tl.int64)
    column = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    inside = column < width
    value = tl.load(x + row * width + column, mask=inside, other=0.0).to(tl.float32)
    active = (value / (1 + tl.exp(-1.702 * value))).to(x.dtype.element_ty).to(tl.float32)
    store_row(active, row, column, inside, width, dense, stride, fp8, scales, fp8_max)


@triton.jit
def _quick_gelu_backward(grad, x, grad_x, stride, out, width, BLOCK: tl.constexpr):
    row = tl.program_id(0).to(tl.int64)
    column = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    inside = column < width
    grad_out = tl.load(grad + row * width + column, mask=inside, other=0.0).to(tl.float32)
    value = tl.load(x + row * width + column, mask=inside, other=0.0).to(tl.float32)
    sigmoid = 1 / (1 + tl.exp(-1.702 * value))
    tl.store(grad_x + row * stride + column, grad_out * sigmoid * (1 + 1.702 * value * (1 - sigmoid)), mask=inside)
    tl.store(out + row * width + column, value * sigmoid, mask=inside)


@triton.jit
def _load_gate_up(gate_up, width, BLOCK: tl.constexpr):
    """Load a block of a row: its row and columns, which columns there are, its gates, and what they let through."""
    row = tl.program_id(0).to(tl.int64)
    column = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    inside = column < width
    source = gate_up + row * 2 * width + column
    gate = tl.load(source, mask=inside, other=0.0).to(tl.float32)
    up = tl.load(source + width, mask=inside, other=0.0).to(tl.float32)
    return row, column, inside, gate, up


@triton.jit
def _swiglu(gate_up, out, stride, width, BLOCK: tl.constexpr):
    row, column, inside, gate, up = _load_gate_up(gate_up, width, BLOCK)
    tl.store(out + row * stride + column, up * gate / (1 + tl.exp(-gate)), mask=inside)


@triton.jit
def _swiglu_backward(grad, gate_up, grad_gate_up, stride, out, width, BLOCK: tl.constexpr):
    row, column, inside, gate, up = _load_gate_up(gate_up, width, BLOCK)
    grad_out = tl.load(grad + row * width + column, mask=inside, other=0.0).to(tl.float32)
    sigmoid = 1 / (1 + tl.exp(-gate))
    target = grad_gate_up + row * stride + column
    tl.store(target, grad_out * up * sigmoid * (1 + gate * (1 - sigmoid)), mask=inside)
    tl.store(target + width, grad_out * gate * sigmoid, mask=inside)
    tl.store(out + row * width + column, up * gate * sigmoid, mask=inside)


def quick_gelu(x: Tensor, fmt: OperandFormat) -> Operand:
    """Compute x * sigmoid(1.702 x), as reference.quick_gelu does.

    Args:
        x, fmt: As there.
    """
    width = x.shape[1]
    operand, addresses = empty_operand(x, width, fmt)
    if fmt.fp8:  # A row's scale needs its largest number, so the whole row is one block.
        _quick_gelu[(len(x), 1)](x, *addresses, width, BLOCK=triton.next_power_of_2(width), num_warps=16)
    else:
        _quick_gelu[elementwise_grid(x, width)](x, *addresses, width, BLOCK=ELEMENTWISE_BLOCK)
    return operand


def quick_gelu_backward(grad: Tensor, x: Tensor, fmt: OperandFormat) -> tuple[Operand, Tensor]:
    """Compute the gradient of quick_gelu's input and its output, as reference.quick_gelu_backward does.

    Args:
        grad, x, fmt: As there.
    """
    width, out = x.shape[1], torch.empty_like(x)
    grad_x = x.new_empty(len(x), width + fmt.num_extra_columns)
    _quick_gelu_backward[elementwise_grid(x, width)](
        grad, x, grad_x, grad_x.stride(0), out, width, BLOCK=ELEMENTWISE_BLOCK
    )
    return with_fp8(grad_x, width, fmt), out


def swiglu(gate_up: Tensor, fmt: OperandFormat) -> Operand:
    """Compute up * silu(gate), as reference.swiglu does.

    Args:
        gate_up, fmt: As there.
    """
    width = gate_up.shape[1] // 2
    out = gate_up.new_empty(len(gate_up), width + fmt.num_extra_columns)
    _swiglu[elementwise_grid(gate_up, width)](gate_up, out, out.stride(0), width, BLOCK=ELEMENTWISE_BLOCK)
    return with_fp8(out, width, fmt)


def swiglu_backward(grad: Tensor, gate_up: Tensor, fmt: OperandFormat) -> tuple[Operand, Tensor]:
    """Compute the gradient of swiglu's input and its output, as reference.swiglu_backward does.

    Args:
        grad, gate_up, fmt: As there.
    """
    width, out = grad.shape[1], torch.empty_like(grad)
    grad_gate_up = grad.new_empty(len(grad), 2 * width + fmt.num_extra_columns)
    _swiglu_backward[elementwise_grid(grad, width)](
        grad, gate_up, grad_gate_up, grad_gate_up.stride(0), out, width, BLOCK=ELEMENTWISE_BLOCK
    )
    return with_fp8(grad_gate_up, 2 * width, fmt), out
