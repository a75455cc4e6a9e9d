"""Which weights learn: sets requires_grad, adds adapters."""

import warnings
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from torch import nn

from etalage.config import Part, TrainConfig
from etalage.fused.decoder_layer import use_fused_decoder
from etalage.fused.linear import quantize, use_fused_linear
from etalage.fused.vision_layer import use_fused_vision
from etalage.phi3v import Phi3VForCausalLM
from etalage.phi3v.attention import PACKED

__all__ = ["decay_groups", "make_trainable", "optimizer_groups", "part_of", "trainable_parameters"]

PARTS: dict[Part, str] = {
    "tower": "model.vision_embed_tokens.img_processor.",
    "projector": "model.vision_embed_tokens.",  # what is not the tower's
    "decoder": "",
}
"""How the names of each part's modules begin; what fits several belongs to the first."""


def part_of(name: str) -> Part:
    """Of a module or a weight, adapted or not."""
    name = name.removeprefix("base_model.model.")
    return next(part for part, beginning in PARTS.items() if name.startswith(beginning))


def make_trainable(model: Phi3VForCausalLM, config: TrainConfig) -> Phi3VForCausalLM | PeftModel:
    """Ready the model, on its device, for the config's recipe.

    lora: every linear layer of decoder, tower and projector gets an adapter, the head too, as in the cookbook.
    full: every weight that the output depends on; tower layers that nothing reads stay as they are.
    A frozen part has neither adapters nor weights that learn.
    """
    model.set_attn_implementation(PACKED)
    model.model.vision_embed_tokens.patch_dropout = config.patch_dropout
    unused = tuple(f"{name}." for name in model.unused_modules)

    def learns(name: str) -> bool:
        return part_of(name) not in config.freeze and not f"{name}.".startswith(unused)

    if config.recipe == "full":
        for name, parameter in model.named_parameters():
            parameter.requires_grad = learns(name)
        return model
    targets = [name for name, module in model.named_modules() if isinstance(module, nn.Linear) and learns(name)]
    is_rslora = config.lora_variant == "rslora"
    torch.manual_seed(config.seed)  # half of the adapters start from random weights
    adapters = LoraConfig(
        r=config.lora_rank,
        lora_alpha=(16 if is_rslora else 2 * config.lora_rank) if config.lora_alpha == "auto" else config.lora_alpha,
        lora_dropout=config.lora_dropout,
        use_dora=config.lora_variant == "dora",
        use_rslora=is_rslora,
        target_modules=targets,
    )
    with warnings.catch_warnings(category=FutureWarning, action="ignore"):  # peft uses a name that transformers retires
        adapted = get_peft_model(model, adapters)
    use_fused_linear(adapted)
    quantize(adapted, config.quantization)
    use_fused_decoder(adapted)
    use_fused_vision(adapted)
    return adapted


def trainable_parameters(model: nn.Module) -> dict[str, nn.Parameter]:
    """By name, those that learn."""
    return {name: p for name, p in model.named_parameters() if p.requires_grad}


def optimizer_groups(parameters: Mapping[str, nn.Parameter], config: TrainConfig) -> list[dict[str, Any]]:
    """Each part's two groups, with the `peak` of its learning rate."""
    peaks = {"tower": config.tower_learning_rate, "projector": config.projector_learning_rate}
    groups = []
    for part in PARTS:
        own = [p for name, p in parameters.items() if part_of(name) == part]
        peak = peaks.get(part, "auto")
        peak = config.learning_rate if peak == "auto" else peak
        groups += [{**group, "peak": peak} for group in decay_groups(own, config.weight_decay) if group["params"]]
    return groups


def decay_groups(parameters: Iterable[nn.Parameter], weight_decay: float) -> list[dict[str, Any]]:
    """An optimiser's two groups: matrices decay, vectors (norms, biases) do not."""
    parameters = list(parameters)
    return [
        {"params": [p for p in parameters if p.ndim >= 2], "weight_decay": weight_decay},
        {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0},
    ]
