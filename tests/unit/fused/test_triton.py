"""Each Triton kernel computes what the operation of the same name in reference.py does; interpreted without a GPU."""

import pytest
import torch

pytest.importorskip("triton")

from etalage.fused import reference
from etalage.fused import triton as kernels
from etalage.fused.reference import OperandFormat
from etalage.fused.triton import operand

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
DENSE = OperandFormat()
NUM_TOKENS, NUM_EXTRA_COLUMNS = 7, 16
FORMATS = [
    DENSE,
    OperandFormat(num_extra_columns=NUM_EXTRA_COLUMNS),
    OperandFormat(fp8=True),
    OperandFormat(dense=False, fp8=True),
]
all_formats = pytest.mark.parametrize("fmt", FORMATS, ids=["dense", "extra columns", "dense and fp8", "fp8"])


@pytest.fixture(autouse=True)
def _float16_for_fp8(monkeypatch):
    """The interpreter has no FP8, so there rows are rounded to float16, with the same scales."""
    if DEVICE == "cpu":
        for module in (reference, operand):
            monkeypatch.setattr(module, "FP8_DTYPE", torch.float16)


@pytest.fixture
def random():
    torch.manual_seed(0)
    return lambda *shape: torch.randn(*shape, device=DEVICE)


def assert_near(found, expected):
    assert found.shape == expected.shape
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def assert_operand(found, expected, fmt):
    """Compare an operand with the dense tensor that it should hold."""
    width = expected.shape[1]
    if fmt.dense:
        assert found.dense.shape[1] == width + fmt.num_extra_columns
        assert_near(found.dense[:, :width], expected)
    else:
        assert found.dense is None
    if fmt.fp8:
        quantized, scales = reference.quantize_fp8(expected)
        assert_near(found.scales, scales)
        assert found.fp8.dtype == quantized.dtype
        assert (found.fp8.float() != quantized.float()).float().mean() < 0.01, "at most the last bit between two"
        assert ((found.fp8.float() - quantized.float()).abs() <= 0.13 * quantized.float().abs() + 0.01).all()
    else:
        assert found.fp8 is found.scales is None


@all_formats
@pytest.mark.parametrize("has_delta", [False, True])
@pytest.mark.parametrize("has_bias", [False, True])
@pytest.mark.parametrize("width", [96, 3072])
def test_norm(random, has_delta, has_bias, width, fmt):
    x, weight, delta = 3 + random(NUM_TOKENS, width), random(width), random(NUM_TOKENS, width) if has_delta else None
    bias = random(width) if has_bias else None
    total, normed, rstd = reference.norm(x, delta, weight, bias, 1e-5, DENSE)
    found_total, found_normed, found_rstd = kernels.norm(x, delta, weight, bias, 1e-5, fmt)
    assert_near(found_total, total)
    assert_operand(found_normed, normed.dense, fmt)
    assert_near(found_rstd, rstd)
    if has_bias:
        assert_near(normed.dense, torch.nn.functional.layer_norm(total, (width,), weight, bias, 1e-5))


@all_formats
@pytest.mark.parametrize("has_bias", [False, True])
@pytest.mark.parametrize("width", [96, 3072])
def test_norm_backward_is_its_gradient(random, has_bias, width, fmt):
    x, weight, grad, dense = 3 + random(NUM_TOKENS, width), random(width), *random(2, NUM_TOKENS, width)
    grad_residual = torch.cat([dense, random(NUM_TOKENS, 3)], 1)[:, :width]  # Not contiguous.
    bias = random(width) if has_bias else None
    x.requires_grad_()
    total, normed, rstd = reference.norm(x, None, weight, bias, 1e-5, DENSE)
    (expected,) = torch.autograd.grad([normed.dense, total], x, [grad, grad_residual])
    for ops in (reference, kernels):
        found, again = ops.norm_backward(grad, x.detach(), weight, bias, rstd.detach(), grad_residual, fmt)
        assert_operand(found, expected, fmt)
        assert_near(again, normed.dense.detach())


@all_formats
@pytest.mark.parametrize("width", [48, 4096])
def test_quick_gelu_and_its_gradient(random, width, fmt):
    x, grad = (3 * random(NUM_TOKENS, width)).requires_grad_(), random(NUM_TOKENS, width)
    expected = reference.quick_gelu(x, DENSE).dense
    (expected_grad,) = torch.autograd.grad(expected, x, grad)
    assert_operand(kernels.quick_gelu(x.detach(), fmt), expected.detach(), fmt)
    for ops in (reference, kernels):
        found, again = ops.quick_gelu_backward(grad, x.detach(), fmt)
        assert_operand(found, expected_grad, fmt)
        assert_near(again, expected.detach())


@all_formats
@pytest.mark.parametrize("width", [48, 2048, 3000])
def test_swiglu_and_its_gradient(random, width, fmt):
    gate_up, grad = random(NUM_TOKENS, 2 * width).requires_grad_(), random(NUM_TOKENS, width)
    expected = reference.swiglu(gate_up, DENSE).dense
    (expected_grad,) = torch.autograd.grad(expected, gate_up, grad)
    assert_operand(kernels.swiglu(gate_up.detach(), fmt), expected.detach(), fmt)
    for ops in (reference, kernels):
        found, again = ops.swiglu_backward(grad, gate_up.detach(), fmt)
        assert_operand(found, expected_grad, fmt)
        assert_near(again, expected.detach())


@all_formats
@pytest.mark.parametrize(("num_heads", "head_dim"), [(3, 24), (32, 96), (1, 64)])
def test_rotary_in_place_and_its_gradient(random, num_heads, head_dim, fmt):
    states, (cos, sin) = random(NUM_TOKENS, 3 * num_heads, head_dim), random(2, NUM_TOKENS, head_dim)
    expected = states.clone()
    reference.apply_rotary(expected[:, : 2 * num_heads], cos, sin)
    query, key, value = (part.clone().requires_grad_() for part in states.split(num_heads, 1))
    half = head_dim // 2
    swapped = [torch.cat([-part[..., half:], part[..., :half]], -1) for part in (query, key)]
    rotated = [part * cos[:, None] + other * sin[:, None] for part, other in zip((query, key), swapped, strict=True)]
    assert_near(torch.cat([*rotated, value], 1).detach(), expected)
    kernels.apply_rotary(states[:, : 2 * num_heads], cos, sin)
    assert_near(states, expected)
    grads = [random(num_heads, NUM_TOKENS, head_dim).transpose(0, 1) for _ in range(3)]
    expected = torch.autograd.grad([*rotated, value], [query, key, value], grads)
    for ops in (reference, kernels):
        found = ops.apply_rotary_backward(*grads, cos, sin, fmt)
        assert_operand(found, torch.cat(expected, 1).flatten(1), fmt)


@all_formats
@pytest.mark.parametrize("width", [96, 3072])
def test_tensors_become_operands(random, width, fmt):
    x, other = random(NUM_TOKENS, width), random(width // 2, NUM_TOKENS).t()
    for parts in ((x,), (x, other, x)):
        for ops in (reference, kernels):
            assert_operand(ops.to_operand(*parts, fmt=fmt), torch.cat(parts, 1), fmt)
            assert ops.to_operand(x, fmt=DENSE).dense is x


def test_quantization(random):
    scales = torch.logspace(-3, 2, NUM_TOKENS, device=DEVICE)[:, None]
    rows = (random(NUM_TOKENS, 3072 + NUM_EXTRA_COLUMNS) * scales)[:, :3072]  # Not contiguous.
    (found, found_scales), (expected, expected_scales) = kernels.quantize_fp8(rows), reference.quantize_fp8(rows)
    assert_near(found_scales, expected_scales)
    assert (found.float() != expected.float()).float().mean() < 1e-3, "at most the last bit of what lies between two"


def test_both_modules_have_the_same_operations():
    assert set(kernels.__all__) == {name for name in reference.__all__ if name[0].islower()}
