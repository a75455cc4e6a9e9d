"""RMS norm and layer norm."""
# mypy: allow-untyped-defs, allow-incomplete-defs
# Kernels have no annotations, which Triton would read.

import torch
import triton
import triton.language as tl
from torch import Tensor

from etalage.fused.reference import Operand, OperandFormat
from etalage.fused.triton.operand import empty_operand, store_row

__all__ = ["norm", "norm_backward"]


@triton.jit
def _centre(value, bias, inside, width):
    if bias is not None:
        value = tl.where(inside, value - tl.sum(value, 0) / width, 0.0)
    return value


@triton.jit
def _affine(direction, weight, bias, column, inside, dtype):
    """Scale and shift, rounding where transformers and torch round."""
    w = tl.load(weight + column, mask=inside, other=0.0).to(tl.float32)
    if bias is None:
        out = direction.to(dtype).to(tl.float32) * w
    else:
        out = direction * w + tl.load(bias + column, mask=inside, other=0.0).to(tl.float32)
    return out.to(dtype).to(tl.float32)


@triton.jit
def _norm(x, delta, total, weight, bias, rstds, dense, stride, fp8, scales, fp8_max, width, eps, BLOCK: tl.constexpr):
    row = tl.program_id(0).to(tl.int64)
    column = tl.arange(0, BLOCK)
    inside = column < width
    value = tl.load(x + row * width + column, mask=inside, other=0.0).to(tl.float32)
    if delta is not None:
        value += tl.load(delta + row * width + column, mask=inside, other=0.0).to(tl.float32)
        rounded = value.to(total.dtype.element_ty)
        tl.store(total + row * width + column, rounded, mask=inside)
        value = rounded.to(tl.float32)
    value = _centre(value, bias, inside, width)
    rstd = 1 / tl.sqrt(tl.sum(value * value, 0) / width + eps)
    tl.store(rstds + row, rstd)
    normed = _affine(value * rstd, weight, bias, column, inside, x.dtype.element_ty)
    store_row(normed, row, column, inside, width, dense, stride, fp8, scales, fp8_max)


@triton.jit
def _norm_backward(
    grad,
    x,
    weight,
    bias,
    rstds,
    grad_residual,
    grad_residual_stride,
    out,
    dense,
    stride,
    fp8,
    scales,
    fp8_max,
    width,
    BLOCK: tl.constexpr,
):
    row = tl.program_id(0).to(tl.int64)
    column = tl.arange(0, BLOCK)
    inside = column < width
    rstd = tl.load(rstds + row)
    w = tl.load(weight + column, mask=inside, other=0.0).to(tl.float32)
    grad_direction = tl.load(grad + row * width + column, mask=inside, other=0.0).to(tl.float32) * w
    grad_direction = _centre(grad_direction, bias, inside, width)
    value = tl.load(x + row * width + column, mask=inside, other=0.0).to(tl.float32)
    direction = _centre(value, bias, inside, width) * rstd
    normed = _affine(direction, weight, bias, column, inside, out.dtype.element_ty)
    tl.store(out + row * width + column, normed, mask=inside)
    projection = tl.sum(grad_direction * direction, 0) / width
    residual = tl.load(grad_residual + row * grad_residual_stride + column, mask=inside, other=0.0).to(tl.float32)
    grad_x = (residual + rstd * (grad_direction - direction * projection)).to(out.dtype.element_ty).to(tl.float32)
    store_row(grad_x, row, column, inside, width, dense, stride, fp8, scales, fp8_max)


def norm(
    x: Tensor, delta: Tensor | None, weight: Tensor, bias: Tensor | None, eps: float, fmt: OperandFormat
) -> tuple[Tensor, Operand, Tensor]:
    """Add delta to the residual stream and normalise it, as reference.norm does.

    Args:
        x, delta, weight, bias, eps, fmt: As there.
    """
    num_tokens, width = x.shape
    total = x if delta is None else torch.empty_like(x)
    rstds = x.new_empty(num_tokens, 1, dtype=torch.float32)
    operand, addresses = empty_operand(x, width, fmt)
    _norm[(num_tokens,)](
        *(x, delta, total, weight, bias, rstds, *addresses, width, eps), BLOCK=triton.next_power_of_2(width)
    )
    return total, operand, rstds


def norm_backward(
    grad: Tensor,
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    rstd: Tensor,
    grad_residual: Tensor,
    fmt: OperandFormat,
) -> tuple[Operand, Tensor]:
    """Compute the gradient of the residual stream and the norm's output, as reference.norm_backward does.

    Args:
        grad, x, weight, bias, rstd, grad_residual, fmt: As there.
    """
    num_tokens, width = x.shape
    out = torch.empty_like(x)
    operand, addresses = empty_operand(grad, width, fmt)
    _norm_backward[(num_tokens,)](
        *(grad, x, weight, bias, rstd, grad_residual, grad_residual.stride(0), out, *addresses, width),
        BLOCK=triton.next_power_of_2(width),
    )
    return operand, out
