"""Shared by the tests of training."""

import pytest
import torch


@pytest.fixture
def eight_bit_products(monkeypatch):
    """The kernel's arithmetic spelled out, which a CPU lacks: the rounding is what is tested."""

    def scaled(left, right, left_scales, right_scales, bias=None, out_dtype=None, use_fast_accum=False):
        product = (left.float() @ right.float()) * left_scales * right_scales
        return (product if bias is None else product + bias).to(out_dtype)

    monkeypatch.setattr(torch, "_scaled_mm", scaled)
