"""Does `etalage prepare` take linear time and constant memory? `python benchmarks/million_rows.py FOLDER [ROWS ...]`.

Tables of 10,000, 100,000 and 1,000,000 rows over 2,000 distinct pictures on disk. Each table is prepared by a process
of its own; memory is the sum over it and its workers.
"""

import csv
import random
import sys
from pathlib import Path

from measured import measured
from PIL import Image

NUM_PICTURES = 2_000


def draw_pictures(folder: Path) -> None:
    """Write the distinct pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(NUM_PICTURES):
        rng = random.Random(number)
        coarse = Image.new("RGB", (8, 10))
        coarse.putdata([tuple(rng.randrange(256) for _ in range(3)) for _ in range(80)])
        coarse.resize((224, 280), Image.Resampling.BICUBIC).save(folder / f"{number:04d}.jpg", quality=85)


def write_table(path: Path, rows: int) -> None:
    """Write a CSV table that uses the pictures in turn."""
    rng = random.Random(0)
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["product_code", "title", "category3_code", "full_price", "imageurl"])
        for row in range(rows):
            kind = rng.randrange(40)
            title = f"Pattern {row % NUM_PICTURES} Thing Of Kind {kind}"
            image = f"images/{row % NUM_PICTURES:04d}.jpg"
            table.writerow([row, title, f"KIND {kind}", rng.randrange(10, 4000), image])


def main(folder: Path, sizes: list[int]) -> None:
    """Print a table.

    Args:
        folder: For pictures, tables and catalogues.
        sizes: Numbers of rows.
    """
    draw_pictures(folder / "images")
    print("| rows | time | rows/s | peak memory |\n|---|---|---|---|")
    for rows in sizes:
        write_table(folder / f"{rows}.csv", rows)
        command = ["prepare", str(folder / f"{rows}.csv"), "--out", str(folder / f"catalogue-{rows}")]
        seconds, peak = measured([sys.executable, "-m", "etalage", *command])
        print(f"| {rows:,} | {seconds:.1f} s | {rows / seconds:,.0f} | {peak / 2**20:.0f} MiB |", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), [int(size) for size in sys.argv[2:]] or [10_000, 100_000, 1_000_000])
