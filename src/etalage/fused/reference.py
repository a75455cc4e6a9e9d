"""What layers of decoder and tower do between their products, forward and backward, in plain torch.

On a GPU each of these is one pass over memory, by the kernels of the same names in kernels.py.

Letters: T tokens, H width, W width of the MLP, N heads, D width of one of them.
"""

from typing import Any, NamedTuple

import torch
from torch import Tensor

__all__ = [
    "FP8_DTYPE",
    "Form",
    "Rows",
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

FP8_DTYPE = torch.float8_e4m3fn


class Form(NamedTuple):
    """How a product reads its rows: in their own type, with so many columns behind them that are left to it, in eight
    bits, or in both.
    """

    room: int = 0
    wide: bool = True
    eight: bool = False


class Rows(NamedTuple):
    """What a product reads; None where its form does not ask for it."""

    wide: Any
    """(T, H + room)"""
    eight: Any
    """(T, H) FP8_DTYPE"""
    scales: Any
    """(T, 1) float32"""


def formed(*parts: Tensor, form: Form) -> Rows:
    """(T, H) rows as they are; the next part's behind the first one's."""
    joined = parts[0] if len(parts) == 1 else torch.cat(parts, 1)
    wide = joined if form.wide else None
    if form.room:
        num_rows, width = joined.shape
        wide = joined.new_empty(num_rows, width + form.room)
        wide[:, :width] = joined
    return Rows(wide, *(rounded(joined) if form.eight else (None, None)))


def norm(
    x: Tensor, delta: Tensor | None, weight: Tensor, bias: Tensor | None, eps: float, form: Form
) -> tuple[Tensor, Rows, Tensor]:
    """RMS norm of x + delta; with a bias, layer norm.

    Args:
        x, delta: (T, H). weight, bias: (H,).
    Returns:
        (T, H) what is normed, the result, and (T, 1) float32 one over the root of the mean square.
    """
    total = x if delta is None else x + delta
    exact = _centred(total, bias)
    scale = torch.rsqrt(exact.square().mean(-1, keepdim=True) + eps)
    return total, formed(_normed(exact * scale, weight, bias, x.dtype), form=form), scale


def norm_backward(
    grad: Tensor, x: Tensor, weight: Tensor, bias: Tensor | None, scale: Tensor, beside: Tensor, form: Form
) -> tuple[Rows, Tensor]:
    """Of the gradients of the result and of what goes past the norm, `beside`, (T, H): that of what is normed.

    And (T, H) the result once more, so that it need not be kept.
    """
    direction, wanted = _centred(x, bias) * scale, _centred(grad.float() * weight.float(), bias)
    along = (wanted * direction).mean(-1, keepdim=True)
    for_x = (beside.float() + scale * (wanted - direction * along)).to(grad.dtype)
    return formed(for_x, form=form), _normed(direction, weight, bias, x.dtype)


def _centred(x: Tensor, bias: Tensor | None) -> Tensor:
    return x.float() if bias is None else x.float() - x.float().mean(-1, keepdim=True)


def _normed(direction: Tensor, weight: Tensor, bias: Tensor | None, dtype: torch.dtype) -> Tensor:
    """Rounded where transformers and torch round."""
    if bias is None:
        return weight * direction.to(dtype)
    return (weight.float() * direction + bias.float()).to(dtype)


def quick_gelu(x: Tensor, form: Form) -> Rows:
    """(T, W) -> (T, W): x * sigmoid(1.702 x)."""
    return formed(x * torch.sigmoid(1.702 * x), form=form)


def quick_gelu_backward(grad: Tensor, x: Tensor, form: Form) -> tuple[Rows, Tensor]:
    """(T, W), (T, W) -> (T, W), and (T, W) quick_gelu's result once more."""
    exact = x.float()
    share = torch.sigmoid(1.702 * exact)
    for_x = (grad.float() * share * (1 + 1.702 * exact * (1 - share))).to(grad.dtype)
    return formed(for_x, form=form), (exact * share).to(grad.dtype)


def gate(gate_up: Tensor, form: Form) -> Rows:
    """(T, 2W), gates before what they let through -> (T, W): up * silu(gate)."""
    gates, up = gate_up.chunk(2, -1)
    return formed(up * torch.nn.functional.silu(gates), form=form)


def gate_backward(grad: Tensor, gate_up: Tensor, form: Form) -> tuple[Rows, Tensor]:
    """(T, W), (T, 2W) -> (T, 2W), and (T, W) gate's result once more."""
    (gates, up), wanted = gate_up.float().chunk(2, -1), grad.float()
    share = gates.sigmoid()
    for_gates = wanted * up * share * (1 + gates * (1 - share))
    for_gate_up = torch.cat([for_gates, wanted * gates * share], -1).to(grad.dtype)
    return formed(for_gate_up, form=form), (up * gates * share).to(grad.dtype)


def rotate(states: Tensor, cos: Tensor, sin: Tensor) -> None:
    """Turn states by their positions, in place.

    Args:
        states: (T, N, D), each token in one piece.
        cos, sin: (T, D), contiguous.
    """
    first, second = states.chunk(2, -1)
    states.copy_(states * cos[:, None] + torch.cat([-second, first], -1) * sin[:, None])


def rotate_back(query: Tensor, key: Tensor, value: Tensor, cos: Tensor, sin: Tensor, form: Form) -> Rows:
    """(T, N, D) gradients of what was turned, queries and keys, and of values -> (T, 3ND), of what was given."""
    turned = []
    for grad in (query, key):
        first, second = (grad * sin[:, None]).chunk(2, -1)
        turned.append(grad * cos[:, None] + torch.cat([second, -first], -1))
    return formed(*(each.flatten(1) for each in (*turned, value)), form=form)


def rounded(rows: Tensor) -> tuple[Tensor, Tensor]:
    """Each row times 1 / scale in FP8_DTYPE, its largest the type's largest; and the scales, (rows, 1) float32."""
    scales = rows.abs().amax(-1, keepdim=True).float().clamp(min=1e-12) / torch.finfo(FP8_DTYPE).max
    return (rows.float() / scales).to(FP8_DTYPE).contiguous(), scales
