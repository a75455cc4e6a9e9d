"""Workers and their parent."""

import subprocess
import sys

PARENT = """
import time
from etalage.processes import process_pool
if __name__ == "__main__":
    with process_pool(2) as workers:
        print(workers.submit(abs, -7).result(), flush=True)
        workers.submit(time.sleep, 600)
        time.sleep(600)
"""


def test_workers_end_with_a_parent_that_is_killed(tmp_path):
    (tmp_path / "parent.py").write_text(PARENT)
    parent = subprocess.Popen([sys.executable, tmp_path / "parent.py"], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    assert parent.stdout.readline() == "7\n"
    parent.kill()
    assert parent.communicate(timeout=20)[0] == "", "the pipe ends when the last worker that holds it does"
