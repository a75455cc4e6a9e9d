"""Make the decoder hold the picture wherever it writes: `python -m pretraining.spread FOLDER --found found.parquet`.

This is for weights that `pretraining.pretrain` made while only the prompt's end was taught the teachers' features.
There the decoder has gathered the picture, but where a category or a price is about to be written it knows little of
one that no drawn brand has. Here each place is taught what the decoder held at the prompt's end, half of the time
after another picture's answer. Two cores do it within the hour: the tower stays frozen and encodes each picture once.

Letters: N pictures, B pictures of a batch, C crops, P patches, L answer tokens, H decoder's width, Q questions.
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

from etalage.errors import EtalageError
from etalage.phi3v import Phi3VForCausalLM, Phi3VProcessor
from etalage.train.trainable import decay_groups, part_of
from pretraining.augmentation import vary
from pretraining.forward import UNKNOWN, answer_loss, encode_pictures, prompt_ids, save_weights
from pretraining.lessons import QUESTIONS, Lesson, drawn_lesson, found_lessons

__all__ = ["Spreading", "spread"]

CPU = torch.device("cpu")
CHUNK = 16
"""Pictures that the tower encodes at once."""
PATCH_DROPOUT = 0.2
"""Share of the patches' features that each step hides."""
PRINT_EVERY, WARMUP_STEPS = 100, 50


@dataclass(frozen=True)
class Spreading:
    """Settings of the decoder's own part."""

    folder: tyro.conf.Positional[Path]
    """Folder with the weights of `pretraining.pretrain`; gets the new ones."""
    found: Path
    """Found pictures, as `pretraining.found_pictures` packs them."""
    found_step: int = 5
    """Use every n-th found picture."""
    rows: int = 4_000
    """Drawn pictures."""
    num_brands: int = 400
    """Brands that they are of."""
    seed: int = 50
    """Decides brands, pictures and order; must not be one of the pre-training's."""
    seconds: float = 2300.0
    """Duration of the training; the learning rate falls to zero by then."""
    max_steps: int = 1_000_000
    """Stop after so many steps, if that comes first."""
    batch_size: int = 32
    """Pictures per step."""
    learning_rate: float = 5e-4
    """Peak, after 50 steps."""


@dataclass(frozen=True)
class _Encoded:
    """Pictures of one size after the tower.

    Args:
        grid: Tiles in a column and in a row.
        features: (N, C, P, tower's width), in the type that is fast here.
        answers: (N, wordings, L) int16, UNKNOWN after the end.
        held: (N, Q, H) float32, the decoder's state at the prompt's end.
    """

    grid: tuple[int, int]
    features: Tensor
    answers: Tensor
    held: Tensor

    def draw(
        self, question: int, others: Tensor, num: int, generator: torch.Generator
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Draw pictures with replacement, the first half of them with another picture's answer.

        Args:
            question: Which question is asked.
            others: (M, L) int16, answers to draw from.
            num: How many, B.
            generator: On the CPU.

        Returns:
            Features; the answers that follow the prompt, (B, L) int64; the same as labels, UNKNOWN where they are
            another picture's; and the states at the prompt's end, (B, H).
        """
        rows = torch.randint(len(self.features), (num,), generator=generator)
        wording = torch.randint(self.answers.shape[1], (num,), generator=generator)
        context = self.answers[rows, wording].long()
        labels = context.clone()
        # The first half after another's answer, so that a place learns to gather the picture whatever precedes it.
        context[: num // 2] = others[torch.randint(len(others), (num // 2,), generator=generator)].long()
        labels[: num // 2] = UNKNOWN
        longest = int((context >= 0).sum(1).max())
        return self.features[rows].float(), context[:, :longest], labels[:, :longest], self.held[rows, question]


def spread(config: Spreading) -> None:
    """Train the decoder and the projector, and write the weights in bfloat16.

    Args:
        config: Data, duration and size of the training.

    Raises:
        EtalageError: The loss is not finite; names the step.
    """
    torch.manual_seed(config.seed)
    rng, generator = random.Random(config.seed), torch.Generator().manual_seed(config.seed)
    processor = Phi3VProcessor.from_pretrained(config.folder)
    prompts = [prompt_ids(processor, question, CPU) for question in QUESTIONS]
    encoded = _encode_lessons(config, processor, prompts, generator)
    answers = torch.cat([each.answers.flatten(0, 1) for each in encoded])
    all_held = torch.cat([each.held for each in encoded]).flatten(0, 1)
    # Standardised, so that each of the state's numbers counts alike in the distance.
    mean, std = all_held.mean(0), all_held.std(0)

    model = Phi3VForCausalLM.from_pretrained(config.folder, dtype=torch.float32).train()
    head = _identity_head(mean, std)
    # The tower's features were computed once and for all.
    parameters = [p for name, p in model.named_parameters() if part_of(name) != "tower"] + [*head.parameters()]
    optimizer = torch.optim.AdamW(decay_groups(parameters, 0.02), lr=0.0, betas=(0.9, 0.98), fused=True)
    began = time.monotonic()
    for step in range(config.max_steps):
        done = (time.monotonic() - began) / config.seconds
        if done >= 1:
            break
        for group in optimizer.param_groups:
            decay = 0.5 + 0.5 * math.cos(math.pi * done)
            group["lr"] = config.learning_rate * min(1, (step + 1) / WARMUP_STEPS) * decay
        lesson = rng.choices(encoded, [len(each.features) for each in encoded])[0]
        question = step % len(prompts)
        features, context, labels, held = lesson.draw(question, answers, config.batch_size, generator)
        shown = torch.rand(features.shape[:3], generator=generator) >= PATCH_DROPOUT
        # As dropout does it, so that the mean stays what it is without hiding.
        features = features * shown[..., None] / (1 - PATCH_DROPOUT)
        with torch.autocast("cpu", torch.bfloat16, enabled=_fast_dtype() == torch.bfloat16):
            loss, hidden = answer_loss(model, features, lesson.grid, prompts[question], context, labels)
        targets = ((held - mean) / std)[:, None].expand(hidden.shape)
        errors = functional.smooth_l1_loss(head(hidden.float()), targets, reduction="none").mean(-1)  # (B, L)
        figures = {"answers": loss, "everywhere": errors[context >= 0].mean(), "prompt's end": errors[:, 0].mean()}
        total = 0.5 * loss + 3 * figures["everywhere"] + figures["prompt's end"]
        if not torch.isfinite(total):
            raise EtalageError(f"step {step}: the loss is {float(total.detach())}; lower --learning-rate")
        optimizer.zero_grad(set_to_none=True)
        total.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        if step % PRINT_EVERY == 0 or step == config.max_steps - 1:
            rounded = {name: round(float(figure.detach()), 3) for name, figure in figures.items()}
            print(f"step {step}, {time.monotonic() - began:,.0f} s:", rounded, flush=True)
        if step % PRINT_EVERY == 0:
            save_weights(model, config.folder)
    save_weights(model, config.folder)


def _identity_head(mean: Tensor, std: Tensor) -> nn.Linear:
    """Return a head that begins as the normalisation itself, so that at the prompt's end it begins without an error."""
    head = nn.Linear(len(mean), len(mean))
    with torch.no_grad():
        head.weight.copy_(torch.diag(1 / std))
        head.bias.copy_(-mean / std)
    return head


def _fast_dtype() -> torch.dtype:
    """bfloat16 where the CPU has instructions for it; without them it takes many times as long as float32."""
    return torch.bfloat16 if torch.backends.cpu.get_cpu_capability() == "AVX512" else torch.float32


def _encode_lessons(
    config: Spreading, processor: Phi3VProcessor, prompts: list[tuple[Tensor, Tensor]], generator: torch.Generator
) -> list[_Encoded]:
    lessons = found_lessons(config.found, processor, CPU, config.found_step)
    lessons.append(drawn_lesson(1000 * config.seed, config.rows, config.num_brands, processor, CPU))
    model = Phi3VForCausalLM.from_pretrained(config.folder, dtype=_fast_dtype()).eval()
    return [_encode_lesson(model, processor, prompts, lesson, generator) for lesson in lessons]


@torch.inference_mode()
def _encode_lesson(
    model: Phi3VForCausalLM,
    processor: Phi3VProcessor,
    prompts: list[tuple[Tensor, Tensor]],
    lesson: Lesson,
    generator: torch.Generator,
) -> _Encoded:
    """Vary each picture once, encode it with the tower, and let the decoder read it after each question."""
    features, held = [], []
    for first in range(0, len(lesson.pixels), CHUNK):
        pixels = vary(lesson.pixels[first : first + CHUNK].permute(0, 3, 1, 2).float() / 255, generator)
        chunk, grid = encode_pictures(model, processor, pixels)
        features.append(chunk)
        # One place without a token: the state before it is the one at the prompt's end.
        nothing = torch.full((len(pixels), 1), UNKNOWN)
        ends = [answer_loss(model, chunk, grid, prompt, nothing, nothing)[1] for prompt in prompts]
        held.append(torch.stack([end[:, 0] for end in ends], 1).float())
        print(f"{first + len(pixels):,} of {len(lesson.pixels):,} encoded", end="\r", flush=True)
    return _Encoded(grid, torch.cat(features), lesson.answers, torch.cat(held))


if __name__ == "__main__":
    spread(tyro.cli(Spreading))
