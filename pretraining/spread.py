"""Have the decoder hold the picture wherever it writes: `python -m pretraining.spread FOLDER --found found.parquet`

For weights that `pretraining.pretrain` made while it told the decoder of the teachers at the prompt's end only: there
the decoder has gathered the picture, but where a category or a price is about to be written it knows little of one
that no drawn brand has. Here it is told at every place what it held at the prompt's end, half of the time behind
another picture's answer. Two cores do it within the hour: the tower stays as it is and sees each picture once.

Letters: B pictures, L answer tokens, D decoder's width.
"""

import math
import random
import time
from dataclasses import dataclass
from pathlib import Path

import torch
import tyro
from torch import Tensor, nn
from torch.nn import functional

from etalage.phi3v import Phi3VForCausalLM, Phi3VProcessor
from etalage.train.trainable import decay_groups, part_of
from pretraining.pretrain import (
    QUESTIONS,
    UNKNOWN,
    Lesson,
    drawn_lesson,
    found_lessons,
    prompt_ids,
    read,
    save,
    see,
    varied,
)

__all__ = ["Spreading", "spread"]

CPU = torch.device("cpu")
CHUNK = 16
PATCH_DROPOUT = 0.2
"""Share of the patches' features that each step hides."""


@dataclass(frozen=True)
class Spreading:
    """How the small model's sight is spread."""

    folder: tyro.conf.Positional[Path]
    """With the weights of `pretraining.pretrain`; gets the new ones."""
    found: Path
    """Found pictures, as `pretraining.found_pictures` packs them."""
    found_step: int = 5
    """Each so manieth of them is taken."""
    rows: int = 4_000
    """Drawn pictures."""
    num_brands: int = 400
    seed: int = 50
    """Decides brands, pictures and order; not one of the pre-training's."""
    seconds: float = 2300.0
    """Of training; the learning rate falls to zero by then."""
    max_steps: int = 1_000_000
    batch_size: int = 32
    learning_rate: float = 5e-4


@dataclass(frozen=True)
class _Seen:
    """Pictures of one layout as the tower sees them."""

    grid: tuple[int, int]  # tiles in a column, and in a row
    features: Tensor  # (N, crops, patches, tower's width) as _quick_dtype says
    answers: Tensor  # (N, wordings, L) int16, UNKNOWN behind the end
    held: Tensor  # (N, questions, D) float32, what the decoder held at the prompt's end

    def some(
        self, asked: int, others: Tensor, num: int, draws: torch.Generator
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Features; (B, L) int64, what stands behind the prompt, for the first half somebody else's answer; the same,
        as it is to be written; and what was held when `asked` so."""
        rows = torch.randint(len(self.features), (num,), generator=draws)
        wording = torch.randint(self.answers.shape[1], (num,), generator=draws)
        said = self.answers[rows, wording].long()
        written = said.clone()
        said[: num // 2] = others[torch.randint(len(others), (num // 2,), generator=draws)].long()
        written[: num // 2] = UNKNOWN
        longest = int((said >= 0).sum(1).max())
        return self.features[rows].float(), said[:, :longest], written[:, :longest], self.held[rows, asked]


def spread(config: Spreading) -> None:
    """Train the decoder and the projector, and write the weights in bfloat16.

    Raises:
        FloatingPointError: the loss is not finite; names the step.
    """
    torch.manual_seed(config.seed)
    rng, draws = random.Random(config.seed), torch.Generator().manual_seed(config.seed)
    processor = Phi3VProcessor.from_pretrained(config.folder)
    prompts = [prompt_ids(processor, question, CPU) for question in QUESTIONS]
    lessons = found_lessons(config.found, processor, CPU, config.found_step)
    lessons.append(drawn_lesson(1000 * config.seed, config.rows, config.num_brands, processor, CPU))
    dtype = _quick_dtype()
    looking = Phi3VForCausalLM.from_pretrained(config.folder, dtype=dtype).eval()
    seen = [_seen(looking, processor, prompts, lesson, draws) for lesson in lessons]
    answers = torch.cat([each.answers.flatten(0, 1) for each in seen])
    all_held = torch.cat([each.held for each in seen]).flatten(0, 1)
    mean, std = all_held.mean(0), all_held.std(0)

    model = Phi3VForCausalLM.from_pretrained(config.folder, dtype=torch.float32).train()
    head = nn.Linear(len(mean), len(mean))
    with torch.no_grad():  # at the prompt's end it begins without an error
        head.weight.copy_(torch.diag(1 / std))
        head.bias.copy_(-mean / std)
    parameters = [p for name, p in model.named_parameters() if part_of(name) != "tower"] + [*head.parameters()]
    optimizer = torch.optim.AdamW(decay_groups(parameters, 0.02), lr=0.0, betas=(0.9, 0.98), fused=True)
    began = time.monotonic()
    for step in range(config.max_steps):
        part = (time.monotonic() - began) / config.seconds
        if part >= 1:
            break
        for group in optimizer.param_groups:
            group["lr"] = config.learning_rate * min(1, (step + 1) / 50) * (0.5 + 0.5 * math.cos(math.pi * part))
        of = rng.choices(seen, [len(each.features) for each in seen])[0]
        features, said, written, held = of.some(step % len(prompts), answers, config.batch_size, draws)
        shown = torch.rand(features.shape[:3], generator=draws) >= PATCH_DROPOUT
        features = features * shown[..., None] / (1 - PATCH_DROPOUT)
        with torch.autocast("cpu", torch.bfloat16, enabled=dtype == torch.bfloat16):
            loss, hidden = read(model, features, of.grid, prompts[step % len(prompts)], said, written)
        wanted = ((held - mean) / std)[:, None].expand(hidden.shape)
        errors = functional.smooth_l1_loss(head(hidden.float()), wanted, reduction="none").mean(-1)  # (B, L)
        figures = {"answers": loss, "everywhere": errors[said >= 0].mean(), "prompt's end": errors[:, 0].mean()}
        total = 0.5 * loss + 3 * figures["everywhere"] + figures["prompt's end"]
        if not torch.isfinite(total):
            raise FloatingPointError(f"step {step}: the loss is {float(total.detach())}; lower --learning-rate")
        optimizer.zero_grad(set_to_none=True)
        total.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        if step % 100 == 0 or step == config.max_steps - 1:
            rounded = {name: round(float(figure.detach()), 3) for name, figure in figures.items()}
            print(f"step {step}, {time.monotonic() - began:,.0f} s:", rounded, flush=True)
        if step % 100 == 0:
            save(model, config.folder)
    save(model, config.folder)


def _quick_dtype() -> torch.dtype:
    """bfloat16 where the CPU has instructions for it: without them it takes many times as long as float32."""
    return torch.bfloat16 if torch.backends.cpu.get_cpu_capability() == "AVX512" else torch.float32


@torch.inference_mode()
def _seen(
    model: Phi3VForCausalLM,
    processor: Phi3VProcessor,
    prompts: list[tuple[Tensor, Tensor]],
    lesson: Lesson,
    draws: torch.Generator,
) -> _Seen:
    """Vary each picture once, let the tower see it, and the decoder read it behind each question."""
    features, held = [], []
    for first in range(0, len(lesson.pixels), CHUNK):
        pixels = varied(lesson.pixels[first : first + CHUNK].permute(0, 3, 1, 2).float() / 255, draws)
        some, grid = see(model, processor, pixels)
        features.append(some)
        unsaid = torch.full((len(pixels), 1), UNKNOWN)
        ends = [read(model, some, grid, prompt, unsaid, unsaid)[1] for prompt in prompts]
        held.append(torch.stack([end[:, 0] for end in ends], 1).float())
        print(f"{first + len(pixels):,} of {len(lesson.pixels):,} seen", end="\r", flush=True)
    return _Seen(grid, torch.cat(features), lesson.answers, torch.cat(held))


if __name__ == "__main__":
    spread(tyro.cli(Spreading))
