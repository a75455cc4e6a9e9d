"""Does one command fit small GPUs? `python benchmarks/small_gpus.py`, on a large one.

LoRA everywhere at 16 crops with `--activation-checkpointing auto`, in a process that may allocate 24, 48 or 80 GiB of
the GPU's memory and is told that there is no more.
"""

import tempfile
from pathlib import Path

import torch

from etalage.config import BenchConfig
from etalage.errors import EtalageError
from etalage.train import benchmark
from etalage.train.activation_checkpointing import CheckpointedLayers
from etalage.train.benchmark_inputs import draw_photos

GIB = 2**30


def main(folder: Path) -> None:
    """Print a table.

    Args:
        folder: For photos and what the training loop writes.
    """
    photos, layers_that_keep = draw_photos(folder), ""
    _, total = torch.cuda.mem_get_info()
    keep = CheckpointedLayers._keep

    def keep_and_note(layers: CheckpointedLayers, num_kept: int) -> None:
        nonlocal layers_that_keep
        keep(layers, num_kept)
        layers_that_keep = f"{num_kept} of {layers.num_layers}"

    CheckpointedLayers._keep = keep_and_note  # the last call says what was chosen
    print(benchmark.describe_machine())
    print("\n| memory | frozen weights | layers that keep activations | samples/s | peak memory |")
    print("|---|---|---|---|---|")
    for gib, quantization in ((24, "none"), (24, "nf4"), (48, "none"), (80, "none")):
        torch.cuda.set_per_process_memory_fraction(gib * GIB / total)
        torch.cuda.mem_get_info = lambda *_, gib=gib: (gib * GIB - torch.cuda.memory_reserved(), gib * GIB)
        variant = benchmark.Variant("LoRA everywhere", {"quantization": quantization})
        try:
            measured = benchmark.measure(BenchConfig(steps=1), variant, 16, photos, folder)
        except EtalageError as error:
            print(f"| {gib} GiB | {quantization} | {error} | | |", flush=True)
            continue
        speed, peak = measured.samples_per_second, measured.peak_memory_gib
        print(f"| {gib} GiB | {quantization} | {layers_that_keep} | {speed:.2f} | {peak:.1f} GiB |", flush=True)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        main(Path(folder))
