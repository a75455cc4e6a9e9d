"""Each kernel does what its plain wording says; on a CPU, if they are interpreted. Skipped without Triton."""

import os

import pytest
import torch

pytest.importorskip("triton")
if not torch.cuda.is_available() and not os.environ.get("TRITON_INTERPRET"):
    pytest.skip("needs a GPU, or TRITON_INTERPRET=1 from the start", allow_module_level=True)

from transformers.activations import ACT2FN

from etalage.train import elementwise, kernels

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
NUM_TOKENS, ROOM = 7, 16


@pytest.fixture
def random():
    torch.manual_seed(0)
    return lambda *shape: torch.randn(*shape, device=DEVICE)


def same(found, expected, width=None):
    assert found.shape == expected.shape
    torch.testing.assert_close(found[..., :width], expected[..., :width], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("added", [False, True])
@pytest.mark.parametrize("centred", [False, True])
@pytest.mark.parametrize("width", [96, 3072])
def test_norm(random, added, centred, width):
    x, weight, delta = 3 + random(NUM_TOKENS, width), random(width), random(NUM_TOKENS, width) if added else None
    bias = random(width) if centred else None
    expected = elementwise.norm(x, delta, weight, bias, 1e-5, ROOM)
    for one, other in zip(kernels.norm(x, delta, weight, bias, 1e-5, ROOM), expected, strict=True):
        same(one, other, width)
    if centred:
        total = x if delta is None else x + delta
        same(expected[1][:, :width], torch.nn.functional.layer_norm(total, (width,), weight, bias, 1e-5))


@pytest.mark.parametrize("centred", [False, True])
@pytest.mark.parametrize("width", [96, 3072])
def test_norm_backward_is_its_gradient(random, centred, width):
    x, weight, grad, wide = 3 + random(NUM_TOKENS, width), random(width), *random(2, NUM_TOKENS, width)
    beside = torch.cat([wide, random(NUM_TOKENS, 3)], 1)[:, :width]
    bias = random(width) if centred else None
    x.requires_grad_()
    total, normed, scale = elementwise.norm(x, None, weight, bias, 1e-5, 0)
    (expected,) = torch.autograd.grad([normed, total], x, [grad, beside])
    for does in (elementwise, kernels):
        found, again = does.norm_backward(grad, x.detach(), weight, bias, scale.detach(), beside, ROOM)
        assert found.shape[1] == width + ROOM
        same(found[:, :width], expected)
        same(again, normed.detach())


@pytest.mark.parametrize("width", [48, 4096])
def test_quick_gelu_and_its_gradient(random, width):
    x, grad = (3 * random(NUM_TOKENS, width)).requires_grad_(), random(NUM_TOKENS, width)
    expected = elementwise.quick_gelu(x, 0)
    same(expected, ACT2FN["quick_gelu"](x))
    (expected_grad,) = torch.autograd.grad(expected, x, grad)
    same(kernels.quick_gelu(x.detach(), ROOM)[:, :width], expected.detach())
    for does in (elementwise, kernels):
        found, again = does.quick_gelu_backward(grad, x.detach(), ROOM)
        assert found.shape[1] == width + ROOM
        same(found[:, :width], expected_grad)
        same(again, expected.detach())


@pytest.mark.parametrize("width", [48, 2048, 3000])
def test_gate_and_its_gradient(random, width):
    gate_up, grad = random(NUM_TOKENS, 2 * width).requires_grad_(), random(NUM_TOKENS, width)
    expected = elementwise.gate(gate_up, 0)
    (expected_grad,) = torch.autograd.grad(expected, gate_up, grad)
    same(kernels.gate(gate_up.detach(), ROOM)[:, :width], expected.detach())
    for does in (elementwise, kernels):
        found, again = does.gate_backward(grad, gate_up.detach(), ROOM)
        assert found.shape[1] == 2 * width + ROOM
        same(found[:, : 2 * width], expected_grad)
        same(again, expected.detach())


@pytest.mark.parametrize(("heads", "width"), [(3, 24), (32, 96), (1, 64)])
def test_rotation_in_place_and_back(random, heads, width):
    states, (cos, sin) = random(NUM_TOKENS, 3 * heads, width), random(2, NUM_TOKENS, width)
    expected = states.clone()
    elementwise.rotate(expected[:, : 2 * heads], cos, sin)
    query, key, value = (part.clone().requires_grad_() for part in states.split(heads, 1))
    half = [torch.cat([-part[..., width // 2 :], part[..., : width // 2]], -1) for part in (query, key)]
    turned = [part * cos[:, None] + other * sin[:, None] for part, other in zip((query, key), half, strict=True)]
    same(torch.cat([*turned, value], 1).detach(), expected)
    kernels.rotate(states[:, : 2 * heads], cos, sin)
    same(states, expected)
    grads = [random(heads, NUM_TOKENS, width).transpose(0, 1) for _ in range(3)]
    expected = torch.autograd.grad([*turned, value], [query, key, value], grads)
    for does in (elementwise, kernels):
        found = does.rotate_back(*grads, cos, sin, ROOM)
        assert found.shape == (NUM_TOKENS, 3 * heads * width + ROOM)
        same(found[:, : 3 * heads * width], torch.cat(expected, 1).flatten(1))


@pytest.mark.parametrize("width", [96, 3072])
def test_room(random, width):
    x, other = random(NUM_TOKENS, width), random(width // 2, NUM_TOKENS).t()
    for parts in ((x,), (x, other, x)):
        whole = torch.cat(parts, 1)
        for does in (elementwise, kernels):
            found = does.widened(*parts, room=ROOM)
            assert found.shape == (NUM_TOKENS, whole.shape[1] + ROOM)
            assert torch.equal(found[:, : whole.shape[1]], whole)
            assert does.widened(x, room=0) is x


@pytest.mark.skipif(DEVICE == "cpu", reason="the interpreter knows no eight-bit numbers")
def test_rounding(random):
    rows = (random(NUM_TOKENS, 3072 + ROOM) * torch.logspace(-3, 2, NUM_TOKENS, device=DEVICE)[:, None])[:, :3072]
    (found, scales), (expected, expected_scales) = kernels.rounded(rows), elementwise.rounded(rows)
    same(scales, expected_scales)
    assert (found.float() != expected.float()).float().mean() < 1e-3, "at most the last bit of what lies between two"
