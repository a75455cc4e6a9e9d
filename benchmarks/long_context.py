"""How long may a prompt be on one GPU? `python benchmarks/long_context.py`.

A forward pass over 131,072 tokens, of text and with 64 photos at 16 crops; LoRA steps of one prompt of 32,768 tokens
with 32 photos at 4 crops, with all activations recomputed and with as many kept as fit. The model has random weights of
the full size.
"""

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from on_gpu import measured
from PIL import Image

from etalage.config import TrainConfig
from etalage.data.encoding import IGNORED, Encoded, encode
from etalage.data.packing import collate
from etalage.phi3v import Phi3VForCausalLM, Phi3VProcessor
from etalage.phi3v.attention import PACKED
from etalage.train import benchmark
from etalage.train.activation_checkpointing import CheckpointedLayers
from etalage.train.batches import make_packer
from etalage.train.benchmark_inputs import load_model
from etalage.train.step import optimizer_step, try_full_row
from etalage.train.trainable import make_trainable, trainable_parameters


def make_example(processor: Phi3VProcessor, num_photos: int, num_tokens: int) -> Encoded:
    """Return an example of text and then photos, with a short answer."""
    pixels = np.random.default_rng(0).integers(0, 256, (2100, 1500, 3), dtype=np.uint8)
    tags = "".join(f"<|image_{number + 1}|>\n" for number in range(num_photos))
    prompt = f"<|user|>\n{tags}What?<|end|>\n<|assistant|>\n"
    encoded = encode(processor, prompt, "Bag<|end|>", [Image.fromarray(pixels)] * num_photos)
    text = torch.randint(5, 500, (num_tokens - len(encoded.input_ids),))
    return replace(
        encoded,
        input_ids=torch.cat([text, encoded.input_ids]),
        labels=torch.cat([torch.full_like(text, IGNORED), encoded.labels]),
    )


def measure_forward(model: Phi3VForCausalLM, processor: Phi3VProcessor) -> None:
    """Print a row for each number of photos."""
    for num_photos in (0, 64):
        batch = collate([make_example(processor, num_photos, 131_072)])
        inputs = batch.inputs(processor.image_processor, model.device)
        with torch.inference_mode(), measured(f"forward, 131,072 tokens, {num_photos} photos of 16 crops") as note:
            logits = model(**inputs, logits_to_keep=1, use_cache=False).logits
            note("all logits finite" if bool(logits.isfinite().all()) else "logits NOT finite")


def measure_steps(model: Phi3VForCausalLM, processor: Phi3VProcessor) -> None:
    """Print a row for each step."""
    processor.image_processor.num_crops = 4
    config = TrainConfig(Path(), Path(), recipe="lora", max_tokens=32_768)
    adapted = make_trainable(model, config).train()
    optimizer = torch.optim.AdamW(trainable_parameters(adapted).values(), lr=1e-5, fused=True)
    packer = make_packer(adapted, processor, config)
    example = make_example(processor, 32, 32_768)
    rows = packer.rows([example])
    for mode in ("full", "auto"):
        layers = CheckpointedLayers(adapted, mode)
        layers.measure(partial(try_full_row, adapted, packer, example))
        for number in range(3):
            name = f"LoRA step {number + 1}, 32,768 tokens, 32 photos of 4 crops, --activation-checkpointing {mode}"
            with measured(name) as note:
                loss, _ = optimizer_step(adapted, packer, rows, optimizer, 1.0, seed=number)
                note(f"loss {float(loss):.2f}, {layers.num_kept} of {layers.num_layers} layers keep their activations")


def main() -> None:
    """Print a table."""
    model, processor = load_model("random")
    model.eval().set_attn_implementation({"": PACKED})
    print(benchmark.describe_machine())
    print("\n| | time | peak memory | |\n|---|---|---|---|")
    measure_forward(model, processor)
    measure_steps(model, processor)


if __name__ == "__main__":
    main()
