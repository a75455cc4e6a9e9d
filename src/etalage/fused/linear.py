"""Linear layers with adapters, in few passes over memory, and with frozen weights of eight bits where asked for.

Letters: T tokens, I inputs, O outputs, R rank. The weights that learn stay PEFT's own, and so do the files it writes.
"""

from importlib.util import find_spec
from typing import Any

import torch
from peft.tuners import lora
from torch import Tensor, nn

from etalage.config import Quantization
from etalage.errors import EtalageError
from etalage.fused.reference import rounded

__all__ = [
    "FROZEN",
    "FP8Linear",
    "FusedLoraLinear",
    "check_quantization",
    "fp8_matmul",
    "is_unfused_dora",
    "quantize",
    "supports_fp8",
    "use_fused_linear",
]


def use_fused_linear(model: nn.Module) -> None:
    """Where a module of PEFT's does nothing that the quick one cannot do, make it one, in place."""
    for module in model.modules():
        plain = type(module) is lora.Linear and not module.lora_bias["default"]
        if plain and isinstance(module.lora_dropout["default"], nn.Identity):
            module.__class__ = FusedDoraLinear if module.use_dora["default"] else FusedLoraLinear


def is_unfused_dora(module: nn.Module) -> bool:
    """Whether PEFT stretches its rows, by code that a compiler cuts into dozens of pieces: minutes for nothing."""
    dora = isinstance(module, lora.Linear) and module.use_dora["default"]
    return dora and not (isinstance(module, FusedDoraLinear) and module.adapts(*FROZEN))


def supports_fp8() -> bool:
    """Whether there is a GPU that multiplies eight-bit numbers."""
    return torch.cuda.is_available() and torch.cuda.get_device_capability() >= (8, 9)


def check_quantization(quantization: Quantization) -> None:
    """Refuse what this machine cannot do.

    Raises:
        EtalageError: fp8 without a GPU that knows it, nf4 without its package.
    """
    if quantization == "fp8" and not supports_fp8():
        raise EtalageError(
            "--quantization fp8 needs a GPU of Ada's or Hopper's generation or a later one; leave it out"
        )
    if quantization == "nf4" and find_spec("bitsandbytes") is None:
        raise EtalageError("--quantization nf4 needs one more package; pip install etalage[nf4]")


def quantize(model: nn.Module, quantization: Quantization) -> None:
    """Hold the frozen weights of tower, projector and decoder in fewer bits, in place; the head's stay as they are."""
    if quantization == "none":
        return
    for name, module in list(model.named_modules()):
        if type(module) is nn.Linear and not module.weight.requires_grad and "lm_head" not in name:
            parent, _, own = name.rpartition(".")
            held = FP8Linear(module) if quantization == "fp8" else _four_bit(module)
            setattr(model.get_submodule(parent), own, held)


def _four_bit(linear: nn.Linear) -> nn.Module:
    """NF4 with doubly quantised scales. Source: QLoRA (arXiv 2305.14314), by bitsandbytes."""
    from bitsandbytes.nn import Linear4bit, Params4bit

    weight = linear.weight.detach()
    quantized = Linear4bit(
        *(linear.in_features, linear.out_features, linear.bias is not None, weight.dtype),
        compress_statistics=True,
        quant_type="nf4",
        device="meta",
    )
    quantized.support_avx512bf16_for_cpu = False  # else, once evaluated, it is packed as training cannot read it
    quantized.bias = linear.bias
    quantized.weight = Params4bit(weight, requires_grad=False, quant_type="nf4", compress_statistics=True)
    return quantized.to(weight.device)


class FP8Linear(nn.Module):
    """A frozen linear layer whose products, and those for the gradient of its input, have operands of eight bits.

    Each row of either operand has a scale of its own. The weights are held twice, as such kernels read them in one
    layout alone: both together take the memory that bfloat16 did.

    Source: e4m3 of "FP8 Formats for Deep Learning" (arXiv 2209.05433), which PyTorch's torch._scaled_mm multiplies.
    """

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        weight, rows = rounded(linear.weight.detach())
        transposed, columns = rounded(linear.weight.detach().t())
        self.register_buffer("weight", weight)  # (O, I)
        self.register_buffer("row_scales", rows.t().contiguous())  # (1, O)
        self.register_buffer("transposed", transposed)  # (I, O)
        self.register_buffer("column_scales", columns.t().contiguous())  # (1, I)
        self.bias = linear.bias

    def forward(self, x: Tensor) -> Tensor:
        """(..., I) -> (..., O), bfloat16."""
        return _adapted(x, self, None, None)

    def dequantized(self) -> Tensor:
        """(O, I), float32."""
        return self.weight.float() * self.row_scales.t()


FROZEN = (nn.Linear, FP8Linear)
"""What a quick adapter may stand beside."""


class FusedLoraLinear(lora.Linear):
    """PEFT's layer of a frozen weight W and an adapter A, B: x W' + x A' B' * scaling, added up in place."""

    def adapts(self, *kinds: type) -> bool:
        """Whether the frozen layer is of these kinds, and one adapter, and no other, is in use."""
        alone = not self.disable_adapters and not self.merged and self.active_adapters == ["default"]
        return alone and type(self.base_layer) in kinds

    def adapter(self) -> tuple[Tensor, Tensor, float]:
        """A (R, I), B (O, R), and what B is multiplied by."""
        return self.lora_A["default"].weight, self.lora_B["default"].weight, self.scaling["default"]

    def forward(self, x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        """(..., I) -> (..., O) in the type of the frozen weight."""
        if args or kwargs or not self.adapts(*FROZEN):
            return super().forward(x, *args, **kwargs)
        a, b, scaling = self.adapter()
        return _adapted(x, self.base_layer, a, b * scaling)


class FusedDoraLinear(FusedLoraLinear):
    """The same with rows of W + B A * scaling as long as their magnitudes say, which learn.

    Source: DoRA (arXiv 2402.09353); by its section 4.3 the length that a row has is a constant to the gradient.
    """

    _lengths: Tensor | None = None
    """Of the rows, kept while the model is evaluated."""

    def train(self, mode: bool = True) -> "FusedDoraLinear":
        """As any module's."""
        self._lengths = None
        return super().train(mode)

    def forward(self, x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        """As FusedLoraLinear's."""
        y = super().forward(x, *args, **kwargs)
        if args or kwargs or not self.adapts(*FROZEN):
            return y  # which is PEFT's, magnitudes and all
        lengths, bias = self._lengths, self.base_layer.bias
        if self.training or torch.is_grad_enabled():
            lengths = self._measured()
        elif lengths is None:
            lengths = self._lengths = self._measured()
        stretch = (self.lora_magnitude_vector["default"].weight / lengths).to(y.dtype)
        return y * stretch if bias is None else (y - bias) * stretch + bias

    @torch.no_grad()
    def _measured(self) -> Tensor:
        """(O,) float32, how long the rows are."""
        base, (a, b, scaling) = self.base_layer, self.adapter()
        weight = base.dequantized() if isinstance(base, FP8Linear) else base.weight
        return torch.linalg.vector_norm(weight + ((b * scaling) @ a).float(), dim=1)


def _adapted(x: Tensor, base: nn.Module, a: Tensor | None, b: Tensor | None) -> Tensor:
    flat = x.flatten(0, -2)
    eight: tuple[Tensor | None, ...] = (None,) * 5
    if isinstance(base, FP8Linear):
        flat = flat.to(torch.bfloat16)
        with torch.no_grad():  # out here, for the compiler to make it one with what comes before
            eight = (*rounded(flat), base.row_scales, base.transposed, base.column_scales)
    else:
        flat = flat.to(base.weight.dtype)
    adapter = (None, None) if a is None or b is None else (a.to(flat.dtype), b.to(flat.dtype))
    return _product(flat, base.weight, base.bias, *eight, *adapter)[0].unflatten(0, x.shape[:-1])


# An operator, so that sums are added up in place: the compiler would copy first, which takes as long as all the rest of
# an adapter's work.
def _forward(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    rounded: Tensor | None,
    scales: Tensor | None,
    row_scales: Tensor | None,
    transposed: Tensor | None,
    column_scales: Tensor | None,
    a: Tensor | None,
    b: Tensor | None,
) -> tuple[Tensor, Tensor]:
    """x W' + bias + x A' B', with W frozen.

    Args:
        x: (T, I); rounded and scales: the same in eight bits, if the weight is held so.
        weight: (O, I); transposed: (I, O) in eight bits.
        a: (R, I). b: (O, R).
    Returns:
        (T, O), and (T, R) what is kept for the backward pass, empty without an adapter.
    """
    if rounded is None or scales is None:
        y = nn.functional.linear(x, weight, bias)
    else:
        y = fp8_matmul(rounded, scales, weight, row_scales, bias)
    if a is None or b is None:
        return y, x.new_empty(0)
    reduced = x @ a.t()
    return y.addmm_(reduced, b.t()), reduced


def _shapes(x: Tensor, weight: Tensor, bias: Tensor | None, *rest: Tensor | None) -> tuple[Tensor, Tensor]:
    a = rest[-2]
    reduced = x.new_empty(0) if a is None else x.new_empty(x.shape[0], a.shape[0])
    return x.new_empty(x.shape[0], weight.shape[0]), reduced


def _keep(ctx: Any, inputs: tuple[Tensor | None, ...], output: tuple[Tensor, Tensor]) -> None:
    x, weight, _, rounded, _, _, transposed, column_scales, a, b = inputs
    whole = (x if a is not None else None, weight if rounded is None else None)
    ctx.save_for_backward(*whole, transposed, column_scales, a, b, output[1])


def _gradients(ctx: Any, grad: Tensor, _: Tensor) -> tuple[Tensor | None, ...]:
    x, weight, transposed, column_scales, a, b, reduced = ctx.saved_tensors
    for_x = grad @ weight if transposed is None else fp8_matmul(*rounded(grad), transposed, column_scales, None)
    if a is None:
        return for_x, *[None] * 9
    for_reduced = grad @ b  # (T, R)
    _add_product(for_x, for_reduced, a)
    return for_x, *[None] * 7, for_reduced.t() @ x, grad.t() @ reduced


def _add(y: Tensor, left: Tensor, right: Tensor) -> None:
    y.addmm_(left, right)


def fp8_matmul(
    rounded: Tensor, scales: Tensor, weight: Tensor, row_scales: Tensor | None, bias: Tensor | None
) -> Tensor:
    """(T, I) and (O, I) e4m3, (T, 1) and (1, O) float32 -> (T, O) bfloat16."""
    return torch._scaled_mm(
        *(rounded, weight.t(), scales, row_scales), bias=bias, out_dtype=torch.bfloat16, use_fast_accum=True
    )


_library = torch.library.Library("etalage", "FRAGMENT")  # torch.library.custom_op takes thrice as long a call
_library.define(
    "product(Tensor x, Tensor weight, Tensor? bias, Tensor? rounded, Tensor? scales, Tensor? row_scales, "
    "Tensor? transposed, Tensor? column_scales, Tensor? a, Tensor? b) -> (Tensor, Tensor)"
)
_library.define("add_product(Tensor(a!) y, Tensor left, Tensor right) -> ()")
for _device in ("CPU", "CUDA"):
    _library.impl("product", _forward, _device)
    _library.impl("add_product", _add, _device)
torch.library.register_fake("etalage::product", _shapes, lib=_library)
torch.library.register_fake("etalage::add_product", lambda y, left, right: None, lib=_library)
torch.library.register_autograd("etalage::product", _gradients, setup_context=_keep, lib=_library)
_product, _add_product = torch.ops.etalage.product.default, torch.ops.etalage.add_product.default
