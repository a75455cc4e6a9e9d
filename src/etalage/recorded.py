"""Settings that a run repeats: read from its config.json, or from a file written by hand."""

import difflib
import json
import types
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from etalage.config import TrainConfig
from etalage.errors import EtalageError
from etalage.json_files import read_json

__all__ = ["check_settings", "read_settings", "with_current_names"]

_RENAMED = {
    "views": "num_augmentations",
    "prepared_pictures": "pixel_cache",
    "memory": "activation_checkpointing",
}
_RENAMED_VALUES = {"save": "full", "keep": "none"}
"""Values of `memory`, now of activation_checkpointing."""
# In version 0.1.0, null meant that the value is chosen for you.
_NULL_WAS_AUTO = ("num_crops", "lora_alpha", "tower_learning_rate", "projector_learning_rate")

_FACTS = ("out", "task", "choices", "limits", "catalogue_digest", "base_digest", "longest_answer_tokens", "versions")
"""What a config.json holds besides settings: where and on what the run was, which a new run finds out for itself."""


def with_current_names(recorded: Mapping[str, Any]) -> dict[str, Any]:
    """Return the contents of a config.json with the settings of version 0.1.0 under their current names and values.

    Args:
        recorded: The contents as read. Current names and what is not a setting are returned as they are.
    """
    current = {}
    for key, value in recorded.items():
        name = _RENAMED.get(key, key)
        if name == "activation_checkpointing" and value in tuple(_RENAMED_VALUES):
            value = _RENAMED_VALUES[value]
        elif name in _NULL_WAS_AUTO and value is None:
            value = "auto"
        current[name] = value
    return current


def read_settings(path: Path) -> dict[str, Any]:
    """Read the settings of `train` from a JSON file.

    Args:
        path: A run's config.json, or an object written by hand with any of TrainConfig's fields.

    Returns:
        Values of the types that TrainConfig declares, by field name.

    Raises:
        EtalageError: The file is missing or is not a JSON object, or a setting is unknown or of the wrong type.
    """
    remedy = "write an object with a value per setting"
    try:
        found = read_json(path, remedy=remedy)
    except EtalageError as error:
        raise EtalageError(f"--config {path}: not a JSON file that can be read ({error})") from error
    if not isinstance(found, dict):
        raise EtalageError(f"--config {path}: found a {type(found).__name__}; {remedy}")
    hints = get_type_hints(TrainConfig)
    known = [f.name for f in fields(TrainConfig)]
    settings = {}
    for name, value in with_current_names(found).items():
        if name in _FACTS:
            continue
        if name not in known:
            # With no cutoff, so that a name is suggested in any case.
            nearest = difflib.get_close_matches(name, known, n=1, cutoff=0.0)[0]
            raise EtalageError(f"--config {path}: unknown setting {name!r}; did you mean {nearest!r}?")
        try:
            settings[name] = _converted(value, hints[name])
        except TypeError:
            raise EtalageError(
                f"--config {path}: {name} is {json.dumps(value)}; expected {_described(hints[name])}"
            ) from None
    return settings


def check_settings(recorded: Mapping[str, Any], place: str, remedy: str) -> None:
    """Check the settings in a run's config.json as those of the command line are checked.

    Args:
        recorded: The contents, with current names; settings of later versions may be missing.
        place: The file, for messages.
        remedy: What the user can do, as the end of a sentence.

    Raises:
        EtalageError: One is of another type, out of range, or contradicts another.
    """
    values = {}
    for name, hint in get_type_hints(TrainConfig).items():
        if name in recorded:
            try:
                values[name] = _converted(recorded[name], hint)
            except TypeError:
                shown = json.dumps(recorded[name])[:60]
                raise EtalageError(f"{place}: {name} is {shown}; expected {_described(hint)}; {remedy}") from None
    try:
        TrainConfig(**{"out": Path(), **values})
    except EtalageError as error:
        raise EtalageError(f"{place}: {error}; {remedy}") from error


def _converted(value: Any, hint: Any) -> Any:
    """Return a JSON value as the type that a field declares.

    Raises:
        TypeError: It cannot be one.
    """
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        for option in get_args(hint):
            try:
                return _converted(value, option)
            except TypeError:
                continue
    elif origin is Literal:
        if value in get_args(hint):
            return value
    elif origin is tuple and isinstance(value, list):
        return tuple(_converted(item, get_args(hint)[0]) for item in value)
    elif hint is type(None):
        if value is None:
            return None
    elif hint is Path:
        if isinstance(value, str) and "\0" not in value:
            return Path(value)
    elif hint is float and isinstance(value, int) and not isinstance(value, bool):  # true is an int in Python
        return float(value)
    # The very type, as an instance of bool is an instance of int, too.
    elif type(value) is hint:
        return value
    raise TypeError


def _described(hint: Any) -> str:
    """Describe a type in words, such as: a number or "auto"."""
    origin, words = get_origin(hint), {int: "an integer", float: "a number", bool: "true or false", Path: "a path"}
    if origin in (Union, types.UnionType):
        return " or ".join(_described(option) for option in get_args(hint))
    if origin is Literal:
        return " or ".join(json.dumps(option) for option in get_args(hint))
    if origin is tuple:
        return f"a list of {_described(get_args(hint)[0])}"
    return "null" if hint is type(None) else words.get(hint, "a text")
