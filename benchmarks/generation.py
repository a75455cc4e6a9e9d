"""How many pictures a second are answered? `python benchmarks/generation.py`, on a GPU

304 photos of 1500 x 2100 at 4 crops, 48 new tokens each, from the files on: by the loop that `evaluate` and `predict`
run, and one at a time by transformers' `generate`, as the published recipes do. Random weights of the full size, which
take as long as trained ones and never come to an end of their own.
"""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import torch
from PIL import Image

from etalage.catalogue.pictures import open_picture
from etalage.config import TaskConfig
from etalage.generate.engine import generate_answers
from etalage.task import Task
from etalage.train import benchmark

NUM_PHOTOS, NUM_ALONE, NEW_TOKENS = 304, 12, 48


def run(photos: list[Path]) -> None:
    model, processor = benchmark.base("random")
    model.eval()
    processor.image_processor.num_crops = 4
    model.generation_config.eos_token_id = [model.config.vocab_size]
    prompt = Task(TaskConfig()).prompt

    def asked(count: int) -> Iterator[tuple[str, Image.Image]]:
        return ((prompt, open_picture(photos[number % len(photos)])) for number in range(count))

    def batched(count: int) -> float:
        began = time.perf_counter()
        given = list(generate_answers(model, processor, asked(count), batch_size="auto", max_new_tokens=NEW_TOKENS))
        assert len(given) == count
        return count / (time.perf_counter() - began)

    def alone(count: int) -> float:
        began = time.perf_counter()
        for text, picture in asked(count):
            inputs = processor(text=text, images=[picture], return_tensors="pt").to(model.device)
            with torch.inference_mode():
                output = model.generate(**inputs, max_new_tokens=NEW_TOKENS, do_sample=False)
            assert output.shape[1] == inputs["input_ids"].shape[1] + NEW_TOKENS
        torch.cuda.synchronize()
        return count / (time.perf_counter() - began)

    batched(4), alone(1)
    torch.cuda.reset_peak_memory_stats()
    together, one_by_one = batched(NUM_PHOTOS), alone(NUM_ALONE)
    print(benchmark.machine())
    print("\n| | photos/s |\n|---|---|")
    print(f"| all {NUM_PHOTOS}, peak memory {torch.cuda.max_memory_allocated() / 2**30:.1f} GiB | {together:.2f} |")
    print(f"| one at a time, {NUM_ALONE} of them | {one_by_one:.3f} |")
    print(f"| times as fast | {together / one_by_one:.1f} |")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        run(benchmark.photos(Path(folder)))
