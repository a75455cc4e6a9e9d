"""How long a command takes, and how much memory all its processes hold together at most."""

import subprocess
import time
from collections.abc import Sequence

import psutil


def measured(command: Sequence[str]) -> tuple[float, int]:
    """Seconds and peak bytes: resident sets, summed every 0.2 s, pages that are shared counted twice."""
    began, peak = time.perf_counter(), 0
    process = psutil.Popen(command, stdout=subprocess.DEVNULL)
    while process.poll() is None:
        try:
            family = [process, *process.children(recursive=True)]
            peak = max(peak, sum(member.memory_info().rss for member in family))
        except psutil.NoSuchProcess:
            pass
        time.sleep(0.2)
    assert process.returncode == 0
    return time.perf_counter() - began, peak
