"""How fast are sample catalogues drawn, and in how much memory? `python benchmarks/sampling.py FOLDER [ROWS ...]`.

First one process on one core, from a row number to its encoded picture, for brands with square pictures of 336 x 336.
Then the command itself, `etalage sample --format parquet`, on all cores, with such pictures up to 100,000 rows and with
smaller ones above; what it writes is removed.
"""

import os
import shutil
import sys
import time
from collections import defaultdict
from pathlib import Path

from measured import measured

from etalage.processes import NUM_WORKERS
from etalage.sample.brands import make_brand
from etalage.sample.drawn import DrawnRows

NUM_PICTURES = 3000


def print_rate_on_one_core() -> None:
    """Print rows per second, and which styles take longest."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    rows = DrawnRows(seed=0, brands=[number for number in range(200) if make_brand(number).aspect == 1])
    rows.make(0)
    spent: dict[str, list[float]] = defaultdict(list)
    for number in range(1, NUM_PICTURES + 1):
        start = time.perf_counter()
        row = rows.make(number)
        spent[str(row.attributes["style"])].append(time.perf_counter() - start)
    seconds_per_row = [seconds for style in spent.values() for seconds in style]
    print(f"one core: {len(seconds_per_row) / sum(seconds_per_row):.0f} rows with their pictures/s")
    rates = {style: len(seconds) / sum(seconds) for style, seconds in spent.items()}
    slow = sorted(rates, key=rates.__getitem__)[:4]
    print("slowest:", ", ".join(f"{style} {rates[style]:.0f}/s" for style in slow))


def print_rate_of_the_command(folder: Path, sizes: list[int]) -> None:
    """Print a table.

    Args:
        folder: For the samples, which are removed again.
        sizes: Numbers of rows.
    """
    print(
        f"{NUM_WORKERS} cores\n\n| rows | pictures | time | rows/s | peak memory | on disk |\n|---|---|---|---|---|---|"
    )
    for rows in sizes:
        out, side = folder / f"sample-{rows}", 336 if rows <= 100_000 else 64
        command = ["sample", str(out), "--rows", str(rows), "--num-brands", "20", "--format", "parquet"]
        command += ["--picture-px", str(side)]
        seconds, peak = measured([sys.executable, "-m", "etalage", *command])
        size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
        shutil.rmtree(out)
        memory, disk = f"{peak / 2**20:.0f} MiB", f"{size / 2**30:.1f} GiB"
        print(f"| {rows:,} | {side} px | {seconds:.1f} s | {rows / seconds:,.0f} | {memory} | {disk} |", flush=True)


if __name__ == "__main__":
    all_cores = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
    print_rate_on_one_core()
    if all_cores:
        os.sched_setaffinity(0, all_cores)
    print_rate_of_the_command(Path(sys.argv[1]), [int(size) for size in sys.argv[2:]] or [10_000, 100_000, 1_000_000])
