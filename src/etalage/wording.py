"""Numbers and durations in the words of a message."""

import time

__all__ = ["clock", "count", "duration", "until"]


def count(number: int, noun: str, plural: str | None = None) -> str:
    """Return a number with its noun in the right form, such as `1 step` or `1,200 steps`.

    Args:
        number: How many.
        noun: What is counted, in the singular.
        plural: The plural, if it is not the noun with an s.
    """
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def duration(seconds: float) -> str:
    """Return a duration in words, rounded to what matters: `40 s`, `12 min`, `3 h 20 min`, `2 days 5 h`."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    hours, minutes = divmod(5 * round(minutes / 5), 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} days {hours} h" if hours else f"{days} days"


def clock(seconds: float) -> str:
    """Return a duration as a clock shows it: `0:07`, `12:40`, `3:20:00`."""
    minutes, seconds = divmod(max(0, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def until(seconds: float) -> str:
    """Return the local time that is so many seconds from now, with the day if it is not today's: `14:05`."""
    now = time.time()
    then = time.localtime(now + seconds)
    is_today = then[:3] == time.localtime(now)[:3]
    return time.strftime("%H:%M" if is_today else "%a %d %b, %H:%M", then)
