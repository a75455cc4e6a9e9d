"""The summary of metrics.json that the terminal shows."""

from collections.abc import Mapping
from typing import Any

from rich import box
from rich.table import Table

from etalage.evaluate.metrics import METRICS, fields_of
from etalage.evaluate.systems import SYSTEMS, scores_of

__all__ = ["summary_table"]


def summary_table(metrics: Mapping[str, Any]) -> Table:
    """Return a table with a row per metric and a column per system.

    Args:
        metrics: The contents of metrics.json.
    """
    title = f"{metrics['split']} split, {metrics['num_examples']} products"
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, title=title, title_justify="left")
    table.add_column("")
    for system in SYSTEMS:
        style = "bold" if system == "model" else ""
        # A word per line, so that nothing is folded in a terminal of 80 columns.
        table.add_column(system.replace(" ", "\n"), justify="right", style=style, overflow="fold")
    for field in fields_of(metrics):
        for name, metric in METRICS[field.kind].items():
            values = (scores_of(metrics, system)[field.name][name] for system in SYSTEMS)
            table.add_row(f"{field.name} {metric.label}", *(metric.format(value) for value in values))
    table.add_row("answers parsed", *(f"{scores_of(metrics, system)['num_parsed']}" for system in SYSTEMS))
    return table
