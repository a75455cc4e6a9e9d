"""`etalage prepare`: turn a table with pictures into a catalogue."""

import shlex
from collections.abc import Mapping
from typing import Any

from etalage.atomic import atomic_directory
from etalage.catalogue.build import build_catalogue, describe_group
from etalage.catalogue.columns import column_option
from etalage.catalogue.drop_reasons import NOTHING_IS_LOST, explain_drop
from etalage.catalogue.drops_csv import DROPS_CSV
from etalage.catalogue.pictures import check_background
from etalage.catalogue.prepare_groups import GUESSED_REASONS
from etalage.catalogue.sources import open_source
from etalage.catalogue.table import Table, read_table
from etalage.commands.later_verbs import say_missing_splits
from etalage.config import PrepareConfig, TaskConfig
from etalage.console import say
from etalage.evaluate.systems import check_field_names
from etalage.task import Task
from etalage.wording import count

__all__ = ["prepare"]

NUM_SHOWN_GROUPS = 3
"""The largest groups that are shown."""

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
    for note in source.note.splitlines():
        say(f"note: {note}")
    _say_columns(table)
    with atomic_directory(config.out) as folder:
        facts = build_catalogue(folder, table, task, config)
    _say_facts(config, facts)


def _say_columns(table: Table) -> None:
    """Print which column is used for what, and what those hold that were guessed."""
    match = table.match
    if match.export is not None:
        say(f"recognised: {match.export.name}")
    # A name that holds a comma itself is quoted, or it would be read as two.
    shown = {role: shlex.quote(name) if "," in name else name for role, name in table.columns.items()}
    shown["image"] += "".join(f", else {name}" for name in match.image_fallbacks)
    say("columns: " + ", ".join(f"{role}={name}" for role, name in shown.items()))
    for role in sorted(match.guessed, key=list(table.columns).index):
        option, examples = column_option(role, table.columns[role]), " | ".join(match.examples[role])
        say(f"guessed: {option}, which holds {examples}; name another column if this is wrong")


def _say_facts(config: PrepareConfig, facts: Mapping[str, Any]) -> None:
    """Print how many products were kept and dropped, and what looks wrong."""
    counts = ", ".join(f"{number} {split}" for split, number in facts["splits"].items())
    total, leaks = sum(facts["splits"].values()), facts["leaks"]
    rows = f" from {count(facts['pictures']['num_rows'], 'row')}" if config.all_images else ""
    say(f"{count(total, 'product')}{rows} in {count(facts['num_groups'], 'group')} ({counts}): {config.out}")
    _say_pictures(facts["pictures"])
    if facts["drops"]:
        reasons = ", ".join(f"{number} {reason}" for reason, number in facts["drops"].items())
        say(f"{count(sum(facts['drops'].values()), 'row')} dropped ({reasons}): {config.out / DROPS_CSV}")
    for found in facts["placeholders"][:3]:
        what = f"{found['num_products']} products with {found['num_titles']} titles"
        say(f"placeholder? {what} show {config.out / found['file_name']}; --placeholders drop leaves them out")
    _say_groups(facts)
    if leaks["num_leaked"]:
        reasons = ", ".join(f"{number} {reason}" for reason, number in leaks["reasons"].items())
        found = f"{leaks['num_leaked']} ({reasons})"
        if config.split_column:
            say(
                f"LEAK: of {leaks['num_held_out']} products that column {config.split_column!r} holds out, {found} "
                f"belong to a product in train: {config.out / 'leaks.parquet'}"
            )
        # Without such a column products are split by group, so nothing leaks; this says what that has avoided.
        else:
            say(f"splitting by row would have leaked, of {leaks['num_held_out']} held-out products, {found}")
    say_missing_splits(facts["splits"], facts["num_test_groups"])
    _say_main_reasons(facts)


def _say_groups(facts: Mapping[str, Any]) -> None:
    """Print the largest groups with the reasons for them, so that a wrong one is seen, and what was not grouped."""
    largest = facts["largest_groups"][:NUM_SHOWN_GROUPS]
    for group in largest:
        say(f"group of {describe_group(group)}")
    if not facts["group_column"] and any(GUESSED_REASONS & group["reasons"].keys() for group in largest):
        say("  If these are different products, name the column that says what belongs together: --group-by COLUMN.")
    for found in facts["generic_names"][:1]:
        say(
            f"not grouped by name: {found['name']!r}, which {found['num_products']} products are called, "
            f"{count(found['num_pictures'], 'picture')} at {count(found['num_prices'], 'price')}"
        )
    column, duplicates = facts["group_column"], facts["duplicates"]
    if joined := duplicates["exact_joined"]:
        say(f"{count(joined, 'product')} of different {column!r} show equal pictures, and stay in one group for that")
    if apart := duplicates["near_kept_apart"]:
        say(f"{count(apart, 'picture')} of different {column!r} look alike; check that they are no copies")


def _say_pictures(pictures: Mapping[str, Any]) -> None:
    """Print in which other ways pictures were found than the table says."""
    for found in pictures["other_spellings"]:
        examples = ", ".join(found["examples"])
        say(f"pictures of {count(found['num_rows'], 'row')} found by {found['found_by']}: {examples}")
    if pictures["unused"]:
        reasons = ", ".join(f"{number} {reason}" for reason, number in pictures["unused"].items())
        if later := pictures["num_later"]:
            what = f"{count(later, 'row shows', 'rows show')} a later picture, as the first failed"
        else:
            what = f"{count(sum(pictures['unused'].values()), 'picture')} of rows with others left out"
        say(f"{what} ({reasons})")


def _say_main_reasons(facts: Mapping[str, Any]) -> None:
    """Print last for which reasons more than a tenth of the rows were dropped, and what to do about each."""
    num_rows = facts["pictures"]["num_rows"] + sum(facts["drops"].values())
    for reason, number in sorted(facts["drops"].items(), key=lambda item: -item[1]):
        if number * MIN_ROWS_PER_DROP <= num_rows:
            continue
        sentence, way_out = explain_drop(reason)
        if way_out.startswith(NOTHING_IS_LOST):
            continue
        if reason == "answer_ambiguous" and (answer := facts.get("suggested_answer")):
            way_out = f"pass --answer {shlex.quote(answer)}, which keeps them"
        say(f"{number} of {count(num_rows, 'row')} ({number / num_rows:.0%}) dropped as {reason}:")
        say(f"  {sentence}")
        say(f"  What to do: {way_out}.")
