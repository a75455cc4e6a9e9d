"""`etalage prepare`: turn a table with pictures into a catalogue."""

import shlex
from collections.abc import Mapping
from typing import Any

from etalage.atomic import atomic_directory
from etalage.catalogue.build import build_catalogue
from etalage.catalogue.pictures import check_background
from etalage.catalogue.sources import open_source
from etalage.catalogue.table import read_table
from etalage.commands.later_verbs import say_missing_splits
from etalage.config import PrepareConfig, TaskConfig
from etalage.console import say
from etalage.evaluate.systems import check_field_names
from etalage.task import Task

__all__ = ["prepare"]


def prepare(config: PrepareConfig) -> None:
    """Read the table, fetch and check its pictures, group copies, split by group and write the catalogue.

    Args:
        config: The table, the folder to write, and the limits.

    Raises:
        EtalageError: The table cannot be read, its columns are not recognised, or no row is left.
    """
    check_background(config.background)
    source = open_source(config.source, config)
    # Conversations bring their own questions, and their answers are learned whole.
    task = Task(TaskConfig(answer="{answer}") if source.kind == "conversations" else config.task)
    check_field_names(task.fields)  # else `evaluate` would refuse them, after training
    table = read_table(source, task.fields, config)
    if source.note:
        say(f"note: {source.note}")
    say("columns: " + ", ".join(f"{n}={col}{' (guessed)' * (n in table.guessed)}" for n, col in table.columns.items()))
    with atomic_directory(config.out) as folder:
        facts = build_catalogue(folder, table, task, config)
    _say_facts(config, facts)


def _say_facts(config: PrepareConfig, facts: Mapping[str, Any]) -> None:
    """Print how many products were kept and dropped, and what looks wrong."""
    counts = ", ".join(f"{count} {split}" for split, count in facts["splits"].items())
    total, leaks = sum(facts["splits"].values()), facts["leaks"]
    say(f"{total} products in {facts['num_groups']} groups ({counts}): {config.out}")
    if facts["drops"]:
        reasons = ", ".join(f"{count} {reason}" for reason, count in facts["drops"].items())
        num_dropped = sum(facts["drops"].values())
        say(f"{num_dropped} row{'s' * (num_dropped > 1)} dropped ({reasons}): {config.out / 'drops.parquet'}")
    if num_ambiguous := facts["drops"].get("answer_ambiguous"):
        say(
            f"{num_ambiguous} of them because their answers could be read in several ways; "
            + (
                f"--answer {shlex.quote(answer)} would keep them"
                if (answer := facts.get("suggested_answer"))
                else "give --answer words between the fields that no title holds"
            )
        )
    for found in facts["placeholders"][:3]:
        what = f"{found['num_products']} products with {found['num_titles']} titles"
        say(f"placeholder? {what} show {config.out / found['file_name']}; --placeholders drop leaves them out")
    if config.split_column and leaks["num_leaked"]:
        say(
            f"LEAK: of {leaks['num_held_out']} products that column {config.split_column!r} holds out, "
            f"{leaks['num_leaked']} have a copy or variant in train: {config.out / 'leaks.parquet'}"
        )
    # Without such a column products are split by group, so nothing leaks; this says what that has avoided.
    elif leaks["num_leaked"]:
        say(f"splitting by row would have leaked {leaks['num_leaked']} of {leaks['num_held_out']} held-out products")
    say_missing_splits(facts["splits"])
