"""Linear layers with LoRA or DoRA adapters, in few passes over memory.

The trained weights stay PEFT's own, and so do the files that it writes.

Letters: I inputs, O outputs, R rank.
"""

from typing import Any

import torch
from peft.tuners import lora
from torch import Tensor, nn

from etalage.fused.operators import lora_linear
from etalage.fused.quantization import FP8Linear

__all__ = ["FROZEN_LINEARS", "FusedDoraLinear", "FusedLoraLinear", "is_unfused_dora", "use_fused_linear"]

FROZEN_LINEARS = (nn.Linear, FP8Linear)
"""The frozen layers that a fused adapter can be added to."""


def use_fused_linear(model: nn.Module) -> None:
    """Fuse PEFT's linear layers in place, except those with a dropout or a bias, which fused layers do not have.

    Args:
        model: With adapters.
    """
    for module in model.modules():
        is_plain = type(module) is lora.Linear and not module.lora_bias["default"]
        if is_plain and isinstance(module.lora_dropout["default"], nn.Identity):
            # Not PEFT's _register_custom_module, which is private and of no use where PEFT itself loads the adapters.
            module.__class__ = FusedDoraLinear if module.use_dora["default"] else FusedLoraLinear


def is_unfused_dora(module: nn.Module) -> bool:
    """Return whether PEFT itself computes a DoRA layer, by code that costs minutes to compile and gains nothing.

    Args:
        module: Any module.
    """
    is_dora = isinstance(module, lora.Linear) and module.use_dora["default"]
    return is_dora and not (isinstance(module, FusedDoraLinear) and module.is_fused(*FROZEN_LINEARS))


class FusedLoraLinear(lora.Linear):
    """A frozen weight W with an adapter A, B: x W' + (x A') B' * scaling, added up in place."""

    def is_fused(self, *kinds: type) -> bool:
        """Return whether the fused computation applies: the frozen layer fits, and one adapter alone is active.

        Args:
            kinds: Types that the frozen layer may have.
        """
        is_alone = not self.disable_adapters and not self.merged and self.active_adapters == ["default"]
        return is_alone and type(self.base_layer) in kinds

    def adapter(self) -> tuple[Tensor, Tensor, float]:
        """Return A (R, I), B (O, R), and the scaling of B."""
        return self.lora_A["default"].weight, self.lora_B["default"].weight, self.scaling["default"]

    def forward(self, x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        """Apply the layer.

        Args:
            x: (..., I).
            args, kwargs: PEFT's; with any of them, PEFT computes the output.

        Returns:
            (..., O) in the type of the frozen weight.
        """
        if args or kwargs or not self.is_fused(*FROZEN_LINEARS):
            return super().forward(x, *args, **kwargs)
        base, (a, b, scaling) = self.base_layer, self.adapter()
        scales = base.scales if isinstance(base, FP8Linear) else None
        return lora_linear(x, base.weight, base.bias, scales, a, b * scaling)


class FusedDoraLinear(FusedLoraLinear):
    """A LoRA layer whose rows W + B A * scaling are rescaled to trained magnitudes.

    Source: DoRA (arXiv 2402.09353); by its section 4.3 the gradient takes the norms of the rows as constants.
    """

    _row_norms: Tensor | None = None
    """Kept while the model is evaluated."""

    def train(self, mode: bool = True) -> "FusedDoraLinear":
        """Switch between training and evaluation.

        Args:
            mode: Whether to train.
        """
        self._row_norms = None
        return super().train(mode)

    def forward(self, x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        """Apply the layer.

        Args:
            x: (..., I).
            args, kwargs: PEFT's; with any of them, PEFT computes the output.

        Returns:
            (..., O) in the type of the frozen weight.
        """
        y = super().forward(x, *args, **kwargs)
        if args or kwargs or not self.is_fused(*FROZEN_LINEARS):
            return y  # PEFT's own, magnitudes included.
        row_norms, bias = self._row_norms, self.base_layer.bias
        # Computing the norms reads the whole weight, which is too slow for each token that is generated.
        if self.training or torch.is_grad_enabled():
            row_norms = self._compute_row_norms()
        elif row_norms is None:
            row_norms = self._row_norms = self._compute_row_norms()
        # The magnitudes rescale the weight alone, so the bias is taken off and added again.
        factors = (self.lora_magnitude_vector["default"].weight / row_norms).to(y.dtype)
        return y * factors if bias is None else (y - bias) * factors + bias

    @torch.no_grad()
    def _compute_row_norms(self) -> Tensor:
        """Return the norms of the adapted weight's rows, (O,) float32."""
        base, (a, b, scaling) = self.base_layer, self.adapter()
        weight = base.dequantize() if isinstance(base, FP8Linear) else base.weight
        return torch.linalg.vector_norm(weight + ((b * scaling) @ a).float(), dim=1)
