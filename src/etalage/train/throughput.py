"""How fast a step was, which share of the hardware's speed that is, and how much memory was used."""

import resource
import sys
import time
from collections.abc import Mapping, Sequence
from statistics import median

import torch
from torch import Tensor, nn

from etalage.data.encoding import Encoded
from etalage.phi3v import Phi3VImageProcessor
from etalage.phi3v.image_embedding import find_image_embedding
from etalage.train.flops import step_flops
from etalage.train.trainable import part_of
from etalage.wording import count

__all__ = ["ThroughputMeter", "dense_bf16_peak", "matmul_flops_per_second", "summary"]

_DENSE_BF16_TFLOPS = {
    "GB200": 2500,
    "B200": 2250,
    "H200": 989.4,
    "H100 PCIe": 756,
    "H100 NVL": 835,
    "H100": 989.4,
    "A100": 312,
    "A800": 312,
    "L40S": 362,
    "L40": 181,
    "L4": 121,
    "A40": 150,
    "A10": 125,
    "RTX 4090": 165.2,
    "RTX 3090": 71,
}
"""Peaks without sparsity, accumulating in float32, by what a device's name contains; the first match counts.

Source: NVIDIA's data sheets, which print the figure with sparsity, twice as high, for some of them.
"""


class ThroughputMeter:
    """Measure examples, tokens and floating-point operations per second, step by step.

    Args:
        model: Prepared by `make_trainable`, on its device.
        images: Cuts the pictures.
        full: Whether the weights themselves are trained, not adapters.
    """

    def __init__(self, model: nn.Module, images: Phi3VImageProcessor, *, full: bool) -> None:
        self._images, self._config, self._full = images, model.config, full
        self._device = next(model.parameters()).device
        self._trained = {part_of(name) for name, p in model.named_parameters() if p.requires_grad}
        self._matmul_speed = matmul_flops_per_second(self._device)
        self._peak = dense_bf16_peak(self._device)
        tower = find_image_embedding(model).img_processor["vision_model"]
        # Crops whose features are cached do not pass here, so they are not counted.
        tower.pre_layrnorm.register_forward_pre_hook(self._count_crops)
        self.begin()

    def begin(self) -> None:
        """Start timing the next step."""
        self._num_encoded_crops, self._start = 0, time.perf_counter()

    def _count_crops(self, _: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        self._num_encoded_crops += len(inputs[0])

    def figures(self, encoded: Sequence[Encoded]) -> dict[str, float]:
        """Return the figures of the step that ends here, and start timing the next one.

        Args:
            encoded: The examples of the step.

        Returns:
            samples_per_second and tokens_per_second; matmul_efficiency: the operations that the step needed
            (`step_flops`), as a share of what large matmuls reach on this device; mfu: the same as a share of the
            device's dense bfloat16 peak, absent where that is not known; peak_memory_gib: the largest allocation so far
            on a GPU, else the largest resident set.
        """
        # The caller has read the loss, so the device is done with the step.
        seconds = time.perf_counter() - self._start
        lengths = [len(e.input_ids) for e in encoded]
        num_crops = sum(self._images.num_used_crops(p) for e in encoded for p in e.pictures)
        num_supervised = sum(e.num_supervised for e in encoded)
        flops = step_flops(
            *(self._config, lengths, num_crops, self._num_encoded_crops, num_supervised),
            trained=self._trained,
            full=self._full,
        )
        figures = {
            "samples_per_second": len(encoded) / seconds,
            "tokens_per_second": sum(lengths) / seconds,
            "matmul_efficiency": flops / seconds / self._matmul_speed,
        }
        if self._peak is not None:
            figures["mfu"] = flops / seconds / self._peak
        figures["peak_memory_gib"] = _peak_memory_gib(self._device)
        self.begin()
        return figures


def matmul_flops_per_second(device: torch.device) -> float:
    """Measure the speed of a large matmul: in bfloat16 on a GPU, in float32 on a CPU.

    Args:
        device: Where to measure; what else runs there slows the measurement.

    Returns:
        Floating-point operations per second.
    """
    is_gpu = device.type == "cuda"
    size, repeats, dtype = (8192, 20, torch.bfloat16) if is_gpu else (1024, 3, torch.float32)
    a, b = torch.randn(2, size, size, dtype=dtype, device=device)
    for _ in range(repeats // 3):  # clocks rise and libraries choose their kernels
        a @ b
    if is_gpu:
        torch.cuda.synchronize()  # kernels run asynchronously
    start = time.perf_counter()
    for _ in range(repeats):
        a @ b
    if is_gpu:
        torch.cuda.synchronize()
    return 2 * size**3 * repeats / (time.perf_counter() - start)


def dense_bf16_peak(device: torch.device) -> float | None:
    """Return the device's dense bfloat16 peak from its data sheet, the usual divisor of MFU.

    Args:
        device: A GPU, or the CPU, which has no such figure.

    Returns:
        Floating-point operations per second; None if the device is not in the table.
    """
    if device.type != "cuda":
        return None
    name = torch.cuda.get_device_name(device)
    return next((tflops * 1e12 for part, tflops in _DENSE_BF16_TFLOPS.items() if part in name), None)


def summary(steps: Sequence[Mapping[str, float]]) -> str:
    """Return a line that says how fast a training was: the medians of its steps, and the most memory that it used.

    Args:
        steps: The lines of the training log, at least one.
    """
    medians = {name: median(step[name] for step in steps) for name in steps[0] if all(name in step for step in steps)}
    rates = f"{medians['samples_per_second']:.1f} products/s, {medians['tokens_per_second']:,.0f} tokens/s"
    efficiency = f"matmul efficiency {medians['matmul_efficiency']:.0%}"
    mfu = f", MFU {medians['mfu']:.0%}" if "mfu" in medians else ""
    peak = max(step["peak_memory_gib"] for step in steps)
    return f"{count(len(steps), 'step')}: {rates}, {efficiency}{mfu}, peak memory {peak:.1f} GiB"


def _peak_memory_gib(device: torch.device) -> float:
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**30
    # getrusage counts bytes on macOS and kibibytes elsewhere.
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**30
