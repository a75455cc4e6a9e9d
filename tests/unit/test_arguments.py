"""Configuration classes as the command line shows them."""

from dataclasses import dataclass, fields
from pathlib import Path

import pytest
import tyro
from tyro.conf import Positional

from etalage.arguments import as_arguments, as_config, with_defaults
from etalage.config import PrepareConfig, TrainConfig
from etalage.errors import EtalageError


@dataclass(frozen=True)
class Basics:
    """Where from."""

    table: Positional[Path]
    """The table,
    over two lines."""


@dataclass(frozen=True, kw_only=True)
class Speed:
    """How fast."""

    num_workers: int = 2
    """Processes."""


@dataclass(frozen=True)
class Grouped(Speed, Basics):
    """Two groups."""

    def __post_init__(self) -> None:
        if self.num_workers < 1:
            raise EtalageError(f"--num-workers is {self.num_workers}")


@dataclass(frozen=True)
class More:
    """Not part of the configuration."""

    verbose: bool = False


def read(cls: type, *argv: str, more: tuple[type, ...] = ()) -> object:
    arguments = as_arguments(cls, *more)
    return as_config(cls, tyro.cli(arguments, args=list(argv), config=(tyro.conf.OmitArgPrefixes,)))


def test_arguments_become_the_configuration() -> None:
    assert read(Grouped, "a.csv", "--num-workers", "5") == Grouped(Path("a.csv"), num_workers=5)
    assert read(Grouped, "a.csv", "--verbose", more=(More,)) == Grouped(Path("a.csv"))
    assert read(Basics, "a.csv") == Basics(Path("a.csv"))


def test_the_configuration_checks_what_was_parsed() -> None:
    with pytest.raises(EtalageError, match="--num-workers is 0"):
        read(Grouped, "a.csv", "--num-workers", "0")


def test_required_arguments_stay_required(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        read(Grouped)
    assert "required" in capsys.readouterr().err


def test_help_shows_groups_and_joins_lines(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        read(Grouped, "--help")
    shown = capsys.readouterr().out
    assert "speed options" in shown
    assert "How fast." in shown
    assert "The table, over two lines." in shown


def test_defaults_may_be_replaced() -> None:
    arguments = as_arguments(Grouped)
    default = with_defaults(arguments, {"table": tyro.MISSING, "num_workers": 7})
    parsed = tyro.cli(arguments, args=["a.csv"], default=default, config=(tyro.conf.OmitArgPrefixes,))
    assert as_config(Grouped, parsed) == Grouped(Path("a.csv"), num_workers=7)


@pytest.mark.parametrize("cls", [PrepareConfig, TrainConfig])
def test_every_setting_is_in_one_group(cls: type) -> None:
    groups = [group.type for group in fields(as_arguments(cls))]
    names = [f.name for group in groups for f in fields(group)]  # type: ignore[arg-type]
    assert sorted(names) == sorted(f.name for f in fields(cls))
