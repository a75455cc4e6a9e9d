"""What does quantization cost in loss? `python benchmarks/quantized_loss.py FOLDER`, on a GPU.

The small model, which is pre-trained, is fine-tuned with adapters on a drawn catalogue: the same steps with frozen
weights in bfloat16, FP8 and NF4, and in bfloat16 with another seed, which shows how much is chance.
"""

import json
import sys
from pathlib import Path

from on_gpu import etalage

from etalage.train import benchmark

NUM_EPOCHS = 4
RUNS = {
    "bfloat16": [],
    "FP8": ["--quantization", "fp8"],
    "NF4": ["--quantization", "nf4"],
    "bfloat16, another seed": ["--seed", "1"],
}
OPTIONS = (
    *("--epochs", NUM_EPOCHS, "--num-augmentations", 1, "--patience", 0),
    *("--track", "none", "--num-workers", 4, "--no-compile"),
)


def main(folder: Path) -> None:
    """Print a table.

    Args:
        folder: For the sample, the catalogue and the runs.
    """
    etalage("sample", folder / "sample", "--rows", 600)
    etalage("prepare", folder / "sample/catalogue.csv", "--out", folder / "catalogue")
    print(benchmark.describe_machine())
    epochs = " | ".join(f"epoch {epoch + 1}" for epoch in range(NUM_EPOCHS))
    print(f"\nTraining loss / validation loss.\n\n| | {epochs} |\n|---|{'---|' * NUM_EPOCHS}")
    for name, flags in RUNS.items():
        out = folder / name.replace(" ", "-").replace(",", "")
        etalage("train", folder / "catalogue", "--model", "small", "--recipe", "lora", "--out", out, *OPTIONS, *flags)
        steps = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
        steps_per_epoch = len(steps) // NUM_EPOCHS
        cells = []
        for epoch in range(NUM_EPOCHS):
            of_epoch = steps[epoch * steps_per_epoch : (epoch + 1) * steps_per_epoch]
            mean = sum(step["loss"] for step in of_epoch) / steps_per_epoch
            cells.append(f"{mean:.4f} / {of_epoch[-1]['validation_loss']:.4f}")
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
