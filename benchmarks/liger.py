"""Are Liger's kernels faster than ours? `pip install liger-kernel==0.8.5 && python benchmarks/liger.py`, on a GPU.

Norm, SwiGLU and rotary embedding of one decoder layer, forward and backward: a packed row of the full size in bfloat16.
Both start and end with the layer's own tensors, in which gates and values, and queries, keys and values, are one.
"""

from collections.abc import Callable, Sequence

import torch
from liger_kernel.ops.fused_add_rms_norm import fused_add_rms_norm_backward, fused_add_rms_norm_forward
from liger_kernel.ops.rope import rope_backward, rope_forward
from liger_kernel.ops.swiglu import swiglu_fused_gate_up_backward, swiglu_fused_gate_up_forward
from torch import Tensor
from triton.testing import do_bench

from etalage.fused import triton as ours
from etalage.fused.reference import OperandFormat
from etalage.train import benchmark

NUM_TOKENS, HIDDEN, MLP, NUM_HEADS, HEAD_DIM = 15744, 3072, 8192, 32, 96
EPS = 1e-5
DENSE = OperandFormat()

Outputs = Sequence[Tensor]


def random(*shape: int) -> Tensor:
    """Return a random tensor on the GPU."""
    return torch.randn(*shape, device="cuda", dtype=torch.bfloat16)


def norm() -> tuple[Callable[[], Outputs], Callable[[], Outputs]]:
    """Return a residual addition with its RMS norm by us and by Liger. Ours also returns the norm's output again."""
    x, delta, grad, grad_residual = (random(NUM_TOKENS, HIDDEN) for _ in range(4))
    weight = random(HIDDEN)

    def by_us() -> Outputs:
        total, normed, rstd = ours.norm(x, delta, weight, None, EPS, DENSE)
        grad_x, _ = ours.norm_backward(grad, total, weight, None, rstd, grad_residual, DENSE)
        return total, normed.dense, grad_x.dense

    def by_liger() -> Outputs:
        normed, total, rstd, *launch, casting_mode = fused_add_rms_norm_forward(x, delta, weight, EPS, 0.0, "llama")
        grad_x, *_ = fused_add_rms_norm_backward(
            *(grad, grad_residual, total, weight, rstd, 0.0, casting_mode, *launch, False), needs_dw=False
        )
        return total, normed, grad_x

    return by_us, by_liger


def swiglu() -> tuple[Callable[[], Outputs], Callable[[], Outputs]]:
    """Return SwiGLU by us and by Liger. Ours also returns the output again."""
    gate_up, grad = random(NUM_TOKENS, 2 * MLP), random(NUM_TOKENS, MLP)

    def by_us() -> Outputs:
        out = ours.swiglu(gate_up, DENSE)
        grad_gate_up, _ = ours.swiglu_backward(grad, gate_up, DENSE)
        return out.dense, grad_gate_up.dense

    def by_liger() -> Outputs:
        _, out = swiglu_fused_gate_up_forward(gate_up)
        return out, swiglu_fused_gate_up_backward(gate_up, grad)

    return by_us, by_liger


def rotary() -> tuple[Callable[[], Outputs], Callable[[], Outputs]]:
    """Return the rotary embedding by us, in place, and by Liger, which copies queries and keys out of their tensor."""
    qkv = random(NUM_TOKENS, 3 * NUM_HEADS, HEAD_DIM)
    grads = [random(NUM_TOKENS, NUM_HEADS, HEAD_DIM) for _ in range(3)]
    angles = torch.arange(NUM_TOKENS, device="cuda")[:, None] * torch.rand(HEAD_DIM // 2, device="cuda")
    cos, sin = (part.repeat(1, 2).bfloat16() for part in (angles.cos(), angles.sin()))

    def by_us() -> Outputs:
        ours.apply_rotary(qkv[:, : 2 * NUM_HEADS], cos, sin)
        return qkv, ours.apply_rotary_backward(*grads, cos, sin, DENSE).dense

    def by_liger() -> Outputs:
        query, key, value = (part.transpose(0, 1)[None] for part in qkv.split(NUM_HEADS, 1))
        query, key, *_ = rope_forward(query, key, cos[None], sin[None])
        # Copies, as rope_backward rotates in place.
        grad_query, grad_key = (grad.clone().transpose(0, 1)[None] for grad in grads[:2])
        grad_query, grad_key = rope_backward(grad_query, grad_key, cos[None], sin[None])
        rotated, grad_qkv = (
            torch.cat([part[0].transpose(0, 1) for part in parts], 1)
            for parts in ((query, key, value), (grad_query, grad_key, grads[2].transpose(0, 1)[None]))
        )
        return rotated, grad_qkv.flatten(1)

    return by_us, by_liger


def main() -> None:
    """Check that both agree, and print a table."""
    print(benchmark.describe_machine())
    print("\n| forward and backward, ms | ours | Liger | largest difference |\n|---|---|---|---|")
    for operation in (norm, swiglu, rotary):
        torch.manual_seed(0)
        by_us, by_liger = operation()
        # Liger first: ours rotates its input in place.
        theirs = [t.clone() for t in by_liger()]
        difference = max(float((t - o).abs().max() / o.abs().max()) for t, o in zip(theirs, by_us(), strict=True))
        assert difference < 0.02, f"{operation.__name__} differs by {difference:.1%}"
        times = [do_bench(work, warmup=50, rep=300, return_mode="median") for work in (by_us, by_liger)]
        print(f"| {operation.__name__} | {times[0]:.3f} | {times[1]:.3f} | {difference:.2%} |", flush=True)


if __name__ == "__main__":
    main()
