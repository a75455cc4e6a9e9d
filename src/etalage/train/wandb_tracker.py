"""Weights & Biases as a tracker: online if the user is logged in, else offline, and all files in the run folder."""

import json
import os
import re
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from etalage.atomic import atomic_write_text
from etalage.errors import EtalageError
from etalage.folders import optional_file_in
from etalage.json_files import read_json_object
from etalage.train.tracker import Figures

__all__ = ["WandbTracker"]

_INIT_TIMEOUT_S, FINISH_TIMEOUT_S = 20, 60
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class WandbTracker:
    """A run of Weights & Biases: online if the user is logged in, else offline, unless WANDB_MODE says which.

    All of its files are in RUN/wandb; offline ones are for `wandb sync`. Training and evaluation are separate processes
    of one wandb run, whose id is kept in RUN/wandb.json. Any call may fail, with exceptions of wandb's own.

    Args:
        run_folder: Its name names the run.
        config: The resolved configuration, recorded with the run.
        job: train or evaluate.
        waits: Wait for uploads at the end however long they take, as those of a model may.
    """

    def __init__(self, run_folder: Path, config: Mapping[str, Any], job: str, *, waits: bool = False) -> None:
        # wandb would stage tables and artifacts under HOME, and keep logs there.
        folders = {f"WANDB_{name}_DIR": str((run_folder / "wandb" / name.lower()).resolve()) for name in _FOLDERS}
        self._environment = {name: folder for name, folder in folders.items() if name not in os.environ}
        os.environ.update(self._environment)
        try:
            self._start(run_folder, config, job, waits)
        except BaseException:
            self._restore_environment()
            raise

    def _start(self, run_folder: Path, config: Mapping[str, Any], job: str, waits: bool) -> None:
        import wandb  # slow, and not needed with --track none

        self._wandb = wandb
        wandb.setup(wandb.Settings(silent=True))  # what it would say of the login is part of `description`
        mode: Any  # wandb checks it
        mode, problem = _mode(wandb)
        options: dict[str, Any] = {
            "project": "etalage",
            "id": _run_id(run_folder / "wandb.json"),
            "name": run_folder.resolve().name,
            "resume": "allow",
            "dir": run_folder,
            "config": dict(config),
            "job_type": job,
            "settings": wandb.Settings(
                console="off",
                silent=True,
                init_timeout=_INIT_TIMEOUT_S,
                finish_timeout=0 if waits else FINISH_TIMEOUT_S,
            ),
        }
        try:
            self._run = wandb.init(mode=mode, **options)
        except Exception as error:  # no network, or a login that the server refuses
            if mode != "online":
                raise
            problem, mode = f"does not start online ({one_line(error)})", "offline"
            wandb.teardown()  # it still counts the id as taken
            self._run = wandb.init(mode=mode, **options)
        offline = f"offline; nothing is uploaded unless you run `wandb sync {self._run.settings.sync_dir}`"
        self.description = f"WANDB_MODE is {mode}"
        if mode == "offline":
            self.description = f"{problem}, so {offline}" if problem else offline
        elif mode == "online":
            self.description = f"uploads figures and settings to {self._run.url}; --track none does not"
        """Where the run is recorded, and whether that is uploaded."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            self._run.finish(exit_code=0 if kind is None else 1)
        finally:
            self._restore_environment()

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
            folder: The files. They are uploaded from where they are, without a copy.
        """
        artifact = self._wandb.Artifact(re.sub(r"[^\w.-]", "_", name), type=kind)
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            artifact.add_file(str(file), name=file.relative_to(folder).as_posix(), policy="immutable")
        self._run.log_artifact(artifact)

    def abandon(self) -> None:
        """Leave everything as it is, so that a service that hangs or is gone delays the end of the process no more."""
        with suppress(Exception):
            self._wandb.teardown()  # it may hang itself, but first it takes wandb's hook from the process's end

    def _restore_environment(self) -> None:
        for name in self._environment:
            os.environ.pop(name, None)


_FOLDERS = ("DATA", "CACHE", "ARTIFACT")
"""The folders that wandb would have under HOME or the working directory."""


def one_line(error: BaseException) -> str:
    """Return the beginning of an error's message as one line, or its type's name if it has none."""
    return " ".join(str(error).split())[:200] or type(error).__name__


def _mode(wandb: Any) -> tuple[str, str]:
    """Return online or offline, or what WANDB_MODE says, and why it is not online although that was asked for."""
    asked = os.environ.get("WANDB_MODE")
    if asked not in (None, "online"):
        return asked, ""
    try:
        # Without a prompt: a run must not wait for an answer that nobody may be there to give.
        return ("online", "") if wandb.login(prompt=False, verify=False) else ("offline", "not logged in" * bool(asked))
    except Exception as error:
        return "offline", f"the login is not valid ({one_line(error)})"


def _run_id(path: Path) -> str:
    """Return the id of the run, which its first process chooses: offline, wandb could not find the run again."""
    with suppress(EtalageError, KeyError, TypeError):
        # No remedy is given, since a file that cannot be used is replaced.
        if file := optional_file_in(path.parent, path.name, remedy=""):
            found = read_json_object(file, remedy="")["id"]
            if _ID.fullmatch(found):
                return found
    chosen = secrets.token_hex(4)
    # In place of whatever stands there: a link is replaced, and not written through.
    atomic_write_text(path, json.dumps({"id": chosen}))
    return chosen
