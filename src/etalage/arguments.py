"""Configuration classes as the command line shows them: in groups, with their docstrings as help."""

import ast
import inspect
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, field, fields, is_dataclass, make_dataclass
from functools import cache
from typing import Annotated, Any, get_type_hints

import tyro

__all__ = ["as_arguments", "as_config", "with_defaults"]


@cache
def as_arguments(cls: type, *more: type) -> type:
    """Return a class for tyro whose fields are groups of the settings of a configuration class.

    Each base of `cls` is a group of its own in `--help`. A class without bases is a single group.

    Args:
        cls: A frozen dataclass, whose bases are dataclasses too.
        more: Dataclasses with arguments that are not part of the configuration.
    """
    groups = [*_groups(cls), *more]
    if len(groups) == 1:
        return _described(cls)
    arguments = make_dataclass(
        cls.__name__,
        [
            (group.__name__.removesuffix("Config").lower(), _described(group), field(default=_described(group)()))
            for group in groups
        ],
        frozen=True,
    )
    arguments.__doc__ = cls.__doc__
    return arguments


def as_config(cls: type, arguments: Any) -> Any:
    """Return the configuration that parsed arguments stand for.

    Args:
        cls: The configuration class.
        arguments: An instance of `as_arguments(cls, ...)`.

    Raises:
        EtalageError: The configuration refuses a value.
    """
    settings = dict(_settings(arguments))
    return cls(**{f.name: settings[f.name] for f in fields(cls)})


def with_defaults(arguments: type, settings: Mapping[str, Any]) -> Any:
    """Return an instance to parse with, in which each argument has its value from the settings as its default.

    Args:
        arguments: A class that `as_arguments` returned.
        settings: A value for each argument of each group, by its name.
    """
    groups: dict[str, Any] = {f.name: f.type for f in fields(arguments)}
    return arguments(**{name: cls(**{f.name: settings[f.name] for f in fields(cls)}) for name, cls in groups.items()})


def _groups(cls: type) -> Sequence[type]:
    """Return the classes that declare settings of their own, the most basic one first."""
    # Own annotations alone: a class that only joins groups has none, and is no group itself.
    return [base for base in reversed(cls.__mro__) if is_dataclass(base) and inspect.get_annotations(base)]


# Cached, as the type of a group and that of its default must be one class.
@cache
def _described(cls: type) -> type:
    """Return a dataclass with the fields that `cls` itself declares, each with its docstring as help.

    tyro reads such docstrings too, but keeps the line breaks of the source.
    """
    hints, docs = get_type_hints(cls, include_extras=True), dict(_docstrings(cls))
    own = [f for f in fields(cls) if f.name in inspect.get_annotations(cls)]
    described = make_dataclass(
        cls.__name__,
        [
            (
                f.name,
                Annotated[hints[f.name], tyro.conf.arg(help=docs[f.name])] if f.name in docs else hints[f.name],
                # tyro's word for a required argument: unlike a missing default, it lets a group be a default itself.
                field(default=tyro.MISSING if f.default is MISSING else f.default),
            )
            for f in own
        ],
        frozen=True,
    )
    described.__doc__ = cls.__doc__
    return described


def _docstrings(cls: type) -> Iterator[tuple[str, str]]:
    """Yield each field of a class with the text under it, as one line."""
    # Python keeps no docstrings of fields, so they are read from the source.
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(cls))).body
    assert isinstance(definition, ast.ClassDef)
    for node, following in zip(definition.body, definition.body[1:], strict=False):
        match node, following:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                yield name, " ".join(text.split())


def _settings(arguments: Any) -> Iterator[tuple[str, Any]]:
    """Yield name and value of each argument, in whatever group it is."""
    values = vars(arguments)
    if all(map(is_dataclass, values.values())):  # they are groups
        for group in values.values():
            yield from vars(group).items()
    else:
        yield from values.items()
