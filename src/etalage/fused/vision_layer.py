"""The tower's layers, frozen or while adapters are trained: written out as decoder_layer.py's are.

Letters: U crops, P patches of each and its class token, T = UP, D width, W width of the MLP, N heads.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers.models.clip.modeling_clip import CLIPEncoderLayer

from etalage.fused.linear import FusedLoraLinear
from etalage.fused.matmul import LoraMatmul, elementwise_ops_for, has_kernels, lora_matmul_of
from etalage.fused.quantization import FP8Linear
from etalage.fused.reference import OperandFormat
from etalage.phi3v.attention import PACKED
from etalage.phi3v.attention_kernels import attend_packed, attend_packed_backward
from etalage.phi3v.private_api import attn_implementation

__all__ = ["FusedVisionLayer", "use_fused_vision"]


def use_fused_vision(model: nn.Module) -> None:
    """Fuse a tower's layers in place.

    A layer is fused if this machine has the kernels (a CPU is faster without), and either nothing in it is trained or
    all its six linear layers have a fused adapter and a weight that is not quantised.

    Args:
        model: With or without adapters, after use_fused_linear.
    """
    for module in model.modules():
        if type(module) is CLIPEncoderLayer and _can_fuse(module):
            # The module stays the same object, so its name, hooks and weights stay as they are.
            module.__class__ = FusedVisionLayer


def _can_fuse(layer: nn.Module) -> bool:
    attention, linears = layer.self_attn, _linears(layer)
    is_trained = any(p.requires_grad for name, p in layer.named_parameters() if "lora_" not in name)
    kinds = {type(linear) for linear in linears}
    if kinds == {FusedLoraLinear}:
        # Not FP8: queries, keys and values are one matmul, which has no gradient for several FP8 layers.
        has_fusable_linears = {type(linear.base_layer) for linear in linears} == {nn.Linear}
    else:
        has_fusable_linears = kinds in ({nn.Linear}, {FP8Linear})
    return (
        has_kernels(layer.layer_norm1.weight, attention.head_dim)
        and attn_implementation(attention.config) == PACKED
        and attention.config.hidden_act == "quick_gelu"
        and attention.dropout == 0
        and has_fusable_linears
        and not is_trained
    )


def _linears(layer: nn.Module) -> tuple[nn.Module, ...]:
    attention, mlp = layer.self_attn, layer.mlp
    return attention.q_proj, attention.k_proj, attention.v_proj, attention.out_proj, mlp.fc1, mlp.fc2


class FusedVisionLayer(CLIPEncoderLayer):
    """A layer of the tower that is fused while its adapters are trained or while it is frozen."""

    def forward(self, hidden_states: Tensor, attention_mask: Tensor | None = None, **kwargs: Any) -> Tensor:
        """Run the layer.

        Args:
            hidden_states: (U, P, D).
            attention_mask: As in CLIPEncoderLayer.forward; with one, the layer is not fused.
            kwargs: As in CLIPEncoderLayer.forward.

        Returns:
            (U, P, D).
        """
        linears, first, second = _linears(self), self.layer_norm1, self.layer_norm2
        is_adapted = isinstance(linears[0], FusedLoraLinear)
        if is_adapted:
            is_fused = torch.is_grad_enabled() and all(linear.is_fused(nn.Linear) for linear in linears)
        else:
            # The frozen form runs without autograd, so nothing before it could be trained.
            is_fused = not hidden_states.requires_grad
        if attention_mask is not None or not is_fused:
            return super().forward(hidden_states, attention_mask, **kwargs)
        query, key, value, *others = linears  # The first three read the same input, so they are one matmul.
        options = _Options(
            [lora_matmul_of(query, key, value), *map(lora_matmul_of, others)],
            [(first.weight, first.bias), (second.weight, second.bias)],
            first.eps,
            self.self_attn.num_heads,
            self.self_attn.scale,
            hidden_states.shape[1],
        )
        tokens = hidden_states.flatten(0, 1).contiguous()
        # Every type is chosen by the layer itself; autocast would cast operands again.
        with torch.autocast(hidden_states.device.type, enabled=False):
            if is_adapted:
                adapters = [part for linear in linears for part in linear.adapter()[:2]]
                return _Layer.apply(tokens, options, *adapters).view_as(hidden_states)
            with torch.no_grad():
                return _forward(tokens, options)[0].view_as(hidden_states)


@dataclass(frozen=True)
class _Options:
    """The inputs of a layer that get no gradient."""

    matmuls: Sequence[LoraMatmul]
    norms: Sequence[tuple[Tensor, Tensor]]
    eps: float
    num_heads: int
    scale: float
    num_patches: int


def _forward(x: Tensor, options: _Options) -> tuple[Tensor, tuple[Tensor | None, ...]]:
    """Return the (T, D) output, and what backward reads."""
    ops, (qkv_proj, out_proj, fc1, fc2) = elementwise_ops_for(x), options.matmuls
    _, normed, rstd = ops.norm(x, None, *options.norms[0], options.eps, qkv_proj.forward_format)
    qkv, qkv_reduced = qkv_proj.forward(normed)
    attended, lse = attend_packed(*_heads(qkv, options), None, options.num_patches, False, options.scale)
    delta, out_reduced = out_proj.forward(ops.to_operand(attended.flatten(1), fmt=out_proj.forward_format))
    total, normed, mlp_rstd = ops.norm(x, delta, *options.norms[1], options.eps, fc1.forward_format)
    inner, fc1_reduced = fc1.forward(normed)
    y, fc2_reduced = fc2.forward(ops.quick_gelu(inner, fc2.forward_format))
    saved = (x, rstd, qkv, attended, lse, total, mlp_rstd, inner)
    return y.add_(total), (*saved, qkv_reduced, out_reduced, fc1_reduced, fc2_reduced)


class _Layer(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, options: _Options, *adapters: Tensor) -> Tensor:
        y, saved = _forward(x, options)
        ctx.options = options
        ctx.save_for_backward(*saved)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        saved = ctx.saved_tensors  # Read once: under activation checkpointing each access recomputes them.
        x, rstd, qkv, attended, lse, total, mlp_rstd, inner = saved[:8]
        qkv_reduced, out_reduced, fc1_reduced, fc2_reduced = saved[8:]
        grad, options, ops = grad.contiguous(), ctx.options, elementwise_ops_for(x)
        qkv_proj, out_proj, fc1, fc2 = options.matmuls

        grad_y = ops.to_operand(grad, fmt=fc2.backward_format)
        grad_active, grad_reduced = fc2.backward(grad_y)
        grad_inner, active = ops.quick_gelu_backward(grad_active, inner, fc1.backward_format)
        fc2_grads = fc2.adapter_grads(grad_y, grad_reduced, active, fc2_reduced)
        grad_normed, grad_reduced = fc1.backward(grad_inner)
        grad_total, normed = ops.norm_backward(
            grad_normed, total, *options.norms[1], mlp_rstd, grad, out_proj.backward_format
        )
        fc1_grads = fc1.adapter_grads(grad_inner, grad_reduced, normed, fc1_reduced)
        grad_attended, grad_reduced = out_proj.backward(grad_total)
        out_grads = out_proj.adapter_grads(grad_total, grad_reduced, attended.flatten(1), out_reduced)

        head_grads = attend_packed_backward(
            *(grad_attended.view_as(attended), *_heads(qkv, options), attended, lse),
            *(None, options.num_patches, False, options.scale),
        )
        grad_qkv = ops.to_operand(*(each.flatten(1) for each in head_grads), fmt=qkv_proj.backward_format)
        grad_normed, grad_reduced = qkv_proj.backward(grad_qkv)
        grad_residual = grad_total.dense[:, : out_proj.num_out]
        grad_x, normed = ops.norm_backward(grad_normed, x, *options.norms[0], rstd, grad_residual, OperandFormat())
        qkv_grads = qkv_proj.adapter_grads(grad_qkv, grad_reduced, normed, qkv_reduced)
        return grad_x.dense, None, *qkv_grads, *out_grads, *fc1_grads, *fc2_grads


def _heads(qkv: Tensor, options: _Options) -> tuple[Tensor, Tensor, Tensor]:
    """Return views of (T, 3D): queries, keys and values, (T, N, D / N) each."""
    query, key, value = qkv.unflatten(1, (3 * options.num_heads, -1)).split(options.num_heads, dim=1)
    return query, key, value
