"""What a decoder layer does between its products, forward and backward, in plain torch.

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
    "rotate",
    "rotate_back",
    "rounded",
    "widened",
]

EIGHT_BITS = torch.float8_e4m3fn


def norm(x: Tensor, delta: Tensor | None, weight: Tensor, eps: float, room: int) -> tuple[Tensor, Tensor, Tensor]:
    """RMS norm of x + delta.

    Args:
        x, delta: (T, H). weight: (H,).
    Returns:
        (T, H) what is normed, (T, H + room), and (T, 1) float32 one over the root of the mean square.
    """
    total = x if delta is None else x + delta
    exact = total.float()
    scale = torch.rsqrt(exact.square().mean(-1, keepdim=True) + eps)
    return total, widened(weight * (exact * scale).to(x.dtype), room), scale


def norm_backward(
    grad: Tensor, x: Tensor, weight: Tensor, scale: Tensor, beside: Tensor, room: int
) -> tuple[Tensor, Tensor]:
    """Of the gradients of the result and of what goes past the norm, `beside`: (T, H + room) that of what is normed.

    And (T, H) the result once more, so that it need not be kept.
    """
    direction, wanted = x.float() * scale, grad.float() * weight.float()
    along = (wanted * direction).mean(-1, keepdim=True)
    for_x = (beside.float() + scale * (wanted - direction * along)).to(grad.dtype)
    return widened(for_x, room), weight * direction.to(x.dtype)


def gate(gate_up: Tensor, room: int) -> Tensor:
    """(T, 2W), gates before what they let through -> (T, W + room): up * silu(gate)."""
    gates, up = gate_up.chunk(2, -1)
    return widened(up * torch.nn.functional.silu(gates), room)


def gate_backward(grad: Tensor, gate_up: Tensor, room: int) -> tuple[Tensor, Tensor]:
    """(T, W), (T, 2W) -> (T, 2W + room), and (T, W) gate's result once more."""
    (gates, up), wanted = gate_up.float().chunk(2, -1), grad.float()
    share = gates.sigmoid()
    for_gates = wanted * up * share * (1 + gates * (1 - share))
    for_gate_up = torch.cat([for_gates, wanted * gates * share], -1).to(grad.dtype)
    return widened(for_gate_up, room), (up * gates * share).to(grad.dtype)


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
    return widened(torch.cat([*turned, value], 1).flatten(1), room)


def rounded(rows: Tensor) -> tuple[Tensor, Tensor]:
    """Each row times 1 / scale in EIGHT_BITS, its largest the type's largest; and the scales, (rows, 1) float32."""
    scales = rows.abs().amax(-1, keepdim=True).float().clamp(min=1e-12) / torch.finfo(EIGHT_BITS).max
    return (rows.float() / scales).to(EIGHT_BITS).contiguous(), scales


def widened(x: Tensor, room: int) -> Tensor:
    """(T, H) -> (T, H + room); itself if none is asked for."""
    if not room:
        return x
    wide = x.new_empty(x.shape[0], x.shape[1] + room)
    wide[:, : x.shape[1]] = x
    return wide
