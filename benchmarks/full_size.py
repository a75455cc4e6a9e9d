"""Does a full-size checkpoint folder go the whole way on this GPU? `python benchmarks/full_size.py FOLDER`

Writes a checkpoint as it is on the hub, of a published configuration and tokenizer with random weights, and runs the
verbs on it. The figures say that every step fits and runs; what random weights answer says nothing.
"""

import gc
import json
import math
import platform
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

import torch
import transformers
from safetensors import safe_open

from etalage.cli import main
from etalage.phi3v import Phi3VConfig, Phi3VForCausalLM

GOLDEN = Path(__file__).parents[1] / "tests/golden/phi3v"


@contextmanager
def measured(what: str) -> Iterator[None]:
    gc.collect()  # models hold cycles
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    began = time.perf_counter()
    yield
    torch.cuda.synchronize()
    print(
        f"| {what} | {time.perf_counter() - began:.1f} s | {torch.cuda.max_memory_allocated() / 2**30:.1f} GiB |",
        flush=True,
    )


def write_checkpoint(folder: Path) -> None:
    config = Phi3VConfig(**json.loads((GOLDEN / "configs/phi35_vision.json").read_text()))
    torch.set_default_dtype(torch.bfloat16)
    with torch.device("cuda"):
        model = Phi3VForCausalLM(config)
    torch.set_default_dtype(torch.float32)
    model.save_pretrained(folder, max_shard_size="5GB")
    for file in (GOLDEN / "tokenizer").iterdir():
        shutil.copyfile(file, folder / file.name)


def names_and_shapes(folder: Path) -> dict[str, list[int]]:
    found = {}
    for shard in folder.glob("*.safetensors"):
        with safe_open(shard, "pt") as file:
            found |= {name: file.get_slice(name).get_shape() for name in file.keys()}  # noqa: SIM118 - no mapping
    return found


def etalage(*arguments: object) -> None:
    """What it says goes beside the table, not into it."""
    with redirect_stdout(sys.stderr):
        main([str(argument) for argument in arguments])


def run(work: Path) -> None:
    folder, catalogue = work / "checkpoint", work / "catalogue"
    print(f"{torch.cuda.get_device_name()}, torch {torch.__version__}, transformers {transformers.__version__}, "
          f"Python {platform.python_version()}")  # fmt: skip
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
    with measured("evaluate 24 products, three times, 32 new tokens"):
        etalage("evaluate", work / "lora", "--max-new-tokens", 32, "--track", "none")
    with measured("predict one picture"):
        etalage("predict", work / "lora", work / "sample/images/000001.jpg", "--max-new-tokens", 16)
    etalage("report", work / "lora")
    train("full", "--recipe", "full")  # leaves 67 GB: weights, moments of both orders, weights again


if __name__ == "__main__":
    run(Path(sys.argv[1]))
