"""Elementwise operations in plain torch: gradients are autograd's, and operands have the format that is asked for."""

import pytest
import torch
from transformers.activations import ACT2FN

from etalage.fused import reference
from etalage.fused.reference import FP8_DTYPE, OperandFormat

DENSE = OperandFormat()
NUM_TOKENS, WIDTH = 7, 48


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def test_an_operand_without_extra_columns_is_the_tensor_itself():
    x = torch.randn(NUM_TOKENS, WIDTH)
    operand = reference.to_operand(x, fmt=DENSE)
    assert operand.dense is x
    assert operand.fp8 is operand.scales is None


def test_an_operand_of_several_parts_has_them_side_by_side_and_room_after_them():
    first, second = torch.randn(NUM_TOKENS, WIDTH), torch.randn(NUM_TOKENS, 3)
    operand = reference.to_operand(first, second, fmt=OperandFormat(num_extra_columns=5))
    assert operand.dense.shape == (NUM_TOKENS, WIDTH + 3 + 5)
    assert operand.dense[:, : WIDTH + 3].equal(torch.cat([first, second], 1))


def test_an_fp8_operand_may_do_without_the_dense_one():
    x = torch.randn(NUM_TOKENS, WIDTH)
    operand = reference.to_operand(x, fmt=OperandFormat(dense=False, fp8=True))
    assert operand.dense is None
    assert operand.fp8.dtype == FP8_DTYPE
    torch.testing.assert_close(operand.fp8.float() * operand.scales, x, rtol=0.07, atol=1e-3)


def test_each_row_has_its_own_fp8_scale():
    rows = torch.randn(NUM_TOKENS, WIDTH) * torch.logspace(-6, 6, NUM_TOKENS)[:, None]
    quantized, scales = reference.quantize_fp8(rows)
    assert scales.shape == (NUM_TOKENS, 1)
    assert (quantized.float().abs().amax(1) == torch.finfo(FP8_DTYPE).max).all()
    errors = (quantized.float() * scales - rows).norm(dim=1) / rows.norm(dim=1)
    assert (errors < 0.04).all()


def test_a_row_of_zeros_is_quantised_to_zeros():
    quantized, scales = reference.quantize_fp8(torch.zeros(2, WIDTH))
    assert not quantized.float().any()
    assert scales.isfinite().all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_rms_norm_is_transformers(dtype):
    from transformers.models.phi3.modeling_phi3 import Phi3RMSNorm

    x, weight = torch.randn(NUM_TOKENS, WIDTH, dtype=dtype), torch.randn(WIDTH, dtype=dtype)
    norm = Phi3RMSNorm(WIDTH, eps=1e-5)
    norm.weight.data = weight
    total, operand, _ = reference.norm(x, None, weight, None, 1e-5, DENSE)
    assert total is x
    torch.testing.assert_close(operand.dense, norm(x))


@pytest.mark.parametrize("has_bias", [False, True])
def test_norm_backward_is_its_gradient(has_bias):
    x, delta, grad, grad_residual = torch.randn(4, NUM_TOKENS, WIDTH)
    weight, bias = torch.randn(WIDTH), torch.randn(WIDTH) if has_bias else None
    total = (3 + x + delta).requires_grad_()
    _, operand, rstd = reference.norm(total, None, weight, bias, 1e-5, DENSE)
    if has_bias:
        torch.testing.assert_close(
            operand.dense, torch.nn.functional.layer_norm(total, (WIDTH,), weight, bias, 1e-5), rtol=1e-4, atol=1e-5
        )
    (expected,) = torch.autograd.grad([operand.dense, total], total, [grad, grad_residual])
    found, again = reference.norm_backward(grad, total.detach(), weight, bias, rstd.detach(), grad_residual, DENSE)
    torch.testing.assert_close(found.dense, expected, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(again, operand.dense.detach())


def test_norm_adds_to_the_residual_stream_first():
    x, delta = torch.randn(2, NUM_TOKENS, WIDTH)
    total, operand, rstd = reference.norm(x, delta, torch.ones(WIDTH), None, 1e-5, DENSE)
    assert total.equal(x + delta)
    torch.testing.assert_close(operand.dense, total * rstd)


def plain_swiglu(gate_up):
    gate, up = gate_up.chunk(2, -1)
    return ACT2FN["silu"](gate) * up


@pytest.mark.parametrize(
    ("operation", "backward", "plain", "factor"),
    [
        (reference.quick_gelu, reference.quick_gelu_backward, ACT2FN["quick_gelu"], 1),
        (
            reference.swiglu,
            reference.swiglu_backward,
            lambda x: ACT2FN["silu"](x.chunk(2, -1)[0]) * x.chunk(2, -1)[1],
            2,
        ),
    ],
    ids=["quick_gelu", "swiglu"],
)
def test_activations_and_their_gradients(operation, backward, plain, factor):
    x = (3 * torch.randn(NUM_TOKENS, factor * WIDTH)).requires_grad_()
    grad = torch.randn(NUM_TOKENS, WIDTH)
    out = operation(x, DENSE).dense
    torch.testing.assert_close(out, plain(x))
    (expected,) = torch.autograd.grad(out, x, grad)
    found, again = backward(grad, x.detach(), DENSE)
    torch.testing.assert_close(found.dense, expected, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(again, out.detach())


def test_rotary_is_transformers_and_its_gradient_autograds():
    from transformers.models.phi3.modeling_phi3 import apply_rotary_pos_emb

    num_heads, head_dim = 3, 16
    query, key, value = (torch.randn(NUM_TOKENS, num_heads, head_dim).requires_grad_() for _ in range(3))
    cos, sin = torch.randn(2, NUM_TOKENS, head_dim)
    states = torch.cat([query, key], 1).detach().clone()
    reference.apply_rotary(states, cos, sin)
    heads_first = (part.transpose(0, 1)[None] for part in (query, key))
    rotated = [part[0].transpose(0, 1) for part in apply_rotary_pos_emb(*heads_first, cos[None], sin[None])]
    torch.testing.assert_close(states, torch.cat(rotated, 1).detach())
    grads = list(torch.randn(3, NUM_TOKENS, num_heads, head_dim))
    expected = torch.autograd.grad([*rotated, value], [query, key, value], grads)
    found = reference.apply_rotary_backward(*grads, cos, sin, DENSE)
    torch.testing.assert_close(found.dense, torch.cat(expected, 1).flatten(1))
