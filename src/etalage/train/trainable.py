"""Which weights learn: sets requires_grad, adds adapters; and which activations are kept for it."""

import warnings
from collections.abc import Iterable
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from torch import nn

from etalage.config import TrainConfig
from etalage.phi3v import Phi3VForCausalLM

__all__ = ["decay_groups", "make_trainable", "trainable_parameters"]

TOWER = "model.vision_embed_tokens.img_processor"


def make_trainable(model: Phi3VForCausalLM, config: TrainConfig) -> Phi3VForCausalLM | PeftModel:
    """Ready the model for the config's recipe.

    lora: every linear layer of decoder, tower and projector gets an adapter, the head too, as in the cookbook.
    full: every weight that the output depends on; tower layers that nothing reads stay as they are.
    A frozen tower has neither adapters nor weights that learn.
    """
    if config.gradient_checkpointing:
        # under the name that the installed transformers prefers: 5.17 knows the second alone, 5.23 deprecates it
        name = (
            "activation" if hasattr(model, "activation_checkpointing_enable") else "gradient"
        ) + "_checkpointing_enable"
        getattr(model, name)({"use_reentrant": False})
    model.model.vision_embed_tokens.patch_dropout = config.patch_dropout
    fixed = tuple(f"{name}." for name in [*model.unused_modules, *[TOWER] * config.freeze_tower])
    if config.recipe == "full":
        for name, parameter in model.named_parameters():
            parameter.requires_grad = not name.startswith(fixed)
        return model
    targets = [n for n, m in model.named_modules() if isinstance(m, nn.Linear) and not f"{n}.".startswith(fixed)]
    torch.manual_seed(config.seed)  # half of the adapters start from random weights
    adapters = LoraConfig(
        r=config.lora_rank, lora_alpha=config.lora_alpha, lora_dropout=config.lora_dropout, target_modules=targets
    )
    with warnings.catch_warnings(category=FutureWarning, action="ignore"):  # peft uses a name that transformers retires
        return get_peft_model(model, adapters)


def trainable_parameters(model: nn.Module) -> dict[str, nn.Parameter]:
    """By name, those that learn."""
    return {name: p for name, p in model.named_parameters() if p.requires_grad}


def decay_groups(parameters: Iterable[nn.Parameter], weight_decay: float) -> list[dict[str, Any]]:
    """An optimiser's two groups: matrices decay, vectors (norms, biases) do not."""
    parameters = list(parameters)
    return [
        {"params": [p for p in parameters if p.ndim >= 2], "weight_decay": weight_decay},
        {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0},
    ]
