"""Turns a table into a catalogue folder, step by step."""

import shlex
import shutil
from collections.abc import Mapping
from dataclasses import asdict, replace
from itertools import chain, tee
from pathlib import Path
from typing import Any

from etalage.catalogue.checks import check_rows
from etalage.catalogue.choices import with_choices
from etalage.catalogue.download import fetch
from etalage.catalogue.drops_csv import DROPS_CSV, write_drops_csv
from etalage.catalogue.duplicates import MIN_PLACEHOLDER_TITLES, group_pictures
from etalage.catalogue.pictures import PictureLimits, read_pictures
from etalage.catalogue.prepare_db import PrepareDb
from etalage.catalogue.prepare_rows import CheckedRow
from etalage.catalogue.profile import write_profile
from etalage.catalogue.splits import assign_splits, row_splitter
from etalage.catalogue.store import PROFILE
from etalage.catalogue.table import Table
from etalage.catalogue.write import write_catalogue, write_leaks, write_originals
from etalage.config import PrepareConfig
from etalage.errors import EtalageError
from etalage.progress import progress_bar
from etalage.task import MAX_TRIED_ROWS, Task, Value

__all__ = ["build_catalogue"]


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
        suggested_answer = _read(db, table, task, config, inline_folder)
        _get_pictures(db, downloads, limits, config)
        num_near = _group(db, config)
        # Known only now: a row is kept once it has a group, and --placeholders drop may take the last ones.
        db.check_accounting()
        _require_products(db, table, suggested_answer)
        leaks = _split(folder, db, config)
        facts = {
            **_describe_source(table, task, db),
            "seed": config.seed,
            "validation_fraction": config.validation_fraction,
            "test_fraction": config.test_fraction,
            "split_column": config.split_column,
            "limits": dict(limits),
            "duplicates": {"near": num_near},
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


def _read(db: PrepareDb, table: Table, task: Task, config: PrepareConfig, inline_folder: Path) -> str | None:
    """Read the table; return a template that would keep the rows whose answers are ambiguous, if there are any."""
    ambiguous: list[Mapping[str, Value]] = []

    def note(row: CheckedRow) -> CheckedRow:
        if row.reason == "answer_ambiguous" and row.values and len(ambiguous) < MAX_TRIED_ROWS:
            ambiguous.append(row.values)
        return row

    with progress_bar("read") as bar:
        rows = check_rows(table, task, config, inline_folder)
        db.add_rows(map(note, bar.track(rows)), all_images=config.all_images)
    return task.suggest_answer(ambiguous) if ambiguous else None


def _get_pictures(db: PrepareDb, downloads: Path, limits: PictureLimits, config: PrepareConfig) -> None:
    """Fetch and decode the first picture of each row, then the next pictures of the rows whose first one failed."""
    what = ""
    while True:
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
        if not db.try_next_pictures():
            break
        what = " next"
    if config.all_images:
        db.drop_shared_pictures(MIN_PLACEHOLDER_TITLES)


def _group(db: PrepareDb, config: PrepareConfig) -> int:
    """Group copies and variants, flag or drop placeholders; return the number of pictures that have a near copy."""
    groups, num_near = group_pictures(db.picture_hashes(), chain(db.picture_families(), db.row_pictures()))
    # Groups come first, since a placeholder's flag is stored with the group of its pixels.
    db.set_groups(groups)
    db.flag_placeholders(MIN_PLACEHOLDER_TITLES)
    if config.placeholders == "drop":
        db.drop_placeholders()
    return num_near


def _split(folder: Path, db: PrepareDb, config: PrepareConfig) -> dict[str, Any]:
    """Assign splits and write leaks.parquet.

    With a split column, the leaks are those of the table's own splits. Else groups stay whole, so that there are none,
    and those that splitting by row would have caused are written for comparison.
    """
    if config.split_column:
        return write_leaks(folder, db.find_leaks(), db.num_held_out())
    fractions = config.validation_fraction, config.test_fraction, config.seed
    db.set_splits(assign_splits(db.group_categories(), *fractions))
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
        "guessed": sorted(table.guessed),
        "task": asdict(task_config),
        **({"choices": task.choices} if task.choices else {}),
        "own_questions": has_questions,
    }


def _require_products(db: PrepareDb, table: Table, suggested_answer: str | None) -> None:
    """Raise an error if every row was dropped, with the first one as an example."""
    if db.num_kept():
        return
    row = next(db.dropped_rows(), None)
    if row is None:
        raise EtalageError(f"{table.source.name} has no rows; there is nothing to prepare")
    drops = db.counts().drops
    reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(drops.items(), key=lambda item: -item[1]))
    columns = ", ".join(f"{name}={column}" for name, column in table.columns.items())
    raise EtalageError(
        f"{table.source.name}: none of its rows can be used ({reasons}); {row.place} (code {row.product_code}) was "
        f"dropped because of {row.reason}: {row.detail}; columns used: {columns}"
        + (f"; --answer {shlex.quote(suggested_answer)} would keep ambiguous ones" if suggested_answer else "")
    )
