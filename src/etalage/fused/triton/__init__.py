"""The operations of reference.py as Triton kernels, each of which reads and writes every tensor once.

The compiler's own kernels take up to twice as long (docs/log.md). Triton comes with torch where there is a GPU.
"""

from etalage.fused.triton.activations import quick_gelu, quick_gelu_backward, swiglu, swiglu_backward
from etalage.fused.triton.norm import norm, norm_backward
from etalage.fused.triton.operand import quantize_fp8, to_operand
from etalage.fused.triton.rotary import apply_rotary, apply_rotary_backward

__all__ = [
    "apply_rotary",
    "apply_rotary_backward",
    "norm",
    "norm_backward",
    "quantize_fp8",
    "quick_gelu",
    "quick_gelu_backward",
    "swiglu",
    "swiglu_backward",
    "to_operand",
]
