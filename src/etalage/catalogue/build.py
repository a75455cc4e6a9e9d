"""Turns a table into a catalogue folder, step by step."""

import shlex
import shutil
from collections.abc import Mapping
from dataclasses import asdict, replace
from itertools import tee
from pathlib import Path
from typing import Any

from etalage.catalogue.checks import check_rows
from etalage.catalogue.choices import with_choices
from etalage.catalogue.download import fetch
from etalage.catalogue.drops_csv import DROPS_CSV, write_drops_csv
from etalage.catalogue.duplicates import MIN_PLACEHOLDER_TITLES, group_pictures
from etalage.catalogue.pictures import PictureLimits, read_pictures
from etalage.catalogue.prepare_db import PrepareDb
from etalage.catalogue.prepare_groups import GUESSED_REASONS
from etalage.catalogue.prepare_rows import CheckedRow
from etalage.catalogue.price_columns import PriceColumn, read_price_columns
from etalage.catalogue.profile import write_profile
from etalage.catalogue.splits import assign_splits, row_splitter
from etalage.catalogue.store import PROFILE
from etalage.catalogue.table import Table
from etalage.catalogue.write import write_catalogue, write_leaks, write_originals
from etalage.config import PrepareConfig
from etalage.console import say
from etalage.errors import EtalageError
from etalage.progress import progress_bar
from etalage.task import MAX_TRIED_ROWS, Task, Value
from etalage.wording import count

__all__ = ["build_catalogue", "describe_group"]

NUM_LARGEST_GROUPS = 5
"""The groups that catalogue.json describes."""

_MAX_TITLE_CHARS = 60


def describe_group(group: Mapping[str, Any]) -> str:
    """Say how large a group is, what links its products, and some of their titles.

    Args:
        group: One of `largest_groups` in catalogue.json.
    """
    reasons = ", ".join(group["reasons"])
    titles = ", ".join(repr(title[:_MAX_TITLE_CHARS]) for title in group["titles"])
    pictures = count(group["num_pictures"], "picture")
    return f"{group['num_products']} products on {pictures} ({reasons}): {titles}"


def build_catalogue(folder: Path, table: Table, task: Task, config: PrepareConfig) -> dict[str, Any]:
    """Write a catalogue into an empty folder, with a progress bar for each step.

    Args:
        folder: The folder.
        table: The table of products.
        task: The task that the catalogue is for.
        config: Limits, fractions of the splits, and where to keep fetched pictures.

    Returns:
        The content of catalogue.json.

    Raises:
        EtalageError: The table cannot be read to its end, or too few of its rows can be used.
    """
    inline_folder = folder / "inline"  # for pictures that come inside the table
    inline_folder.mkdir()
    # Beside the folder, not in it: a killed run's folder is removed, but the pictures that it fetched are used again.
    downloads = (config.downloads or config.out.with_name(f"{config.out.name}.downloads")).resolve()
    limits = PictureLimits(
        max_image_px=config.max_image_px, max_image_bytes=config.max_image_bytes, background=config.background
    )
    task = with_choices(task, table, config.max_text_chars)
    with PrepareDb(folder) as db:
        price_columns = _read_price_columns(table, task, config)
        suggested_answer = _read(db, table, task, config, inline_folder, price_columns)
        _get_pictures(db, downloads, limits, config)
        facts = _group(db, table, task, config)
        # Known only now: a row is kept once it has a group, and --placeholders drop may take the last ones.
        db.check_accounting()
        _require_products(db, table, suggested_answer)
        leaks = _split(folder, db, config, facts, suggested_answer)
        facts = {
            **_describe_source(table, task, db),
            "seed": config.seed,
            "validation_fraction": config.validation_fraction,
            "test_fraction": config.test_fraction,
            "split_column": config.split_column,
            "limits": dict(limits),
            "currency": next((column.currency for column in price_columns.values()), ""),
            "prices": {name: column.record for name, column in price_columns.items()},
            **facts,
            **({"suggested_answer": suggested_answer} if suggested_answer else {}),
            "leaks": leaks,
        }
        with progress_bar("write") as bar:
            linkable = [inline_folder, downloads]
            facts = write_catalogue(folder, db, task, facts, linkable_folders=linkable, progress=bar.update)
            write_drops_csv(folder / DROPS_CSV, db.dropped_rows())
            # reads the table again, as nothing else keeps columns that the task does not use
            write_originals(folder, table, db)
    # Its pictures have been linked or copied into the catalogue by now.
    shutil.rmtree(inline_folder)
    write_profile(folder / PROFILE, folder, facts, task.fields)
    return facts


def _read_price_columns(table: Table, task: Task, config: PrepareConfig) -> dict[str, PriceColumn]:
    """Decide how the prices of each column are read, and print what was decided."""
    with progress_bar("prices") as bar:
        columns = read_price_columns(table, task.fields, config, bar.track)
    for column in columns.values():
        for note in column.notes:
            say(f"prices in column {column.name!r}: {note}")
    return columns


def _read(
    db: PrepareDb,
    table: Table,
    task: Task,
    config: PrepareConfig,
    inline_folder: Path,
    price_columns: Mapping[str, PriceColumn],
) -> str | None:
    """Read the table; return a template that would keep the rows whose answers are ambiguous, if there are any."""
    ambiguous: list[Mapping[str, Value]] = []
    clear: list[Mapping[str, Value]] = []

    def note(row: CheckedRow) -> CheckedRow:
        kind = ambiguous if row.reason == "answer_ambiguous" else clear
        if row.values and len(kind) < MAX_TRIED_ROWS:
            kind.append(row.values)
        return row

    with progress_bar("read") as bar:
        rows = check_rows(table, task, config, inline_folder, price_columns)
        db.add_rows(map(note, bar.track(rows)), all_images=config.all_images)
    # Another template must not lose the rows that this one keeps.
    return task.suggest_answer([*ambiguous, *clear]) if ambiguous else None


def _get_pictures(db: PrepareDb, downloads: Path, limits: PictureLimits, config: PrepareConfig) -> None:
    """Fetch and decode the first picture of each row, then the next pictures of the rows whose first one failed."""
    what = ""
    # Also before the first ones, since some are known to be missing by now.
    while db.try_next_pictures():
        if num_urls := db.num_urls_to_fetch():
            with progress_bar(f"fetch{what}", num_urls) as bar:
                db.record_fetched(bar.track(fetch(db.urls_to_fetch(), downloads, config)))
        if num_files := db.num_files_to_read():
            with progress_bar(f"decode{what}", num_files) as bar:
                # both run in step, so that `tee` holds no more files than there are pictures in the workers
                files, same_files = tee(db.files_to_read())
                pictures = read_pictures((path for _, path in same_files), **limits)
                ids = (picture_id for picture_id, _ in files)
                db.record_read(bar.track(zip(ids, pictures, strict=True)))
        what = " next"
    if config.all_images:
        db.drop_shared_pictures(MIN_PLACEHOLDER_TITLES)


def _group(db: PrepareDb, table: Table, task: Task, config: PrepareConfig) -> dict[str, Any]:
    """Group copies and variants, flag or drop placeholders; return what catalogue.json says of the groups."""
    price = next((field.name for field in task.fields if field.kind == "price"), None)
    links = db.find_links(price)
    groups = group_pictures(db.picture_hashes(), links, db.picture_parents())
    # Groups come first, since a placeholder's flag is stored with the group of its pixels.
    db.set_groups(groups.names, groups.reasons)
    db.flag_placeholders(MIN_PLACEHOLDER_TITLES)
    if config.placeholders == "drop":
        db.drop_placeholders()
    return {
        "group_column": table.columns.get("group", ""),
        "duplicates": {
            "near": groups.num_near,
            "near_kept_apart": groups.num_kept_apart,
            "exact_joined": db.num_joined_by_pixels(),
        },
        "largest_groups": [group._asdict() for group in db.largest_groups(NUM_LARGEST_GROUPS)],
        "generic_names": [name._asdict() for name in db.generic_names()],
    }


def _split(
    folder: Path, db: PrepareDb, config: PrepareConfig, groups: Mapping[str, Any], suggested_answer: str | None
) -> dict[str, Any]:
    """Assign splits and write leaks.parquet.

    With a split column, the leaks are those of the table's own splits. Else groups stay whole, so that there are none,
    and those that splitting by row would have caused are written for comparison.
    """
    if config.split_column:
        return write_leaks(folder, db.find_leaks(), db.num_held_out())
    fractions = config.validation_fraction, config.test_fraction, config.seed
    try:
        db.set_splits(assign_splits(db.group_categories(), *fractions))
    except EtalageError as error:
        hints = [f"Rows were dropped {_describe_drops(db, suggested_answer)}"] if db.counts().drops else []
        if largest := groups["largest_groups"][:2]:
            hints.append("Largest groups: " + "; ".join(map(describe_group, largest)))
            if not groups["group_column"] and any(GUESSED_REASONS & group["reasons"].keys() for group in largest):
                hints[-1] += "; --group-by COLUMN names what belongs together"
        raise EtalageError(". ".join([str(error), *hints])) from error
    split_of = row_splitter(*fractions)
    return write_leaks(folder, db.find_leaks(split_of), db.num_held_out(split_of))


def _describe_source(table: Table, task: Task, db: PrepareDb) -> dict[str, Any]:
    """Return what catalogue.json says of the table and the task."""
    has_questions = table.source.kind == "conversations"
    task_config = replace(task.config, question=db.most_frequent_question()) if has_questions else task.config
    return {
        "source": table.source.name,
        "kind": table.source.kind,
        "columns": dict(table.columns),
        "guessed": sorted(table.match.guessed),
        **({"image_fallbacks": list(fallbacks)} if (fallbacks := table.match.image_fallbacks) else {}),
        **({"export": table.match.export.name} if table.match.export else {}),
        "task": asdict(task_config),
        **({"choices": task.choices} if task.choices else {}),
        "own_questions": has_questions,
    }


def _require_products(db: PrepareDb, table: Table, suggested_answer: str | None) -> None:
    """Raise an error if every row was dropped, with the first one as an example."""
    if db.num_kept():
        return
    if not db.counts().drops:
        raise EtalageError(f"{table.source.name} has no rows; there is nothing to prepare")
    columns = ", ".join(f"{name}={column}" for name, column in table.columns.items())
    raise EtalageError(
        f"{table.source.name}: none of its rows can be used {_describe_drops(db, suggested_answer)}; "
        f"columns used: {columns}"
    )


def _describe_drops(db: PrepareDb, suggested_answer: str | None) -> str:
    """Return the reasons of dropping, with the first row as an example."""
    row, drops = next(db.dropped_rows()), db.counts().drops
    reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(drops.items(), key=lambda item: -item[1]))
    return f"({reasons}); {row.place} (code {row.product_code}) was dropped because of {row.reason}: {row.detail}" + (
        f"; --answer {shlex.quote(suggested_answer)} would keep ambiguous ones" if suggested_answer else ""
    )
