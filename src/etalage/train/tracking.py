"""Trackers as a run uses them: they never end it, and never keep it waiting."""

import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from etalage.config import Tracking
from etalage.console import error_console, say
from etalage.train.tracker import Figures, NoTracker, Tracker
from etalage.train.wandb_tracker import FINISH_TIMEOUT_S, WandbTracker, one_line

__all__ = ["BackgroundTracker", "make_tracker"]

_START_TIMEOUT_S, _CALL_TIMEOUT_S, _MAX_WAITING_CALLS = 60.0, 60.0, 10_000


class BackgroundTracker:
    """Hand all calls to another tracker in a thread of its own. If that one fails or hangs, warn once and go on.

    Args:
        name: The tracker's name in messages.
        make: Makes the other tracker, in the thread.
        start_timeout_s: How long it may take to start.
        call_timeout_s: How long one call may take.
        finish_timeout_s: How long it may take to finish; None waits as long as it takes.
        patience_s: After how long the user is told that it is waited for.
    """

    def __init__(
        self,
        name: str,
        make: Callable[[], Tracker],
        *,
        start_timeout_s: float = _START_TIMEOUT_S,
        call_timeout_s: float = _CALL_TIMEOUT_S,
        finish_timeout_s: float | None = FINISH_TIMEOUT_S + 10,
        patience_s: float = 5.0,
    ) -> None:
        self._name, self._make = name, make
        self._start_timeout_s, self._call_timeout_s = start_timeout_s, call_timeout_s
        self._finish_timeout_s, self._patience_s = finish_timeout_s, patience_s
        self._calls = queue.Queue[Callable[[Tracker], object] | None](_MAX_WAITING_CALLS)
        self._started, self._lock = threading.Event(), threading.Lock()
        self._tracker: Tracker | None = None
        self._given_up = False
        self._call_began: float | None = None
        # A daemon, as one that hangs must not keep the process from ending.
        self._thread = threading.Thread(target=self._work, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._started.wait(self._start_timeout_s):
            self._give_up(f"has not started after {self._start_timeout_s:g} s")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._given_up:
            return
        self._put(lambda tracker: tracker.__exit__(kind, error, traceback))
        self._put(None)
        try:
            self._thread.join(self._patience_s)
            if self._thread.is_alive() and not self._given_up:
                say(f"waiting for {self._name} to finish; Ctrl-C goes on without it")
                self._thread.join(self._finish_timeout_s)
            if self._thread.is_alive():
                self._give_up(f"has not finished after {self._finish_timeout_s:g} s")
        except KeyboardInterrupt:
            if kind is not None:  # an interrupted run
                raise
            self._give_up("was not waited for")

    def log(self, figures: Figures, step: int | None = None) -> None:
        """Record figures.

        Args:
            figures: Numbers by name.
            step: The step that they belong to; None if they belong to the whole run.
        """
        figures = dict(figures)
        self._put(lambda tracker: tracker.log(figures, step))

    def log_table(self, name: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Record a table.

        Args:
            name: The table's name.
            columns: A heading per column.
            rows: A cell per column; a Path is shown as a picture.
        """
        self._put(lambda tracker: tracker.log_table(name, columns, rows))

    def log_folder(self, name: str, kind: str, folder: Path) -> None:
        """Record a folder of files as an artifact.

        Args:
            name: The artifact's name.
            kind: The artifact's type, such as model.
            folder: The files.
        """
        self._put(lambda tracker: tracker.log_folder(name, kind, folder))

    def abandon(self) -> None:
        """Go on without the other tracker."""
        self._give_up("is left out")

    def _put(self, call: Callable[[Tracker], object] | None) -> None:
        began = self._call_began
        if began is not None and time.monotonic() - began > self._call_timeout_s:
            self._give_up(f"has not answered for {self._call_timeout_s:g} s")
        if not self._given_up:
            try:
                self._calls.put_nowait(call)
            except queue.Full:
                self._give_up("is slower than the run")

    def _work(self) -> None:
        """Run the calls in order, until None or an error."""
        try:
            tracker = self._tracker = self._make()
            self._started.set()
            while not self._given_up and (call := self._calls.get()) is not None:
                self._call_began = time.monotonic()
                call(tracker)
                self._call_began = None
        except BaseException as error:  # wandb raises many kinds, SystemExit among them, and none may end the run
            self._give_up(f"failed ({one_line(error)})")
            self._started.set()

    def _give_up(self, problem: str) -> None:
        with self._lock:
            if self._given_up:
                return
            self._given_up = True
        if self._tracker is not None:
            threading.Thread(target=self._tracker.abandon, daemon=True).start()
        error_console.print(f"{self._name} {problem}; going on without it", style="yellow")


def make_tracker(
    tracking: Tracking, run_folder: Path, config: Mapping[str, Any], job: str, *, log_model: bool = False
) -> Tracker:
    """Return the tracker that the user chose, and print where it writes once it has started.

    Args:
        tracking: The setting `track`.
        run_folder: Its name names the run.
        config: The resolved configuration, recorded with the run.
        job: train or evaluate.
        log_model: Whether the model will be recorded, whose upload may take long.
    """
    if tracking == "none":
        return NoTracker()
    if find_spec("wandb") is None:
        say("tracking: wandb is not installed, so figures go to the run folder alone; pip install wandb adds it")
        return NoTracker()

    def make() -> Tracker:
        tracker = WandbTracker(run_folder, config, job, waits=log_model)
        say(f"tracking: Weights & Biases, {tracker.description}")
        return tracker

    return BackgroundTracker("Weights & Biases", make, finish_timeout_s=None if log_model else FINISH_TIMEOUT_S + 10)
