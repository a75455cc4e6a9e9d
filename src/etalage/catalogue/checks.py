"""Whether a row is fit to learn from, and why not. Its texts are judged here, its picture in `pictures`."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from itertools import islice
from pathlib import Path

from etalage.catalogue.duplicates import title_family
from etalage.catalogue.pictures import BadPicture, Unfit, data_of_uri, resolve_picture
from etalage.catalogue.prepare_db import StagedRow
from etalage.catalogue.prices import BadPrice, DecimalMark, decimal_mark, parse_amount
from etalage.catalogue.sources import KNOWN_COLUMNS, Row, Table
from etalage.config import PrepareConfig, Split
from etalage.errors import EtalageError
from etalage.task import Field, Task, Value, clean_text

__all__ = ["check_rows"]

MAX_QUESTION_CHARS = 4000
NUM_PRICES_LOOKED_AT = 1000
SPLIT_NAMES: Mapping[str, Split] = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("validation", "valid", "val", "dev", "eval"), "validation"),
    **dict.fromkeys(("test", "testing", "holdout"), "test"),
}


def check_rows(table: Table, task: Task, config: PrepareConfig, inline: Path) -> Iterator[StagedRow]:
    """Judge the texts of each row and find out where its picture is.

    Rows that share a product code are fit, since colour variants may share one.

    Args:
        inline: Folder for pictures that come inside the table.
    Raises:
        EtalageError: the table cannot be read on, or a row's split is none.
    """
    folder = None if table.source.folder is None else table.source.folder.resolve()
    marks = {
        field.name: decimal_mark(row.texts[field.name] for row in islice(table, NUM_PRICES_LOOKED_AT))
        for field in task.fields
        if field.kind == "price"
    }
    resolve = lru_cache(65536)(resolve_picture)  # thousands of rows may show one picture
    title = next((field.name for field in task.fields if field.name in KNOWN_COLUMNS["title"]), None)
    category = next((field.name for field in task.fields if field.kind == "category"), None)
    for row in table:
        staged = StagedRow(row.number, row.product_code, _digest(row, "product_code" in table.columns))
        split = _split(row, table) if config.split_column else None
        try:
            values = _check_values(row, task, marks, config)
            picture = _locate(row.image, folder, resolve, inline, config.max_image_bytes)
            question = _check_question(row)
        except Unfit as unfit:
            yield replace(staged, reason=unfit.reason, detail=unfit.detail[:200])
            continue
        yield replace(
            staged,
            picture=picture,
            values=values,
            title=str(values[title]) if title else "",
            family=title_family(str(values[title])) if title else "",
            category=str(values[category]) if category else "",
            question=question,
            split=split,
        )


def _digest(row: Row, has_code: bool) -> bytes:
    used = (row.product_code if has_code else "", row.image, sorted(row.texts.items()))
    return hashlib.blake2b(repr(used).encode("utf-8", "backslashreplace"), digest_size=16).digest()


def _split(row: Row, table: Table) -> Split:
    split = SPLIT_NAMES.get(row.split.strip().casefold())
    if split is None:
        raise EtalageError(
            f"{table.source.name} row {row.number} (code {row.product_code}): column {table.columns['split']!r} says "
            f"{row.split[:50]!r}, which is none of {', '.join(SPLIT_NAMES)}"
        )
    return split


def _check_values(row: Row, task: Task, marks: Mapping[str, DecimalMark], config: PrepareConfig) -> dict[str, Value]:
    if unsupported := row.texts.get("unsupported"):
        raise Unfit("conversation_unsupported", f"{unsupported}; one picture, one question and one answer are read")
    values = {field.name: _check_value(row.texts[field.name], field, marks, config) for field in task.fields}
    answer = task.format_answer(values)
    if task.parse_answer(answer) != values:
        raise Unfit("answer_ambiguous", f"{answer[:200]!r} does not read back as the values it was written from")
    return values


def _check_value(text: str, field: Field, marks: Mapping[str, DecimalMark], config: PrepareConfig) -> Value:
    if len(text) > config.max_text_chars:
        raise Unfit(f"{field.name}_too_long", f"{len(text)} characters, at most {config.max_text_chars} are taken")
    text = clean_text(text)
    if not text:
        raise Unfit(f"missing_{field.name}", "no text")
    if field.kind != "price":
        return text
    try:
        price = parse_amount(text, price_range=config.price_range, decimal=marks[field.name]).value
    except BadPrice as bad:
        words = "missing_price" if bad.reason == "price_missing" else bad.reason
        raise Unfit(words.replace("price", field.name), str(bad)) from bad
    if not round(price, 2):
        raise Unfit(f"{field.name}_zero", repr(text))
    if price > config.max_price:
        raise Unfit(f"{field.name}_absurd", f"{text!r} is above {config.max_price:,.0f}")
    return round(price, 2)


def _check_question(row: Row) -> str:
    question = row.texts.get("question", "")
    if len(question) > MAX_QUESTION_CHARS:
        raise Unfit("question_too_long", f"{len(question)} characters, at most {MAX_QUESTION_CHARS} are taken")
    return clean_text(question)


def _locate(
    image: str | bytes, folder: Path | None, resolve: Callable[[Path, str], Path], inline: Path, max_image_bytes: int
) -> str:
    """A URL to fetch, or the path of a file."""
    if isinstance(image, str):
        image = image.strip()
        if not image:
            raise BadPicture("image_missing", "no picture given")
        if image[:5].casefold() == "data:":
            image = data_of_uri(image, max_image_bytes)
    if isinstance(image, bytes):
        if len(image) > max_image_bytes:
            raise BadPicture("image_too_many_bytes", f"{len(image)}, at most {max_image_bytes} are read")
        path = inline / hashlib.sha256(image).hexdigest()
        if not path.exists():
            path.write_bytes(image)
        return str(path)
    scheme, colon, _ = image.partition("://")
    if (scheme.casefold() in ("http", "https") and colon) or image.startswith("//"):
        return image
    if colon and scheme.isalnum():
        raise BadPicture("image_scheme_unsupported", f"{image[:100]!r}; paths, http, https and data URIs are read")
    if folder is None:
        raise BadPicture("image_path_invalid", f"{image[:100]!r} is a path, and this source has no folder")
    return str(resolve(folder, image))
