"""How long does attention take? `python benchmarks/attention.py`

Of a layer, in bfloat16: by cuDNN and, where `etalage[flash]` is installed, by FlashAttention 4.
"""

from collections.abc import Sequence
from functools import partial

import torch
from triton.testing import do_bench

from etalage.phi3v import attention_kernels
from etalage.train import benchmark

MIXED = [2000, 1984, 1936, 1904, 1872, 1632, 1488, 1184]
CASES = (
    ("decoder, 7 products of 2,000 tokens (16 crops)", [2000] * 7, (32, 96), True),
    ("decoder, 18 products of 832 tokens (4 crops)", [832] * 18, (32, 96), True),
    (f"decoder, 8 products of {min(MIXED):,} to {max(MIXED):,} tokens", MIXED, (32, 96), True),
    ("tower, 119 crops", [577] * 119, (16, 64), False),
)


def milliseconds(lengths: Sequence[int], heads: tuple[int, int], causal: bool) -> tuple[float, float]:
    """Forward and backward, medians."""
    cu_seqlens = torch.tensor([0, *lengths]).cumsum(0).int()
    states = torch.randn(sum(lengths), 3 * heads[0], heads[1], device="cuda", dtype=torch.bfloat16)
    query, key, value = states.split(heads[0], 1)
    grad = torch.randn_like(query)
    how = (cu_seqlens, max(lengths), causal, heads[1] ** -0.5)
    forward = partial(attention_kernels.attend_packed, query, key, value, *how)
    backward = partial(attention_kernels.attend_packed_backward, grad, query, key, value, *forward(), *how)
    first, second = (do_bench(work, warmup=50, rep=300, return_mode="median") for work in (forward, backward))
    return first, second


if __name__ == "__main__":
    print(benchmark.machine())
    flash = attention_kernels.flash_attention
    kernels = {"cuDNN": lambda device: None} | ({"FlashAttention 4": flash} if flash(torch.device("cuda")) else {})
    print(f"\n| ms, forward and backward | {' | '.join(kernels)} |\n|---|{'---|' * len(kernels)}")
    for name, lengths, heads, causal in CASES:
        cells = []
        for chosen in kernels.values():
            attention_kernels.flash_attention = chosen
            cells.append("{:.2f}, {:.2f}".format(*milliseconds(lengths, heads, causal)))
        print(f"| {name} | {' | '.join(cells)} |", flush=True)
