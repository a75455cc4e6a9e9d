"""Named runs: functions that replace fields of a TrainConfig. The command line's own settings take precedence."""

from dataclasses import replace

from etalage.config import Recipe, TrainConfig

__all__ = ["default_recipe", "sized", "with_recipe"]


def default_recipe(model: str) -> Recipe:
    """Return the recipe of a model for which none was chosen.

    Args:
        model: `small`, a checkpoint folder, or a hub id.

    Returns:
        full for the small model, whose weights are soon trained; lora for large checkpoints.
    """
    return "full" if model == "small" else "lora"


def with_recipe(config: TrainConfig) -> TrainConfig:
    """Return a configuration with the defaults of its recipe for its model.

    Args:
        config: Its recipe and model are read, and the settings that the recipe decides are replaced.
    """
    # LoRA keeps TrainConfig's own learning rate; both rates are the Phi-3 cookbook's.
    config = replace(config, learning_rate=4e-5) if config.recipe == "full" else config
    return small(config) if config.model == "small" else config


def small(config: TrainConfig) -> TrainConfig:
    """Return the settings for the small model and some hundred products on two cores.

    Its tower is pre-trained and encodes each version of a picture once. Its decoder would soon memorise the answers, so
    it sees several versions with patches hidden, learns one field at a time after another product's values, and the
    epoch that answers the validation split best is kept.

    Args:
        config: Its recipe decides the learning rate.
    """
    return replace(
        config,
        epochs="auto",
        num_augmentations="auto",
        patch_dropout=0.5,
        field_by_field=True,
        patience=8,
        learning_rate=5e-4 if config.recipe == "full" else 2e-3,
        # Training it, too, would take more than a minute per pass over 420 pictures on two cores (docs/decisions.md).
        freeze=("tower",),
        num_workers=0,
        cache_mib=1024,
    )


def sized(config: TrainConfig, num_products: int) -> TrainConfig:
    """Return a configuration in which `auto` numbers of epochs and augmentations suit the training split.

    The small model needs some six thousand examples. A few hundred products give them in many augmentations and epochs;
    a thousand need a single version of each picture (docs/log.md).

    Args:
        config: Any configuration.
        num_products: Size of the training split.
    """
    num_products = max(1, num_products)
    epochs, num_augmentations = config.epochs, config.num_augmentations
    if epochs == "auto":
        epochs = min(20, max(6, 6000 // num_products))
    if num_augmentations == "auto":
        num_augmentations = min(4, max(1, 1250 // num_products))
    return replace(config, epochs=epochs, num_augmentations=num_augmentations)
