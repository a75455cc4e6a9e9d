"""The matmuls of linear layers with adapters, as operators that the compiler does not look into.

Letters: T tokens, I inputs, O outputs, R rank.
"""

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional
from torch.nn.functional import ScalingType

from etalage.fused.reference import quantize_fp8

__all__ = ["FP8Scales", "fp8_matmul", "lora_linear"]


class FP8Scales(NamedTuple):
    """The scales of a frozen FP8 weight, and its transpose."""

    row_scales: Tensor
    """(1, O) float32, of the weight's rows."""
    transposed: Tensor
    """(I, O) FP8, the weight again, quantised along its other dimension for the backward pass."""
    column_scales: Tensor
    """(1, I) float32, of its rows."""


def lora_linear(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    fp8: FP8Scales | None = None,
    a: Tensor | None = None,
    b: Tensor | None = None,
) -> Tensor:
    """Compute x W' + bias + (x A') B', with W frozen.

    Args:
        x: (..., I); cast to the weight's type, or to bfloat16 for an FP8 weight.
        weight: W, (O, I).
        bias: (O,).
        fp8: The scales of an FP8 weight.
        a: A, (R, I). Without A and B there is no adapter.
        b: B, (O, R).

    Returns:
        (..., O) in the type that x is cast to.
    """
    flat = x.flatten(0, -2)
    fp8_arguments: tuple[Tensor | None, ...] = (None,) * 5
    if fp8 is None:
        flat = flat.to(weight.dtype)
    else:
        flat = flat.to(torch.bfloat16)
        with torch.no_grad():  # Outside of the operator, so that the compiler fuses it with what comes before.
            fp8_arguments = (*quantize_fp8(flat), *fp8)
    # Cast outside of the operator, so that autograd casts the gradients back to the type of the weights.
    adapter = (None, None) if a is None or b is None else (a.to(flat.dtype), b.to(flat.dtype))
    return _lora_linear(flat, weight, bias, *fp8_arguments, *adapter)[0].unflatten(0, x.shape[:-1])


def fp8_matmul(x: Tensor, scales: Tensor, weight: Tensor, weight_scales: Tensor, bias: Tensor | None) -> Tensor:
    """Multiply FP8 operands whose rows have a scale each.

    Args:
        x: (T, I) FP8.
        scales: (T, 1) float32.
        weight: (O, I) FP8.
        weight_scales: (1, O) float32.
        bias: (O,) bfloat16.

    Returns:
        (T, O) bfloat16.
    """
    return functional.scaled_mm(
        *(x, weight.t(), scales, ScalingType.RowWise, weight_scales, ScalingType.RowWise),
        bias=bias,
        output_dtype=torch.bfloat16,
        use_fast_accum=True,
    )


def _forward(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    x_fp8: Tensor | None,
    x_scales: Tensor | None,
    row_scales: Tensor | None,
    transposed: Tensor | None,
    column_scales: Tensor | None,
    a: Tensor | None,
    b: Tensor | None,
) -> tuple[Tensor, Tensor]:
    """Return the (T, O) output, and (T, R) x A' for the backward pass, which is empty without an adapter."""
    if x_fp8 is None or x_scales is None or row_scales is None:
        y = functional.linear(x, weight, bias)
    else:
        y = fp8_matmul(x_fp8, x_scales, weight, row_scales, bias)
    if a is None or b is None:
        return y, x.new_empty(0)
    reduced = x @ a.t()
    return y.addmm_(reduced, b.t()), reduced


def _fake_forward(x: Tensor, weight: Tensor, bias: Tensor | None, *rest: Tensor | None) -> tuple[Tensor, Tensor]:
    a = rest[-2]
    reduced = x.new_empty(0) if a is None else x.new_empty(x.shape[0], a.shape[0])
    return x.new_empty(x.shape[0], weight.shape[0]), reduced


def _setup_context(ctx: Any, inputs: tuple[Tensor | None, ...], output: tuple[Tensor, Tensor]) -> None:
    x, weight, _, x_fp8, _, _, transposed, column_scales, a, b = inputs
    # Only the gradient of A needs x, and an FP8 weight is needed transposed alone.
    dense = (x if a is not None else None, weight if x_fp8 is None else None)
    ctx.save_for_backward(*dense, transposed, column_scales, a, b, output[1])


def _backward(ctx: Any, grad: Tensor, _: Tensor) -> tuple[Tensor | None, ...]:
    x, weight, transposed, column_scales, a, b, reduced = ctx.saved_tensors
    grad_x = grad @ weight if transposed is None else fp8_matmul(*quantize_fp8(grad), transposed, column_scales, None)
    if a is None:
        return grad_x, *[None] * 9
    grad_reduced = grad @ b  # (T, R)
    _add_matmul_(grad_x, grad_reduced, a)
    return grad_x, *[None] * 7, grad_reduced.t() @ x, grad.t() @ reduced


def _add(y: Tensor, left: Tensor, right: Tensor) -> None:
    y.addmm_(left, right)


# Operators because they add in place: the compiler would copy the sum first, which takes as long as all the rest of an
# adapter's work. A Library is used because a call of a torch.library.custom_op takes three times as long.
_library = torch.library.Library("etalage", "FRAGMENT")
_library.define(
    "lora_linear(Tensor x, Tensor weight, Tensor? bias, Tensor? x_fp8, Tensor? x_scales, Tensor? row_scales, "
    "Tensor? transposed, Tensor? column_scales, Tensor? a, Tensor? b) -> (Tensor, Tensor)"
)
_library.define("add_matmul_(Tensor(a!) y, Tensor left, Tensor right) -> ()")
for _device in ("CPU", "CUDA"):
    _library.impl("lora_linear", _forward, _device)
    _library.impl("add_matmul_", _add, _device)
torch.library.register_fake("etalage::lora_linear", _fake_forward, lib=_library)
torch.library.register_fake("etalage::add_matmul_", lambda y, left, right: None, lib=_library)
torch.library.register_autograd("etalage::lora_linear", _backward, setup_context=_setup_context, lib=_library)
_lora_linear, _add_matmul_ = torch.ops.etalage.lora_linear.default, torch.ops.etalage.add_matmul_.default
