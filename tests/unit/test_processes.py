"""Workers run what they are given, ignore Ctrl-C, and end with their parent."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from etalage.processes import NUM_WORKERS, process_pool

PARENT = """
import time
from etalage.processes import process_pool
if __name__ == "__main__":
    with process_pool(2) as workers:
        print(workers.submit(abs, -7).result(), flush=True)
        workers.submit(time.sleep, 600)
        time.sleep(600)
"""


def test_workers_end_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    (tmp_path / "parent.py").write_text(PARENT)
    parent = subprocess.Popen([sys.executable, tmp_path / "parent.py"], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    assert parent.stdout.readline() == "7\n"
    parent.kill()
    assert parent.communicate(timeout=20)[0] == "", "the pipe ends when the last worker that holds it does"


def test_each_worker_calls_the_initializer_and_ignores_interrupts() -> None:
    with process_pool(1, os.putenv, "ETALAGE_TEST", "x") as workers:
        pid = workers.submit(os.getpid).result()
        assert pid != os.getpid()
        os.kill(pid, signal.SIGINT)
        echo = [sys.executable, "-c", "import os; print(os.environ['ETALAGE_TEST'])"]
        assert workers.submit(subprocess.check_output, echo).result().strip() == b"x"
        assert workers.submit(os.getpid).result() == pid


def test_there_is_at_least_one_worker() -> None:
    assert 1 <= NUM_WORKERS <= (os.cpu_count() or 1)
