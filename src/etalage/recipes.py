"""Named runs: functions that replace fields of a TrainConfig. The command line's overrides come on top."""

from dataclasses import replace

from etalage.config import Recipe, TrainConfig

__all__ = ["default_recipe", "with_recipe"]


def default_recipe(model: str) -> Recipe:
    """All weights of the small model are soon trained; large checkpoints get adapters."""
    return "full" if model == "small" else "lora"


def with_recipe(config: TrainConfig) -> TrainConfig:
    """The defaults of the config's recipe for its model."""
    config = lora(config) if config.recipe == "lora" else full(config)
    return small(config) if config.model == "small" else config


def lora(config: TrainConfig) -> TrainConfig:
    """The cookbook's adapters: rank 64 on every linear layer of decoder, tower and projector."""
    return replace(config, learning_rate=2e-4)


def full(config: TrainConfig) -> TrainConfig:
    """The cookbook's full fine-tuning."""
    return replace(config, learning_rate=4e-5)


def small(config: TrainConfig) -> TrainConfig:
    """The small model on two cores: its tower has learned to look, and is read once per picture."""
    return replace(
        config,
        epochs=6,
        micro_batch_size=16,
        learning_rate=5e-4 if config.recipe == "full" else 2e-3,
        freeze_tower=True,
        gradient_checkpointing=False,
        num_workers=0,
        cache_mib=1024,
    )
