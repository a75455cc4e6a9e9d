"""How many pictures are answered per second? `python benchmarks/generation.py`, on a GPU.

304 photos of 1500 x 2100 at 4 crops, 48 new tokens each, from the files on: by the loop that `evaluate` and `predict`
run, and one at a time by transformers' `generate`, as the published recipes do. The model has random weights of the
full size, which take as long as trained ones; its answers never end before they are cut.
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
from etalage.train.benchmark_inputs import draw_photos, load_model

NUM_BATCHED, NUM_ONE_BY_ONE, NUM_NEW_TOKENS = 304, 12, 48


def main(photos: list[Path]) -> None:
    """Print a table.

    Args:
        photos: Picture files, used again and again.
    """
    model, processor = load_model("random")
    model.eval()
    processor.image_processor.num_crops = 4
    model.generation_config.eos_token_id = [model.config.vocab_size]  # an id that is never generated
    prompt = Task(TaskConfig()).prompt

    def prompts(num_prompts: int) -> Iterator[tuple[str, Image.Image]]:
        return ((prompt, open_picture(photos[number % len(photos)])) for number in range(num_prompts))

    def batched_rate(num_prompts: int) -> float:
        start = time.perf_counter()
        answers = list(
            generate_answers(model, processor, prompts(num_prompts), batch_size="auto", max_new_tokens=NUM_NEW_TOKENS)
        )
        assert len(answers) == num_prompts
        return num_prompts / (time.perf_counter() - start)

    def one_by_one_rate(num_prompts: int) -> float:
        start = time.perf_counter()
        for text, picture in prompts(num_prompts):
            inputs = processor(text=text, images=[picture], return_tensors="pt").to(model.device)
            with torch.inference_mode():
                output = model.generate(**inputs, max_new_tokens=NUM_NEW_TOKENS, do_sample=False)
            assert output.shape[1] == inputs["input_ids"].shape[1] + NUM_NEW_TOKENS
        torch.cuda.synchronize()
        return num_prompts / (time.perf_counter() - start)

    batched_rate(4), one_by_one_rate(1)  # warm-up
    torch.cuda.reset_peak_memory_stats()
    batched, one_by_one = batched_rate(NUM_BATCHED), one_by_one_rate(NUM_ONE_BY_ONE)
    print(benchmark.describe_machine())
    print("\n| | photos/s |\n|---|---|")
    print(f"| all {NUM_BATCHED}, peak memory {torch.cuda.max_memory_allocated() / 2**30:.1f} GiB | {batched:.2f} |")
    print(f"| one at a time, {NUM_ONE_BY_ONE} of them | {one_by_one:.3f} |")
    print(f"| times as fast | {batched / one_by_one:.1f} |")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        main(draw_photos(Path(folder)))
