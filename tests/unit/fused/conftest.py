"""Shared by the tests of fused layers."""

import pytest
import torch


@pytest.fixture
def fp8_on_cpu(monkeypatch):
    """Spell out the FP8 matmul, which a CPU lacks, from the same rounded operands."""

    def scaled_mm(left, right, left_scales, left_recipe, right_scales, right_recipe, **options):
        assert left_recipe == right_recipe == torch.nn.functional.ScalingType.RowWise
        assert left_scales.shape == (len(left), 1)
        assert right_scales.shape == (1, right.shape[1])
        product = (left.float() @ right.float()) * left_scales * right_scales
        return (product if options["bias"] is None else product + options["bias"]).to(options["output_dtype"])

    monkeypatch.setattr(torch.nn.functional, "scaled_mm", scaled_mm)
