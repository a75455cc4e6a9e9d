"""Which weights are trained: sets requires_grad, adds adapters, groups parameters for the optimizer."""

import warnings
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from torch import nn

from etalage.config import Part, TrainConfig
from etalage.fused.decoder_layer import use_fused_decoder
from etalage.fused.linear import use_fused_linear
from etalage.fused.quantization import quantize
from etalage.fused.vision_layer import use_fused_vision
from etalage.phi3v import Phi3VForCausalLM
from etalage.phi3v.attention import PACKED

__all__ = ["decay_groups", "make_trainable", "optimizer_groups", "part_of", "trainable_parameters"]

PARTS: dict[Part, str] = {
    "tower": "model.vision_embed_tokens.img_processor.",
    "projector": "model.vision_embed_tokens.",
    "decoder": "",
}
"""The prefix of each part's module names. A name that several prefixes fit belongs to the first of them."""


def part_of(name: str) -> Part:
    """Return the part that a module or a weight belongs to.

    Args:
        name: Its full name in the model, adapted or not.
    """
    name = name.removeprefix("base_model.model.")
    return next(part for part, prefix in PARTS.items() if name.startswith(prefix))


def make_trainable(model: Phi3VForCausalLM, config: TrainConfig) -> Phi3VForCausalLM | PeftModel:
    """Prepare a model for the training that a configuration describes.

    lora: every linear layer of decoder, tower and projector gets an adapter, and so does the head, as in the Phi-3
    cookbook. full: every weight that the output depends on is trained; tower layers that nothing reads are not. A
    frozen part has neither adapters nor trainable weights.

    Args:
        model: On its device; changed in place.
        config: Recipe, adapters, frozen parts, quantization and patch dropout.

    Returns:
        The model, within PEFT's for lora.
    """
    model.set_attn_implementation(PACKED)
    model.model.vision_embed_tokens.patch_dropout = config.patch_dropout
    # The tower's features are read before its end, so what comes after could learn nothing.
    unused = tuple(f"{name}." for name in model.unused_modules)

    def is_trained(name: str) -> bool:
        return part_of(name) not in config.freeze and not f"{name}.".startswith(unused)

    if config.recipe == "full":
        for name, parameter in model.named_parameters():
            parameter.requires_grad = is_trained(name)
        return model
    targets = [name for name, module in model.named_modules() if isinstance(module, nn.Linear) and is_trained(name)]
    is_rslora = config.lora_variant == "rslora"
    torch.manual_seed(config.seed)  # each adapter's A starts from random weights
    # Both automatic alphas scale by 2 at rank 64. With LoRA's alpha of 128, rsLoRA would scale by 16, and the loss went
    # from 0.85 to 10 in two steps (docs/log.md).
    adapters = LoraConfig(
        r=config.lora_rank,
        lora_alpha=(16 if is_rslora else 2 * config.lora_rank) if config.lora_alpha == "auto" else config.lora_alpha,
        lora_dropout=config.lora_dropout,
        use_dora=config.lora_variant == "dora",
        use_rslora=is_rslora,
        target_modules=targets,
    )
    # PEFT reads an attribute that transformers has deprecated.
    with warnings.catch_warnings(category=FutureWarning, action="ignore"):
        adapted = get_peft_model(model, adapters)
    # In this order: a layer is fused by what its linear layers are, and quantizing replaces the frozen weights in them.
    use_fused_linear(adapted)
    quantize(adapted, config.quantization)
    use_fused_decoder(adapted)
    use_fused_vision(adapted)
    return adapted


def trainable_parameters(model: nn.Module) -> dict[str, nn.Parameter]:
    """Return the parameters that require gradients, by name."""
    return {name: p for name, p in model.named_parameters() if p.requires_grad}


def optimizer_groups(parameters: Mapping[str, nn.Parameter], config: TrainConfig) -> list[dict[str, Any]]:
    """Return an optimizer's parameter groups: two for each part, see `decay_groups`.

    Args:
        parameters: The trainable parameters by name.
        config: Learning rates and weight decay.

    Returns:
        Groups for a torch optimizer, each with the part's peak learning rate as `peak`.
    """
    peaks = {"tower": config.tower_learning_rate, "projector": config.projector_learning_rate}
    groups = []
    for part in PARTS:
        of_part = [p for name, p in parameters.items() if part_of(name) == part]
        peak = peaks.get(part, "auto")
        peak = config.learning_rate if peak == "auto" else peak
        groups += [{**group, "peak": peak} for group in decay_groups(of_part, config.weight_decay) if group["params"]]
    return groups


def decay_groups(parameters: Iterable[nn.Parameter], weight_decay: float) -> list[dict[str, Any]]:
    """Return an optimizer's two groups: matrices decay, vectors (norms, biases) do not.

    Args:
        parameters: The parameters to group.
        weight_decay: Of the matrices.

    Returns:
        Groups for a torch optimizer; one of them may be empty.
    """
    parameters = list(parameters)
    return [
        {"params": [p for p in parameters if p.ndim >= 2], "weight_decay": weight_decay},
        {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0},
    ]
