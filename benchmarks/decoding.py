"""How much does checking cost in addition to decoding? `python benchmarks/decoding.py`.

On one core, in one process, three times in turn: Pillow's open, load and convert to RGB, and `read_picture`, which also
hashes bytes and pixels, turns the picture upright, lays it on white and computes a perceptual hash.
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from etalage.catalogue.pictures import read_picture

NUM_PICTURES = 40
SIZES = {"photo 1500 x 2100, JPEG": ((1500, 2100), "JPEG"), "shop 480 x 640, JPEG": ((480, 640), "JPEG"),
         "sprite 200 x 200, PNG with alpha": ((200, 200), "PNG")}  # fmt: skip


def draw_picture(size: tuple[int, int], kind: str, seed: int) -> bytes:
    """Return a file of soft shapes and some grain, which compresses about as photos do."""
    rng = np.random.default_rng(seed)
    channels = 4 if kind == "PNG" else 3
    coarse = Image.fromarray(rng.integers(0, 256, (24, 18, channels), dtype=np.uint8))
    image = np.asarray(coarse.resize(size, Image.Resampling.BICUBIC)).astype(int)
    image = np.clip(image + rng.normal(0, 6, image.shape), 0, 255).astype(np.uint8)
    file = BytesIO()
    Image.fromarray(image).save(file, kind, quality=85)
    return file.getvalue()


def rate(read: Callable[[Path], object], paths: list[Path]) -> float:
    """Return the pictures per second of processor time."""
    start = time.process_time()
    for path in paths:
        read(path)
    return len(paths) / (time.process_time() - start)


def decode_only(path: Path) -> None:
    with Image.open(path) as image:
        image.convert("RGB")


def main() -> None:
    """Print a table."""
    print("| pictures | Pillow alone | checked | ratio |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for name, (size, kind) in SIZES.items():
            paths = [Path(folder) / f"{kind}{size[0]}-{seed}" for seed in range(NUM_PICTURES)]
            for seed, path in enumerate(paths):
                path.write_bytes(draw_picture(size, kind, seed))
            rates = [(rate(decode_only, paths), rate(read_picture, paths)) for _ in range(3)]
            alone, checked = (statistics.median(values) for values in zip(*rates, strict=True))
            print(f"| {name} | {alone:,.0f}/s | {checked:,.0f}/s | {checked / alone:.2f} |")


if __name__ == "__main__":
    main()
