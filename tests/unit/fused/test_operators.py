"""The operator of a linear layer with an adapter, against its formula."""

import pytest
import torch
from torch import nn

from etalage.fused.operators import FP8Scales, fp8_matmul, lora_linear
from etalage.fused.reference import quantize_fp8


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


@pytest.mark.parametrize("has_bias", [False, True])
@pytest.mark.parametrize("has_adapter", [False, True])
def test_output_and_gradients(has_bias, has_adapter):
    x, weight = torch.randn(2, 5, 12).requires_grad_(), torch.randn(7, 12)
    bias = torch.randn(7) if has_bias else None
    a, b = torch.randn(3, 12).requires_grad_(), torch.randn(7, 3).requires_grad_()
    adapter, inputs = ((a, b), (x, a, b)) if has_adapter else ((), (x,))
    expected = nn.functional.linear(x, weight, bias)
    if has_adapter:
        expected = expected + x @ a.t() @ b.t()
    found = lora_linear(x, weight, bias, None, *adapter)
    torch.testing.assert_close(found, expected)
    grad = torch.randn_like(expected)
    for one, other in zip(*(torch.autograd.grad(y, inputs, grad) for y in (found, expected)), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)


def test_inputs_and_adapters_are_cast_to_the_weights_type():
    y = lora_linear(
        torch.randn(5, 12), torch.randn(7, 12).bfloat16(), None, None, torch.randn(3, 12), torch.randn(7, 3)
    )
    assert y.dtype == torch.bfloat16


def test_a_frozen_weight_gets_no_gradient():
    x, weight = torch.randn(5, 12).requires_grad_(), torch.randn(7, 12).requires_grad_()
    lora_linear(x, weight).sum().backward()
    assert weight.grad is None
    assert x.grad is not None


def test_fp8_matmul_is_the_product_of_its_rounded_operands(fp8_on_cpu):
    x, weight, bias = torch.randn(5, 16), torch.randn(8, 16), torch.randn(8).bfloat16()
    (x_fp8, x_scales), (weight_fp8, weight_scales) = quantize_fp8(x), quantize_fp8(weight)
    expected = (x_fp8.float() * x_scales) @ (weight_fp8.float() * weight_scales).t() + bias
    found = fp8_matmul(x_fp8, x_scales, weight_fp8, weight_scales.t().contiguous(), bias)
    torch.testing.assert_close(found.float(), expected, rtol=0.01, atol=0.05)


def test_an_fp8_weight_is_multiplied_in_bfloat16_and_its_adapter_too(fp8_on_cpu):
    x, weight = torch.randn(5, 16).requires_grad_(), torch.randn(8, 16)
    a, b = torch.randn(3, 16), torch.randn(8, 3)
    (weight_fp8, rows), (transposed, columns) = quantize_fp8(weight), quantize_fp8(weight.t())
    scales = FP8Scales(rows.t().contiguous(), transposed, columns.t().contiguous())
    y = lora_linear(x, weight_fp8, None, scales, a, b)
    assert y.dtype == torch.bfloat16
    expected = x @ (weight + b @ a).t()
    assert (y - expected).norm() < 0.05 * expected.norm()
    (found,) = torch.autograd.grad(y, x, torch.ones_like(y))
    (wanted,) = torch.autograd.grad(expected, x, torch.ones_like(expected))
    assert (found - wanted).norm() < 0.1 * wanted.norm()
