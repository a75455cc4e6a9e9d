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
    """The small model and some hundred products on two cores.

    Its tower has learned to look, and reads each view of a picture once. The decoder would soon know the answers by
    heart: it sees several views with patches hidden, and the epoch that answers the validation split best is kept.
    """
    return replace(
        config,
        epochs=20,
        views=4,
        patch_dropout=0.5,
        patience=8,
        micro_batch_size=16,
        learning_rate=5e-4 if config.recipe == "full" else 2e-3,
        freeze_tower=True,
        gradient_checkpointing=False,
        num_workers=0,
        cache_mib=1024,
    )
