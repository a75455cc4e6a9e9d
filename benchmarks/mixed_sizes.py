"""What do photos of many sizes cost? `python benchmarks/mixed_sizes.py`, with etalage[flash] for the second column

The tower frozen, 16 crops, first epoch, as a line of `etalage bench`: photos of one size, then of eight, whose products
are of five lengths.
"""

import tempfile
from pathlib import Path

import torch

from etalage.config import BenchConfig
from etalage.phi3v import attention_kernels
from etalage.train import benchmark

SIZES = ((1500, 2100), (2100, 1500), (1800, 1800), (1000, 2000), (1200, 1800), (2400, 1350), (900, 1200), (1600, 2000))


def run(work: Path) -> None:
    print(benchmark.machine())
    flash = attention_kernels.flash_attention
    kernels = {"cuDNN": lambda device: None} | ({"FlashAttention 4": flash} if flash(torch.device("cuda")) else {})
    way = next(way for way in benchmark.WAYS if way.name == "tower frozen, first epoch")
    print(f"\n| tokens/s (MFU) | {' | '.join(kernels)} |\n|---|{'---|' * len(kernels)}")
    for name, sizes in (("1500 x 2100", SIZES[:1]), (f"{len(SIZES)} sizes", SIZES)):
        some, cells = benchmark.photos(work, sizes), []
        for chosen in kernels.values():
            attention_kernels.flash_attention = chosen
            line = benchmark.measure(BenchConfig(steps=4), way, 16, some, work)
            cells.append(f"{line.tokens_per_second:,.0f} ({line.mfu:.1%})")
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        run(Path(folder))
