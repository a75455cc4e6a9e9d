"""The products of layers that are written out: frozen weights and their adapters, in one.

Letters: T tokens, I inputs, O outputs, R rank, each summed over the linear layers that read the same.
"""

from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor, nn

from etalage.phi3v.attention import cudnn_is_quick
from etalage.train.adapters import FROZEN, AdaptedLinear, EightBitLinear, eight_bit_product

__all__ = ["Product", "can_be_written_out", "elementwise_for", "product_of"]


def can_be_written_out(linears: Sequence[nn.Module], norms: Sequence[nn.Module], head_dim: int) -> bool:
    """Whether this machine has the kernels for a layer, and nothing in it learns but quick adapters, of which each of
    its linear layers has one.
    """
    weight = norms[0].weight
    has_kernels = find_spec("triton") is not None and cudnn_is_quick(weight.device, weight.dtype, head_dim)
    return (
        (has_kernels or not weight.is_cuda)
        and all(type(linear) is AdaptedLinear and type(linear.base_layer) in FROZEN for linear in linears)
        and not any(parameter.requires_grad for norm in norms for parameter in norm.parameters())
    )


def elementwise_for(x: Tensor) -> Any:
    """The module that does what is between the products."""
    if x.is_cuda:
        from etalage.train import kernels

        return kernels
    from etalage.train import elementwise

    return elementwise


def product_of(*linears: AdaptedLinear) -> "Product":
    """That of layers that read the same, with what their adapters hold now."""
    product = getattr(linears[0], "product", None)
    if product is None or not product.holds(linears):
        product = linears[0].product = Product(linears)
    product.take_over()
    return product


class Product:
    """x W' + bias + (x A') B', with W frozen; of several layers one below the other, B in blocks.

    What an adapter makes of its input stands right beside it: `wide` is (T, I + R), x and x A'. One product with
    (W, B) is then the sum of both, and no sum is read and written again; backward likewise, with the gradient and
    what B makes of it beside each other. Weights of eight bits, of one layer only, leave no room for that.
    """

    def __init__(self, linears: Sequence[AdaptedLinear]) -> None:
        self.bases = [linear.base_layer for linear in linears]
        self._adapters = [linear.adapter() for linear in linears]
        self.num_in = self._adapters[0][0].shape[1]
        self._blocks: list[tuple[slice, slice]] = []  # of outputs and of ranks
        self.num_out = rank = 0
        for a, b, _ in self._adapters:
            self._blocks.append((slice(self.num_out, self.num_out + len(b)), slice(rank, rank + len(a))))
            self.num_out, rank = self.num_out + len(b), rank + len(a)
        biases = [base.bias.detach() for base in self.bases if base.bias is not None]
        self.bias = torch.cat(biases) if biases else None
        if isinstance(self.bases[0], EightBitLinear):
            self.room, self.joint = 0, None
            self.a, self.b = (part.detach().bfloat16() for part in self._adapters[0][:2])
        else:  # W and B, and A below; the frozen weights become a part of it, and are held once
            weight = self.bases[0].weight.detach()
            self.room, self.joint = rank, weight.new_zeros(self.num_out + rank, self.num_in + rank)
            self.a, self.b = self.joint[self.num_out :, : self.num_in], self.joint[: self.num_out, self.num_in :]
            for base, (outputs, _) in zip(self.bases, self._blocks, strict=True):
                held = self.joint[outputs, : self.num_in]
                base.weight.data = held.copy_(base.weight.detach())

    def holds(self, linears: Sequence[AdaptedLinear]) -> bool:
        """Whether it is still of the layers' weights: moving a model to another device makes new ones."""
        weight = linears[0].base_layer.weight
        own = self.joint is None or self.joint.data_ptr() == weight.data_ptr()
        return self.bases[0] is linears[0].base_layer and self.a.device == weight.device and own

    @torch.no_grad()
    def take_over(self) -> None:
        """What adapters have learned: each time, as fused optimisers leave no trace of having been here."""
        for (a, b, scaling), (outputs, ranks) in zip(self._adapters, self._blocks, strict=True):
            self.a[ranks].copy_(a)
            torch.mul(b, scaling, out=self.b[outputs, ranks])

    def forward(self, wide: Tensor) -> tuple[Tensor, Tensor]:
        """(T, I + room), of which the last ones are written here -> (T, O), and (T, R) x A' to keep."""
        x, reduced = wide[:, : self.num_in], wide[:, self.num_in :]
        if self.joint is not None:
            torch.mm(x, self.a.t(), out=reduced)
            return nn.functional.linear(wide, self.joint[: self.num_out], self.bias), reduced.contiguous()
        reduced = x @ self.a.t()
        rounded, scales = elementwise_for(x).rounded(x)
        (base,) = self.bases
        y = eight_bit_product(rounded, scales, base.weight, base.row_scales, self.bias)
        return y.addmm_(reduced, self.b.t()), reduced

    def backward(self, wide: Tensor) -> tuple[Tensor, Tensor]:
        """Gradients of x and of x A'.

        Args:
            wide: (T, O + room), the output's, and columns that are written here.
        """
        grad, for_reduced = wide[:, : self.num_out], wide[:, self.num_out :]
        if self.joint is not None:
            torch.mm(grad, self.b, out=for_reduced)
            return wide @ self.joint[:, : self.num_in], for_reduced
        for_reduced = grad @ self.b
        rounded, scales = elementwise_for(grad).rounded(grad)
        (base,) = self.bases
        for_x = eight_bit_product(rounded, scales, base.transposed, base.column_scales, None)
        return for_x.addmm_(for_reduced, self.a), for_reduced

    def for_adapters(self, wide: Tensor, for_reduced: Tensor, x: Tensor, reduced: Tensor) -> list[Tensor]:
        """Gradients of each A and B in turn, of what backward read and gave and of what forward did."""
        for_a, grads = for_reduced.t() @ x, []
        for (_, _, scaling), (outputs, ranks) in zip(self._adapters, self._blocks, strict=True):
            grads += [for_a[ranks], (wide[:, outputs].t() @ reduced[:, ranks]).mul_(scaling)]
        return grads
