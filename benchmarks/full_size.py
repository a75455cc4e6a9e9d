"""Does a full-size checkpoint folder pass through all verbs on this GPU? `python benchmarks/full_size.py FOLDER`.

Writes a checkpoint like those on the hub, of a published configuration and tokenizer but with random weights, and runs
the verbs on it. The figures say that every step fits and runs; the answers of random weights say nothing. The disk must
hold 45 GB: the checkpoint, two runs with adapters, and the weights of full fine-tuning twice, in float32.
"""

import json
import math
import shutil
import sys
from pathlib import Path

from on_gpu import etalage, measured
from safetensors import safe_open

from etalage.phi3v import Phi3VConfig
from etalage.train import benchmark
from etalage.train.benchmark_inputs import random_model

GOLDEN = Path(__file__).parents[1] / "tests/golden/phi3v"


def write_checkpoint(folder: Path) -> None:
    """Write a checkpoint folder with random weights."""
    config = Phi3VConfig(**json.loads((GOLDEN / "configs/phi35_vision.json").read_text()))
    random_model(config).save_pretrained(folder, max_shard_size="5GB")
    for file in (GOLDEN / "tokenizer").iterdir():
        shutil.copyfile(file, folder / file.name)


def tensor_shapes(folder: Path) -> dict[str, list[int]]:
    """Return the shapes of a checkpoint's tensors by name."""
    shapes = {}
    for shard in folder.glob("*.safetensors"):
        with safe_open(shard, "pt") as file:
            shapes |= {name: file.get_slice(name).get_shape() for name in file.keys()}  # noqa: SIM118 - no mapping
    return shapes


def main(folder: Path) -> None:
    """Print a table.

    Args:
        folder: For the checkpoint, the catalogue and the runs.
    """
    checkpoint, catalogue = folder / "checkpoint", folder / "catalogue"
    print(benchmark.describe_machine())
    print("| step | time | peak GPU memory |\n|---|---|---|")
    with measured("write a checkpoint of 4.15 B weights, bfloat16"):
        write_checkpoint(checkpoint)
    rows = (line.split("\t") for line in (GOLDEN / "tensors.tsv").read_text().splitlines()[1:])
    assert tensor_shapes(checkpoint) == {name: json.loads(shape) for name, shape, *_ in rows}
    etalage("sample", folder / "sample", "--rows", 120)
    etalage("prepare", folder / "sample/catalogue.csv", "--out", catalogue)

    def train(name: str, *flags: object) -> None:
        with measured(f"train {' '.join(map(str, flags))}: an epoch of 84 products"):
            etalage(
                *("train", catalogue, "--model", checkpoint, "--out", folder / name),
                *("--epochs", 1, "--num-crops", 4, "--track", "none"),
                *flags,
            )
        steps = [json.loads(line) for line in (folder / name / "log.jsonl").read_text().splitlines()]
        assert all(math.isfinite(step["loss"]) for step in steps), steps
        print(f"{name}: {steps}", file=sys.stderr)

    train("lora", "--recipe", "lora")
    train("lora-nf4", "--recipe", "lora", "--quantization", "nf4")
    with measured("evaluate 24 products, four times, 32 new tokens"):
        etalage("evaluate", folder / "lora", "--max-new-tokens", 32, "--track", "none")
    with measured("predict one picture"):
        etalage("predict", folder / "lora", folder / "sample/images/000001.jpg", "--max-new-tokens", 16)
    etalage("report", folder / "lora")
    train("full", "--recipe", "full")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
