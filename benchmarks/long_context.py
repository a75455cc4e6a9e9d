"""How long may a prompt be on one GPU? `python benchmarks/long_context.py`

A forward over 131,072 tokens, of text and of 64 photos at 16 crops; LoRA steps of one prompt of 32,768 tokens with 32
photos at 4 crops, activations computed twice and kept as far as they fit. Random weights of the full size.
"""

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from on_gpu import measured
from PIL import Image

from etalage.config import TrainConfig
from etalage.data.encoding import Encoded, encode
from etalage.data.packing import collate
from etalage.phi3v.attention import PACKED
from etalage.train import benchmark, loop
from etalage.train.activation_checkpointing import ActivationCheckpointing
from etalage.train.trainable import make_trainable, trainable_parameters


def run() -> None:
    model, processor = benchmark.base("random")
    model.eval().set_attn_implementation({"": PACKED})
    random = np.random.default_rng(0)
    photo = Image.fromarray(random.integers(0, 256, (2100, 1500, 3), dtype=np.uint8))

    def example(num_photos: int, num_tokens: int) -> Encoded:
        tags = "".join(f"<|image_{number + 1}|>\n" for number in range(num_photos))
        encoded = encode(
            processor, f"<|user|>\n{tags}What?<|end|>\n<|assistant|>\n", "Bag<|end|>", [photo] * num_photos
        )
        text = torch.randint(5, 500, (num_tokens - len(encoded.input_ids),))
        return replace(
            encoded, input_ids=torch.cat([text, encoded.input_ids]), labels=torch.cat([text * 0 - 100, encoded.labels])
        )

    print(benchmark.machine())
    print("\n| | time | peak memory | |\n|---|---|---|---|")
    for num_photos in (0, 64):
        inputs = collate([example(num_photos, 131_072)]).inputs(processor.image_processor, model.device)
        with torch.inference_mode(), measured(f"forward, 131,072 tokens, {num_photos} photos of 16 crops") as note:
            logits = model(**inputs, logits_to_keep=1, use_cache=False).logits
            note("all logits finite" if bool(logits.isfinite().all()) else "logits NOT finite")
    processor.image_processor.num_crops = 4
    config = TrainConfig(Path(), Path(), recipe="lora", max_tokens=32_768)
    learned = make_trainable(model, config).train()
    optimizer = torch.optim.AdamW(trainable_parameters(learned).values(), lr=1e-5, fused=True)
    packing = loop._Packing(
        processor.image_processor,
        model.device,
        config.max_tokens,
        long_rope_threshold=model.config.original_max_position_embeddings,
    )
    encoded = [example(32, 32_768)]
    rows = packing.rows(encoded)
    for memory in ("save", "auto"):
        plan = ActivationCheckpointing(learned, memory)
        plan.measure(partial(loop._try_row, learned, packing, encoded))
        for number in range(3):
            with measured(f"LoRA step {number + 1}, 32,768 tokens, 32 photos of 4 crops, --memory {memory}") as note:
                loss, _ = loop._step(learned, packing, rows, optimizer, 1.0, seed=number)
                note(f"loss {float(loss):.2f}, {plan.num_kept} of {plan.num_layers} layers keep their activations")


if __name__ == "__main__":
    run()
