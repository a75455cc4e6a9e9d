"""Attention within the examples of a packed row; the GPU kernels themselves are tested in test_on_gpu.py."""

import sys
from itertools import pairwise

import pytest
import torch

from etalage.phi3v import attention_kernels
from etalage.phi3v.attention_kernels import attend_packed, attend_packed_backward, cudnn_is_faster, equal_length_runs


class PlainFlash:
    """FlashAttention 4's two functions in plain torch, which check the shapes that they are called with."""

    def __init__(self):
        self.calls = []

    def _attend(self, query, key, value, cu_seqlens, causal, scale):
        """(B, L, H, D), or (T, H, D) with cu_seqlens -> the same, and the log-sum-exp (B, H, L) or (H, T)."""
        if cu_seqlens is not None:
            ends = cu_seqlens.tolist()
            pieces = [slice(*pair) for pair in pairwise(ends)]
            parts = [self._attend(*(t[None, p] for t in (query, key, value)), None, causal, scale) for p in pieces]
            outs, lses = zip(*parts, strict=True)
            return torch.cat(outs, 1)[0], torch.cat(lses, 2)[0]
        scores = torch.einsum("blhd,bmhd->bhlm", query, key) * scale
        if causal:
            scores = scores.masked_fill(~torch.ones(scores.shape[2:], dtype=torch.bool).tril(), -torch.inf)
        return torch.einsum("bhlm,bmhd->blhd", scores.softmax(-1), value), scores.logsumexp(-1)

    def _flash_attn_fwd(self, query, key, value, *, softmax_scale, causal, return_lse, cu_seqlens_q=None, **rest):
        assert return_lse
        self.calls.append({"cu_seqlens_q": cu_seqlens_q, **rest})
        return *self._attend(query, key, value, cu_seqlens_q, causal, softmax_scale), None, None, None

    def _flash_attn_bwd(self, query, key, value, out, grad, lse, *, softmax_scale, causal, cu_seqlens_q=None, **rest):
        states = [t.detach().requires_grad_() for t in (query, key, value)]
        expected_out, expected_lse = self._attend(*states, cu_seqlens_q, causal, softmax_scale)
        torch.testing.assert_close(out, expected_out)
        torch.testing.assert_close(lse, expected_lse)
        return torch.autograd.grad(expected_out, states, grad)


def outputs_and_gradients(states, options):
    query, key, value, grad = states
    out, lse = attend_packed(query, key, value, *options)
    return out, *attend_packed_backward(grad, query, key, value, out, lse, *options)


@pytest.mark.parametrize("lengths", [[6, 6, 6], [7, 4, 4, 1], [5]])
@pytest.mark.parametrize("causal", [True, False])
def test_flash_attention_is_called_for_the_same_examples(lengths, causal, monkeypatch):
    torch.manual_seed(0)
    states = torch.randn(4, sum(lengths), 3, 8)
    cu_seqlens = torch.tensor([0, *lengths]).cumsum(0).int() if causal else None
    options = (cu_seqlens, max(lengths) if causal else sum(lengths), causal, 0.3)
    expected, flash = outputs_and_gradients(states, options), PlainFlash()
    monkeypatch.setattr(attention_kernels, "flash_attention", lambda device: flash)
    for found, one in zip(outputs_and_gradients(states, options), expected, strict=True):
        torch.testing.assert_close(found, one)
    (call,) = flash.calls
    assert (call["cu_seqlens_q"] is None) == (not causal or len(set(lengths)) == 1), (
        "examples of one length need no cu_seqlens"
    )


@pytest.mark.parametrize("lengths", [[6, 6, 6], [7, 4, 4, 1], [1]])
def test_examples_are_attended_to_as_if_each_were_alone(lengths):
    torch.manual_seed(0)
    states = torch.randn(4, sum(lengths), 3, 8)
    found = outputs_and_gradients(states, (torch.tensor([0, *lengths]).cumsum(0).int(), max(lengths), True, None))
    alone = [outputs_and_gradients(part, (None, part.shape[1], True, None)) for part in states.split(lengths, 1)]
    for one, parts in zip(found, zip(*alone, strict=True), strict=True):
        torch.testing.assert_close(one, torch.cat(parts))


@pytest.mark.parametrize("causal", [True, False])
def test_gradients_are_those_of_torchs_attention(causal):
    torch.manual_seed(0)
    states = torch.randn(4, 9, 3, 8)
    out, *gradients = outputs_and_gradients(states, (None, 9, causal, 0.2))
    inputs = [state.transpose(0, 1).requires_grad_() for state in states[:3]]
    expected = torch.nn.functional.scaled_dot_product_attention(*inputs, is_causal=causal, scale=0.2).transpose(0, 1)
    torch.testing.assert_close(out, expected)
    for found, one in zip(gradients, torch.autograd.grad(expected, inputs, states[3]), strict=True):
        torch.testing.assert_close(found, one.transpose(0, 1))


def test_runs_are_neighbours_of_one_length():
    cu_seqlens = torch.tensor([0, 3, 6, 8, 11]).int()
    assert list(equal_length_runs(cu_seqlens)) == [(slice(0, 6), 2, 3), (slice(6, 8), 1, 2), (slice(8, 11), 1, 3)]


def test_a_cpu_uses_neither_cudnn_nor_flash_attention():
    device = torch.device("cpu")
    assert not cudnn_is_faster(device, torch.bfloat16, 96)
    assert attention_kernels.flash_attention(device) is None


@pytest.mark.parametrize(
    ("dtype", "head_dim", "capability", "faster"),
    [
        (torch.bfloat16, 96, (9, 0), True),
        (torch.float16, 128, (10, 0), True),
        (torch.float32, 96, (9, 0), False),
        (torch.bfloat16, 100, (9, 0), False),
        (torch.bfloat16, 256, (9, 0), False),
        (torch.bfloat16, 96, (8, 0), False),
    ],
)
def test_cudnn_is_used_on_hopper_for_what_its_kernels_take(dtype, head_dim, capability, faster, monkeypatch):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    assert cudnn_is_faster(torch.device("cuda", 0), dtype, head_dim) == faster


def test_a_broken_installation_of_flash_attention_is_an_error(monkeypatch):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (9, 0))
    monkeypatch.setattr(attention_kernels, "version", lambda name: "4")
    monkeypatch.setitem(sys.modules, "flash_attn", None)
    with pytest.raises(ValueError, match=r"flash-attn-4 does not load: .*pip install etalage\[flash\]"):
        attention_kernels.flash_attention(torch.device("cuda", 7))
