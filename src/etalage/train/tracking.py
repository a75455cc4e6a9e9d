"""Where figures go while a run is under way: nowhere, or to Weights & Biases."""

import json
import os
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from etalage.config import Tracking
from etalage.errors import EtalageError

__all__ = ["Figures", "NoTracker", "Tracker", "WandbTracker", "make_tracker"]

Figures = Mapping[str, float]
"""Numbers by name."""


class Tracker(Protocol):
    """A context manager that records figures, tables with pictures, and folders."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...

    def log(self, figures: Figures, step: int | None = None) -> None:
        """Record figures.

        Args:
            figures: Numbers by name.
            step: The step that they belong to; None if they belong to the whole run.
        """

    def log_table(self, name: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Record a table.

        Args:
            name: The table's name.
            columns: A heading per column.
            rows: A cell per column; a Path is shown as a picture.
        """

    def log_folder(self, name: str, kind: str, folder: Path) -> None:
        """Record a folder of files as an artifact.

        Args:
            name: The artifact's name.
            kind: The artifact's type, such as model.
            folder: The files.
        """


class NoTracker:
    """A tracker that records nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    def log(self, figures: Figures, step: int | None = None) -> None:
        """Do nothing.

        Args:
            figures: Ignored.
            step: Ignored.
        """

    def log_table(self, name: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Do nothing.

        Args:
            name: Ignored.
            columns: Ignored.
            rows: Ignored.
        """

    def log_folder(self, name: str, kind: str, folder: Path) -> None:
        """Do nothing.

        Args:
            name: Ignored.
            kind: Ignored.
            folder: Ignored.
        """


class WandbTracker:
    """A run of Weights & Biases: online if the user is logged in, else offline, unless WANDB_MODE says which.

    Offline files are in RUN/wandb, for `wandb sync`. Training and evaluation are separate processes of one wandb run,
    whose id is kept in RUN/wandb.json.

    Args:
        run_folder: Its name names the run.
        config: The resolved configuration, recorded with the run.
        job: train or evaluate.

    Raises:
        EtalageError: wandb does not start.
    """

    def __init__(self, run_folder: Path, config: Mapping[str, Any], job: str) -> None:
        import wandb  # slow, and not needed with --track none

        self._wandb = wandb
        # Chosen here, not by wandb: offline, it could not find the training's run again for the evaluation.
        id_file = run_folder / "wandb.json"
        run_id = json.loads(id_file.read_text())["id"] if id_file.exists() else secrets.token_hex(4)
        id_file.write_text(json.dumps({"id": run_id}))
        try:
            mode = os.environ.get("WANDB_MODE") or ("online" if wandb.login(prompt=False, verify=False) else "offline")
            self._run = wandb.init(
                project="etalage",
                id=run_id,
                name=run_folder.name,
                resume="allow",
                dir=run_folder,
                config=dict(config),
                job_type=job,
                mode=mode,  # type: ignore[arg-type]  # wandb checks it
                settings=wandb.Settings(console="off", silent=True),
            )
        except (wandb.Error, ValueError) as error:
            raise EtalageError(
                f"Weights & Biases does not start ({error}); check your login and WANDB_MODE, or pass --track none"
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._run.finish(exit_code=0 if kind is None else 1)

    def log(self, figures: Figures, step: int | None = None) -> None:
        """Record figures of a step in the history, and those of the whole run in the summary.

        Args:
            figures: Numbers by name.
            step: The step that they belong to; None if they belong to the whole run.
        """
        if step is None:
            self._run.summary.update(dict(figures))
        else:
            self._run.log(dict(figures), step=step)

    def log_table(self, name: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Record a table.

        Args:
            name: The table's name.
            columns: A heading per column.
            rows: A cell per column; a Path is shown as a picture.
        """

        def cell(value: object) -> object:
            return self._wandb.Image(str(value)) if isinstance(value, Path) else value

        self._run.log({name: self._wandb.Table(columns=list(columns), data=[[cell(v) for v in row] for row in rows])})

    def log_folder(self, name: str, kind: str, folder: Path) -> None:
        """Record a folder of files as an artifact.

        Args:
            name: The artifact's name.
            kind: The artifact's type, such as model.
            folder: The files.
        """
        artifact = self._wandb.Artifact(name, type=kind)
        artifact.add_dir(str(folder))
        self._run.log_artifact(artifact)


def make_tracker(tracking: Tracking, run_folder: Path, config: Mapping[str, Any], job: str) -> Tracker:
    """Return the tracker that the user chose.

    Args:
        tracking: The setting `track`.
        run_folder: Its name names the run.
        config: The resolved configuration, recorded with the run.
        job: train or evaluate.

    Raises:
        EtalageError: The tracker does not start.
    """
    return WandbTracker(run_folder, config, job) if tracking == "wandb" else NoTracker()
