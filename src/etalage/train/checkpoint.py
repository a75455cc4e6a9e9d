"""What a broken run continues from: trainable weights, optimiser state and step, as safetensors and JSON.

A checkpoint is written aside and renamed, so a folder with the final name is whole. No pickle.
"""

import json
import os
import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import nn

__all__ = ["latest_checkpoint", "load_best", "load_checkpoint", "save_best", "save_checkpoint"]

_WEIGHTS, _OPTIMIZER, _STATE = "weights.safetensors", "optimizer.safetensors", "state.json"
_BEST = "best.safetensors"


def save_checkpoint(
    folder: Path, step: int, parameters: dict[str, nn.Parameter], optimizer: torch.optim.Optimizer
) -> Path:
    """Write `folder/step-STEP` and then remove older ones.

    Args:
        step: Steps done.
        parameters: Those that learn, by name.
        optimizer: Holds these parameters; each state entry must be a tensor, as AdamW's are.
    """
    target = folder / f"step-{step:07d}"
    aside = folder / f"{target.name}.partial"
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    _save_weights(aside / _WEIGHTS, parameters)
    save_file(
        {
            f"{name}/{key}": value.contiguous()
            for name, p in parameters.items()
            for key, value in optimizer.state[p].items()
        },
        aside / _OPTIMIZER,
    )
    (aside / _STATE).write_text(json.dumps({"step": step}))
    for file in aside.iterdir():
        _flush(file)
    shutil.rmtree(target, ignore_errors=True)
    aside.rename(target)
    _flush(folder)
    for other in folder.glob("step-*"):
        if other != target:
            shutil.rmtree(other)
    return target


def latest_checkpoint(folder: Path) -> Path | None:
    """The whole checkpoint with the most steps, if there is one."""
    whole = [path for path in folder.glob("step-*") if path.suffix != ".partial"]
    return max(whole, default=None)


def load_checkpoint(path: Path, parameters: dict[str, nn.Parameter], optimizer: torch.optim.Optimizer) -> int:
    """Put weights and optimiser state back, in place.

    Returns:
        Steps done.
    Raises:
        ValueError: the checkpoint is of other parameters.
    """
    _load_weights(path / _WEIGHTS, parameters)
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
        raise ValueError(
            f"{path}: holds other weights than this run trains, such as {differing[0]}; choose another --out"
        )
    for name, parameter in parameters.items():
        parameter.copy_(weights[name])


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)
