"""What the command line says when a command ends early: what went wrong, what to do, and what is kept."""

import errno
import platform
from collections.abc import Iterator
from pathlib import Path

from etalage import config as c
from etalage.errors import EtalageError
from etalage.runs import Run
from etalage.versions import versions

__all__ = ["explain", "report_request", "what_is_kept"]

_DISK_FULL = ("No space left on device", "database or disk is full", "Disk quota exceeded")


def explain(error: BaseException) -> str | None:
    """Return what an error means for the user; None if it is a bug.

    Args:
        error: What ended a command.
    """
    chain = list(_chain(error))
    if any(_is_disk_full(one) for one in chain):
        path = next((str(one.filename) for one in chain if isinstance(one, OSError) and one.filename), None)
        where = f" where {path} is written" if path else ""
        return f"the disk is full{where} ({_one_line(error)}); make room and run the same command again"
    if isinstance(error, EtalageError | OSError):  # a missing file is no bug either
        return str(error)
    if any(isinstance(one, MemoryError) for one in chain):
        return (
            "the machine's memory is used up; end other processes, or give this command less to hold at once "
            "(--batch-size, --max-tokens, --num-workers, --cache-mib, --max-image-px, where it has them)"
        )
    return None


def report_request() -> str:
    """Return the line that follows the traceback of a bug."""
    found = ", ".join(f"{name} {version}" for name, version in versions().items())
    return (
        "This is a bug in etalage or in a library below it, not a mistake of yours. Please report it with the lines "
        f"above and these versions: {found}, {platform.platform()}"
    )


def what_is_kept(config: object) -> str:
    """Return what an interrupted command has left, and what the same command does next.

    Args:
        config: The command's configuration.
    """
    match config:
        case c.TrainConfig():
            return _what_training_keeps(Run(config.out))
        case c.PrepareConfig():
            downloads = config.downloads or config.out.with_name(f"{config.out.name}.downloads")
            kept = f"Pictures fetched so far are kept in {downloads}. " if downloads.exists() else ""
            then = "goes on from there" if kept else "begins again"
            return f"No catalogue was written. {kept}The same command {then}."
        case c.EvaluateConfig():
            kept = "the scores before are unchanged" if Run(config.run).metrics.exists() else "no scores were written"
            return f"Answers are not kept before the last one, and {kept}. The same command begins again."
        case c.PredictConfig(out=out):
            written = "" if out is None else f", and {out} was not written"
            return f"Answers are not kept before the last one{written}. The same command begins again."
        case c.ReportConfig():
            return "The report was not written. The same command writes it."
        case c.SampleConfig(out=out):
            return f"{out} was not written. The same command begins again and draws the same sample."
        case c.DemoConfig(out=out):
            training = _what_training_keeps(Run(out / "run")) if (out / "catalogue").exists() else ""
            return f"Finished parts are kept in {out}. {training or 'The same command goes on from there.'}"
        case c.BenchConfig(out=Path() as out) if out.exists():
            return f"What was measured so far is in {out}. The same command begins again."
        case _:
            return "The same command begins again."


def _what_training_keeps(run: Run) -> str:
    if run.model.exists():
        return f"The model is complete: {run.model}."
    step = run.last_checkpoint_step
    if step is None:
        return "There is no checkpoint yet. The same command begins again."
    return f"The last checkpoint is that of step {step}. The same command resumes from it."


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and what caused it."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _is_disk_full(error: BaseException) -> bool:
    """Return whether the disk was full; libraries that are not Python's own say so in words."""
    numbers = (errno.ENOSPC, errno.EDQUOT)
    return getattr(error, "errno", None) in numbers or any(words in str(error) for words in _DISK_FULL)


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
