"""What does the GPU do while the full size is fine-tuned? `python benchmarks/where_time_goes.py`, on a GPU.

One step of four rows, profiled, for some lines of `etalage bench`. Matmuls of adapters are recognised by their smallest
side: it is the rank, or three times the rank where three adapters read the same input.
"""

import tempfile
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from torch.autograd import DeviceType
from torch.autograd.profiler_util import FunctionEvent
from torch.profiler import ProfilerActivity, profile

from etalage.config import BenchConfig, TrainConfig
from etalage.train import benchmark
from etalage.train.benchmark_inputs import draw_photos
from etalage.train.tracking import Figures

ADAPTERS = "matmuls with adapters' A and B alone"
FROZEN = "matmuls with frozen weights"
KINDS = {
    "attention": ("sdpa", "flash", "fmha", "cudnn::fusion"),
    FROZEN: ("nvjet", "gemm", "cutlass", "cublas", "splitk"),
    "optimizer, norm of the gradient": ("multi_tensor", "adam"),
    "copies between machine and GPU": ("memcpy", "memset"),
}
"""Parts of kernels' names."""
OTHER = "element-wise work between the matmuls"
MAX_ADAPTER_SIDE = 3 * TrainConfig(Path(), Path()).lora_rank
VARIANTS = ("LoRA everywhere", "tower frozen, first epoch", "tower frozen, FP8, first epoch")


class ProfiledSteps(benchmark.StepRecorder):
    """A recorder that profiles the last of two timed steps."""

    def __init__(self) -> None:
        super().__init__(benchmark.NUM_WARMUP_STEPS + 2)
        self.profiler = profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA], record_shapes=True)

    def log(self, figures: Figures, step: int | None = None) -> None:
        """Start the profiler before the last step, and stop it after."""
        if len(self.steps) == benchmark.NUM_WARMUP_STEPS:
            self.profiler.start()
        elif len(self.steps) > benchmark.NUM_WARMUP_STEPS:
            self.profiler.stop()
        super().log(figures, step)


def microseconds_by_kind(events: Iterable[FunctionEvent]) -> dict[str, float]:
    """Return the time of kernels by kind, and the time between the first and the last one in which none ran."""
    spent: dict[str, float] = defaultdict(float)
    intervals = []
    for event in events:
        if event.device_type == DeviceType.CPU:
            is_matmul = event.name in ("aten::mm", "aten::addmm", "aten::addmm_")
            if is_matmul and _smallest_side(event) <= MAX_ADAPTER_SIDE:
                of_adapters = sum(kernel.duration for kernel in event.kernels)
                spent[ADAPTERS] += of_adapters
                spent[FROZEN] -= of_adapters
        elif not event.is_user_annotation:
            name = event.name.lower()
            kind = next((kind for kind, parts in KINDS.items() if any(part in name for part in parts)), OTHER)
            spent[kind] += event.time_range.elapsed_us()
            intervals.append((event.time_range.start, event.time_range.end))
    spent["nothing"] = _uncovered(sorted(intervals))
    return spent


def _smallest_side(event: FunctionEvent) -> int:
    return min(side for shape in event.input_shapes if len(shape) == 2 for side in shape)


def _uncovered(intervals: Sequence[tuple[float, float]]) -> float:
    """Return the time that sorted intervals leave between them."""
    gaps, until = 0.0, intervals[0][0]
    for start, end in intervals:
        gaps += max(0.0, start - until)
        until = max(until, end)
    return gaps


def main(folder: Path) -> None:
    """Print a table for each variant and number of crops.

    Args:
        folder: For photos and what the training loop writes.
    """
    photos = draw_photos(folder)
    print(benchmark.describe_machine())
    variants = {variant.name: variant for variant in benchmark.VARIANTS}
    for num_crops in BenchConfig().num_crops:
        for name in VARIANTS:
            recorder = ProfiledSteps()
            benchmark.train_variant(BenchConfig(), variants[name], num_crops, photos, folder, recorder)
            unprofiled = recorder.steps[benchmark.NUM_WARMUP_STEPS]
            spent = microseconds_by_kind(recorder.profiler.events())
            total = sum(spent.values())
            print(
                f"\n{name}, {num_crops} crops: {unprofiled['samples_per_second']:.2f} samples/s without the profiler, "
                f"matmul efficiency {unprofiled['matmul_efficiency']:.1%}\n\n| the GPU's time | a step | share |\n"
                "|---|---|---|"
            )
            for kind, microseconds in sorted(spent.items(), key=lambda item: -item[1]):
                print(f"| {kind} | {microseconds / 1e3:,.0f} ms | {microseconds / total:.1%} |", flush=True)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        main(Path(folder))
