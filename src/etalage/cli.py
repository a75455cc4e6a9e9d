"""argv -> config -> verb. Nothing heavy is imported before the verb is known."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Union

import tyro
from rich.console import Console
from safetensors import SafetensorError

from etalage import config as c
from etalage.recipes import default_recipe, with_recipe

__all__ = ["main"]

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


def main(argv: Sequence[str] | None = None) -> None:
    """Entry point of the command `etalage`. Exit code 2: bad input, said in one message; 130: interrupted."""
    argv = with_verb(sys.argv[1:] if argv is None else argv)
    errors = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
    try:
        config = parse(argv)
        verb = next(verb for verb, cls in VERBS.items() if type(config) is cls)
        from etalage import pipeline

        getattr(pipeline, verb.replace(" ", "_"))(config)
    except (ValueError, OSError, SafetensorError) as error:
        errors.print(f"etalage {argv[0] if argv else ''}: {error}", style="red")
        sys.exit(2)
    except KeyboardInterrupt:
        errors.print("Interrupted. The same command continues where checkpoints allow.", style="yellow")
        sys.exit(130)


def parse(argv: Sequence[str]) -> Any:
    """The config that the arguments ask for, as one of the dataclasses in VERBS.

    Raises:
        SystemExit: --help was asked for, or an argument is unknown or malformed; said on the terminal.
        ValueError: a value that its config refuses.
    """
    defaults: dict[str, Any] = {}
    if list(argv[:1]) == ["train"]:
        defaults["train"] = {"default": _train_defaults(argv[1:])}
    verbs: Any = Union[  # noqa: UP007 - made at run time
        tuple(
            Annotated[cls, tyro.conf.subcommand(verb, prefix_name=False, **defaults.get(verb, {}))]
            for verb, cls in VERBS.items()
        )
    ]
    return tyro.cli(
        verbs,
        prog="etalage",
        description="From a catalogue with pictures to a Phi-3-Vision that names, categorises and prices products.",
        args=list(argv),
        config=(tyro.conf.OmitArgPrefixes,),
    )


def with_verb(argv: Sequence[str]) -> Sequence[str]:
    """Verbs of two words in one argument. A folder called `serve` can be given as ./serve."""
    two = " ".join(argv[:2])
    return [two, *argv[2:]] if two in VERBS else argv


@dataclass(frozen=True)
class _Choice:
    """The two arguments of `train` that decide the defaults of the others."""

    model: str = "small"
    recipe: c.Recipe | None = None


def _train_defaults(argv: Sequence[str]) -> c.TrainConfig:
    choice, _ = tyro.cli(_Choice, args=list(argv), return_unknown_args=True, add_help=False)
    return with_recipe(
        replace(
            c.TrainConfig(catalogue=tyro.MISSING, out=tyro.MISSING),
            model=choice.model,
            recipe=choice.recipe or default_recipe(choice.model),
        )
    )
