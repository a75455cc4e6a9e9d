import re

import pytest
import torch

from etalage.data.dataset import Examples
from etalage.data.packing import collate
from etalage.fused.feature_cache import cache_features
from etalage.train import throughput
from etalage.train.flops import step_flops
from etalage.train.objectives import sft_loss
from etalage.train.throughput import ThroughputMeter, dense_bf16_peak, matmul_flops_per_second, summary
from etalage.train.trainable import make_trainable

CPU = torch.device("cpu")


def test_cached_features_are_not_counted(small, config, task, products, open_image, monkeypatch):
    model, processor = small
    trained = make_trainable(model, config(freeze=("tower",)))
    cache_features(trained)
    encoded = [Examples(products, task, processor, open_image)[0]]
    row = collate(encoded)
    monkeypatch.setattr(throughput, "matmul_flops_per_second", lambda _: 1e9)
    clock = iter((0.0, 10.0, 12.0, 20.0, 22.0, 30.0))
    monkeypatch.setattr(throughput.time, "perf_counter", lambda: next(clock))
    meter = ThroughputMeter(trained, processor.image_processor, full=True)
    num_crops = len(row.inputs(processor.image_processor, model.device)["pixel_values"])
    meter.begin()
    for num_encoded in (num_crops, 0):
        sft_loss(trained, row.inputs(processor.image_processor, model.device), row.labels)
        figures = meter.figures(encoded)
        counted = step_flops(
            *(model.config, [len(encoded[0].input_ids)], num_crops, num_encoded, encoded[0].num_supervised),
            trained={"projector", "decoder"},
            full=True,
        )
        assert figures["samples_per_second"] == 1 / 2.0
        assert figures["tokens_per_second"] == len(encoded[0].input_ids) / 2.0
        assert figures["matmul_efficiency"] == pytest.approx(counted / 2.0 / 1e9)
        assert figures["peak_memory_gib"] > 0
        assert "mfu" not in figures, "a CPU's peak is not known"


def test_mfu_is_the_share_of_the_device_s_peak(small, config, task, products, open_image, monkeypatch):
    model, processor = small
    monkeypatch.setattr(throughput, "matmul_flops_per_second", lambda _: 4e9)
    monkeypatch.setattr(throughput, "dense_bf16_peak", lambda _: 8e9)
    meter = ThroughputMeter(make_trainable(model, config()), processor.image_processor, full=True)
    figures = meter.figures([Examples(products, task, processor, open_image)[0]])
    assert figures["mfu"] == pytest.approx(figures["matmul_efficiency"] / 2)
    assert list(figures) == [
        *("samples_per_second", "tokens_per_second", "matmul_efficiency", "mfu", "peak_memory_gib")
    ]


@pytest.mark.parametrize(
    ("name", "tflops"),
    [
        ("NVIDIA H200", 989.4),
        ("NVIDIA H100 80GB HBM3", 989.4),
        ("NVIDIA H100 PCIe", 756),
        ("NVIDIA H100 NVL", 835),
        ("NVIDIA A100-SXM4-80GB", 312),
        ("NVIDIA L40S", 362),
        ("NVIDIA L40", 181),
        ("NVIDIA L4", 121),
        ("NVIDIA GB200", 2500),
        ("NVIDIA B200", 2250),
        ("NVIDIA A10G", 125),
        ("NVIDIA GeForce RTX 4090", 165.2),
        ("Tesla T4", None),
    ],
)
def test_the_peak_is_that_of_the_data_sheet(monkeypatch, name, tflops):
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: name)
    peak = dense_bf16_peak(torch.device("cuda"))
    assert peak == (None if tflops is None else pytest.approx(tflops * 1e12))


def test_a_cpu_has_no_known_peak_but_a_measured_speed():
    assert dense_bf16_peak(CPU) is None
    assert 1e8 < matmul_flops_per_second(CPU) < 1e14


def lines(*speeds: float, **more: float) -> list[dict[str, float]]:
    return [
        {
            "step": step,
            "samples_per_second": speed,
            "tokens_per_second": 1000 * speed,
            "matmul_efficiency": speed / 100,
            "peak_memory_gib": 10 + step,
            **more,
        }
        for step, speed in enumerate(speeds, 1)
    ]


def test_the_summary_has_medians_and_the_largest_peak():
    text = summary(lines(2.0, 50.0, 3.0))
    assert text == "3 steps: 3.0 products/s, 3,000 tokens/s, matmul efficiency 3%, peak memory 13.0 GiB"


def test_the_summary_has_mfu_only_where_every_step_does():
    assert "matmul efficiency 2%, MFU 40%, peak" in summary(lines(2.0, mfu=0.4))
    assert "MFU" not in summary([*lines(2.0, mfu=0.4), *lines(2.0)])
    assert re.match("2 steps: ", summary(lines(2.0, 2.0)))
