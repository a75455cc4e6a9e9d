"""What an interrupted run resumes from: trainable weights, optimizer state and step, as safetensors and JSON.

A checkpoint is written under another name and then renamed, so a folder with the final name is complete. Nothing is
pickled.
"""

import json
import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from etalage.atomic import atomic_directory
from etalage.errors import EtalageError

__all__ = ["check_disk_space", "latest_checkpoint", "load_best", "load_checkpoint", "save_best", "save_checkpoint"]

_WEIGHTS, _OPTIMIZER, _STATE = "weights.safetensors", "optimizer.safetensors", "state.json"
_BEST = "best.safetensors"


def check_disk_space(
    folder: Path, trainable: Iterable[Tensor], result: Iterable[Tensor], *, num_resumable: int, keeps_best: bool
) -> None:
    """Check before the first step that the disk holds all that a run writes.

    Args:
        folder: The checkpoints, in the run folder. What it holds makes way for later ones.
        trainable: The weights that checkpoints hold.
        result: The weights that the trained model is written with.
        num_resumable: Checkpoints that are followed by further steps. They hold AdamW's two moments, too.
        keeps_best: Whether the best epoch's weights are kept as well.

    Raises:
        EtalageError: There is less room than the run takes at its peak.
    """
    weights = sum(p.nbytes for p in trainable)
    # The peak is either the result beside the last checkpoint (1), that checkpoint beside an earlier one with moments
    # (1 + 3), or two with moments (3 + 3).
    peak = max(weights + sum(p.nbytes for p in result), (0, 4, 6)[min(num_resumable, 2)] * weights)
    needed = peak + keeps_best * weights
    held = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    room = shutil.disk_usage(folder.parent).free + held
    if room < needed:
        raise EtalageError(
            f"{folder.parent}: there is room for {room / 1e9:.3g} GB, and checkpoints and the trained model take up to "
            f"{needed / 1e9:.3g} GB; make room, name an --out on another disk, or train adapters (--recipe lora)"
        )


def save_checkpoint(
    folder: Path, step: int, parameters: Mapping[str, nn.Parameter], optimizer: torch.optim.Optimizer | None
) -> Path:
    """Write `folder/step-STEP` and then remove older checkpoints.

    Args:
        folder: The checkpoints of a run.
        step: Steps done.
        parameters: The trainable parameters by name.
        optimizer: Holds these parameters; each state entry must be a tensor, as AdamW's are. None if no step follows.

    Returns:
        The checkpoint.

    Raises:
        EtalageError: The disk is full; the checkpoint before is still there.
    """
    target = folder / f"step-{step:07d}"
    with atomic_directory(target) as partial:
        _save_tensors(partial / _WEIGHTS, parameters)
        if optimizer is not None:
            state = {
                f"{name}/{key}": value for name, p in parameters.items() for key, value in optimizer.state[p].items()
            }
            _save_tensors(partial / _OPTIMIZER, state)
        (partial / _STATE).write_text(json.dumps({"step": step}))
        # Before the folder is renamed: after a power cut a complete name must not stand for incomplete files.
        for file in partial.iterdir():
            _flush(file)
    _flush(folder)
    # Only now, so that there is a complete checkpoint at every moment.
    for other in folder.glob("step-*"):
        if other != target:
            shutil.rmtree(other)
    return target


def latest_checkpoint(folder: Path) -> Path | None:
    """Return the complete checkpoint with the most steps, or None if there is none."""
    # Names sort as numbers, being zero-padded; a suffix marks what a killed process left.
    return max((path for path in folder.glob("step-*") if not path.suffix), default=None)


def load_checkpoint(path: Path, parameters: Mapping[str, nn.Parameter], optimizer: torch.optim.Optimizer) -> int:
    """Restore weights and optimizer state, in place.

    Args:
        path: A complete checkpoint.
        parameters: The trainable parameters by name.
        optimizer: Holds these parameters.

    Returns:
        Steps done.

    Raises:
        EtalageError: The checkpoint holds other parameters, or is damaged.
    """
    _load_weights(path / _WEIGHTS, parameters)
    if (path / _OPTIMIZER).exists():
        for key, value in _load_tensors(path / _OPTIMIZER).items():
            name, entry = key.rsplit("/", 1)
            optimizer.state[parameters[name]][entry] = value.to(parameters[name].device)
    return int(json.loads((path / _STATE).read_text())["step"])


def save_best(folder: Path, parameters: Mapping[str, nn.Parameter]) -> None:
    """Keep these weights instead of those that were kept before.

    Args:
        folder: The checkpoints of a run.
        parameters: The trainable parameters by name.

    Raises:
        EtalageError: The disk is full; the weights that were kept before are still there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f"{_BEST}.partial"
    _save_tensors(partial, parameters)
    _flush(partial)
    partial.rename(folder / _BEST)


def load_best(folder: Path, parameters: Mapping[str, nn.Parameter]) -> None:
    """Restore the weights that `save_best` kept last, in place.

    Args:
        folder: The checkpoints of a run.
        parameters: The trainable parameters by name.

    Raises:
        EtalageError: The file holds other parameters, or is damaged.
    """
    _load_weights(folder / _BEST, parameters)


def _save_tensors(path: Path, tensors: Mapping[str, Tensor]) -> None:
    try:
        save_file({name: tensor.detach().contiguous() for name, tensor in tensors.items()}, path)
    except SafetensorError as error:
        raise EtalageError(
            f"{path} could not be written ({error}); make room on the disk and run the same command again, which "
            "resumes from the checkpoint before"
        ) from error


def _load_tensors(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except SafetensorError as error:
        raise EtalageError(
            f"{path} is damaged ({error}); restore it, or remove the run folder to begin again"
        ) from error


@torch.no_grad()
def _load_weights(path: Path, parameters: Mapping[str, nn.Parameter]) -> None:
    weights = _load_tensors(path)
    if weights.keys() != parameters.keys():
        differing = sorted(weights.keys() ^ parameters.keys())
        raise EtalageError(
            f"{path}: holds other weights than this run trains, such as {differing[0]}; choose another --out"
        )
    for name, parameter in parameters.items():
        parameter.copy_(weights[name])


def _flush(path: Path) -> None:
    """Wait until the disk holds a file or a folder's entries, so that a power cut cannot undo the renaming."""
    descriptor = os.open(path, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)
