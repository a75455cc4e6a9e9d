"""The matmuls of fused layers: frozen weights, with their adapters or alone.

Letters: T tokens, I inputs, O outputs, R rank, each summed over the linear layers that read the same input.
"""

from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor, nn

from etalage.fused.linear import FusedLoraLinear
from etalage.fused.operators import fp8_matmul
from etalage.fused.quantization import FP8Linear
from etalage.fused.reference import Operand, OperandFormat
from etalage.phi3v.attention_kernels import cudnn_is_faster

__all__ = ["LoraMatmul", "elementwise_ops_for", "has_kernels", "lora_matmul_of"]


def has_kernels(weight: Tensor, head_dim: int) -> bool:
    """Return whether there are kernels for layers with such a weight, on its device.

    Args:
        weight: Any weight of the layer.
        head_dim: Width of an attention head.
    """
    return find_spec("triton") is not None and cudnn_is_faster(weight.device, weight.dtype, head_dim)


def elementwise_ops_for(x: Tensor) -> Any:
    """Return the module with the elementwise operations for a tensor's device: triton on a GPU, else reference.

    Args:
        x: Any tensor of the layer.
    """
    if x.is_cuda:
        from etalage.fused import triton

        return triton
    from etalage.fused import reference

    return reference


def lora_matmul_of(*linears: nn.Module) -> "LoraMatmul":
    """Return the matmul of linear layers that read the same input, with their adapters' current weights.

    It is kept at the first layer, and made again after the model has moved to another device.

    Args:
        linears: As for LoraMatmul.
    """
    matmul = getattr(linears[0], "lora_matmul", None)
    if matmul is None or not matmul.is_current(linears[0]):
        matmul = linears[0].lora_matmul = LoraMatmul(linears)
    matmul.refresh_adapters()
    return matmul


class LoraMatmul:
    """x W' + bias + (x A') B', with W frozen. The outputs of several layers are concatenated, and B is block-diagonal.

    The operand has room for x A' after its own columns: it is (T, I + R), x and x A'. One matmul with (W, B) is then
    the sum of both products, and no sum is read and written again. Backward does the same with the gradient and its
    product with B. An FP8 operand cannot hold x A', so there the adapter's product is added to the output.

    Args:
        linears: Layers of `FROZEN_LINEARS`, all with an adapter or none. Of several FP8 layers no gradient is computed.
    """

    def __init__(self, linears: Sequence[nn.Module]) -> None:
        adapted = [linear for linear in linears if isinstance(linear, FusedLoraLinear)]
        self._adapters = [linear.adapter() for linear in adapted]
        self._bases = [linear.base_layer for linear in adapted] or list(linears)
        ranks = [len(a) for a, _, _ in self._adapters] or [0] * len(linears)
        self._output_slices, self._rank_slices = _slices([len(base.weight) for base in self._bases]), _slices(ranks)
        self.num_in, self.num_out = self._bases[0].weight.shape[1], self._output_slices[-1].stop
        biases = [base.bias.detach() for base in self._bases if base.bias is not None]
        self._bias = torch.cat(biases) if biases else None
        weight, rank = self._bases[0].weight.detach(), sum(ranks)
        if isinstance(self._bases[0], FP8Linear):
            self.forward_format = OperandFormat(dense=bool(adapted), fp8=True)
            self.backward_format = OperandFormat(fp8=True)
            self._row_scales = torch.cat([base.row_scales for base in self._bases], 1)
            joined = weight.new_empty(self.num_out, self.num_in)
            if adapted:
                # Copies in any case: refresh_adapters writes scaled weights to them, never to the trained ones.
                self._a, self._b = (part.detach().to(torch.bfloat16, copy=True) for part in self._adapters[0][:2])
        else:
            # W and B side by side, and A below W. The rest is zero: a layer's B sees no other layer's x A'.
            self.forward_format = self.backward_format = OperandFormat(num_extra_columns=rank)
            joined = weight.new_zeros(self.num_out + rank, self.num_in + rank)
            self._backward_weight = joined[:, : self.num_in]
            self._a, self._b = joined[self.num_out :, : self.num_in], joined[: self.num_out, self.num_in :]
        self._weight = joined[: self.num_out]
        # The layers' weights become views of the joined one, so that each is held once.
        for base, outputs in zip(self._bases, self._output_slices, strict=True):
            base.weight.data = self._weight[outputs, : self.num_in].copy_(base.weight.detach())

    def is_current(self, linear: nn.Module) -> bool:
        """Return whether a layer's weight is still a view of this matmul's; moving a model makes new weights.

        Args:
            linear: The first layer.
        """
        base = linear.base_layer if isinstance(linear, FusedLoraLinear) else linear
        return self._bases[0] is base and self._weight.data_ptr() == base.weight.data_ptr()

    @torch.no_grad()
    def refresh_adapters(self) -> None:
        """Copy in the adapters' current weights; on every call, as fused optimizers do not bump version counters."""
        for (a, b, scaling), outputs, ranks in self._blocks():
            self._a[ranks].copy_(a)
            torch.mul(b, scaling, out=self._b[outputs, ranks])

    def _blocks(self) -> Iterator[tuple[tuple[Tensor, Tensor, float], slice, slice]]:
        """Yield each adapter, with the slices of its outputs and of its ranks."""
        blocks = zip(self._adapters, self._output_slices, self._rank_slices, strict=True)
        return blocks if self._adapters else iter(())

    def forward(self, operand: Operand) -> tuple[Tensor, Tensor | None]:
        """Compute the output.

        Args:
            operand: x in the forward_format; its extra columns are written to.

        Returns:
            (T, O) the output, and (T, R) x A' for adapter_grads.
        """
        dense = operand.dense
        if not self.forward_format.fp8:
            # Written into the operand, where the matmul below reads it.
            reduced = dense[:, self.num_in :]
            torch.mm(dense[:, : self.num_in], self._a.t(), out=reduced)
            # A copy, as a view would keep the whole operand alive until the backward pass.
            return nn.functional.linear(dense, self._weight, self._bias), reduced.contiguous()
        y = fp8_matmul(operand.fp8, operand.scales, self._weight, self._row_scales, self._bias)
        if not self._adapters:
            return y, None
        reduced = dense @ self._a.t()
        return y.addmm_(reduced, self._b.t()), reduced

    def backward(self, grad: Operand) -> tuple[Tensor, Tensor]:
        """Compute the gradient of x.

        Args:
            grad: The gradient of the output in the backward_format; its extra columns are written to.

        Returns:
            (T, I) the gradient of x, and (T, R) that of x A' for adapter_grads.
        """
        dense = grad.dense
        if not self.backward_format.fp8:
            grad_reduced = dense[:, self.num_out :]
            torch.mm(dense[:, : self.num_out], self._b, out=grad_reduced)
            return dense @ self._backward_weight, grad_reduced
        (base,) = self._bases  # With adapters there is one layer: the transposed weights of several are not joined.
        grad_reduced = dense @ self._b
        grad_x = fp8_matmul(grad.fp8, grad.scales, base.transposed, base.column_scales, None)
        return grad_x.addmm_(grad_reduced, self._a), grad_reduced

    def adapter_grads(self, grad: Operand, grad_reduced: Tensor, x: Tensor, reduced: Tensor) -> list[Tensor]:
        """Compute the gradients of the adapters.

        Args:
            grad: The gradient of the output that backward read.
            grad_reduced: (T, R), as backward returned it.
            x: (T, I), the input.
            reduced: (T, R), as forward returned it.

        Returns:
            The gradients of A and B of each layer in turn.
        """
        grad_a, grads = grad_reduced.t() @ x, []
        for (_, _, scaling), outputs, ranks in self._blocks():
            grads += [grad_a[ranks], (grad.dense[:, outputs].t() @ reduced[:, ranks]).mul_(scaling)]
        return grads


def _slices(sizes: Sequence[int]) -> list[slice]:
    """Return consecutive slices of these sizes."""
    return [slice(end - size, end) for size, end in zip(sizes, accumulate(sizes), strict=True)]
