"""Whether a row is fit to learn from, and if not, the reason. Texts are checked here, pictures in `pictures`."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from etalage.catalogue.columns import KNOWN_COLUMNS
from etalage.catalogue.markup import clean_cell
from etalage.catalogue.picture_candidates import PictureLocator
from etalage.catalogue.pictures import UnfitProduct
from etalage.catalogue.prepare_rows import CheckedRow
from etalage.catalogue.price_columns import PriceColumn
from etalage.catalogue.prices import BadPrice
from etalage.catalogue.table import Row, Table, number_text
from etalage.catalogue.title_family import title_family
from etalage.config import PrepareConfig, Split
from etalage.errors import EtalageError
from etalage.task import Field, Task, Value, clean_text

__all__ = ["check_rows"]

MAX_QUESTION_CHARS = 4000
SPLIT_NAMES: Mapping[str, Split] = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("validation", "valid", "val", "dev", "eval"), "validation"),
    **dict.fromkeys(("test", "testing", "holdout"), "test"),
}
"""The splits by the words for them in the column given by --split-column."""

_MAX_DETAIL_CHARS = 200


def check_rows(
    table: Table, task: Task, config: PrepareConfig, inline_folder: Path, price_columns: Mapping[str, PriceColumn]
) -> Iterator[CheckedRow]:
    """Check the texts of each row and locate its pictures.

    Rows that share a product code are all fit, since the colour variants of a product may share one.

    Args:
        table: The table to read.
        task: The task, which says what texts are needed.
        config: The limits, and how to read price ranges.
        inline_folder: The folder to write pictures to that come inside the table.
        price_columns: How the prices are read, by field, as `read_price_columns` found it.

    Raises:
        EtalageError: The table cannot be read further, or a row's split is not a known word.
    """
    locator = PictureLocator(table.source.folder, inline_folder, config.max_image_bytes, all_images=config.all_images)
    title_field = next((field.name for field in task.fields if field.name in KNOWN_COLUMNS["title"]), None)
    # The first category is the one by which splits are stratified.
    category_field = next((field.name for field in task.fields if field.kind == "category"), None)
    for row in table:
        staged = CheckedRow(row.number, row.place, row.product_code, _digest(row, "product_code" in table.columns))
        if row.problem:
            yield replace(staged, reason=row.problem.reason, detail=row.problem.detail[:_MAX_DETAIL_CHARS])
            continue
        split = _parse_split(row, table) if config.split_column else None
        try:
            values = _check_values(row, table, task, price_columns, config)
            pictures = locator.locate(row.images)
            question = _check_question(row)
        except UnfitProduct as unfit:
            yield replace(staged, reason=unfit.reason, detail=unfit.detail[:_MAX_DETAIL_CHARS])
            continue
        # With its values, from which another template for the answers is found.
        if ambiguity := task.explain_ambiguity(values):
            yield replace(staged, reason="answer_ambiguous", detail=ambiguity[:_MAX_DETAIL_CHARS], values=values)
            continue
        title = str(values[title_field]) if title_field else ""
        yield replace(
            staged,
            pictures=pictures,
            values=values,
            title=title,
            family=title_family(title),
            category=str(values[category_field]) if category_field else "",
            question=question,
            split=split,
            parent=row.group,
        )


def _digest(row: Row, has_code: bool) -> bytes:
    """Return a hash of all cells that are used, by which repeated rows are found."""
    # Without a column for it, the code is the row's number, and no two rows would be equal.
    # An unreadable row is never a repeat: nothing is known of its cells.
    used = (row.product_code if has_code or row.problem else "", row.images, sorted(row.cells.items()))
    return hashlib.blake2b(repr(used).encode("utf-8", "backslashreplace"), digest_size=16).digest()


def _parse_split(row: Row, table: Table) -> Split:
    split = SPLIT_NAMES.get(row.split.strip().casefold())
    if split is None:
        raise EtalageError(
            f"{table.source.name} {row.place} (code {row.product_code}): column {table.columns['split']!r} says "
            f"{row.split[:50]!r}, which is none of {', '.join(SPLIT_NAMES)}"
        )
    return split


def _check_values(
    row: Row, table: Table, task: Task, price_columns: Mapping[str, PriceColumn], config: PrepareConfig
) -> dict[str, Value]:
    if unsupported := row.cells.get("unsupported"):
        raise UnfitProduct(
            "conversation_unsupported", f"{unsupported}; one picture, one question and one answer are read"
        )
    values: dict[str, Value] = {}
    for field in task.fields:
        text = number_text(row.cells[field.name])
        # Conversations are learned as they are: their answers may be about HTML.
        if table.source.kind != "conversations":
            text = clean_cell(text, config.max_text_chars)
        elif len(text) <= config.max_text_chars:
            text = clean_text(text)
        if len(text) > config.max_text_chars:
            raise UnfitProduct(
                f"{field.name}_too_long", f"{len(text)} characters, at most {config.max_text_chars} are taken"
            )
        if not text:
            raise UnfitProduct(f"missing_{field.name}", "no text")
        values[field.name] = text
        if field.kind == "price":
            values[field.name] = _check_price(row, field, price_columns[field.name], config)
    return values


def _check_price(row: Row, field: Field, column: PriceColumn, config: PrepareConfig) -> float:
    cell = row.cells[field.name]
    try:
        price = column.read(cell, str(row.cells.get("currency", "")), config.price_range)
    except BadPrice as bad:
        # Reasons name the field, and a missing one comes under the same word as a missing text.
        reason = "missing_price" if bad.reason == "price_missing" else bad.reason
        raise UnfitProduct(reason.replace("price", field.name), bad.detail) from bad
    if price > config.max_price:
        raise UnfitProduct(f"{field.name}_absurd", f"{number_text(cell)!r} is above {config.max_price:,.0f}")
    return price


def _check_question(row: Row) -> str:
    question = str(row.cells.get("question", ""))
    if len(question) > MAX_QUESTION_CHARS:
        raise UnfitProduct("question_too_long", f"{len(question)} characters, at most {MAX_QUESTION_CHARS} are taken")
    return clean_text(question)
