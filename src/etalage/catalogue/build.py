"""The way of a table into a catalogue folder, step by step."""

import shutil
from dataclasses import asdict, replace
from itertools import tee
from pathlib import Path
from typing import Any

from etalage.catalogue import store
from etalage.catalogue.checks import check_rows
from etalage.catalogue.download import fetch
from etalage.catalogue.duplicates import PLACEHOLDER_TITLES, group_pictures
from etalage.catalogue.pictures import PictureLimits, read_pictures
from etalage.catalogue.prepare_db import Staging
from etalage.catalogue.profile import write_profile
from etalage.catalogue.splits import assign_splits, row_wise
from etalage.catalogue.table import Table
from etalage.config import PrepareConfig
from etalage.errors import EtalageError
from etalage.progress import progress_bar
from etalage.task import Task

__all__ = ["build_catalogue"]


def build_catalogue(folder: Path, table: Table, task: Task, config: PrepareConfig) -> dict[str, Any]:
    """Write a catalogue into an empty folder; show how far it is.

    Returns:
        What catalogue.json holds.
    Raises:
        EtalageError: the table cannot be read on, or too little is left of it.
    """
    inline = folder / "inline"  # pictures that come inside the table
    inline.mkdir()
    downloads = (config.downloads or config.out.with_name(f"{config.out.name}.downloads")).resolve()
    limits = PictureLimits(
        max_image_px=config.max_image_px, max_image_bytes=config.max_image_bytes, background=config.background
    )
    with Staging(folder) as staging:
        with progress_bar("read") as progress:
            staging.add(progress.track(check_rows(table, task, config, inline)))
        _get_pictures(staging, downloads, limits, config)
        num_near = _group(staging, config)
        _complain_if_empty(staging, table)
        leaks = _split(folder, staging, config)
        facts = {
            **_made_from(table, task, staging),
            "seed": config.seed,
            "validation_fraction": config.validation_fraction,
            "test_fraction": config.test_fraction,
            "split_column": config.split_column,
            "limits": dict(limits),
            "duplicates": {"near": num_near},
            "leaks": leaks,
        }
        with progress_bar("write") as progress:
            ours = [inline, downloads]
            facts = store.write_catalogue(folder, staging, task, facts, ours=ours, progress=progress.update)
            store.write_originals(folder, table, staging)
    shutil.rmtree(inline)
    write_profile(folder / store.PROFILE, folder, facts, task.fields)
    return facts


def _get_pictures(staging: Staging, downloads: Path, limits: PictureLimits, config: PrepareConfig) -> None:
    if total := staging.num_to_fetch():
        with progress_bar("fetch", total) as progress:
            staging.fetched(progress.track(fetch(staging.to_fetch(), downloads, config)))
    with progress_bar("look", staging.num_to_read()) as progress:
        paths, same = tee(staging.to_read())
        found = zip(paths, read_pictures(same, **limits), strict=True)
        staging.read(progress.track(found))


def _group(staging: Staging, config: PrepareConfig) -> int:
    """Copies and variants together, placeholders flagged; returns how many pictures have a near copy."""
    groups, num_near = group_pictures(staging.hashes(), staging.families())
    staging.set_groups(groups)
    staging.flag_placeholders(PLACEHOLDER_TITLES)
    if config.placeholders == "drop":
        staging.drop_placeholders()
    return num_near


def _split(folder: Path, staging: Staging, config: PrepareConfig) -> dict[str, Any]:
    """Whole groups, and what splitting by row would have leaked; or the table's own splits, and what they leak."""
    if config.split_column:
        return store.write_leaks(folder, staging.leaks(), staging.num_held_out())
    fractions = config.validation_fraction, config.test_fraction, config.seed
    staging.set_splits(assign_splits(staging.members(), *fractions))
    by_row = row_wise(*fractions)
    return store.write_leaks(folder, staging.leaks(by_row), staging.num_held_out(by_row))


def _made_from(table: Table, task: Task, staging: Staging) -> dict[str, Any]:
    talks = table.source.kind == "conversations"
    words = replace(task.config, question=staging.most_frequent_question()) if talks else task.config
    return {
        "source": table.source.name,
        "kind": table.source.kind,
        "columns": dict(table.columns),
        "guessed": sorted(table.guessed),
        "task": asdict(words),
        "own_questions": talks,
    }


def _complain_if_empty(staging: Staging, table: Table) -> None:
    if staging.num_kept():
        return
    row, code, reason, detail = next(staging.dropped())
    columns = ", ".join(f"{name}={column}" for name, column in table.columns.items())
    raise EtalageError(
        f"{table.source.name}: nothing is left of its rows; row {row} (code {code}): {reason}, {detail}; "
        f"columns used: {columns}"
    )
