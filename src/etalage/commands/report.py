"""`etalage report`: write what a run learned as one page."""

from etalage.catalogue.facts import find_currencies
from etalage.catalogue.store import Catalogue
from etalage.config import ReportConfig, TaskConfig
from etalage.console import say
from etalage.errors import EtalageError
from etalage.evaluate.metrics_file import read_metrics
from etalage.evaluate.predictions import read_predictions
from etalage.evaluate.report import write_report
from etalage.runs import Run
from etalage.task import Task

__all__ = ["report"]


def report(config: ReportConfig) -> None:
    """Write report.html from the files that `train` and `evaluate` left in the run folder.

    Args:
        config: The run.

    Raises:
        EtalageError: The run has not been evaluated, or one of its files is damaged.
    """
    run = Run(config.run)
    with run.lock(make=False):
        trained = run.read_config()
        fields = Task(TaskConfig(**trained["task"])).fields
        metrics, predictions = read_metrics(run.metrics, fields), read_predictions(run.predictions, fields)
        if len(predictions) != metrics["num_examples"]:
            raise EtalageError(
                f"{run.predictions} has {len(predictions)} answers, but {run.metrics.name} is about "
                f"{metrics['num_examples']}; run `etalage evaluate {run.folder}` again"
            )
        catalogue = Catalogue.load_of_run(trained, run.folder, config.catalogue)
        facts = catalogue.facts
        write_report(
            run.report,
            title=run.folder.resolve().name,
            config=trained,
            metrics=metrics,
            predictions=predictions,
            losses=run.read_log(),
            counts={**facts["splits"], "dropped": facts["drops"]},
            open_image=catalogue.open_by_name,
            currencies=find_currencies(facts),
        )
    say(f"report: {run.report}")
