"""Checkpoints come soon, by time, and never dominate; the time a training takes is said before it."""

import pytest

from etalage.train.schedule import CheckpointSchedule, Forecast


class Clock:
    """A clock that a test sets."""

    now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def saved_at(
    schedule: CheckpointSchedule, clock: Clock, *, step_s: float, save_s: float, num_steps: int
) -> list[float]:
    """Return the minutes at which a training with steps of one length writes checkpoints of one length."""
    start, found = clock.now_s, []
    for step in range(1, num_steps + 1):
        clock.now_s += step_s
        if schedule.is_due(step):
            found.append(round((clock.now_s - start) / 60, 2))
            clock.now_s += save_s
            schedule.wrote(save_s)
    return found


def test_the_first_checkpoint_comes_after_a_minute_and_the_others_by_time() -> None:
    clock = Clock()
    schedule = CheckpointSchedule(5, now=clock)
    assert saved_at(schedule, clock, step_s=2, save_s=0, num_steps=600) == [1, 6, 11, 16]


def test_slow_steps_are_saved_each() -> None:
    clock = Clock()
    assert saved_at(CheckpointSchedule(5, now=clock), clock, step_s=600, save_s=1, num_steps=3) == pytest.approx(
        [10, 20, 30], abs=0.1
    )


def test_a_slow_disk_takes_a_twentieth_of_the_time_at_most() -> None:
    clock = Clock()
    saves = saved_at(CheckpointSchedule(5, now=clock), clock, step_s=2, save_s=60, num_steps=6000)
    assert len(saves) == 10
    assert saves[0] == 1
    assert len(saves) * 60 <= 6000 * 2 / 20


def test_shorter_intervals_count_for_the_first_checkpoint_too() -> None:
    clock = Clock()
    assert saved_at(CheckpointSchedule(0.1, now=clock), clock, step_s=2, save_s=0, num_steps=9) == [0.1, 0.2, 0.3]


@pytest.mark.parametrize("every", [1, 3, 7])
def test_a_number_of_steps_is_kept_exactly_whatever_it_costs(every: int) -> None:
    clock = Clock()
    schedule = CheckpointSchedule(None, every, now=clock)
    saves = saved_at(schedule, clock, step_s=60, save_s=0, num_steps=21)
    assert saves == list(range(every, 22, every))


def test_without_minutes_and_steps_there_is_none() -> None:
    clock = Clock()
    assert saved_at(CheckpointSchedule(None, now=clock), clock, step_s=3600, save_s=0, num_steps=50) == []


def test_a_forecast_comes_after_five_steps_and_leaves_the_first_one_out() -> None:
    forecast = Forecast(121, 0, may_stop_early=False)
    lines = [forecast.after_step(seconds, validates=False) for seconds in (90, 2, 2, 2, 2, 2)]
    assert [line for line in lines[:1] + lines[2:] if line] == []
    assert lines[1] is not None, "the first step took long"
    assert lines[1].startswith("about 4 min for 119 more steps, until ")


def test_a_forecast_of_fast_steps_and_then_of_validation() -> None:
    forecast = Forecast(1000, 10, may_stop_early=True)
    lines = [forecast.after_step(0.6, validates=False) for _ in range(6)]
    assert [bool(line) for line in lines] == [False, False, False, False, True, False]
    assert lines[4] is not None
    assert lines[4] == "about 10 min for 995 more steps, and validation after each epoch; less if it stops early"
    corrected = forecast.after_validation(400)
    assert corrected is not None
    assert corrected.startswith("with validation after each epoch, about 70 min more, until ")
    assert corrected.endswith("; less if it stops early")
    assert forecast.after_validation(4000) is None, "once is enough"


def test_a_short_validation_changes_nothing() -> None:
    forecast = Forecast(1000, 10, may_stop_early=False)
    for _ in range(100):
        forecast.after_step(10, validates=False)
    assert forecast.after_validation(3) is None


def test_a_validation_before_the_first_step_of_a_resumed_run_is_no_obstacle() -> None:
    assert Forecast(5, 2, may_stop_early=False).after_validation(300) is None


@pytest.mark.parametrize("num_steps", [1, 2])
def test_the_last_step_has_no_forecast(num_steps: int) -> None:
    forecast = Forecast(num_steps, 1, may_stop_early=False)
    lines = [forecast.after_step(30, validates=step == num_steps - 1) for step in range(num_steps)]
    assert lines[-1] is None
    assert forecast.after_validation(60) is None
