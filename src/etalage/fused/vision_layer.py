"""The tower's layers, frozen or while adapters learn: written out as quick_decoder.py's are.

Letters: U crops, P patches of each and its class token, T = UP, D width, W width of the MLP, N heads.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers.models.clip.modeling_clip import CLIPEncoderLayer

from etalage.fused.linear import FP8Linear, FusedLoraLinear
from etalage.fused.matmul import Product, elementwise_ops_for, has_kernels, lora_matmul_of
from etalage.fused.reference import Form
from etalage.phi3v.attention import PACKED
from etalage.phi3v.attention_kernels import attend_packed, attend_packed_backward

__all__ = ["FusedVisionLayer", "use_fused_vision"]


def use_fused_vision(model: nn.Module) -> None:
    """Make a tower's layers quick, in place, where this machine has the kernels (a CPU is quicker without), and either
    nothing learns or all six linear layers have a quick adapter beside weights of full width.
    """
    for module in model.modules():
        if type(module) is CLIPEncoderLayer and _can_be_quick(module):
            module.__class__ = FusedVisionLayer


def _can_be_quick(layer: nn.Module) -> bool:
    attention, linears = layer.self_attn, _linears(layer)
    learns = any(p.requires_grad for name, p in layer.named_parameters() if "lora_" not in name)
    kinds = {type(linear) for linear in linears}
    if kinds == {FusedLoraLinear}:
        suited = {type(linear.base_layer) for linear in linears} == {nn.Linear}
    else:
        suited = kinds in ({nn.Linear}, {FP8Linear})
    return (
        has_kernels(layer.layer_norm1.weight, attention.head_dim)
        and attention.config._attn_implementation == PACKED
        and attention.config.hidden_act == "quick_gelu"
        and attention.dropout == 0
        and suited
        and not learns
    )


def _linears(layer: nn.Module) -> tuple[nn.Module, ...]:
    attention, mlp = layer.self_attn, layer.mlp
    return attention.q_proj, attention.k_proj, attention.v_proj, attention.out_proj, mlp.fc1, mlp.fc2


class FusedVisionLayer(CLIPEncoderLayer):
    """As its parent; the same where adapters are not learning."""

    def forward(self, hidden_states: Tensor, attention_mask: Tensor | None = None, **kwargs: Any) -> Tensor:
        """As CLIPEncoderLayer's."""
        linears, first, second = _linears(self), self.layer_norm1, self.layer_norm2
        adapted = isinstance(linears[0], FusedLoraLinear)
        if adapted:
            quick = torch.is_grad_enabled() and all(linear.adapts(nn.Linear) for linear in linears)
        else:
            quick = not hidden_states.requires_grad
        if attention_mask is not None or not quick:
            return super().forward(hidden_states, attention_mask, **kwargs)
        query, key, value, *others = linears
        how = _How(
            [lora_matmul_of(query, key, value), *map(lora_matmul_of, others)],
            [(first.weight, first.bias), (second.weight, second.bias)],
            first.eps,
            self.self_attn.num_heads,
            self.self_attn.scale,
            hidden_states.shape[1],
        )
        tokens = hidden_states.flatten(0, 1).contiguous()
        with torch.autocast(hidden_states.device.type, enabled=False):
            if adapted:
                parts = [part for linear in linears for part in linear.adapter()[:2]]
                return _Layer.apply(tokens, how, *parts).view_as(hidden_states)
            with torch.no_grad():
                return _forward(tokens, how)[0].view_as(hidden_states)


@dataclass(frozen=True)
class _How:
    """What a layer's arithmetic needs beside what is differentiated."""

    products: Sequence[Product]
    norms: Sequence[tuple[Tensor, Tensor]]
    eps: float
    num_heads: int
    scale: float
    length: int


def _forward(x: Tensor, how: _How) -> tuple[Tensor, tuple[Tensor | None, ...]]:
    """(T, D) -> (T, D), and what backward reads."""
    does, (qkv_proj, out_proj, fc1, fc2) = elementwise_ops_for(x), how.products
    _, normed, scale = does.norm(x, None, *how.norms[0], how.eps, qkv_proj.form)
    states, qkv_reduced = qkv_proj.forward(normed)
    attended, log_sums = attend_packed(*_heads(states, how), None, how.length, False, how.scale)
    delta, out_reduced = out_proj.forward(does.formed(attended.flatten(1), form=out_proj.form))
    total, normed, read_scale = does.norm(x, delta, *how.norms[1], how.eps, fc1.form)
    inner, fc1_reduced = fc1.forward(normed)
    y, fc2_reduced = fc2.forward(does.quick_gelu(inner, fc2.form))
    kept = (x, scale, states, attended, log_sums, total, read_scale, inner)
    return y.add_(total), (*kept, qkv_reduced, out_reduced, fc1_reduced, fc2_reduced)


class _Layer(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, how: _How, *adapters: Tensor) -> Tensor:
        y, kept = _forward(x, how)
        ctx.how = how
        ctx.save_for_backward(*kept)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        saved = ctx.saved_tensors  # asked for once: a checkpoint computes them again
        x, scale, states, attended, log_sums, total, read_scale, inner = saved[:8]
        qkv_reduced, out_reduced, fc1_reduced, fc2_reduced = saved[8:]
        grad, how, does = grad.contiguous(), ctx.how, elementwise_ops_for(x)
        qkv_proj, out_proj, fc1, fc2 = how.products

        for_y = does.formed(grad, form=fc2.back_form)
        for_active, back = fc2.backward(for_y)
        for_inner, active = does.quick_gelu_backward(for_active, inner, fc1.back_form)
        for_fc2 = fc2.for_adapters(for_y, back, active, fc2_reduced)
        for_normed, back = fc1.backward(for_inner)
        for_total, normed = does.norm_backward(for_normed, total, *how.norms[1], read_scale, grad, out_proj.back_form)
        for_fc1 = fc1.for_adapters(for_inner, back, normed, fc1_reduced)
        for_attended, back = out_proj.backward(for_total)
        for_out = out_proj.for_adapters(for_total, back, attended.flatten(1), out_reduced)

        for_heads = attend_packed_backward(
            *(for_attended.view_as(attended), *_heads(states, how), attended, log_sums),
            *(None, how.length, False, how.scale),
        )
        for_states = does.formed(*(each.flatten(1) for each in for_heads), form=qkv_proj.back_form)
        for_normed, back = qkv_proj.backward(for_states)
        beside = for_total.wide[:, : out_proj.num_out]
        for_x, normed = does.norm_backward(for_normed, x, *how.norms[0], scale, beside, Form())
        for_qkv = qkv_proj.for_adapters(for_states, back, normed, qkv_reduced)
        return for_x.wide, None, *for_qkv, *for_out, *for_fc1, *for_fc2


def _heads(states: Tensor, how: _How) -> tuple[Tensor, Tensor, Tensor]:
    """(T, 3D) -> (T, N, D / N) each, queries, keys and values."""
    query, key, value = states.unflatten(1, (3 * how.num_heads, -1)).split(how.num_heads, dim=1)
    return query, key, value
