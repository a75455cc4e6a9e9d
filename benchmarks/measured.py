"""How long a command takes, and how much memory all of its processes hold together at most."""

import subprocess
import time
from collections.abc import Sequence

import psutil


def measured(command: Sequence[str]) -> tuple[float, int]:
    """Run a command and return its seconds and peak bytes.

    The peak is the largest sum of all processes' resident sets, sampled every 0.2 s. Pages that processes share are
    counted once for each of them.
    """
    start, peak = time.perf_counter(), 0
    process = psutil.Popen(command, stdout=subprocess.DEVNULL)
    while process.poll() is None:
        try:
            processes = [process, *process.children(recursive=True)]
            peak = max(peak, sum(each.memory_info().rss for each in processes))
        except psutil.NoSuchProcess:
            pass
        time.sleep(0.2)
    assert process.returncode == 0
    return time.perf_counter() - start, peak
