"""`etalage train`: fine-tune a model on a catalogue."""

from etalage.catalogue.store import Catalogue
from etalage.commands.later_verbs import say_missing_splits
from etalage.config import TrainConfig
from etalage.console import say
from etalage.recipes import sized
from etalage.runs import Run

__all__ = ["train"]


def train(config: TrainConfig) -> None:
    """Fine-tune, from the start or from the last checkpoint, and leave the model in the run folder.

    Args:
        config: The catalogue, the run folder and every setting of the training.

    Raises:
        EtalageError: The catalogue or the model cannot be read, the folder holds another run or another process writes
            to it, memory or disk space is too small, the model does not use its picture, or a loss is not finite.
    """
    run, catalogue = Run(config.out), Catalogue.load(config.catalogue)
    with run.lock():
        config = sized(config, len(catalogue.split("train")))
        run.resolve(config, catalogue.record)  # refuses another run's folder; again below, with the model's digest
        if run.model.exists():
            say(f"{run.model} is trained already")
            return
        num_products: dict[str, int] = {name: len(found) for name, found in catalogue.products.items()}
        say_missing_splits(num_products, len({product.group for product in catalogue.split("test")}))
        from etalage.commands.fine_tuning import fine_tune  # torch takes seconds, and what is refused above need not

        fine_tune(run, catalogue, config)
