"""Kernels that bring rows into the format that a matmul reads."""
# mypy: allow-untyped-defs, allow-incomplete-defs
# Kernels have no annotations, which Triton would read.

from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor

from etalage.fused.reference import FP8_DTYPE, Operand, OperandFormat

__all__ = [
    "ELEMENTWISE_BLOCK",
    "elementwise_grid",
    "empty_operand",
    "quantize_fp8",
    "store_row",
    "to_operand",
    "with_fp8",
]

ELEMENTWISE_BLOCK = 1024
"""Columns of a program of a kernel that treats each number by itself."""


@triton.jit
def store_row(value, row, column, inside, width, dense, stride, fp8, scales, fp8_max):
    """Store columns of an operand's row.

    Args:
        value: (BLOCK,) float32, already rounded to the dense type. FP8 needs all columns of the row at once.
        row: Its number.
        column: (BLOCK,), the columns.
        inside: (BLOCK,), which of them there are.
        width: Columns of the operand.
        dense, stride, fp8, scales, fp8_max: As empty_operand returns them.
    """
    if dense is not None:
        tl.store(dense + row * stride + column, value, mask=inside)
    if fp8 is not None:
        scale = tl.maximum(tl.max(tl.abs(value), 0), 1e-12) / fp8_max
        tl.store(scales + row, scale)
        tl.store(fp8 + row * width + column, (value / scale).to(fp8.dtype.element_ty), mask=inside)


@triton.jit
def _copy(x, out, stride, width, BLOCK: tl.constexpr):
    row = tl.program_id(0).to(tl.int64)  # As in all kernels, because offsets of late rows may exceed 32 bits.
    column = tl.arange(0, BLOCK)
    inside = column < width
    tl.store(out + row * stride + column, tl.load(x + row * width + column, mask=inside, other=0.0), mask=inside)


@triton.jit
def _quantize_fp8(x, stride, fp8, scales, fp8_max, width, BLOCK: tl.constexpr):
    row = tl.program_id(0).to(tl.int64)
    column = tl.arange(0, BLOCK)
    inside = column < width
    value = tl.load(x + row * stride + column, mask=inside, other=0.0).to(tl.float32)
    store_row(value, row, column, inside, width, None, 0, fp8, scales, fp8_max)


def empty_operand(like: Tensor, width: int, fmt: OperandFormat) -> tuple[Operand, tuple[Any, ...]]:
    """Allocate an operand.

    Args:
        like: Has its rows, device and dense type.
        width: Columns of the operand.
        fmt: Its format.

    Returns:
        The operand, and the arguments of kernels that store to it: dense, its stride, fp8, scales and FP8's maximum.
    """
    num_rows, stride = len(like), width + fmt.num_extra_columns
    dense = like.new_empty(num_rows, stride) if fmt.dense else None
    fp8 = like.new_empty(num_rows, width, dtype=FP8_DTYPE) if fmt.fp8 else None
    scales = like.new_empty(num_rows, 1, dtype=torch.float32) if fmt.fp8 else None
    return Operand(dense, fp8, scales), (dense, stride, fp8, scales, torch.finfo(FP8_DTYPE).max)


def elementwise_grid(rows: Tensor, width: int) -> tuple[int, int]:
    """Return the grid of a kernel that treats each number by itself.

    Args:
        rows: (T, ...).
        width: Columns that the kernel treats.
    """
    return len(rows), triton.cdiv(width, ELEMENTWISE_BLOCK)


def with_fp8(dense: Tensor, width: int, fmt: OperandFormat) -> Operand:
    """Return a dense operand in a format, quantised in a pass of its own.

    For kernels that do not see whole rows, or whose rows are too long for one block.

    Args:
        dense: (T, width + extra columns).
        width: Columns of the operand.
        fmt: Its format.
    """
    fp8 = quantize_fp8(dense[:, :width]) if fmt.fp8 else (None, None)
    return Operand(dense if fmt.dense else None, *fp8)


def to_operand(*parts: Tensor, fmt: OperandFormat) -> Operand:
    """Return tensors as one operand, as reference.to_operand does.

    Args:
        parts: (T, H) each; they are concatenated along H.
        fmt: The operand's format.
    """
    dense, num_rows, width = parts[0], len(parts[0]), sum(part.shape[1] for part in parts)
    if len(parts) > 1 or fmt.num_extra_columns:
        dense, start = dense.new_empty(num_rows, width + fmt.num_extra_columns), 0
        for part in parts:
            part_width = part.shape[1]
            block = triton.next_power_of_2(part_width)
            _copy[(num_rows,)](part.contiguous(), dense[:, start:], dense.stride(0), part_width, BLOCK=block)
            start += part_width
    return with_fp8(dense, width, fmt)


def quantize_fp8(x: Tensor) -> tuple[Tensor, Tensor]:
    """Quantise each row to FP8, as reference.quantize_fp8 does; return the numbers and their scales.

    Args:
        x: (T, H).
    """
    num_rows, width = x.shape
    operand, (_, _, *addresses) = empty_operand(x, width, OperandFormat(dense=False, fp8=True))
    _quantize_fp8[(num_rows,)](*(x, x.stride(0), *addresses, width), BLOCK=triton.next_power_of_2(width), num_warps=16)
    return operand.fp8, operand.scales
