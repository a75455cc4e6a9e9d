"""Conversations of several forms are read as one question, one picture and one answer, or say why not."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from etalage.catalogue.table import Row
from etalage.errors import EtalageError
from etalage.task import Field

ANSWER = [Field("answer", "text")]


COOKBOOK = {"images": ["a.jpg"], "user": "<image>\n What is this?\n", "assistant": " A shirt. "}


LLAVA = [{"from": "human", "value": "<image>\nWhat is this?"}, {"from": "gpt", "value": "A shirt."}]


CHAT = [{"role": "user", "content": "<|image_1|>\nWhat is this?"}, {"role": "assistant", "content": "A shirt."}]


PARTS = [
    {"role": "user", "content": [{"type": "image", "image": "a.jpg"}, {"type": "text", "text": "What is this?"}]},
    {"role": "assistant", "content": [{"type": "text", "text": "A shirt."}]},
]


@pytest.mark.parametrize(
    "record",
    [
        {"id": "007", "conversations": [COOKBOOK]},
        {"id": "007", "image": "a.jpg", "conversations": LLAVA},
        {"id": "007", "images": ["a.jpg"], "messages": CHAT},
        {"id": "007", "images": [{"path": "a.jpg"}], "messages": CHAT},
        {"id": "007", "messages": PARTS},
    ],
)
@pytest.mark.parametrize("as_array", [True, False])
def test_reads_conversations_of_every_form(
    record: Mapping[str, Any],
    as_array: bool,
    write_file: Callable,
    open_table: Callable,
) -> None:
    text = json.dumps([record] * 2) if as_array else f"{json.dumps(record)}\n" * 2
    source, table = open_table(write_file(text, "train.json"), ANSWER)
    assert (source.kind, source.column_names) == ("conversations", ["question", "answer", "image", "product_code"])
    texts = {"question": "What is this?", "answer": "A shirt."}
    word = "row" if as_array else "line"
    assert list(table) == [Row(n, f"{word} {n}", "007", ("a.jpg",), texts) for n in (1, 2)]


def test_rows_without_an_id_have_no_product_code(write_file: Callable, open_table: Callable) -> None:
    table = open_table(write_file(json.dumps([{"conversations": [COOKBOOK]}]), "t.json"), ANSWER)[1]
    assert "product_code" not in table.columns
    assert [row.product_code for row in table] == ["1"]


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"conversations": [{**COOKBOOK, "images": ["a.jpg", "b.jpg"]}]}, "2 pictures"),
        ({"image": ["a.jpg", "b.jpg", "c.jpg"], "conversations": LLAVA}, "3 pictures"),
        ({"image": "a.jpg", "conversations": LLAVA * 3}, "3 turns"),
        ({"image": "a.jpg", "conversations": LLAVA[:1]}, "no answer"),
        ({"messages": [{"role": "system", "content": "Be kind."}, *PARTS]}, "a system turn"),
        ({"messages": [{"role": "tool", "content": "7"}, *PARTS]}, "turns of an unknown shape"),
        ({"messages": ["hello"]}, "turns of an unknown shape"),
        ({"messages": 7}, "turns of an unknown shape"),
        ({}, "turns of an unknown shape"),
    ],
)
def test_says_why_a_conversation_cannot_be_used(
    record: Mapping[str, Any], reason: str, write_file: Callable, read_rows: Callable
) -> None:
    lines = [{"conversations": [COOKBOOK]}, record]
    path = write_file("\n".join(map(json.dumps, lines)), "t.jsonl")
    first, second = read_rows(path, ANSWER)
    assert "unsupported" not in first.cells
    assert second.cells["unsupported"] == reason


def test_refuses_files_without_conversations(write_file: Callable, open_table: Callable) -> None:
    with pytest.raises(EtalageError, match="no list `conversations` or `messages`"):
        open_table(write_file(json.dumps([{"title": "A", "image": "a.png"}]), "t.json"), ANSWER, format="conversations")
