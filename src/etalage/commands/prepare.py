"""`etalage prepare`: turn a table with pictures into a catalogue."""

import shlex
from collections.abc import Mapping
from typing import Any

from etalage.atomic import atomic_directory
from etalage.catalogue.build import build_catalogue
from etalage.catalogue.drop_reasons import explain_drop
from etalage.catalogue.drops_csv import DROPS_CSV
from etalage.catalogue.pictures import check_background
from etalage.catalogue.sources import open_source
from etalage.catalogue.table import read_table
from etalage.commands.later_verbs import say_missing_splits
from etalage.config import PrepareConfig, TaskConfig
from etalage.console import say
from etalage.evaluate.systems import check_field_names
from etalage.task import Task
from etalage.wording import count

__all__ = ["prepare"]

MIN_ROWS_PER_DROP = 10
"""One row in so many may be dropped for one reason before the last lines say so."""


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
    counts = ", ".join(f"{number} {split}" for split, number in facts["splits"].items())
    total, leaks = sum(facts["splits"].values()), facts["leaks"]
    rows = f" from {facts['pictures']['num_rows']} rows" if config.all_images else ""
    say(f"{total} products{rows} in {facts['num_groups']} groups ({counts}): {config.out}")
    _say_pictures(facts["pictures"])
    if facts["drops"]:
        reasons = ", ".join(f"{number} {reason}" for reason, number in facts["drops"].items())
        say(f"{count(sum(facts['drops'].values()), 'row')} dropped ({reasons}): {config.out / DROPS_CSV}")
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
    _say_main_reasons(facts)


def _say_pictures(pictures: Mapping[str, Any]) -> None:
    """Print in which other ways pictures were found than the table says."""
    for found in pictures["other_spellings"]:
        examples = ", ".join(found["examples"])
        say(f"pictures of {count(found['num_rows'], 'row')} found by {found['found_by']}: {examples}")
    if pictures["unused"]:
        reasons = ", ".join(f"{number} {reason}" for reason, number in pictures["unused"].items())
        later = f"; {count(pictures['num_later'], 'row')} show a later one" if pictures["num_later"] else ""
        say(f"pictures left out beside others of their rows ({reasons}){later}")


def _say_main_reasons(facts: Mapping[str, Any]) -> None:
    """Print last for which reasons more than a tenth of the rows were dropped, and what to do about each."""
    num_rows = facts["pictures"]["num_rows"] + sum(facts["drops"].values())
    for reason, number in sorted(facts["drops"].items(), key=lambda item: -item[1]):
        if number * MIN_ROWS_PER_DROP <= num_rows:
            continue
        sentence, way_out = explain_drop(reason)
        if reason == "answer_ambiguous" and (answer := facts.get("suggested_answer")):
            way_out = f"pass --answer {shlex.quote(answer)}, which keeps them"
        say(f"{number} of {count(num_rows, 'row')} ({number / num_rows:.0%}) dropped as {reason}: {sentence}")
        say(f"  What to do: {way_out}.")
