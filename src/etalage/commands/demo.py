"""`etalage demo`: the whole journey on a drawn catalogue."""

from dataclasses import replace

from etalage.commands.evaluate import evaluate
from etalage.commands.prepare import prepare
from etalage.commands.report import report
from etalage.commands.sample import sample
from etalage.commands.train import train
from etalage.config import DemoConfig, EvaluateConfig, PrepareConfig, ReportConfig, SampleConfig, TrainConfig
from etalage.recipes import with_recipe

__all__ = ["demo"]


def demo(config: DemoConfig) -> None:
    """Sample, prepare, train, evaluate and report. Steps that are done already are kept, so a broken demo resumes.

    Args:
        config: Where to write, and the size of the catalogue.
    """
    drawn, catalogue, run = config.out / "sample", config.out / "catalogue", config.out / "run"
    # Both folders appear whole or not at all, so one that exists is complete.
    if not drawn.exists():
        sample(SampleConfig(drawn, config.rows, config.seed))
    if not catalogue.exists():
        prepare(PrepareConfig(str(drawn / "catalogue.csv"), catalogue, seed=config.seed))
    training = with_recipe(TrainConfig(catalogue, run, recipe="full", seed=config.seed, track=config.track))
    # Made for speed, not for the best result: in so few epochs, whole answers teach more than one field at a time.
    train(replace(training, epochs=config.epochs, num_augmentations=1, patience=0, field_by_field=False))
    evaluate(EvaluateConfig(run, num_samples=1, track=config.track))  # greedy, in a third of the time
    report(ReportConfig(run))
