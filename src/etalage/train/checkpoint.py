"""What a broken run continues from: trainable weights, optimiser state and step, as safetensors and JSON.

A checkpoint is written aside and renamed, so a folder with the final name is whole. No pickle.
"""

import json
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from etalage.atomic import atomic_directory
from etalage.errors import EtalageError

__all__ = ["check_disk_space", "latest_checkpoint", "load_best", "load_checkpoint", "save_best", "save_checkpoint"]

_WEIGHTS, _OPTIMIZER, _STATE = "weights.safetensors", "optimizer.safetensors", "state.json"
_BEST = "best.safetensors"


def check_disk_space(
    folder: Path, learned: Iterable[Tensor], result: Iterable[Tensor], *, num_on_the_way: int, keeps_best: bool
) -> None:
    """Say before the first step what else the last one would: that the disk is too small for what a run writes.

    Args:
        folder: Of the checkpoints, in the run folder; what it holds makes way for later ones.
        learned: Weights that checkpoints hold.
        result: Weights that the trained model is written with.
        num_on_the_way: Checkpoints that steps follow, which have AdamW's two moments beside the weights.
        keeps_best: Whether the best epoch's weights are kept as well.
    Raises:
        EtalageError: there is less room than there must be when it takes most.
    """
    weights = sum(p.nbytes for p in learned)
    # the result beside the last checkpoint, that one beside another with moments, or two of these
    most = max(weights + sum(p.nbytes for p in result), (0, 4, 6)[min(num_on_the_way, 2)] * weights)
    needed = most + keeps_best * weights
    held = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    room = shutil.disk_usage(folder.parent).free + held
    if room < needed:
        raise EtalageError(
            f"{folder.parent}: there is room for {room / 1e9:.3g} GB, and checkpoints and the trained model take up to "
            f"{needed / 1e9:.3g} GB; make room, name an --out on another disk, or train adapters (--recipe lora)"
        )


def save_checkpoint(
    folder: Path, step: int, parameters: dict[str, nn.Parameter], optimizer: torch.optim.Optimizer | None
) -> Path:
    """Write `folder/step-STEP` and then remove older ones.

    Args:
        step: Steps done.
        parameters: Those that learn, by name.
        optimizer: Holds these parameters; each state entry must be a tensor, as AdamW's are. None: no step follows.
    """
    target = folder / f"step-{step:07d}"
    with atomic_directory(target) as aside:
        _save_weights(aside / _WEIGHTS, parameters)
        if optimizer is not None:
            state = {
                f"{name}/{key}": value.contiguous()
                for name, p in parameters.items()
                for key, value in optimizer.state[p].items()
            }
            save_file(state, aside / _OPTIMIZER)
        (aside / _STATE).write_text(json.dumps({"step": step}))
        for file in aside.iterdir():
            _flush(file)
    _flush(folder)
    for other in folder.glob("step-*"):
        if other != target:
            shutil.rmtree(other)
    return target


def latest_checkpoint(folder: Path) -> Path | None:
    """The whole checkpoint with the most steps, if there is one."""
    return max((path for path in folder.glob("step-*") if not path.suffix), default=None)


def load_checkpoint(path: Path, parameters: dict[str, nn.Parameter], optimizer: torch.optim.Optimizer) -> int:
    """Put weights and optimiser state back, in place.

    Returns:
        Steps done.
    Raises:
        EtalageError: the checkpoint is of other parameters.
    """
    _load_weights(path / _WEIGHTS, parameters)
    if (path / _OPTIMIZER).exists():
        for key, value in load_file(path / _OPTIMIZER).items():
            name, entry = key.rsplit("/", 1)
            optimizer.state[parameters[name]][entry] = value.to(parameters[name].device)
    return int(json.loads((path / _STATE).read_text())["step"])


def save_best(folder: Path, parameters: dict[str, nn.Parameter]) -> None:
    """Keep these weights, instead of those kept before."""
    folder.mkdir(parents=True, exist_ok=True)
    aside = folder / f"{_BEST}.partial"
    _save_weights(aside, parameters)
    _flush(aside)
    aside.rename(folder / _BEST)


def load_best(folder: Path, parameters: dict[str, nn.Parameter]) -> None:
    """Put the weights that were kept back, in place."""
    _load_weights(folder / _BEST, parameters)


def _save_weights(path: Path, parameters: dict[str, nn.Parameter]) -> None:
    save_file({name: p.detach().contiguous() for name, p in parameters.items()}, path)


@torch.no_grad()
def _load_weights(path: Path, parameters: dict[str, nn.Parameter]) -> None:
    weights = load_file(path)
    if weights.keys() != parameters.keys():
        differing = sorted(weights.keys() ^ parameters.keys())
        raise EtalageError(
            f"{path}: holds other weights than this run trains, such as {differing[0]}; choose another --out"
        )
    for name, parameter in parameters.items():
        parameter.copy_(weights[name])


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)
