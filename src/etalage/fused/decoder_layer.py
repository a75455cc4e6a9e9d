"""The decoder's layers while adapters are trained: forward and backward written out, in few passes over memory.

Letters: T tokens, K of them that are read, H hidden width, W width of the MLP, N heads, D width of one of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers.models.phi3.modeling_phi3 import Phi3DecoderLayer

from etalage.fused.linear import FROZEN_LINEARS, FusedLoraLinear
from etalage.fused.matmul import LoraMatmul, elementwise_ops_for, has_kernels, lora_matmul_of
from etalage.fused.reference import OperandFormat
from etalage.phi3v.attention import PACKED
from etalage.phi3v.attention_kernels import attend_packed, attend_packed_backward
from etalage.phi3v.cache_name import cache_in
from etalage.phi3v.modeling import Phi3VLastDecoderLayer
from etalage.phi3v.private_api import attn_implementation

__all__ = ["FusedDecoderLayer", "FusedLastDecoderLayer", "use_fused_decoder"]


def use_fused_decoder(model: nn.Module) -> None:
    """Fuse decoder layers in place.

    A layer is fused if this machine has the kernels, its four linear layers have fused adapters, and nothing else in it
    is trained.

    Args:
        model: With adapters, after use_fused_linear.
    """
    for module in model.modules():
        if type(module) in (Phi3DecoderLayer, Phi3VLastDecoderLayer) and _can_fuse(module):
            is_last = isinstance(module, Phi3VLastDecoderLayer)
            # The module stays the same object, so its name, hooks and weights stay as they are.
            module.__class__ = FusedLastDecoderLayer if is_last else FusedDecoderLayer


def _can_fuse(layer: nn.Module) -> bool:
    config, weight = layer.config, layer.input_layernorm.weight
    return (
        # On a CPU the reference takes the kernels' place.
        (has_kernels(weight, layer.self_attn.head_dim) or not weight.is_cuda)
        and attn_implementation(config) == PACKED
        and all(type(linear) is FusedLoraLinear and linear.base_layer.bias is None for linear in _linears(layer))
        and all(type(linear.base_layer) in FROZEN_LINEARS for linear in _linears(layer))
        and config.num_attention_heads == config.num_key_value_heads
        and config.rope_parameters.get("partial_rotary_factor", 1.0) == 1.0
        and config.hidden_act == "silu"
        and config.resid_pdrop == config.attention_dropout == 0
        # The backward pass computes no gradients of norms.
        and not any(norm.weight.requires_grad for norm in _norms(layer))
    )


def _linears(layer: nn.Module) -> tuple[nn.Module, nn.Module, nn.Module, nn.Module]:
    return layer.self_attn.qkv_proj, layer.self_attn.o_proj, layer.mlp.gate_up_proj, layer.mlp.down_proj


def _norms(layer: nn.Module) -> tuple[nn.Module, nn.Module]:
    return layer.input_layernorm, layer.post_attention_layernorm


class FusedDecoderLayer(Phi3DecoderLayer):
    """A decoder layer that is fused for packed rows, and plain for all else."""

    def forward(
        self,
        hidden_states: Tensor,
        *args: Any,
        position_embeddings: tuple[Tensor, Tensor],
        kept_positions: Tensor | None = None,
        **kwargs: Any,
    ) -> Tensor:
        """Run the layer.

        Args:
            hidden_states: (1, T, H) if the row is packed.
            args: As in Phi3DecoderLayer.forward.
            position_embeddings: cos and sin, (1, T, D) each.
            kept_positions: As in Phi3VLastDecoderLayer.forward; other layers ignore it.
            kwargs: As in Phi3DecoderLayer.forward; packed_attention's keywords say that a row is packed.

        Returns:
            (1, T, H), or (1, K, H).
        """
        cu_seqlens, max_seqlen = kwargs.get("cu_seq_lens_q"), kwargs.get("max_length_q")
        window = self.config.sliding_window
        if (
            cu_seqlens is None
            or max_seqlen is None
            or cache_in(kwargs) is not None
            or (window and window < max_seqlen)
            or not all(linear.is_fused(*FROZEN_LINEARS) for linear in _linears(self))
        ):
            return super().forward(
                hidden_states, *args, position_embeddings=position_embeddings, kept_positions=kept_positions, **kwargs
            )
        linears = _linears(self)
        cos, sin = (part[0].contiguous() for part in position_embeddings)
        options = _Options(
            list(map(lora_matmul_of, linears)),
            tuple(norm.weight for norm in _norms(self)),
            self.config.rms_norm_eps,
            self.config.num_attention_heads,
            self.self_attn.scaling,
            cu_seqlens,
            max_seqlen,
        )
        # Every type is chosen by the layer itself; autocast would cast operands again.
        with torch.autocast(hidden_states.device.type, enabled=False):
            kept = kept_positions if isinstance(self, Phi3VLastDecoderLayer) else None
            adapters = [part for linear in linears for part in linear.adapter()[:2]]
            return _Layer.apply(hidden_states[0].contiguous(), options, cos, sin, kept, *adapters)[None]


class FusedLastDecoderLayer(FusedDecoderLayer, Phi3VLastDecoderLayer):  # type: ignore[misc]  # Their keywords agree.
    """The last decoder layer, fused for packed rows."""


@dataclass(frozen=True)
class _Options:
    """The inputs of a layer that get no gradient."""

    matmuls: Sequence[LoraMatmul]
    norms: Sequence[Tensor]
    eps: float
    num_heads: int
    scale: float
    cu_seqlens: Tensor
    max_seqlen: int


class _Layer(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, options: _Options, cos: Tensor, sin: Tensor, kept: Tensor | None, *adapters: Tensor
    ) -> Tensor:
        """Return (T, H), or (K, H) at the kept positions, for x of (T, H)."""
        ops, (qkv_proj, o_proj, gate_up_proj, down_proj) = elementwise_ops_for(x), options.matmuls
        _, normed, rstd = ops.norm(x, None, options.norms[0], None, options.eps, qkv_proj.forward_format)
        qkv, qkv_reduced = qkv_proj.forward(normed)
        rotated, (query, key, value) = _heads(qkv, options.num_heads)
        # In place: query and key are views of the same memory.
        ops.apply_rotary(rotated, cos, sin)
        attended, lse = attend_packed(query, key, value, options.cu_seqlens, options.max_seqlen, True, options.scale)

        # Only attention needs all tokens, as keys and values; all else is computed at the kept ones.
        read, residual = (part if kept is None else part[kept] for part in (attended.flatten(1), x))
        delta, o_reduced = o_proj.forward(ops.to_operand(read, fmt=o_proj.forward_format))
        total, normed, mlp_rstd = ops.norm(
            residual, delta, options.norms[1], None, options.eps, gate_up_proj.forward_format
        )
        gate_up, gate_up_reduced = gate_up_proj.forward(normed)
        y, down_reduced = down_proj.forward(ops.swiglu(gate_up, down_proj.forward_format))
        # The results of norms and SwiGLU are not saved: the backward kernels compute them again on their way. So a
        # layer keeps 69 KiB per token instead of 96.
        ctx.options = options
        ctx.save_for_backward(
            *(x, cos, sin, kept, rstd, qkv, attended, lse, total, mlp_rstd, gate_up),
            *(qkv_reduced, o_reduced, gate_up_reduced, down_reduced),
        )
        return y.add_(total)  # In place, as nothing else reads y.

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        saved = ctx.saved_tensors  # Read once: under activation checkpointing each access recomputes them.
        x, cos, sin, kept, rstd, qkv, attended, lse, total, mlp_rstd, gate_up = saved[:11]
        qkv_reduced, o_reduced, gate_up_reduced, down_reduced = saved[11:]
        grad, options, ops = grad.contiguous(), ctx.options, elementwise_ops_for(x)
        qkv_proj, o_proj, gate_up_proj, down_proj = options.matmuls

        grad_y = ops.to_operand(grad, fmt=down_proj.backward_format)
        grad_gated, grad_reduced = down_proj.backward(grad_y)
        grad_gate_up, gated = ops.swiglu_backward(grad_gated, gate_up, gate_up_proj.backward_format)
        down_grads = down_proj.adapter_grads(grad_y, grad_reduced, gated, down_reduced)
        grad_normed, grad_reduced = gate_up_proj.backward(grad_gate_up)
        grad_total, normed = ops.norm_backward(
            grad_normed, total, options.norms[1], None, mlp_rstd, grad, o_proj.backward_format
        )
        gate_up_grads = gate_up_proj.adapter_grads(grad_gate_up, grad_reduced, normed, gate_up_reduced)
        grad_read, grad_reduced = o_proj.backward(grad_total)
        # Without the extra columns, which o_proj has filled with the adapter's part.
        read, grad_residual = attended.flatten(1), grad_total.dense[:, : o_proj.num_out]
        if kept is not None:
            read = read[kept]
            grad_read, grad_residual = (_scatter(part, kept, len(x)) for part in (grad_read, grad_residual))
        o_grads = o_proj.adapter_grads(grad_total, grad_reduced, read, o_reduced)

        _, (query, key, value) = _heads(qkv, options.num_heads)
        head_grads = attend_packed_backward(
            *(grad_read.view_as(attended), query, key, value, attended, lse),
            *(options.cu_seqlens, options.max_seqlen, True, options.scale),
        )
        grad_qkv = ops.apply_rotary_backward(*head_grads, cos, sin, qkv_proj.backward_format)
        grad_normed, grad_reduced = qkv_proj.backward(grad_qkv)
        grad_x, normed = ops.norm_backward(grad_normed, x, options.norms[0], None, rstd, grad_residual, OperandFormat())
        qkv_grads = qkv_proj.adapter_grads(grad_qkv, grad_reduced, normed, qkv_reduced)
        return grad_x.dense, None, None, None, None, *qkv_grads, *o_grads, *gate_up_grads, *down_grads


def _heads(qkv: Tensor, num_heads: int) -> tuple[Tensor, tuple[Tensor, ...]]:
    """Return views of (T, 3ND): the (T, 2N, D) heads to rotate; queries, keys and values, (T, N, D) each."""
    heads = qkv.unflatten(1, (3 * num_heads, -1))
    return heads[:, : 2 * num_heads], heads.split(num_heads, dim=1)


def _scatter(rows: Tensor, positions: Tensor, num_rows: int) -> Tensor:
    """Return (num_rows, H), with the (K, H) rows at their positions and zeros elsewhere."""
    return rows.new_zeros(num_rows, rows.shape[1]).index_copy_(0, positions, rows)
