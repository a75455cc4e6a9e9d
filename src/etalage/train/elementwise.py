"""What layers of decoder and tower do between their products, forward and backward, in plain torch.

On a GPU each of these is one pass over memory, by the kernels of the same names in kernels.py.

Letters: T tokens, H width, W width of the MLP, N heads, D width of one of them. `room` columns behind a result are left
to whoever asked for them.
"""

import torch
from torch import Tensor

__all__ = [
    "EIGHT_BITS",
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

EIGHT_BITS = torch.float8_e4m3fn


def norm(
    x: Tensor, delta: Tensor | None, weight: Tensor, bias: Tensor | None, eps: float, room: int
) -> tuple[Tensor, Tensor, Tensor]:
    """RMS norm of x + delta; with a bias, layer norm.

    Args:
        x, delta: (T, H). weight, bias: (H,).
    Returns:
        (T, H) what is normed, (T, H + room), and (T, 1) float32 one over the root of the mean square.
    """
    total = x if delta is None else x + delta
    exact = _centred(total, bias)
    scale = torch.rsqrt(exact.square().mean(-1, keepdim=True) + eps)
    return total, widened(_normed(exact * scale, weight, bias, x.dtype), room=room), scale


def norm_backward(
    grad: Tensor, x: Tensor, weight: Tensor, bias: Tensor | None, scale: Tensor, beside: Tensor, room: int
) -> tuple[Tensor, Tensor]:
    """Of the gradients of the result and of what goes past the norm, `beside`: (T, H + room) that of what is normed.

    And (T, H) the result once more, so that it need not be kept.
    """
    direction, wanted = _centred(x, bias) * scale, _centred(grad.float() * weight.float(), bias)
    along = (wanted * direction).mean(-1, keepdim=True)
    for_x = (beside.float() + scale * (wanted - direction * along)).to(grad.dtype)
    return widened(for_x, room=room), _normed(direction, weight, bias, x.dtype)


def _centred(x: Tensor, bias: Tensor | None) -> Tensor:
    return x.float() if bias is None else x.float() - x.float().mean(-1, keepdim=True)


def _normed(direction: Tensor, weight: Tensor, bias: Tensor | None, dtype: torch.dtype) -> Tensor:
    """Rounded where transformers and torch round."""
    if bias is None:
        return weight * direction.to(dtype)
    return (weight.float() * direction + bias.float()).to(dtype)


def quick_gelu(x: Tensor, room: int) -> Tensor:
    """(T, W) -> (T, W + room): x * sigmoid(1.702 x)."""
    return widened(x * torch.sigmoid(1.702 * x), room=room)


def quick_gelu_backward(grad: Tensor, x: Tensor, room: int) -> tuple[Tensor, Tensor]:
    """(T, W), (T, W) -> (T, W + room), and (T, W) quick_gelu's result once more."""
    exact = x.float()
    share = torch.sigmoid(1.702 * exact)
    for_x = (grad.float() * share * (1 + 1.702 * exact * (1 - share))).to(grad.dtype)
    return widened(for_x, room=room), (exact * share).to(grad.dtype)


def gate(gate_up: Tensor, room: int) -> Tensor:
    """(T, 2W), gates before what they let through -> (T, W + room): up * silu(gate)."""
    gates, up = gate_up.chunk(2, -1)
    return widened(up * torch.nn.functional.silu(gates), room=room)


def gate_backward(grad: Tensor, gate_up: Tensor, room: int) -> tuple[Tensor, Tensor]:
    """(T, W), (T, 2W) -> (T, 2W + room), and (T, W) gate's result once more."""
    (gates, up), wanted = gate_up.float().chunk(2, -1), grad.float()
    share = gates.sigmoid()
    for_gates = wanted * up * share * (1 + gates * (1 - share))
    for_gate_up = torch.cat([for_gates, wanted * gates * share], -1).to(grad.dtype)
    return widened(for_gate_up, room=room), (up * gates * share).to(grad.dtype)


def rotate(states: Tensor, cos: Tensor, sin: Tensor) -> None:
    """Turn states by their positions, in place.

    Args:
        states: (T, N, D), each token in one piece.
        cos, sin: (T, D), contiguous.
    """
    first, second = states.chunk(2, -1)
    states.copy_(states * cos[:, None] + torch.cat([-second, first], -1) * sin[:, None])


def rotate_back(query: Tensor, key: Tensor, value: Tensor, cos: Tensor, sin: Tensor, room: int) -> Tensor:
    """(T, N, D) gradients of what was turned, queries and keys, and of values -> (T, 3ND + room), of what was given."""
    turned = []
    for grad in (query, key):
        first, second = (grad * sin[:, None]).chunk(2, -1)
        turned.append(grad * cos[:, None] + torch.cat([second, -first], -1))
    return widened(*(each.flatten(1) for each in (*turned, value)), room=room)


def rounded(rows: Tensor) -> tuple[Tensor, Tensor]:
    """Each row times 1 / scale in EIGHT_BITS, its largest the type's largest; and the scales, (rows, 1) float32."""
    scales = rows.abs().amax(-1, keepdim=True).float().clamp(min=1e-12) / torch.finfo(EIGHT_BITS).max
    return (rows.float() / scales).to(EIGHT_BITS).contiguous(), scales


def widened(*parts: Tensor, room: int) -> Tensor:
    """(T, H) each -> (T, sum of H + room); itself if there is one and no room is asked for."""
    if len(parts) == 1 and not room:
        return parts[0]
    width = sum(part.shape[1] for part in parts)
    wide = parts[0].new_empty(parts[0].shape[0], width + room)
    torch.cat(parts, 1, out=wide[:, :width])
    return wide
