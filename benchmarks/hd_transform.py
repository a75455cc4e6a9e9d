"""How fast is the HD transform on one core? `python benchmarks/hd_transform.py`.

A product photo of 1500 x 2100, in memory and decoded. Compared are the published steps, one after the other
(transpose, resize, pad, transpose back, to float, normalise, bicubic overview, cut, fill up to num_crops + 1 slots);
ours for serving; and ours for training, which returns bytes, to be cut and normalised on the device. The numbers are
checked to be equal first.
"""

import platform
import time
from collections.abc import Callable

import numpy as np
import torch
from PIL import Image
from torch.nn import functional

from etalage.phi3v import Phi3VImageProcessor

WIDTH, HEIGHT = 1500, 2100


def reference(image: Image.Image, processor: Phi3VImageProcessor) -> torch.Tensor:
    """Return (num_crops + 1, 3, 336, 336) float32, by the published steps, one after the other."""
    side = processor.crop_size
    transposed = image.transpose(Image.Transpose.TRANSPOSE)
    ratio = transposed.width / transposed.height
    scale = 1
    while (scale + 1) * np.ceil((scale + 1) / ratio) <= processor.num_crops:
        scale += 1
    resized = transposed.resize((side * scale, int(side * scale / ratio)), Image.Resampling.BILINEAR)
    target = int(np.ceil(resized.height / side) * side)
    top = (target - resized.height) // 2
    padded = Image.new("RGB", (resized.width, target), (255, 255, 255))
    padded.paste(resized, (0, top))
    pixels = torch.from_numpy(np.array(padded.transpose(Image.Transpose.TRANSPOSE))).permute(2, 0, 1).float().div(255)
    mean, std = (torch.tensor(of).view(3, 1, 1) for of in (processor.image_mean, processor.image_std))
    pixels = (pixels - mean) / std
    overview = functional.interpolate(pixels[None], size=(side, side), mode="bicubic")
    rows, columns = pixels.shape[1] // side, pixels.shape[2] // side
    tiles = pixels.reshape(1, 3, rows, side, columns, side).permute(0, 2, 4, 1, 3, 5).reshape(-1, 3, side, side)
    crops = torch.cat([overview, tiles])
    return torch.cat([crops, torch.zeros(processor.num_crops + 1 - len(crops), 3, side, side)])


def measure_ms(run: Callable[[], object]) -> float:
    """Return the least processor time of eleven runs, in milliseconds."""
    times = []
    for _ in range(11):
        start = time.process_time()
        run()
        times.append(1000 * (time.process_time() - start))
    return min(times)


def main() -> None:
    """Print a table."""
    torch.set_num_threads(1)
    noise = np.random.default_rng(0).integers(0, 256, (HEIGHT // 10, WIDTH // 10, 3), dtype=np.uint8)
    photo = Image.fromarray(noise).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)
    print(f"{platform.machine()}, Python {platform.python_version()}, torch {torch.__version__}")
    print("\n| crops | the reference's steps | serving | training | times as fast |\n|---|---|---|---|---|")
    for num_crops in (16, 4):
        processor = Phi3VImageProcessor(num_crops=num_crops)
        assert torch.equal(processor.crops(photo)[0], reference(photo, processor))
        times = [
            measure_ms(lambda p=processor: reference(photo, p)),
            measure_ms(lambda p=processor: p.crops(photo)),
            measure_ms(lambda p=processor: p.hd_transform(photo)),
        ]
        print(f"| {num_crops} | " + " | ".join(f"{t:.1f} ms" for t in times) + f" | {times[0] / times[2]:.1f} |")


if __name__ == "__main__":
    main()
