"""Named runs: functions that replace fields of a TrainConfig. The command line's overrides come on top."""

from dataclasses import replace

from etalage.config import Recipe, TrainConfig

__all__ = ["default_recipe", "with_recipe"]


def default_recipe(model: str) -> Recipe:
    """The small preset starts from random weights, which adapters alone cannot teach; checkpoints get adapters."""
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
    """A small model on two cores: many passes, whole batches in one forward, prepared pictures kept in memory."""
    return replace(
        config,
        epochs=20,
        micro_batch_size=16,
        learning_rate=1e-3 if config.recipe == "full" else 2e-3,
        gradient_checkpointing=False,
        num_workers=0,
        cache_mib=1024,
    )
