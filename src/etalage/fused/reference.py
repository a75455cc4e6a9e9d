"""The elementwise operations between a layer's matmuls, forward and backward, in plain torch.

On a GPU each of them is one pass over memory, by the kernel of the same name in triton.py. Operations that end before a
matmul return its operand in the format that the matmul reads.

Letters: T tokens, H width, W width of the MLP, N heads, D width of one of them.
"""

from typing import Any, NamedTuple

import torch
from torch import Tensor

__all__ = [
    "FP8_DTYPE",
    "Operand",
    "OperandFormat",
    "apply_rotary",
    "apply_rotary_backward",
    "norm",
    "norm_backward",
    "quantize_fp8",
    "quick_gelu",
    "quick_gelu_backward",
    "swiglu",
    "swiglu_backward",
    "to_operand",
]

FP8_DTYPE = torch.float8_e4m3fn


class OperandFormat(NamedTuple):
    """The format that a matmul reads its operand in: dense, FP8, or both."""

    num_extra_columns: int = 0
    """Columns of the dense operand after its own, which the matmul fills itself."""
    dense: bool = True
    fp8: bool = False


class Operand(NamedTuple):
    """The operand of a matmul; what its format does not ask for is None."""

    dense: Any
    """(T, H + num_extra_columns)"""
    fp8: Any
    """(T, H) FP8_DTYPE"""
    scales: Any
    """(T, 1) float32, what each row of fp8 is multiplied by."""


def to_operand(*parts: Tensor, fmt: OperandFormat) -> Operand:
    """Return tensors as one operand.

    Args:
        parts: (T, H) each; they are concatenated along H.
        fmt: The operand's format.
    """
    joined = parts[0] if len(parts) == 1 else torch.cat(parts, 1)
    dense = joined if fmt.dense else None
    if fmt.num_extra_columns:
        num_rows, width = joined.shape
        dense = joined.new_empty(num_rows, width + fmt.num_extra_columns)
        dense[:, :width] = joined
    return Operand(dense, *(quantize_fp8(joined) if fmt.fp8 else (None, None)))


def norm(
    x: Tensor, delta: Tensor | None, weight: Tensor, bias: Tensor | None, eps: float, fmt: OperandFormat
) -> tuple[Tensor, Operand, Tensor]:
    """Add delta to the residual stream and normalise it: RMS norm, or layer norm with a bias.

    Args:
        x: (T, H), the residual stream.
        delta: (T, H), what a layer adds to it; None adds nothing.
        weight, bias: (H,).
        eps: Added to the mean square.
        fmt: The format of the result.

    Returns:
        (T, H) x + delta, the operand, and (T, 1) float32 the reciprocal root of the mean square.
    """
    total = x if delta is None else x + delta
    centred = _centre(total, bias)
    rstd = torch.rsqrt(centred.square().mean(-1, keepdim=True) + eps)
    return total, to_operand(_affine(centred * rstd, weight, bias, x.dtype), fmt=fmt), rstd


def norm_backward(
    grad: Tensor,
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    rstd: Tensor,
    grad_residual: Tensor,
    fmt: OperandFormat,
) -> tuple[Operand, Tensor]:
    """Compute the gradient of the residual stream, and the norm's output again, so that it need not be kept.

    Args:
        grad: (T, H), the gradient of the norm's output.
        x: (T, H), the norm's input, the sum that `norm` returned.
        weight, bias: (H,).
        rstd: (T, 1) float32, as `norm` returned it.
        grad_residual: (T, H), the gradient of x that does not pass the norm.
        fmt: The format of the gradient.

    Returns:
        The gradient of x, and (T, H) the norm's output.
    """
    direction, grad_direction = _centre(x, bias) * rstd, _centre(grad.float() * weight.float(), bias)
    projection = (grad_direction * direction).mean(-1, keepdim=True)
    grad_x = (grad_residual.float() + rstd * (grad_direction - direction * projection)).to(grad.dtype)
    return to_operand(grad_x, fmt=fmt), _affine(direction, weight, bias, x.dtype)


def _centre(x: Tensor, bias: Tensor | None) -> Tensor:
    """Return x in float32, minus its mean if this is a layer norm, which is the norm with a bias."""
    return x.float() if bias is None else x.float() - x.float().mean(-1, keepdim=True)


def _affine(direction: Tensor, weight: Tensor, bias: Tensor | None, dtype: torch.dtype) -> Tensor:
    """Scale and shift, rounding where transformers and torch round."""
    if bias is None:  # transformers' RMS norm rounds before it multiplies, torch's layer norm after.
        return weight * direction.to(dtype)
    return (weight.float() * direction + bias.float()).to(dtype)


def quick_gelu(x: Tensor, fmt: OperandFormat) -> Operand:
    """Compute x * sigmoid(1.702 x).

    Args:
        x: (T, W).
        fmt: The format of the result.
    """
    return to_operand(x * torch.sigmoid(1.702 * x), fmt=fmt)


def quick_gelu_backward(grad: Tensor, x: Tensor, fmt: OperandFormat) -> tuple[Operand, Tensor]:
    """Compute the gradient of quick_gelu's input, and its output again.

    Args:
        grad: (T, W), the gradient of the output.
        x: (T, W), the input.
        fmt: The format of the gradient.

    Returns:
        The gradient of x, and (T, W) the output.
    """
    # In float32, as the kernels compute it, and rounded once at the end.
    exact = x.float()
    sigmoid = torch.sigmoid(1.702 * exact)
    grad_x = (grad.float() * sigmoid * (1 + 1.702 * exact * (1 - sigmoid))).to(grad.dtype)
    return to_operand(grad_x, fmt=fmt), (exact * sigmoid).to(grad.dtype)


def swiglu(gate_up: Tensor, fmt: OperandFormat) -> Operand:
    """Compute up * silu(gate).

    Args:
        gate_up: (T, 2W), the gates before what they let through.
        fmt: The format of the result, (T, W).
    """
    gate, up = gate_up.chunk(2, -1)
    return to_operand(up * torch.nn.functional.silu(gate), fmt=fmt)


def swiglu_backward(grad: Tensor, gate_up: Tensor, fmt: OperandFormat) -> tuple[Operand, Tensor]:
    """Compute the gradient of swiglu's input, and its output again.

    Args:
        grad: (T, W), the gradient of the output.
        gate_up: (T, 2W), the input.
        fmt: The format of the gradient.

    Returns:
        The gradient of gate_up, and (T, W) the output.
    """
    (gate, up), grad_out = gate_up.float().chunk(2, -1), grad.float()
    sigmoid = gate.sigmoid()
    grad_gate = grad_out * up * sigmoid * (1 + gate * (1 - sigmoid))
    grad_gate_up = torch.cat([grad_gate, grad_out * gate * sigmoid], -1).to(grad.dtype)
    return to_operand(grad_gate_up, fmt=fmt), (up * gate * sigmoid).to(grad.dtype)


def apply_rotary(states: Tensor, cos: Tensor, sin: Tensor) -> None:
    """Rotate states by their positions, in place.

    Args:
        states: (T, N, D), each token in one piece.
        cos, sin: (T, D), contiguous.
    """
    first, second = states.chunk(2, -1)
    states.copy_(states * cos[:, None] + torch.cat([-second, first], -1) * sin[:, None])


def apply_rotary_backward(
    query: Tensor, key: Tensor, value: Tensor, cos: Tensor, sin: Tensor, fmt: OperandFormat
) -> Operand:
    """Compute the gradient of the projection that queries, keys and values come from.

    Args:
        query, key, value: (T, N, D), their gradients; queries and keys had been rotated.
        cos, sin: (T, D), contiguous.
        fmt: The format of the gradient, (T, 3ND).
    """
    grads = []
    # The transpose of what apply_rotary does. Its inverse would be wrong: longrope scales cos and sin, too.
    for grad in (query, key):
        first, second = (grad * sin[:, None]).chunk(2, -1)
        grads.append(grad * cos[:, None] + torch.cat([second, -first], -1))
    return to_operand(*(each.flatten(1) for each in (*grads, value)), fmt=fmt)


def quantize_fp8(x: Tensor) -> tuple[Tensor, Tensor]:
    """Quantise each row to FP8, scaled so that its largest magnitude is the type's largest.

    Args:
        x: (T, H).

    Returns:
        (T, H) FP8_DTYPE, and (T, 1) float32 the scales to multiply it by.
    """
    # The lower bound keeps a row of zeros from being divided by zero.
    scales = x.abs().amax(-1, keepdim=True).float().clamp(min=1e-12) / torch.finfo(FP8_DTYPE).max
    return (x.float() / scales).to(FP8_DTYPE).contiguous(), scales
