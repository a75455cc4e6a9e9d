"""The products of layers that are written out: frozen weights, with their adapters or alone.

Letters: T tokens, I inputs, O outputs, R rank, each summed over the linear layers that read the same.
"""

from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor, nn

from etalage.fused.linear import FP8Linear, FusedLoraLinear, fp8_matmul
from etalage.fused.reference import Form, Rows
from etalage.phi3v.attention_kernels import cudnn_is_faster

__all__ = ["Product", "elementwise_ops_for", "has_kernels", "lora_matmul_of"]


def has_kernels(weight: Tensor, head_dim: int) -> bool:
    """Whether there are kernels for layers of such weights, on their device."""
    return find_spec("triton") is not None and cudnn_is_faster(weight.device, weight.dtype, head_dim)


def elementwise_ops_for(x: Tensor) -> Any:
    """The module that does what is between the products."""
    if x.is_cuda:
        from etalage.fused import triton as kernels

        return kernels
    from etalage.fused import reference

    return reference


def lora_matmul_of(*linears: nn.Module) -> "Product":
    """That of layers that read the same, with what their adapters hold now."""
    product = getattr(linears[0], "product", None)
    if product is None or not product.holds(linears[0]):
        product = linears[0].product = Product(linears)
    product.refresh_adapters()
    return product


class Product:
    """x W' + bias + (x A') B', with W frozen; of several layers one below the other, B in blocks.

    What an adapter makes of its input stands right beside it: rows are (T, I + R), x and x A'. One product with
    (W, B) is then the sum of both, and no sum is read and written again; backward likewise, with the gradient and
    what B makes of it beside each other. Weights of eight bits leave no room for that.

    Args:
        linears: Of `FROZEN`, or adapted ones of these; several of eight bits have no gradient.
    Attributes:
        form, back_form: How forward and backward read their rows.
    """

    def __init__(self, linears: Sequence[nn.Module]) -> None:
        adapted = [linear for linear in linears if isinstance(linear, FusedLoraLinear)]
        self._adapters = [linear.adapter() for linear in adapted]
        self._bases = [linear.base_layer for linear in adapted] or list(linears)
        ranks = [len(a) for a, _, _ in self._adapters] or [0] * len(linears)
        self._outputs, self._ranks = _slices([len(base.weight) for base in self._bases]), _slices(ranks)
        self.num_in, self.num_out, rank = self._bases[0].weight.shape[1], self._outputs[-1].stop, sum(ranks)
        biases = [base.bias.detach() for base in self._bases if base.bias is not None]
        self._bias = torch.cat(biases) if biases else None
        weight = self._bases[0].weight.detach()
        if isinstance(self._bases[0], FP8Linear):
            self.form, self.back_form = Form(wide=bool(adapted), eight=True), Form(eight=True)
            self._row_scales = torch.cat([base.row_scales for base in self._bases], 1)
            whole = weight.new_empty(self.num_out, self.num_in)
            if adapted:
                self._a, self._b = (part.detach().to(torch.bfloat16, copy=True) for part in self._adapters[0][:2])
        else:  # W and B, and A below
            self.form = self.back_form = Form(room=rank)
            whole = weight.new_zeros(self.num_out + rank, self.num_in + rank)
            self._back_weight = whole[:, : self.num_in]
            self._a, self._b = whole[self.num_out :, : self.num_in], whole[: self.num_out, self.num_in :]
        self._weight = whole[: self.num_out]
        for base, outputs in zip(self._bases, self._outputs, strict=True):  # they become parts of it, and are held once
            base.weight.data = self._weight[outputs, : self.num_in].copy_(base.weight.detach())

    def holds(self, linear: nn.Module) -> bool:
        """Whether it is still of its first layer's weights: moving a model to another device makes new ones."""
        base = linear.base_layer if isinstance(linear, FusedLoraLinear) else linear
        return self._bases[0] is base and self._weight.data_ptr() == base.weight.data_ptr()

    @torch.no_grad()
    def refresh_adapters(self) -> None:
        """What adapters have learned: each time, as fused optimisers leave no trace of having been here."""
        for (a, b, scaling), outputs, ranks in self._blocks():
            self._a[ranks].copy_(a)
            torch.mul(b, scaling, out=self._b[outputs, ranks])

    def _blocks(self) -> Iterator[tuple[tuple[Tensor, Tensor, float], slice, slice]]:
        """Each adapter, and where its outputs and its ranks are."""
        return zip(self._adapters, self._outputs, self._ranks, strict=True) if self._adapters else iter(())

    def forward(self, rows: Rows) -> tuple[Tensor, Tensor | None]:
        """Of its form, whose room is written to -> (T, O), and (T, R) x A' to keep."""
        wide = rows.wide
        if not self.form.eight:
            reduced = wide[:, self.num_in :]
            torch.mm(wide[:, : self.num_in], self._a.t(), out=reduced)
            return nn.functional.linear(wide, self._weight, self._bias), reduced.contiguous()
        y = fp8_matmul(rows.eight, rows.scales, self._weight, self._row_scales, self._bias)
        if not self._adapters:
            return y, None
        reduced = wide @ self._a.t()
        return y.addmm_(reduced, self._b.t()), reduced

    def backward(self, rows: Rows) -> tuple[Tensor, Tensor]:
        """The output's gradient, of its back_form, whose room is written to -> gradients of x and of x A'."""
        wide = rows.wide
        if not self.form.eight:
            for_reduced = wide[:, self.num_out :]
            torch.mm(wide[:, : self.num_out], self._b, out=for_reduced)
            return wide @ self._back_weight, for_reduced
        (base,) = self._bases
        for_reduced = wide @ self._b
        for_x = fp8_matmul(rows.eight, rows.scales, base.transposed, base.column_scales, None)
        return for_x.addmm_(for_reduced, self._a), for_reduced

    def for_adapters(self, rows: Rows, for_reduced: Tensor, x: Tensor, reduced: Tensor) -> list[Tensor]:
        """Gradients of each A and B in turn, of what backward read and gave and of what forward did."""
        for_a, grads = for_reduced.t() @ x, []
        for (_, _, scaling), outputs, ranks in self._blocks():
            grads += [for_a[ranks], (rows.wide[:, outputs].t() @ reduced[:, ranks]).mul_(scaling)]
        return grads


def _slices(sizes: Sequence[int]) -> list[slice]:
    """So many each, one behind the other."""
    return [slice(end - size, end) for size, end in zip(sizes, accumulate(sizes), strict=True)]
