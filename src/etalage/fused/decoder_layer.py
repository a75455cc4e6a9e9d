"""The decoder's layers while adapters learn: forward and backward written out, in few passes over memory.

Letters: T tokens, K of them that are read, H hidden width, W width of the MLP, N heads, D width of one of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers.models.phi3.modeling_phi3 import Phi3DecoderLayer

from etalage.fused.linear import FROZEN, FusedLoraLinear
from etalage.fused.matmul import Product, elementwise_ops_for, has_kernels, lora_matmul_of
from etalage.fused.reference import Form
from etalage.phi3v.attention import PACKED
from etalage.phi3v.attention_kernels import attend_packed, attend_packed_backward
from etalage.phi3v.cache_name import cache_in
from etalage.phi3v.modeling import Phi3VLastDecoderLayer

__all__ = ["FusedDecoderLayer", "use_fused_decoder"]


def use_fused_decoder(model: nn.Module) -> None:
    """Make decoder layers quick, in place, where this machine has the kernels, nothing but quick adapters learns, and
    all four linear layers have one.
    """
    for module in model.modules():
        if type(module) in (Phi3DecoderLayer, Phi3VLastDecoderLayer) and _can_be_quick(module):
            is_last = isinstance(module, Phi3VLastDecoderLayer)
            module.__class__ = FusedLastDecoderLayer if is_last else FusedDecoderLayer


def _can_be_quick(layer: nn.Module) -> bool:
    config, weight = layer.config, layer.input_layernorm.weight
    return (
        (has_kernels(weight, layer.self_attn.head_dim) or not weight.is_cuda)
        and config._attn_implementation == PACKED
        and all(type(linear) is FusedLoraLinear and linear.base_layer.bias is None for linear in _linears(layer))
        and all(type(linear.base_layer) in FROZEN for linear in _linears(layer))
        and config.num_attention_heads == config.num_key_value_heads
        and config.rope_parameters.get("partial_rotary_factor", 1.0) == 1.0
        and config.hidden_act == "silu"
        and config.resid_pdrop == config.attention_dropout == 0
        and not any(norm.weight.requires_grad for norm in _norms(layer))
    )


def _linears(layer: nn.Module) -> tuple[nn.Module, nn.Module, nn.Module, nn.Module]:
    return layer.self_attn.qkv_proj, layer.self_attn.o_proj, layer.mlp.gate_up_proj, layer.mlp.down_proj


def _norms(layer: nn.Module) -> tuple[nn.Module, nn.Module]:
    return layer.input_layernorm, layer.post_attention_layernorm


class FusedDecoderLayer(Phi3DecoderLayer):
    """As its parent, quick where it reads a packed row."""

    def forward(
        self,
        hidden_states: Tensor,
        *args: Any,
        position_embeddings: tuple[Tensor, Tensor],
        kept_positions: Tensor | None = None,
        **kwargs: Any,
    ) -> Tensor:
        """As Phi3DecoderLayer's, with packed_attention's keywords; only the last layer heeds `kept`."""
        cu_seqlens, longest = kwargs.get("cu_seq_lens_q"), kwargs.get("max_length_q")
        window = self.config.sliding_window
        if (
            cu_seqlens is None
            or longest is None
            or cache_in(kwargs) is not None
            or (window and window < longest)
            or not all(linear.adapts(*FROZEN) for linear in _linears(self))
        ):
            return super().forward(
                hidden_states, *args, position_embeddings=position_embeddings, kept_positions=kept_positions, **kwargs
            )
        linears = _linears(self)
        cos, sin = (turn[0].contiguous() for turn in position_embeddings)
        how = _How(
            list(map(lora_matmul_of, linears)),
            tuple(norm.weight for norm in _norms(self)),
            self.config.rms_norm_eps,
            self.config.num_attention_heads,
            self.self_attn.scaling,
            cu_seqlens,
            longest,
        )
        with torch.autocast(hidden_states.device.type, enabled=False):
            kept = kept_positions if isinstance(self, Phi3VLastDecoderLayer) else None
            adapters = [part for linear in linears for part in linear.adapter()[:2]]
            return _Layer.apply(hidden_states[0].contiguous(), how, cos, sin, kept, *adapters)[None]


class FusedLastDecoderLayer(FusedDecoderLayer, Phi3VLastDecoderLayer):  # type: ignore[misc]  # by keywords alike
    """Both."""


@dataclass(frozen=True)
class _How:
    """What a layer's arithmetic needs beside what is differentiated."""

    products: Sequence[Product]
    norms: Sequence[Tensor]
    eps: float
    num_heads: int
    scale: float
    cu_seqlens: Tensor
    longest: int


class _Layer(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, how: _How, cos: Tensor, sin: Tensor, kept: Tensor | None, *adapters: Tensor
    ) -> Tensor:
        """(T, H) -> (T, H), or (K, H) where only some are kept."""
        does, (qkv_proj, o_proj, gate_up_proj, down_proj) = elementwise_ops_for(x), how.products
        _, normed, scale = does.norm(x, None, how.norms[0], None, how.eps, qkv_proj.form)
        states, qkv_reduced = qkv_proj.forward(normed)
        turned, (query, key, value) = _heads(states, how.num_heads)
        does.rotate(turned, cos, sin)
        attended, log_sums = attend_packed(query, key, value, how.cu_seqlens, how.longest, True, how.scale)

        read, beside = (part if kept is None else part[kept] for part in (attended.flatten(1), x))
        delta, o_reduced = o_proj.forward(does.formed(read, form=o_proj.form))
        total, normed, read_scale = does.norm(beside, delta, how.norms[1], None, how.eps, gate_up_proj.form)
        gate_up, gate_up_reduced = gate_up_proj.forward(normed)
        y, down_reduced = down_proj.forward(does.gate(gate_up, down_proj.form))
        ctx.how = how
        ctx.save_for_backward(
            *(x, cos, sin, kept, scale, states, attended, log_sums, total, read_scale, gate_up),
            *(qkv_reduced, o_reduced, gate_up_reduced, down_reduced),
        )
        return y.add_(total)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        saved = ctx.saved_tensors  # asked for once: a checkpoint computes them again
        x, cos, sin, kept, scale, states, attended, log_sums, total, read_scale, gate_up = saved[:11]
        qkv_reduced, o_reduced, gate_up_reduced, down_reduced = saved[11:]
        grad, how, does = grad.contiguous(), ctx.how, elementwise_ops_for(x)
        qkv_proj, o_proj, gate_up_proj, down_proj = how.products

        for_y = does.formed(grad, form=down_proj.back_form)
        for_gated, back = down_proj.backward(for_y)
        for_gate_up, gated = does.gate_backward(for_gated, gate_up, gate_up_proj.back_form)
        for_down = down_proj.for_adapters(for_y, back, gated, down_reduced)
        for_normed, back = gate_up_proj.backward(for_gate_up)
        for_total, normed = does.norm_backward(
            for_normed, total, how.norms[1], None, read_scale, grad, o_proj.back_form
        )
        for_up = gate_up_proj.for_adapters(for_gate_up, back, normed, gate_up_reduced)
        for_read, back = o_proj.backward(for_total)
        read, beside = attended.flatten(1), for_total.wide[:, : o_proj.num_out]
        if kept is not None:
            read, for_read, beside = read[kept], _scattered(for_read, kept, len(x)), _scattered(beside, kept, len(x))
        for_o = o_proj.for_adapters(for_total, back, read, o_reduced)

        _, (query, key, value) = _heads(states, how.num_heads)
        for_heads = attend_packed_backward(
            *(for_read.view_as(attended), query, key, value, attended, log_sums),
            *(how.cu_seqlens, how.longest, True, how.scale),
        )
        for_states = does.rotate_back(*for_heads, cos, sin, qkv_proj.back_form)
        for_normed, back = qkv_proj.backward(for_states)
        for_x, normed = does.norm_backward(for_normed, x, how.norms[0], None, scale, beside, Form())
        for_qkv = qkv_proj.for_adapters(for_states, back, normed, qkv_reduced)
        return for_x.wide, None, None, None, None, *for_qkv, *for_o, *for_up, *for_down


def _heads(states: Tensor, num_heads: int) -> tuple[Tensor, tuple[Tensor, ...]]:
    """(T, 3ND) -> (T, 2N, D), queries and keys that turn; (T, N, D), queries, keys and values."""
    each = states.unflatten(1, (3 * num_heads, -1))
    return each[:, : 2 * num_heads], each.split(num_heads, dim=1)


def _scattered(rows: Tensor, places: Tensor, num: int) -> Tensor:
    """(K, H) -> (num, H), zeros elsewhere."""
    return rows.new_zeros(num, rows.shape[1]).index_copy_(0, places, rows)
