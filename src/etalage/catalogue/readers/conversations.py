"""Conversations in JSON: one question about one picture and one answer per row."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from etalage.catalogue.readers.json import read_records
from etalage.catalogue.readers.json_object import find_array
from etalage.catalogue.readers.raw_table import RawTable, RowPositions, UnreadableRow
from etalage.errors import EtalageError

__all__ = ["CONVERSATION_COLUMNS", "is_conversations", "open_conversations"]

CONVERSATION_COLUMNS = ("question", "answer", "image", "product_code")
"""The columns of conversations; `product_code` only if rows have an `id`. One more can be read: `unsupported`, the
reason why a row is not one question about one picture, or an empty text."""

# LLaVA's mark for a picture, and Phi-3's.
_IMAGE_TOKEN = re.compile(r"<image>|<\|image_\d+\|>")
_ROLES = {"human": "user", "gpt": "assistant", "model": "assistant", "bot": "assistant"}


def is_conversations(path: Path, key: str = "") -> bool:
    """Return whether the first row of a JSON file holds turns rather than columns.

    Args:
        path: The file.
        key: See `open_json`.
    """
    return _has_turns(_first_record(path, find_array(path, key)))


def open_conversations(path: Path, key: str = "") -> RawTable:
    """Open a table of conversations in the form of the Phi-3 cookbook, of chat messages, or of LLaVA.

    Args:
        path: The file.
        key: See `open_json`.

    Raises:
        EtalageError: The file is not JSON, or its first row holds no turns.
    """
    array_key = find_array(path, key)
    first = _first_record(path, array_key)
    if not _has_turns(first):
        raise EtalageError(f"{path.name}: its first row has no list `conversations` or `messages`; leave out --format")

    positions = RowPositions("line")

    def read_rows(columns: Sequence[str]) -> Iterator[list[Any] | UnreadableRow]:
        for record in read_records(path, array_key, positions):
            if isinstance(record, UnreadableRow):
                yield record
            else:
                cells = _read_cells(record)
                yield [cells[column] for column in columns]

    names = [name for name in CONVERSATION_COLUMNS if name != "product_code" or "id" in first]
    return RawTable(names, read_rows, place_of=positions.place_of)


def _first_record(path: Path, key: str) -> Mapping[str, Any]:
    first = next(read_records(path, key), {})
    return {} if isinstance(first, UnreadableRow) else first


def _has_turns(record: Mapping[str, Any]) -> bool:
    return any(isinstance(record.get(key), list) for key in ("conversations", "messages"))


@dataclass
class _Conversation:
    """The texts of a conversation by role, and its pictures."""

    images: list[Any]
    texts: dict[str, list[str]] = field(default_factory=lambda: {"user": [], "assistant": [], "system": []})
    has_unknown_turns: bool = False

    def add_turn(self, turn: Any) -> None:
        """Read a turn of any known form."""
        if not isinstance(turn, dict):
            self.has_unknown_turns = True
        elif "user" in turn or "assistant" in turn:  # the cookbook's form: question and answer in one turn
            self.images += _as_list(turn.get("images", turn.get("image")))
            for role in ("user", "assistant"):
                if role in turn:
                    self.texts[role].append(self._read_content(turn[role]))
        else:
            role = str(turn.get("from", turn.get("role")))
            text = self._read_content(turn.get("value", turn.get("content")))
            self.texts.setdefault(_ROLES.get(role, role), []).append(text)

    def _read_content(self, content: Any) -> str:
        """Return the text of a turn, and collect the pictures among its parts."""
        texts = []
        for part in _as_list(content):
            if isinstance(part, str):
                texts.append(part)
            elif isinstance(part, dict) and isinstance(part.get("text"), str):
                texts.append(part["text"])
            elif isinstance(part, dict):
                image = part.get("image_url", part.get("image", part.get("path", part.get("url"))))
                self.images += _as_list(image.get("url") if isinstance(image, dict) and "url" in image else image)
        return "\n".join(texts)

    def first_text(self, role: str) -> str:
        """Return what a role says first, or an empty text."""
        return next(iter(self.texts[role]), "").strip()

    def unsupported_reason(self) -> str:
        """Return why this is not one question about one picture and one answer; empty if it is."""
        num_turns = max(len(self.texts["user"]), len(self.texts["assistant"]))
        if self.has_unknown_turns or len(self.texts) > 3:  # more roles than user, assistant and system
            return "turns of an unknown shape"
        if self.texts["system"]:
            return "a system turn"
        if len(self.images) > 1:
            return f"{len(self.images)} pictures"
        if num_turns > 1:
            return f"{num_turns} turns"
        return "" if self.first_text("assistant") else "no answer"


def _read_cells(record: Mapping[str, Any]) -> dict[str, Any]:
    turns = record.get("conversations", record.get("messages"))
    conversation = _Conversation(_as_list(record.get("images", record.get("image"))))
    for turn in turns if isinstance(turns, list) else [None]:  # None counts as a turn of an unknown form
        conversation.add_turn(turn)
    # The prompt places the picture itself, so its marks in the question are removed.
    return {
        "question": _IMAGE_TOKEN.sub("", conversation.first_text("user")).strip(),
        "answer": conversation.first_text("assistant"),
        "image": conversation.images[0] if conversation.images else None,
        "product_code": record.get("id"),
        "unsupported": conversation.unsupported_reason(),
    }


def _as_list(value: Any) -> list[Any]:
    if isinstance(value, list):
        return list(value)
    return [] if value is None else [value]
