"""How FlashAttention 4 is told of rows; what its kernels answer only a GPU can show."""

import sys

import pytest
import torch

from etalage.phi3v import attention


class PlainFlash:
    """Its two functions, with the shapes that they ask for, in plain torch."""

    def __init__(self):
        self.told = []

    def _attend(self, query, key, value, ends, causal, scale):
        """(B, L, H, D), or (T, H, D) with ends -> the same, and logarithms of sums (B, H, L) or (H, T)."""
        if ends is not None:
            pieces = [slice(*pair) for pair in zip(ends.tolist(), ends.tolist()[1:], strict=False)]
            parts = [self._attend(*(t[None, p] for t in (query, key, value)), None, causal, scale) for p in pieces]
            outs, sums = zip(*parts, strict=True)
            return torch.cat(outs, 1)[0], torch.cat(sums, 2)[0]
        scores = torch.einsum("blhd,bmhd->bhlm", query, key) * scale
        if causal:
            scores = scores.masked_fill(~torch.ones(scores.shape[2:], dtype=torch.bool).tril(), -torch.inf)
        return torch.einsum("bhlm,bmhd->blhd", scores.softmax(-1), value), scores.logsumexp(-1)

    def _flash_attn_fwd(self, query, key, value, *, softmax_scale, causal, return_lse, cu_seqlens_q=None, **rest):
        assert return_lse
        self.told.append({"cu_seqlens_q": cu_seqlens_q, **rest})
        return *self._attend(query, key, value, cu_seqlens_q, causal, softmax_scale), None, None, None

    def _flash_attn_bwd(self, query, key, value, out, grad, sums, *, softmax_scale, causal, cu_seqlens_q=None, **rest):
        states = [t.detach().requires_grad_() for t in (query, key, value)]
        again, expected = self._attend(*states, cu_seqlens_q, causal, softmax_scale)
        torch.testing.assert_close(out, again)
        torch.testing.assert_close(sums, expected)
        return torch.autograd.grad(again, states, grad)


@pytest.mark.parametrize("lengths", [[6, 6, 6], [7, 4, 4, 1], [5]])
@pytest.mark.parametrize("causal", [True, False])
def test_it_is_told_of_the_same_examples(lengths, causal, monkeypatch):
    torch.manual_seed(0)
    query, key, value, grad = torch.randn(4, sum(lengths), 3, 8)
    cu_seqlens = torch.tensor([0, *lengths]).cumsum(0).int() if causal else None
    length = max(lengths) if causal else sum(lengths)
    how = (cu_seqlens, length, causal, 0.3)

    def attended():
        out, sums = attention.attend_packed(query, key, value, *how)
        return out, *attention.attend_packed_backward(grad, query, key, value, out, sums, *how)

    expected, flash = attended(), PlainFlash()
    monkeypatch.setattr(attention, "flash_attention", lambda device: flash)
    for found, one in zip(attended(), expected, strict=True):
        torch.testing.assert_close(found, one)
    (told,) = flash.told
    assert (told["cu_seqlens_q"] is None) == (not causal or len(set(lengths)) == 1), (
        "rows of one length need no cu_seqlens"
    )


def test_only_a_gpu_has_it():
    assert attention.flash_attention(torch.device("cpu")) is None


def test_a_broken_installation_is_told(monkeypatch):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (9, 0))
    monkeypatch.setattr(attention, "version", lambda name: "4")
    monkeypatch.setitem(sys.modules, "flash_attn", None)
    with pytest.raises(ValueError, match=r"flash-attn-4 does not load: .*pip install etalage\[flash\]"):
        attention.flash_attention(torch.device("cuda", 7))
