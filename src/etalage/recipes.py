"""Named runs: functions that replace fields of a TrainConfig. The command line's overrides come on top."""

from dataclasses import replace

from etalage.config import Recipe, TrainConfig

__all__ = ["default_recipe", "sized", "with_recipe"]


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
    heart: it sees several views with patches hidden, learns one field at a time behind another product's values, and
    the epoch that answers the validation split best is kept.
    """
    return replace(
        config,
        epochs=0,
        views=0,
        patch_dropout=0.5,
        field_by_field=True,
        patience=8,
        learning_rate=5e-4 if config.recipe == "full" else 2e-3,
        freeze=("tower",),
        num_workers=0,
        cache_mib=1024,
    )


def sized(config: TrainConfig, num_products: int) -> TrainConfig:
    """With the numbers of epochs and views that were left to the size of the training split.

    Some six thousand examples are what the small model needs; a few hundred products give them in many views and epochs
    (docs/log.md), a thousand need no more than another look.
    """
    num_products = max(1, num_products)
    return replace(
        config,
        epochs=config.epochs or min(20, max(6, 6000 // num_products)),
        views=config.views or min(4, max(1, 1250 // num_products)),
    )
