"""`etalage report`: write what a run learned as one page."""

from etalage.catalogue.store import Catalogue
from etalage.config import ReportConfig
from etalage.console import say
from etalage.evaluate.predictions import read_predictions
from etalage.evaluate.report import write_report
from etalage.runs import Run

__all__ = ["report"]


def report(config: ReportConfig) -> None:
    """Write report.html from the files that `train` and `evaluate` left in the run folder.

    Args:
        config: The run.

    Raises:
        EtalageError: The run has not been evaluated, or one of its files is damaged.
    """
    run = Run(config.run)
    trained = run.read_config()
    with run.lock():
        metrics = run.read_metrics()
        catalogue = Catalogue.load_of_run(trained, run.folder, config.catalogue)
        facts = catalogue.facts
        write_report(
            run.report,
            title=run.folder.resolve().name,
            config=trained,
            metrics=metrics,
            predictions=read_predictions(run.predictions),
            losses=run.read_log(),
            counts={**facts["splits"], "dropped": facts["drops"]},
            limits=facts["limits"],
        )
    say(f"report: {run.report}")
