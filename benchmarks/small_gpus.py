"""Does one command fit small GPUs? `python benchmarks/small_gpus.py`, on a large one

LoRA everywhere at 16 crops with `--memory auto`, in a process that may take 24, 48 or 80 GiB of the GPU's memory and is
told that there is no more.
"""

import tempfile
from pathlib import Path

import torch

from etalage.config import BenchConfig
from etalage.train import benchmark
from etalage.train.activation_checkpointing import ActivationCheckpointing

GIB = 2**30


def run(photos: list[Path], work: Path) -> None:
    _, total = torch.cuda.mem_get_info()
    told, keep = "", ActivationCheckpointing._keep

    def noted(plan: ActivationCheckpointing, count: int) -> None:
        nonlocal told
        keep(plan, count)
        told = f"{count} of {plan.num_layers}"

    ActivationCheckpointing._keep = noted
    print(benchmark.machine())
    print(
        "\n| memory | frozen weights | layers that keep activations | samples/s | peak memory |\n|---|---|---|---|---|"
    )
    for gib, quantization in ((24, "none"), (24, "nf4"), (48, "none"), (80, "none")):
        torch.cuda.set_per_process_memory_fraction(gib * GIB / total)
        torch.cuda.mem_get_info = lambda *_, gib=gib: (gib * GIB - torch.cuda.memory_reserved(), gib * GIB)
        way = benchmark.Way("LoRA everywhere", {"quantization": quantization})
        try:
            line = benchmark.measure(BenchConfig(steps=1), way, 16, photos, work)
        except ValueError as error:
            print(f"| {gib} GiB | {quantization} | {error} | | |", flush=True)
            continue
        speed, peak = line.samples_per_second, line.peak_memory_gib
        print(f"| {gib} GiB | {quantization} | {told} | {speed:.2f} | {peak:.1f} GiB |", flush=True)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        run(benchmark.photos(Path(folder)), Path(folder))
