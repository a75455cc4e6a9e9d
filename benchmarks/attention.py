"""How long does attention take? `python benchmarks/attention.py`, on a GPU.

The attention of one layer in bfloat16: by cuDNN and, where `etalage[flash]` is installed, by FlashAttention 4.
"""

from collections.abc import Sequence
from functools import partial

import torch
from on_gpu import attention_choices, use_attention
from triton.testing import do_bench

from etalage.phi3v.attention_kernels import attend_packed, attend_packed_backward
from etalage.train import benchmark

MIXED = [2000, 1984, 1936, 1904, 1872, 1632, 1488, 1184]
CASES = (
    ("decoder, 7 products of 2,000 tokens (16 crops)", [2000] * 7, (32, 96), True),
    ("decoder, 18 products of 832 tokens (4 crops)", [832] * 18, (32, 96), True),
    (f"decoder, 8 products of {min(MIXED):,} to {max(MIXED):,} tokens", MIXED, (32, 96), True),
    ("tower, 119 crops", [577] * 119, (16, 64), False),
)
"""Name, tokens of each example, heads and their width, causal or not."""


def measure_ms(lengths: Sequence[int], heads: tuple[int, int], causal: bool) -> tuple[float, float]:
    """Return the median milliseconds of the forward and of the backward pass."""
    cu_seqlens = torch.tensor([0, *lengths]).cumsum(0).int()
    num_heads, head_dim = heads
    states = torch.randn(sum(lengths), 3 * num_heads, head_dim, device="cuda", dtype=torch.bfloat16)
    query, key, value = states.split(num_heads, 1)
    grad = torch.randn_like(query)
    options = (cu_seqlens, max(lengths), causal, head_dim**-0.5)
    forward = partial(attend_packed, query, key, value, *options)
    backward = partial(attend_packed_backward, grad, query, key, value, *forward(), *options)
    forward_ms, backward_ms = (do_bench(run, warmup=50, rep=300, return_mode="median") for run in (forward, backward))
    return forward_ms, backward_ms


def main() -> None:
    """Print a table."""
    print(benchmark.describe_machine())
    choices = attention_choices()
    print(f"\n| ms, forward and backward | {' | '.join(choices)} |\n|---|{'---|' * len(choices)}")
    for name, lengths, heads, causal in CASES:
        cells = []
        for choice in choices.values():
            use_attention(choice)
            cells.append("{:.2f}, {:.2f}".format(*measure_ms(lengths, heads, causal)))
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
