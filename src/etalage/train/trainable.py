"""Which weights learn: sets requires_grad, adds adapters."""

from peft import LoraConfig, PeftModel, get_peft_model
from torch import nn

from etalage.config import TrainConfig
from etalage.phi3v import Phi3VForCausalLM

__all__ = ["make_trainable", "trainable_parameters"]


def make_trainable(model: Phi3VForCausalLM, config: TrainConfig) -> Phi3VForCausalLM | PeftModel:
    """Ready the model for the config's recipe.

    lora: every linear layer of decoder, tower and projector gets an adapter, the head too, as in the cookbook.
    full: every weight that the output depends on; the tower's last layer, which nothing reads, stays as it is.
    """
    unused = tuple(f"{name}." for name in model.unused_modules)
    if config.recipe == "full":
        for name, parameter in model.named_parameters():
            parameter.requires_grad = not name.startswith(unused)
        return model
    targets = [n for n, m in model.named_modules() if isinstance(m, nn.Linear) and not f"{n}.".startswith(unused)]
    return get_peft_model(
        model,
        LoraConfig(
            r=config.lora_rank, lora_alpha=config.lora_alpha, lora_dropout=config.lora_dropout, target_modules=targets
        ),
    )


def trainable_parameters(model: nn.Module) -> dict[str, nn.Parameter]:
    """By name, those that learn."""
    return {name: p for name, p in model.named_parameters() if p.requires_grad}
