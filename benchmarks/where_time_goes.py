"""What does the GPU do while the full size is fine-tuned? `python benchmarks/where_time_goes.py`

One step of four rows, profiled, for some lines of `etalage bench`. Products are told apart by their smallest side:
an adapter's is its rank, or three times that where three adapters read the same.
"""

import tempfile
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from torch.autograd import DeviceType
from torch.profiler import ProfilerActivity, profile

from etalage.config import BenchConfig, TrainConfig
from etalage.train import benchmark

ADAPTERS = "products with adapters' A and B alone"
PRODUCTS = "products of frozen weights"
KINDS = {
    "attention": ("sdpa", "flash", "fmha", "cudnn::fusion"),
    PRODUCTS: ("nvjet", "gemm", "cutlass", "cublas", "splitk"),
    "optimiser, norm of the gradient": ("multi_tensor", "adam"),
    "copies between machine and GPU": ("memcpy", "memset"),
}
BETWEEN = "what is between the products"
LARGEST_RANK = 3 * TrainConfig(Path(), Path()).lora_rank
WAYS = ("LoRA everywhere", "tower frozen, first epoch", "tower frozen, FP8, first epoch")


class Profiled(benchmark.Steps):
    """The last step under the profiler."""

    def __init__(self) -> None:
        super().__init__(benchmark.WARM_UP + 2)
        self.profiler = profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA], record_shapes=True)

    def log(self, figures: Any, step: int | None = None) -> None:
        if len(self.seen) == benchmark.WARM_UP:
            self.profiler.start()
        elif len(self.seen) > benchmark.WARM_UP:
            self.profiler.stop()
        super().log(figures, step)


def microseconds_by_kind(events: Iterable[Any]) -> dict[str, float]:
    """Of kernels, and of what is left between the first one's start and the last one's end."""
    spent: dict[str, float] = defaultdict(float)
    intervals = []
    for event in events:
        if event.device_type == DeviceType.CPU:
            if event.name in ("aten::mm", "aten::addmm", "aten::addmm_") and _smallest_side(event) <= LARGEST_RANK:
                small = sum(kernel.duration for kernel in event.kernels)
                spent[ADAPTERS] += small
                spent[PRODUCTS] -= small
        elif not event.is_user_annotation:
            names = event.name.lower()
            kind = next((kind for kind, parts in KINDS.items() if any(part in names for part in parts)), BETWEEN)
            spent[kind] += event.time_range.elapsed_us()
            intervals.append((event.time_range.start, event.time_range.end))
    spent["nothing"] = _uncovered(sorted(intervals))
    return spent


def _smallest_side(event: Any) -> int:
    return min(side for shape in event.input_shapes if len(shape) == 2 for side in shape)


def _uncovered(intervals: Sequence[tuple[float, float]]) -> float:
    gaps, until = 0.0, intervals[0][0]
    for start, end in intervals:
        gaps += max(0.0, start - until)
        until = max(until, end)
    return gaps


def run(photos: list[Path], work: Path) -> None:
    print(benchmark.machine())
    ways = {way.name: way for way in benchmark.WAYS}
    for num_crops in BenchConfig().num_crops:
        for name in WAYS:
            steps = Profiled()
            benchmark.train(BenchConfig(), ways[name], num_crops, photos, work, steps)
            before = steps.seen[benchmark.WARM_UP]  # not profiled
            spent = microseconds_by_kind(steps.profiler.events())
            total = sum(spent.values())
            speed = f"{before['samples_per_second']:.2f} samples/s without the profiler, MFU {before['mfu']:.1%}"
            print(f"\n{name}, {num_crops} crops: {speed}\n\n| the GPU's time | a step | share |\n|---|---|---|")
            for kind, time in sorted(spent.items(), key=lambda item: -item[1]):
                print(f"| {kind} | {time / 1e3:,.0f} ms | {time / total:.1%} |", flush=True)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        run(benchmark.photos(Path(folder)), Path(folder))
