"""argv -> configuration -> command. Nothing heavy is imported before the verb is known."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, make_dataclass
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Union

import tyro
from rich.console import Console

from etalage import config as c
from etalage.errors import EtalageError
from etalage.recipes import default_recipe, with_recipe
from etalage.recorded import read_settings

__all__ = ["VERBS", "main", "parse", "with_verb"]

VERBS: dict[str, type] = {
    "demo": c.DemoConfig,
    "sample": c.SampleConfig,
    "sample serve": c.SampleServeConfig,
    "sample check": c.SampleCheckConfig,
    "prepare": c.PrepareConfig,
    "train": c.TrainConfig,
    "evaluate": c.EvaluateConfig,
    "predict": c.PredictConfig,
    "report": c.ReportConfig,
    "bench": c.BenchConfig,
}

_DEBUG = "--debug"


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command `etalage`.

    Exits with 2 for bad input, after one message without a traceback (with one under `--debug`), and with 130 when
    interrupted.

    Args:
        argv: The arguments after the command's name; None takes those of the process.
    """
    argv = list(sys.argv[1:] if argv is None else argv)
    debug = _DEBUG in argv
    argv = with_verb([argument for argument in argv if argument != _DEBUG])
    errors = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
    try:
        config = parse(argv)
        _command(config)(config)
    except (EtalageError, OSError) as error:
        if debug:
            raise
        errors.print(f"etalage {argv[0] if argv else ''}: {error}", style="red")
        sys.exit(2)
    except KeyboardInterrupt:
        errors.print("Interrupted. The same command continues where checkpoints allow.", style="yellow")
        sys.exit(130)


def parse(argv: Sequence[str]) -> Any:
    """Return the configuration that the arguments ask for, as one of the dataclasses in VERBS.

    Args:
        argv: The verb, as one argument, and what follows it.

    Raises:
        SystemExit: `--help` was asked for, or an argument is unknown or malformed; said on the terminal.
        EtalageError: A value that its configuration refuses, or a configuration file that cannot be read.
    """
    defaults: dict[str, Any] = {}
    if list(argv[:1]) == ["train"]:
        defaults["train"] = {"default": _train_defaults(argv[1:])}
    verbs: Any = Union[  # noqa: UP007 - made at run time
        tuple(
            Annotated[_GROUPED.get(cls, cls), tyro.conf.subcommand(verb, prefix_name=False, **defaults.get(verb, {}))]
            for verb, cls in VERBS.items()
        )
    ]
    parsed = tyro.cli(
        verbs,
        prog="etalage",
        description=(
            "From a catalogue with pictures to a Phi-3-Vision that names, categorises and prices products. "
            f"Every command takes {_DEBUG}, which shows the traceback of an error."
        ),
        args=list(argv),
        config=(tyro.conf.OmitArgPrefixes,),
    )
    return _ungrouped(parsed)


def with_verb(argv: Sequence[str]) -> Sequence[str]:
    """Join a verb of two words to one argument. A folder called `serve` can be given as ./serve.

    Args:
        argv: The arguments after the command's name.
    """
    two = " ".join(argv[:2])
    return [two, *argv[2:]] if two in VERBS else argv


def _command(config: object) -> Callable[[Any], None]:
    """The function of a configuration's verb: of `sample serve` it is commands.sample.sample_serve."""
    verb = next(verb for verb, cls in VERBS.items() if type(config) is cls)
    command: Callable[[Any], None] = getattr(
        import_module(f"etalage.commands.{verb.split()[0]}"), verb.replace(" ", "_")
    )
    return command


@dataclass(frozen=True, kw_only=True)
class _Record:
    """A run's own record, or one written by hand."""

    config: Path | None = None
    """JSON file with settings, such as RUN/config.json of an earlier run; the command line takes precedence."""


def _grouped(cls: type, *more: type) -> type:
    """A class whose fields are the bases of `cls`, so that `--help` shows each base as a group of its own."""
    groups = [base for base in reversed(cls.__mro__[1:]) if is_dataclass(base)] + list(more)
    grouped = make_dataclass(
        cls.__name__,
        [
            (base.__name__.strip("_").lower(), base, field(default=base()) if _has_defaults(base) else field())
            for base in groups
        ],
        frozen=True,
    )
    grouped.__doc__ = cls.__doc__
    return grouped


def _has_defaults(cls: type) -> bool:
    try:
        cls()
    except TypeError:
        return False
    return True


_GROUPED: dict[type, type] = {
    c.PrepareConfig: _grouped(c.PrepareConfig),
    c.TrainConfig: _grouped(c.TrainConfig, _Record),
}


def _ungrouped(parsed: Any) -> Any:
    """The configuration itself, from what tyro parsed."""
    for cls, grouped in _GROUPED.items():
        if isinstance(parsed, grouped):
            settings = {f.name: getattr(group, f.name) for group in vars(parsed).values() for f in fields(group)}
            return cls(**{f.name: settings[f.name] for f in fields(cls)})
    return parsed


@dataclass(frozen=True)
class _Choice:
    """The arguments of `train` that decide the defaults of the others."""

    model: str | None = None
    recipe: c.Recipe | None = None
    config: Path | None = None


def _train_defaults(argv: Sequence[str]) -> Any:
    """The defaults of `train`: those of the recipe for the model, then what the file given with --config says."""
    choice, _ = tyro.cli(_Choice, args=list(argv), return_unknown_args=True, add_help=False)
    recorded: Mapping[str, Any] = {} if choice.config is None else read_settings(choice.config)
    model = choice.model or recorded.get("model", "small")
    recipe = choice.recipe or recorded.get("recipe") or default_recipe(model)
    placeholder = Path()  # catalogue and out are checked when they are parsed
    defaults = with_recipe(c.TrainConfig(placeholder, placeholder, model=model, recipe=recipe))
    settings = {
        **{f.name: getattr(defaults, f.name) for f in fields(defaults)},
        "catalogue": tyro.MISSING,
        **recorded,
        "out": tyro.MISSING,
        "config": choice.config,
    }
    grouped = _GROUPED[c.TrainConfig]
    groups: dict[str, Any] = {g.name: g.type for g in fields(grouped)}
    return grouped(**{name: cls(**{f.name: settings[f.name] for f in fields(cls)}) for name, cls in groups.items()})
