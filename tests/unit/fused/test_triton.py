"""Each kernel does what its plain wording says; on a CPU, if they are interpreted. Skipped without Triton."""

import os

import pytest
import torch

pytest.importorskip("triton")
if not torch.cuda.is_available() and not os.environ.get("TRITON_INTERPRET"):
    pytest.skip("needs a GPU, or TRITON_INTERPRET=1 from the start", allow_module_level=True)

from transformers.activations import ACT2FN

from etalage.fused import reference
from etalage.fused import triton as kernels
from etalage.fused.reference import Form

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
NUM_TOKENS, ROOM = 7, 16
FORMS = [Form(), Form(room=ROOM), Form(eight=True), Form(wide=False, eight=True)]


@pytest.fixture(autouse=True)
def fewer_bits(monkeypatch):
    """The interpreter knows no numbers of eight bits: it rounds to sixteen, by the same scales."""
    if DEVICE == "cpu":
        for module in (reference, kernels):
            monkeypatch.setattr(module, "FP8_DTYPE", torch.float16)


@pytest.fixture
def random():
    torch.manual_seed(0)
    return lambda *shape: torch.randn(*shape, device=DEVICE)


def same(found, expected, width=None):
    assert found.shape == expected.shape
    torch.testing.assert_close(found[..., :width], expected[..., :width], rtol=1e-4, atol=1e-5)


def same_rows(found, expected, form):
    """Of rows as wide as the plain ones."""
    width = expected.shape[1]
    if form.wide:
        assert found.wide.shape[1] == width + form.room
        same(found.wide[:, :width], expected)
    else:
        assert found.wide is None
    if form.eight:
        rounded, scales = reference.rounded(expected)
        same(found.scales, scales)
        assert found.eight.dtype == rounded.dtype
        assert (found.eight.float() != rounded.float()).float().mean() < 0.01, "at most the last bit between two"
        assert ((found.eight.float() - rounded.float()).abs() <= 0.13 * rounded.float().abs() + 0.01).all()
    else:
        assert found.eight is found.scales is None


@pytest.mark.parametrize("form", FORMS, ids=str)
@pytest.mark.parametrize("added", [False, True])
@pytest.mark.parametrize("centred", [False, True])
@pytest.mark.parametrize("width", [96, 3072])
def test_norm(random, added, centred, width, form):
    x, weight, delta = 3 + random(NUM_TOKENS, width), random(width), random(NUM_TOKENS, width) if added else None
    bias = random(width) if centred else None
    total, normed, roots = reference.norm(x, delta, weight, bias, 1e-5, Form())
    found = kernels.norm(x, delta, weight, bias, 1e-5, form)
    same(found[0], total)
    same_rows(found[1], normed.wide, form)
    same(found[2], roots)
    if centred:
        same(normed.wide, torch.nn.functional.layer_norm(total, (width,), weight, bias, 1e-5))


@pytest.mark.parametrize("form", FORMS, ids=str)
@pytest.mark.parametrize("centred", [False, True])
@pytest.mark.parametrize("width", [96, 3072])
def test_norm_backward_is_its_gradient(random, centred, width, form):
    x, weight, grad, wide = 3 + random(NUM_TOKENS, width), random(width), *random(2, NUM_TOKENS, width)
    beside = torch.cat([wide, random(NUM_TOKENS, 3)], 1)[:, :width]
    bias = random(width) if centred else None
    x.requires_grad_()
    total, normed, roots = reference.norm(x, None, weight, bias, 1e-5, Form())
    (expected,) = torch.autograd.grad([normed.wide, total], x, [grad, beside])
    for does in (reference, kernels):
        found, again = does.norm_backward(grad, x.detach(), weight, bias, roots.detach(), beside, form)
        same_rows(found, expected, form)
        same(again, normed.wide.detach())


@pytest.mark.parametrize("form", FORMS, ids=str)
@pytest.mark.parametrize("width", [48, 4096])
def test_quick_gelu_and_its_gradient(random, width, form):
    x, grad = (3 * random(NUM_TOKENS, width)).requires_grad_(), random(NUM_TOKENS, width)
    expected = reference.quick_gelu(x, Form()).wide
    same(expected, ACT2FN["quick_gelu"](x))
    (expected_grad,) = torch.autograd.grad(expected, x, grad)
    same_rows(kernels.quick_gelu(x.detach(), form), expected.detach(), form)
    for does in (reference, kernels):
        found, again = does.quick_gelu_backward(grad, x.detach(), form)
        same_rows(found, expected_grad, form)
        same(again, expected.detach())


@pytest.mark.parametrize("form", FORMS, ids=str)
@pytest.mark.parametrize("width", [48, 2048, 3000])
def test_gate_and_its_gradient(random, width, form):
    gate_up, grad = random(NUM_TOKENS, 2 * width).requires_grad_(), random(NUM_TOKENS, width)
    expected = reference.gate(gate_up, Form()).wide
    (expected_grad,) = torch.autograd.grad(expected, gate_up, grad)
    same_rows(kernels.gate(gate_up.detach(), form), expected.detach(), form)
    for does in (reference, kernels):
        found, again = does.gate_backward(grad, gate_up.detach(), form)
        same_rows(found, expected_grad, form)
        same(again, expected.detach())


@pytest.mark.parametrize("form", FORMS, ids=str)
@pytest.mark.parametrize(("heads", "width"), [(3, 24), (32, 96), (1, 64)])
def test_rotation_in_place_and_back(random, heads, width, form):
    states, (cos, sin) = random(NUM_TOKENS, 3 * heads, width), random(2, NUM_TOKENS, width)
    expected = states.clone()
    reference.rotate(expected[:, : 2 * heads], cos, sin)
    query, key, value = (part.clone().requires_grad_() for part in states.split(heads, 1))
    half = [torch.cat([-part[..., width // 2 :], part[..., : width // 2]], -1) for part in (query, key)]
    turned = [part * cos[:, None] + other * sin[:, None] for part, other in zip((query, key), half, strict=True)]
    same(torch.cat([*turned, value], 1).detach(), expected)
    kernels.rotate(states[:, : 2 * heads], cos, sin)
    same(states, expected)
    grads = [random(heads, NUM_TOKENS, width).transpose(0, 1) for _ in range(3)]
    expected = torch.autograd.grad([*turned, value], [query, key, value], grads)
    for does in (reference, kernels):
        found = does.rotate_back(*grads, cos, sin, form)
        same_rows(found, torch.cat(expected, 1).flatten(1), form)


@pytest.mark.parametrize("form", FORMS, ids=str)
@pytest.mark.parametrize("width", [96, 3072])
def test_rows_as_they_are(random, width, form):
    x, other = random(NUM_TOKENS, width), random(width // 2, NUM_TOKENS).t()
    for parts in ((x,), (x, other, x)):
        for does in (reference, kernels):
            same_rows(does.formed(*parts, form=form), torch.cat(parts, 1), form)
            assert does.formed(x, form=Form()).wide is x


def test_rounding(random):
    rows = (random(NUM_TOKENS, 3072 + ROOM) * torch.logspace(-3, 2, NUM_TOKENS, device=DEVICE)[:, None])[:, :3072]
    (found, scales), (expected, expected_scales) = kernels.rounded(rows), reference.rounded(rows)
    same(scales, expected_scales)
    assert (found.float() != expected.float()).float().mean() < 1e-3, "at most the last bit of what lies between two"
