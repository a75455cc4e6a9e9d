"""Frozen weights in fewer bits: FP8, which makes training faster, and NF4, which takes less memory.

Letters: I inputs, O outputs.
"""

from importlib.util import find_spec

import torch
from torch import Tensor, nn

from etalage.config import Quantization
from etalage.errors import EtalageError
from etalage.fused.operators import FP8Scales, lora_linear
from etalage.fused.reference import quantize_fp8

__all__ = ["FP8Linear", "check_quantization", "quantize", "supports_fp8"]


def supports_fp8() -> bool:
    """Return whether there is a GPU that multiplies FP8 numbers."""
    # 8.9 is the Ada generation.
    return torch.cuda.is_available() and torch.cuda.get_device_capability() >= (8, 9)


def check_quantization(quantization: Quantization) -> None:
    """Refuse a quantization that this machine cannot do.

    Args:
        quantization: As in TrainConfig.

    Raises:
        EtalageError: It is fp8 and there is no GPU for it, or nf4 and its package is not installed.
    """
    if quantization == "fp8" and not supports_fp8():
        raise EtalageError(
            "--quantization fp8 needs a GPU of the Ada or Hopper generation or a later one, and this machine has none; "
            "leave it out"
        )
    if quantization == "nf4" and find_spec("bitsandbytes") is None:
        raise EtalageError("--quantization nf4 needs the package bitsandbytes; pip install etalage[nf4]")


def quantize(model: nn.Module, quantization: Quantization) -> None:
    """Quantise the frozen linear weights of tower, projector and decoder, in place; the head's stay as they are.

    Args:
        model: With the weights that are trained marked by requires_grad.
        quantization: As in TrainConfig.
    """
    if quantization == "none":
        return
    for name, module in list(model.named_modules()):
        if type(module) is nn.Linear and not module.weight.requires_grad and "lm_head" not in name:
            parent, _, child = name.rpartition(".")
            quantized = FP8Linear(module) if quantization == "fp8" else _nf4_linear(module)
            setattr(model.get_submodule(parent), child, quantized)


def _nf4_linear(linear: nn.Linear) -> nn.Module:
    """Quantise a layer to NF4 with doubly quantised scales, by bitsandbytes. Source: QLoRA (arXiv 2305.14314)."""
    from bitsandbytes.nn import Linear4bit, Params4bit

    weight = linear.weight.detach()
    # Made without memory, as its weight is replaced below.
    quantized = Linear4bit(
        *(linear.in_features, linear.out_features, linear.bias is not None, weight.dtype),
        compress_statistics=True,
        quant_type="nf4",
        device="meta",
    )
    # Or else evaluating it on a CPU would pack the weight in a way that training cannot read.
    quantized.support_avx512bf16_for_cpu = False
    quantized.bias = linear.bias
    quantized.weight = Params4bit(weight, requires_grad=False, quant_type="nf4", compress_statistics=True)
    return quantized.to(weight.device)


class FP8Linear(nn.Module):
    """A frozen linear layer with FP8 matmuls, both for its output and for the gradient of its input.

    Each row of either operand has its own scale. The weight is held twice, as FP8 kernels read operands in one layout
    only: both together take the memory of the bfloat16 weight.

    Args:
        linear: The layer to quantise.

    Source: e4m3 of "FP8 Formats for Deep Learning" (arXiv 2209.05433).
    """

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        weight, rows = quantize_fp8(linear.weight.detach())
        transposed, columns = quantize_fp8(linear.weight.detach().t())
        self.register_buffer("weight", weight)  # (O, I)
        self.register_buffer("row_scales", rows.t().contiguous())  # (1, O)
        self.register_buffer("transposed", transposed)  # (I, O)
        self.register_buffer("column_scales", columns.t().contiguous())  # (1, I)
        self.bias = linear.bias

    @property
    def scales(self) -> FP8Scales:
        """The scales of the weight, and its transpose."""
        return FP8Scales(self.row_scales, self.transposed, self.column_scales)

    def forward(self, x: Tensor) -> Tensor:
        """Apply the layer to (..., I), and return (..., O) bfloat16."""
        return lora_linear(x, self.weight, self.bias, self.scales)

    def dequantize(self) -> Tensor:
        """Return the weight, (O, I) float32."""
        return self.weight.float() * self.row_scales.t()
