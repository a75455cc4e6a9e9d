"""What do fewer bits cost in loss? `python benchmarks/quantized_loss.py FOLDER`, on a GPU

The small model, which has learned to look, is fine-tuned with adapters on a drawn catalogue: the same steps with frozen
weights in bfloat16, FP8 and NF4, and in bfloat16 from another seed, which shows what chance does.
"""

import json
import sys
from pathlib import Path

from on_gpu import etalage

from etalage.train import benchmark

EPOCHS = 4
RUNS = {
    "bfloat16": [],
    "FP8": ["--quantization", "fp8"],
    "NF4": ["--quantization", "nf4"],
    "bfloat16, another seed": ["--seed", "1"],
}


def run(work: Path) -> None:
    etalage("sample", work / "sample", "--rows", 600)
    etalage("prepare", work / "sample/catalogue.csv", "--out", work / "catalogue")
    print(benchmark.machine())
    epochs = " | ".join(f"epoch {epoch + 1}" for epoch in range(EPOCHS))
    print(f"\nTraining loss and, behind it, validation loss.\n\n| | {epochs} |\n|---|{'---|' * EPOCHS}")
    for name, flags in RUNS.items():
        out = work / name.replace(" ", "-").replace(",", "")
        how = ["--epochs", EPOCHS, "--views", 1, "--patience", 0, "--track", "none", "--num-workers", 4, "--no-compile"]
        etalage("train", work / "catalogue", "--model", "small", "--recipe", "lora", "--out", out, *how, *flags)
        steps = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
        each = len(steps) // EPOCHS
        cells = []
        for epoch in range(EPOCHS):
            of_epoch = steps[epoch * each : (epoch + 1) * each]
            mean = sum(step["loss"] for step in of_epoch) / each
            cells.append(f"{mean:.4f} / {of_epoch[-1]['validation_loss']:.4f}")
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    run(Path(sys.argv[1]))
