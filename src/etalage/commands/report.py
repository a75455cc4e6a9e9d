"""`etalage report`: write what a run learned as one page."""

import json
from pathlib import Path

from etalage.catalogue.store import Catalogue
from etalage.commands.console import say
from etalage.config import ReportConfig
from etalage.errors import EtalageError
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
    if not run.metrics.exists():
        raise EtalageError(f"{run.folder} has no metrics.json; run `etalage evaluate {run.folder}` first")
    facts = Catalogue.load(Path(trained["catalogue"])).facts
    write_report(
        run.report,
        title=run.folder.resolve().name,
        config=trained,
        metrics=json.loads(run.metrics.read_text()),
        predictions=read_predictions(run.predictions),
        losses=[json.loads(line) for line in run.log.read_text().splitlines()],
        counts={**facts["splits"], "dropped": facts["drops"]},
        limits=facts["limits"],
    )
    say(f"report: {run.report}")
