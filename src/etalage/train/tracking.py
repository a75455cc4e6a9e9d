"""Where figures go while a run is under way: nowhere, or Weights & Biases."""

import json
import os
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from etalage.config import Tracking

__all__ = ["Figures", "NoTracker", "Tracker", "track"]

Figures = Mapping[str, float]


class Tracker(Protocol):
    """A context manager that takes figures, a table of pictures, and files to keep."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None: ...

    def log(self, figures: Figures, step: int | None = None) -> None:
        """Figures of one step, or of the run as a whole."""

    def table(self, name: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """A table; a cell that is a Path is shown as a picture."""

    def keep(self, name: str, kind: str, folder: Path) -> None:
        """A folder of files as an artifact."""


class NoTracker:
    """Takes everything and does nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    def log(self, figures: Figures, step: int | None = None) -> None: ...

    def table(self, name: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None: ...

    def keep(self, name: str, kind: str, folder: Path) -> None: ...


class WandbTracker:
    """Offline unless the user is logged in or has set WANDB_MODE; the files then lie in RUN/wandb for `wandb sync`.

    Training and evaluation are separate processes of one wandb run; its id is kept in RUN/wandb.json.
    """

    def __init__(self, run_folder: Path, config: Mapping[str, Any], job: str) -> None:
        import wandb

        self._wandb = wandb
        identity = run_folder / "wandb.json"
        run_id = json.loads(identity.read_text())["id"] if identity.exists() else secrets.token_hex(4)
        identity.write_text(json.dumps({"id": run_id}))
        mode = os.environ.get("WANDB_MODE") or ("online" if wandb.login(prompt=False, verify=False) else "offline")
        self._run = wandb.init(
            project="etalage",
            id=run_id,
            name=run_folder.name,
            resume="allow",
            dir=run_folder,
            config=dict(config),
            job_type=job,
            mode=mode,  # type: ignore[arg-type]  # checked by wandb itself
            settings=wandb.Settings(console="off", silent=True),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._run.finish(exit_code=0 if kind is None else 1)

    def log(self, figures: Figures, step: int | None = None) -> None:
        if step is None:
            self._run.summary.update(dict(figures))
        else:
            self._run.log(dict(figures), step=step)

    def table(self, name: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        def cell(value: object) -> object:
            return self._wandb.Image(str(value)) if isinstance(value, Path) else value

        self._run.log({name: self._wandb.Table(columns=list(columns), data=[[cell(v) for v in row] for row in rows])})

    def keep(self, name: str, kind: str, folder: Path) -> None:
        artifact = self._wandb.Artifact(name, type=kind)
        artifact.add_dir(str(folder))
        self._run.log_artifact(artifact)


def track(how: Tracking, run_folder: Path, config: Mapping[str, Any], job: str) -> Tracker:
    """The tracker that the user asked for.

    Args:
        run_folder: Its name names the run.
        config: The resolved configuration, recorded with the run.
        job: train or evaluate.
    """
    return WandbTracker(run_folder, config, job) if how == "wandb" else NoTracker()
