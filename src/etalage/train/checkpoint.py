"""What an interrupted run resumes from: trainable weights, optimizer state and step, as safetensors and JSON.

A checkpoint is written under another name and then renamed, so a folder with the final name is complete. The one before
it is kept, in case a disk or a copy damages the newer one, which its digests tell. Nothing is pickled.
"""

import json
import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

import torch
import xxhash
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from etalage.atomic import atomic_directory
from etalage.console import say
from etalage.errors import EtalageError
from etalage.folders import file_in
from etalage.json_files import read_json_object
from etalage.pretrained.weights import is_finite
from etalage.schema import check, integer, record

__all__ = ["check_disk_space", "load_best", "load_checkpoint", "load_latest", "save_best", "save_checkpoint"]

_WEIGHTS, _OPTIMIZER, _STATE = "weights.safetensors", "optimizer.safetensors", "state.json"
_BEST = "best.safetensors"
_REMEDY = "restore it, or remove the run folder to begin again"
_DIGEST = "xxh128"
"""The key of a file's metadata that its tensors' digest stands under."""


class _DamageError(EtalageError):
    """A checkpoint that is not as it was written."""


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
    # The peak is either the result beside the last checkpoint (1) and an earlier one with moments (3), or two with
    # moments (3 + 3): of the two that are kept, the older one makes way before the next is written.
    peak = max((4 if num_resumable else 1) * weights + sum(p.nbytes for p in result), 6 * weights * (num_resumable > 1))
    needed = peak + keeps_best * weights
    held = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    room = shutil.disk_usage(folder.parent).free + held
    if room < needed:
        raise EtalageError(
            f"{folder.parent}: there is room for {room / 1e9:.3g} GB, and checkpoints and the trained model take up to "
            f"{needed / 1e9:.3g} GB; make room, name an --out on another disk, keep no checkpoints on the way "
            "(--checkpoint-minutes None), or train adapters (--recipe lora)"
        )


def save_checkpoint(
    folder: Path, step: int, parameters: Mapping[str, nn.Parameter], optimizer: torch.optim.Optimizer | None
) -> Path:
    """Write `folder/step-STEP`; of older checkpoints, keep the newest.

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
    target = folder / _name(step)
    # Before, so that the disk never holds more than two; at every moment one is complete.
    complete = _complete(folder)
    for other in folder.glob("step-*"):
        if other not in complete[-1:] and ".partial-" not in other.name:
            shutil.rmtree(other)
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
    return target


def load_latest(
    folder: Path, parameters: Mapping[str, nn.Parameter], optimizer: torch.optim.Optimizer, num_steps: int
) -> int:
    """Restore the newest checkpoint, or the one before it if the newest is damaged, and say so.

    Args:
        folder: The checkpoints of a run.
        parameters: The trainable parameters by name, changed in place.
        optimizer: Holds these parameters.
        num_steps: Steps of the whole run; a checkpoint before the last one needs optimizer state.

    Returns:
        Steps done; 0 if there is no checkpoint.

    Raises:
        EtalageError: The checkpoint holds other parameters, or all are damaged.
    """
    damaged: list[Path] = []
    error: _DamageError | None = None
    for path in reversed(_complete(folder)):
        try:
            step = load_checkpoint(path, parameters, optimizer, num_steps)
        except _DamageError as found:
            error = error or found
            damaged.append(path)
            continue
        for other in damaged:
            other.rename(other.with_name(f"{other.name}.damaged"))  # its steps are taken again
            say(f"{other} is damaged; training goes on from {path.name}, the checkpoint before it")
        return step
    if error is not None:
        raise error
    return 0


def load_checkpoint(
    path: Path, parameters: Mapping[str, nn.Parameter], optimizer: torch.optim.Optimizer, num_steps: int
) -> int:
    """Restore weights and optimizer state, in place.

    Args:
        path: A complete checkpoint.
        parameters: The trainable parameters by name.
        optimizer: Holds these parameters.
        num_steps: Steps of the whole run; after the last one there is no optimizer state.

    Returns:
        Steps done.

    Raises:
        EtalageError: The checkpoint holds other parameters, or is damaged.
    """
    step = _read_step(path)
    # All is read before anything is changed.
    weights = _load_tensors(path, _WEIGHTS)
    _check_weights(path / _WEIGHTS, weights, parameters)
    state: dict[str, dict[str, Tensor]] = {}
    if step != num_steps:
        for key, value in _load_tensors(path, _OPTIMIZER).items():
            name, _, entry = key.rpartition("/")
            if name not in parameters or value.shape not in (parameters[name].shape, ()):
                raise _DamageError(f"{path / _OPTIMIZER} is damaged: it holds {key}; {_REMEDY}")
            state.setdefault(name, {})[entry] = value
    _copy_weights(weights, parameters)
    optimizer.state.clear()
    for name, entries in state.items():
        optimizer.state[parameters[name]] = {key: value.to(parameters[name].device) for key, value in entries.items()}
    return step


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
    weights = _load_tensors(folder, _BEST)
    _check_weights(folder / _BEST, weights, parameters)
    _copy_weights(weights, parameters)


def _complete(folder: Path) -> list[Path]:
    """Return the complete checkpoints, oldest first."""
    # Names sort as numbers, being zero-padded; a suffix marks what a killed process left, and what is damaged.
    return sorted(path for path in folder.glob("step-*") if not path.suffix)


def _read_step(path: Path) -> int:
    try:
        state = file_in(path, _STATE, _REMEDY)
        found = read_json_object(state, remedy=_REMEDY, max_bytes=1 << 20)
        check(found, record({"step": integer(0)}), str(state), _REMEDY)
        if path.name != _name(found["step"]):
            raise EtalageError(f"{state}: step is {found['step']}, which its folder's name contradicts; {_REMEDY}")
    except EtalageError as error:
        raise _DamageError(str(error)) from error
    return found["step"]


def _name(step: int) -> str:
    return f"step-{step:07d}"


def _digest(tensors: Mapping[str, Tensor]) -> str:
    """Return the XXH3 digest of tensors' names, types, shapes and bytes."""
    digest = xxhash.xxh3_128()
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tensor.dtype} {list(tensor.shape)}".encode())
        digest.update(tensor.detach().contiguous().cpu().reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()


def _save_tensors(path: Path, tensors: Mapping[str, Tensor]) -> None:
    contiguous = {name: tensor.detach().contiguous() for name, tensor in tensors.items()}
    try:
        save_file(contiguous, path, metadata={_DIGEST: _digest(contiguous)})
    except SafetensorError as error:
        raise EtalageError(
            f"{path} could not be written ({error}); make room on the disk and run the same command again, which "
            "resumes from the checkpoint before"
        ) from error


def _load_tensors(folder: Path, name: str) -> dict[str, Tensor]:
    try:
        path = file_in(folder, name, _REMEDY)
        with safe_open(path, "pt") as file:
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - it is no mapping
            # Files of earlier versions have none.
            expected = (file.metadata() or {}).get(_DIGEST)
    except (SafetensorError, OSError) as error:
        raise _DamageError(f"{folder / name} is damaged ({error}); {_REMEDY}") from error
    except EtalageError as error:
        raise _DamageError(str(error)) from error
    if expected != _digest(tensors) if expected else not all(map(is_finite, tensors.values())):
        raise _DamageError(f"{path} is damaged (its tensors are not those that were written); {_REMEDY}")
    return tensors


def _check_weights(path: Path, weights: Mapping[str, Tensor], parameters: Mapping[str, nn.Parameter]) -> None:
    # Shapes, too, or copying could broadcast.
    shapes = {name: parameter.shape for name, parameter in parameters.items()}
    if {name: weight.shape for name, weight in weights.items()} != shapes:
        differing = sorted(n for n in weights.keys() | shapes if n not in weights or weights[n].shape != shapes.get(n))
        raise _DamageError(
            f"{path}: holds other weights than this run trains, such as {differing[0]}; choose another --out"
        )


@torch.no_grad()
def _copy_weights(weights: Mapping[str, Tensor], parameters: Mapping[str, nn.Parameter]) -> None:
    for name, parameter in parameters.items():
        parameter.copy_(weights[name])


def _flush(path: Path) -> None:
    """Wait until the disk holds a file or a folder's entries, so that a power cut cannot undo the renaming."""
    descriptor = os.open(path, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)
