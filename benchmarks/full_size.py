"""Does a full-size checkpoint folder go the whole way on this GPU? `python benchmarks/full_size.py FOLDER`

Writes a checkpoint as it is on the hub, of a published configuration and tokenizer with random weights, and runs the
verbs on it. The figures say that every step fits and runs; what random weights answer says nothing. The disk has to
hold 45 GB: the checkpoint, what adapters leave, and of full fine-tuning the weights twice, in float32.
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

GOLDEN = Path(__file__).parents[1] / "tests/golden/phi3v"


def write_checkpoint(folder: Path) -> None:
    config = Phi3VConfig(**json.loads((GOLDEN / "configs/phi35_vision.json").read_text()))
    benchmark.random_model(config).save_pretrained(folder, max_shard_size="5GB")
    for file in (GOLDEN / "tokenizer").iterdir():
        shutil.copyfile(file, folder / file.name)


def names_and_shapes(folder: Path) -> dict[str, list[int]]:
    found = {}
    for shard in folder.glob("*.safetensors"):
        with safe_open(shard, "pt") as file:
            found |= {name: file.get_slice(name).get_shape() for name in file.keys()}  # noqa: SIM118 - no mapping
    return found


def run(work: Path) -> None:
    folder, catalogue = work / "checkpoint", work / "catalogue"
    print(benchmark.machine())
    print("| step | time | peak GPU memory |\n|---|---|---|")
    with measured("write a checkpoint of 4.15 B weights, bfloat16"):
        write_checkpoint(folder)
    rows = (line.split("\t") for line in (GOLDEN / "tensors.tsv").read_text().splitlines()[1:])
    assert names_and_shapes(folder) == {name: json.loads(shape) for name, shape, *_ in rows}
    etalage("sample", work / "sample", "--rows", 120)
    etalage("prepare", work / "sample/catalogue.csv", "--out", catalogue)

    def train(name: str, *arguments: object) -> None:
        with measured(f"train {' '.join(map(str, arguments))}: an epoch of 84 products"):
            etalage("train", catalogue, "--model", folder, "--out", work / name, "--epochs", 1, "--num-crops", 4,
                    "--track", "none", *arguments)  # fmt: skip
        steps = [json.loads(line) for line in (work / name / "log.jsonl").read_text().splitlines()]
        assert all(math.isfinite(step["loss"]) for step in steps), steps
        print(f"{name}: {steps}", file=sys.stderr)

    train("lora", "--recipe", "lora")
    train("lora-nf4", "--recipe", "lora", "--quantization", "nf4")
    with measured("evaluate 24 products, four times, 32 new tokens"):
        etalage("evaluate", work / "lora", "--max-new-tokens", 32, "--track", "none")
    with measured("predict one picture"):
        etalage("predict", work / "lora", work / "sample/images/000001.jpg", "--max-new-tokens", 16)
    etalage("report", work / "lora")
    train("full", "--recipe", "full")


if __name__ == "__main__":
    run(Path(sys.argv[1]))
