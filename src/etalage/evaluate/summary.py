"""The summary of metrics.json that the terminal shows."""

from collections.abc import Mapping
from typing import Any

from rich import box
from rich.table import Table

from etalage.evaluate.metrics import METRICS, fields_of
from etalage.evaluate.systems import format_score, scores_of, systems_in
from etalage.wording import count

__all__ = ["summary_table"]


def summary_table(metrics: Mapping[str, Any]) -> Table:
    """Return a table with a row per metric and a column per system.

    Args:
        metrics: The contents of metrics.json.
    """
    title, systems = f"{metrics['split']} split, {count(metrics['num_examples'], 'product')}", systems_in(metrics)
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, title=title, title_justify="left")
    table.add_column("")
    for system in systems:
        style = "bold" if system == "model" else ""
        # A word per line, so that nothing is folded in a terminal of 80 columns.
        table.add_column(system.replace(" ", "\n"), justify="right", style=style, overflow="fold")
    for field in fields_of(metrics):
        for name, metric in METRICS[field.kind].items():
            scores = (format_score(metrics, system, field, name) for system in systems)
            table.add_row(f"{field.name} {metric.label}", *scores)
    counts = {"num_parsed": "answers parsed", "num_cut": "cut", "num_unparsable": "unparsable"}
    for key, label in counts.items():
        numbers = [scores_of(metrics, system).get(key, 0) for system in systems]
        # The last two only where something went wrong.
        if key == "num_parsed" or any(numbers):
            table.add_row(label, *map(str, numbers))
    return table
