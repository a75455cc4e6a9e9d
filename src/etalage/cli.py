"""argv -> configuration -> command. Nothing heavy is imported before the verb is known."""

import difflib
import os
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from importlib import import_module
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, Any, Union, get_args

import tyro

from etalage import config as c
from etalage.arguments import as_arguments, as_config, with_defaults
from etalage.console import error_console
from etalage.errors import EtalageError
from etalage.failures import explain, report_request, what_is_kept
from etalage.interrupts import handle_interrupts
from etalage.recipes import default_recipe, with_recipe
from etalage.recorded import read_settings
from etalage.versions import versions

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

_RECIPES = get_args(c.Recipe)
_DEBUG, _VERSION = "--debug", "--version"


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command `etalage`.

    Exits with 2 for bad input, after one message without a traceback (with one under `--debug`), with 130 when
    interrupted by Ctrl-C or 143 by SIGTERM, and with 1 after a traceback for anything else.

    Args:
        argv: The arguments after the command's name; None takes those of the process.
    """
    _prepare_outputs()
    argv = list(sys.argv[1:] if argv is None else argv)
    debug = _DEBUG in argv
    # Taken out here, so that it may stand anywhere, before the verb, too.
    argv = with_verb([argument for argument in argv if argument != _DEBUG])
    config = None
    with handle_interrupts() as interrupted_status:
        try:
            config = parse(argv)
            _command(config)(config)
        except BrokenPipeError:  # the reader of our output has gone, as with `| head`
            # Or else Python's own flush at exit would fail in the same way, with a message.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(1)
        except KeyboardInterrupt as interrupt:
            said = f"{interrupt}. " if str(interrupt) else ""
            kept = "Nothing had begun." if config is None else what_is_kept(config)
            error_console.print(f"Interrupted. {said[:1].upper()}{said[1:]}{kept}", style="yellow")
            sys.exit(interrupted_status())
        except Exception as error:
            if debug:
                raise
            message = explain(error)
            if message is None:
                traceback.print_exception(error)
                error_console.print(f"\n{report_request()}", style="red")
                sys.exit(1)
            error_console.print(f"etalage {argv[0] if argv else ''}: {message}", style="red")
            sys.exit(2)


def _prepare_outputs() -> None:
    """Let nothing that is printed fail: not on an old encoding, nor on an output that the shell has closed."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            # Opened, as the next file would get this lowest free number, and with it what libraries print.
            os.open(os.devnull, os.O_RDWR)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, Path(os.devnull).open("w"))  # noqa: SIM115 - for the process's lifetime
        elif isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def parse(argv: Sequence[str]) -> Any:
    """Return the configuration that the arguments ask for, as one of the dataclasses in VERBS.

    Args:
        argv: The verb, as one argument, and what follows it.

    Raises:
        SystemExit: `--help` was asked for, or an argument is unknown or malformed; said on the terminal.
        EtalageError: An unknown verb, a value that its configuration refuses, or a configuration file that cannot be
            read.
    """
    _check_verb(argv)
    defaults: dict[str, Any] = {}
    if list(argv[:1]) == ["train"]:
        defaults["train"] = {"default": _train_defaults(argv[1:])}
    verbs: Any = Union[  # noqa: UP007 - made at run time
        tuple(
            Annotated[_ARGUMENTS[cls], tyro.conf.subcommand(verb, prefix_name=False, **defaults.get(verb, {}))]
            for verb, cls in VERBS.items()
        )
    ]
    parsed = tyro.cli(
        verbs,
        prog="etalage",
        description=(
            "From a catalogue with pictures to a Phi-3-Vision that names, categorises and prices products. "
            f"Every command takes {_DEBUG}, which shows the traceback of an error. {_VERSION} prints the version."
        ),
        args=list(argv),
        config=(tyro.conf.OmitArgPrefixes,),
    )
    return as_config(next(cls for cls, arguments in _ARGUMENTS.items() if type(parsed) is arguments), parsed)


def _check_verb(argv: Sequence[str]) -> None:
    """Refuse a verb that does not exist with the one that is most like it. tyro takes it for an option."""
    if list(argv[:1]) == [_VERSION]:
        print(f"etalage {versions()['etalage']}")
        sys.exit(0)
    if argv and argv[0] not in VERBS and not argv[0].startswith("-"):
        nearest = difflib.get_close_matches(argv[0].lower(), VERBS, n=1)
        hint = f"; did you mean {nearest[0]!r}?" if nearest else "."
        raise EtalageError(f"there is no command {argv[0]!r}{hint} Commands are {', '.join(VERBS)}")


def with_verb(argv: Sequence[str]) -> Sequence[str]:
    """Join a verb of two words to one argument. A folder called `serve` can be given as ./serve.

    Args:
        argv: The arguments after the command's name.
    """
    two = " ".join(argv[:2])
    return [two, *argv[2:]] if two in VERBS else argv


def _command(config: object) -> Callable[[Any], None]:
    """Return the function of a configuration's verb: of `sample serve` it is commands.sample.sample_serve."""
    verb = next(verb for verb, cls in VERBS.items() if type(config) is cls)
    command: Callable[[Any], None] = getattr(
        import_module(f"etalage.commands.{verb.split()[0]}"), verb.replace(" ", "_")
    )
    return command


@dataclass(frozen=True, kw_only=True)
class Record:
    """A run's own record, or one written by hand."""

    config: Path | None = None
    """JSON file with settings, such as RUN/config.json of an earlier run; the command line takes precedence."""


_ARGUMENTS = {cls: as_arguments(cls, *([Record] if cls is c.TrainConfig else [])) for cls in VERBS.values()}


@dataclass(frozen=True, kw_only=True)
class _Choice(Record):
    """The arguments of `train` that decide the defaults of the others."""

    model: str | None = None
    recipe: str | None = None


def _train_defaults(argv: Sequence[str]) -> Any:
    """Return the defaults of `train`: those of the recipe for the model, then those of the file from --config."""
    choice, _ = tyro.cli(_Choice, args=list(argv), return_unknown_args=True, add_help=False)
    recorded: Mapping[str, Any] = {} if choice.config is None else read_settings(choice.config)
    model = choice.model or recorded.get("model", "small")
    if choice.recipe not in (None, *_RECIPES):
        hint = (
            "QLoRA is --recipe lora --quantization nf4"
            if choice.recipe == "qlora"
            else "leave it out for the usual one"
        )
        raise EtalageError(f"--recipe is {choice.recipe!r}; choose {' or '.join(_RECIPES)}; {hint}")
    recipe: Any = choice.recipe or recorded.get("recipe") or default_recipe(model)
    placeholder = Path()  # catalogue and out are checked when they are parsed
    defaults = with_recipe(c.TrainConfig(placeholder, placeholder, model=model, recipe=recipe))
    settings = {
        **{f.name: getattr(defaults, f.name) for f in fields(defaults)},
        "catalogue": tyro.MISSING,
        **recorded,
        # After the recorded settings: a run that repeats another one needs a folder of its own.
        "out": tyro.MISSING,
        "config": choice.config,
    }
    return with_defaults(_ARGUMENTS[c.TrainConfig], settings)
