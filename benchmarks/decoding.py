"""What does checking cost beside decoding? `python benchmarks/decoding.py`

One core, one process: Pillow's open, load and convert to RGB of photos in memory, and `read_picture` of the same ones
from disk (bytes and pixels hashed, upright, on white, perceptual hash), in turn, three times.
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


def picture(size: tuple[int, int], kind: str, seed: int) -> bytes:
    rng = np.random.default_rng(seed)
    channels = 4 if kind == "PNG" else 3
    coarse = Image.fromarray(rng.integers(0, 256, (24, 18, channels), dtype=np.uint8))
    image = np.asarray(coarse.resize(size, Image.Resampling.BICUBIC)).astype(int)
    image = np.clip(image + rng.normal(0, 6, image.shape), 0, 255).astype(np.uint8)
    file = BytesIO()
    Image.fromarray(image).save(file, kind, quality=85)
    return file.getvalue()


def rate(work: Callable[[Path], object], paths: list[Path]) -> float:
    began = time.process_time()
    for path in paths:
        work(path)
    return len(paths) / (time.process_time() - began)


def plain(path: Path) -> None:
    with Image.open(path) as image:
        image.convert("RGB")


def run() -> None:
    print("| pictures | Pillow alone | checked | ratio |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for name, (size, kind) in SIZES.items():
            paths = [Path(folder) / f"{kind}{size[0]}-{seed}" for seed in range(NUM_PICTURES)]
            for seed, path in enumerate(paths):
                path.write_bytes(picture(size, kind, seed))
            both = [(rate(plain, paths), rate(read_picture, paths)) for _ in range(3)]
            alone, checked = (statistics.median(side) for side in zip(*both, strict=True))
            print(f"| {name} | {alone:,.0f}/s | {checked:,.0f}/s | {checked / alone:.2f} |")


if __name__ == "__main__":
    run()
