"""When checkpoints are written, and how long a training will take."""

import math
import time
from collections.abc import Callable
from statistics import median

from etalage.wording import count, duration, until

__all__ = ["CheckpointSchedule", "Forecast"]

_FIRST_CHECKPOINT_S = 60.0
_MAX_CHECKPOINT_SHARE = 1 / 20
_NUM_TIMED_STEPS, _MIN_TIMED_S, _MIN_FORECAST_S = 4, 20.0, 20.0


class CheckpointSchedule:
    """Decide after which steps a checkpoint is written: soon after the start, then by time, seldom if it takes long.

    Args:
        minutes: Minutes between checkpoints; None for none by time.
        every: Steps between further ones, whatever they cost; None for none.
        now: The clock.
    """

    def __init__(
        self, minutes: float | None, every: int | None = None, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._interval_s, self._every, self._now = math.inf if minutes is None else 60 * minutes, every, now
        self._due_at = now() + (math.inf if minutes is None else min(self._interval_s, _FIRST_CHECKPOINT_S))

    def is_due(self, step: int) -> bool:
        """Return whether a checkpoint is due after a step."""
        return self._now() >= self._due_at or (self._every is not None and step % self._every == 0)

    def wrote(self, seconds: float) -> None:
        """Note that a checkpoint was written, which took so many seconds."""
        self._due_at = self._now() + max(self._interval_s, seconds / _MAX_CHECKPOINT_SHARE)


class Forecast:
    """Say how long a training will take, after a few steps, and again if validation makes that much longer.

    Args:
        num_steps: Steps that this process will take.
        num_validations: Validations among them.
        may_stop_early: Whether fewer steps may do.
    """

    def __init__(self, num_steps: int, num_validations: int, *, may_stop_early: bool) -> None:
        self._num_steps_left, self._num_validations_left = num_steps, num_validations
        self._unless = "; less if it stops early" if may_stop_early else ""
        self._seconds: list[float] = []
        self._is_said, self._is_corrected = False, False

    def after_step(self, seconds: float, *, validates: bool) -> str | None:
        """Return a line to print after a step, if there is something new to say.

        Args:
            seconds: How long the step took.
            validates: Whether a validation follows.
        """
        self._num_steps_left -= 1
        self._seconds.append(seconds)
        num_timed = len(self._seconds)
        # The first step reads ahead, compiles or chooses kernels; a long one is better than no forecast for long.
        is_time = num_timed > _NUM_TIMED_STEPS or (sum(self._seconds) >= _MIN_TIMED_S and num_timed > 1) or validates
        if self._is_said or not is_time or not self._num_steps_left:
            return None
        self._is_said, left = True, self._steps_s()
        if left < _MIN_FORECAST_S:
            return None
        # The end is not known before the first validation.
        end = ", and validation after each epoch" if self._num_validations_left else f", until {until(left)}"
        return f"about {duration(left)} for {count(self._num_steps_left, 'more step')}{end}{self._unless}"

    def after_validation(self, seconds: float) -> str | None:
        """Return a line to print after a validation, if it changes the forecast by more than a tenth.

        Args:
            seconds: How long it took.
        """
        self._num_validations_left -= 1
        left = self._steps_s() + self._num_validations_left * seconds
        if (
            not self._seconds
            or self._is_corrected
            or left < max(1.1 * self._steps_s(), _MIN_FORECAST_S)
            or not self._num_steps_left
        ):
            return None
        self._is_corrected = True
        return f"with validation after each epoch, about {duration(left)} more, until {until(left)}{self._unless}"

    def _steps_s(self) -> float:
        # A median, so that neither the first step nor a slow disk counts for all.
        return self._num_steps_left * median(self._seconds[1:] or self._seconds or [0.0])
