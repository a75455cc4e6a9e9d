"""What do photos of many sizes cost? `python benchmarks/mixed_sizes.py`, on a GPU.

The tower frozen, 16 crops, first epoch, as `etalage bench` measures it: photos of one size, then of eight sizes, whose
products have five lengths. With `etalage[flash]` there is a second column.
"""

import tempfile
from pathlib import Path

from on_gpu import attention_choices, use_attention

from etalage.config import BenchConfig
from etalage.train import benchmark
from etalage.train.benchmark_inputs import draw_photos

SIZES = ((1500, 2100), (2100, 1500), (1800, 1800), (1000, 2000), (1200, 1800), (2400, 1350), (900, 1200), (1600, 2000))


def main(folder: Path) -> None:
    """Print a table.

    Args:
        folder: For photos and what the training loop writes.
    """
    print(benchmark.describe_machine())
    choices = attention_choices()
    variant = next(variant for variant in benchmark.VARIANTS if variant.name == "tower frozen, first epoch")
    print(f"\n| tokens/s (matmul efficiency) | {' | '.join(choices)} |\n|---|{'---|' * len(choices)}")
    for name, sizes in (("1500 x 2100", SIZES[:1]), (f"{len(SIZES)} sizes", SIZES)):
        photos, cells = draw_photos(folder, sizes), []
        for choice in choices.values():
            use_attention(choice)
            measured = benchmark.measure(BenchConfig(steps=4), variant, 16, photos, folder)
            cells.append(f"{measured.tokens_per_second:,.0f} ({measured.matmul_efficiency:.1%})")
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        main(Path(folder))
