"""Tensors in safetensors files: what their headers promise, and whether they hold it."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from etalage.errors import EtalageError
from etalage.folders import file_in, optional_file_in
from etalage.json_files import read_json_object
from etalage.schema import TEXT, check, mapping, record

__all__ = ["Header", "check_names_and_shapes", "is_finite", "read_headers", "read_model_headers", "read_tensors"]

_INDEX, _WEIGHTS = "model.safetensors.index.json", "model.safetensors"
_SHARD = re.compile(r"[\w.-]+\.safetensors")
_MAX_INDEX_BYTES = 16 << 20
_DTYPES = ("BF16", "F16", "F32")
_NUM_SHOWN = 3
_CHUNK = 1 << 17


@dataclass(frozen=True)
class Header:
    """The file and the shape of a tensor, as a file's header gives them and its size bears out."""

    path: Path
    shape: tuple[int, ...]


def read_model_headers(folder: Path, remedy: str) -> dict[str, Header]:
    """Return the tensors of a checkpoint folder by name, from model.safetensors or the shards of an index.

    Args:
        folder: A checkpoint folder.
        remedy: What the user can do, as the end of a sentence.

    Raises:
        EtalageError: There are none, a file is not a safetensors file inside the folder, or the index is wrong.
    """
    index = optional_file_in(folder, _INDEX, remedy)
    single = optional_file_in(folder, _WEIGHTS, remedy)
    if index is None:
        if single is None:
            raise EtalageError(f"{folder} {_describe_lack(folder)}; {remedy}")
        return read_headers(single, remedy)
    if single is not None:
        raise EtalageError(f"{folder} has both {_WEIGHTS} and {_INDEX}; remove the one that is out of date")
    weight_map = _read_index(index, remedy)
    # All names before the first file is opened.
    shards = {name: file_in(folder, name, remedy) for name in sorted(set(weight_map.values()))}
    headers: dict[str, Header] = {}
    for path in shards.values():
        more = read_headers(path, remedy)
        if twice := sorted(headers.keys() & more.keys()):
            raise EtalageError(f"{path}: {twice[0]} is in {headers[twice[0]].path.name}, too; {remedy}")
        headers |= more
    for name, shard in weight_map.items():
        if name not in headers or headers[name].path.name != shard:
            raise EtalageError(f"{index}: {name} is not in {shard}, which it names; {remedy}")
    return headers


def _describe_lack(folder: Path) -> str:
    names = sorted(path.name for path in folder.iterdir())
    if "adapter_config.json" in names:
        return "holds adapters, not a whole model"
    if pickled := [name for name in names if name.endswith((".bin", ".pt", ".pth", ".ckpt"))]:
        return f"holds weights as {pickled[0]} alone: pickles can run code when loaded and are never read"
    return f"has no {_WEIGHTS}"


def _read_index(index: Path, remedy: str) -> dict[str, str]:
    found = read_json_object(index, remedy=remedy, max_bytes=_MAX_INDEX_BYTES)
    check(found, record({"weight_map": mapping(TEXT)}), str(index), remedy)
    weight_map: dict[str, str] = found["weight_map"]
    for name, shard in weight_map.items():
        if not _SHARD.fullmatch(shard):
            raise EtalageError(
                f"{index}: weight_map.{name} is {shard!r}; expected the name of a .safetensors file in this folder, as "
                f"other files can run code when loaded; {remedy}"
            )
    return weight_map


def read_headers(path: Path, remedy: str) -> dict[str, Header]:
    """Return the tensors of a safetensors file by name.

    Args:
        path: A regular file.
        remedy: What the user can do, as the end of a sentence.

    Raises:
        EtalageError: It is damaged, or a tensor is of a type that no model has.
    """
    headers = {}
    try:
        with safe_open(path, "pt") as file:
            for name in file.keys():  # noqa: SIM118 - it is no mapping
                part = file.get_slice(name)
                if part.get_dtype() not in _DTYPES:
                    raise EtalageError(f"{path}: {name} is of type {part.get_dtype()}; expected {', '.join(_DTYPES)}")
                headers[name] = Header(path, tuple(part.get_shape()))
    except (SafetensorError, OSError) as error:
        raise EtalageError(f"{path} is damaged ({error}); {remedy}") from error
    return headers


def check_names_and_shapes(
    headers: Mapping[str, Header],
    expected: Mapping[str, Sequence[int]],
    spare: Collection[str],
    place: Path,
    remedy: str,
) -> None:
    """Check that all tensors of a model are there in its shapes, and no others.

    Args:
        headers: What the files hold.
        expected: The shape of each tensor of the model, by name.
        spare: Names that may be missing.
        place: The folder or file, for messages.
        remedy: What the user can do, as the end of a sentence.

    Raises:
        EtalageError: Tensors are missing, unknown or of other shapes; the first few are named.
    """
    missing = [name for name in expected if name not in headers and name not in spare]
    unknown = [name for name in headers if name not in expected]
    wrong = [
        f"{name} has shape {list(headers[name].shape)} instead of {list(shape)}"
        for name, shape in expected.items()
        if name in headers and headers[name].shape != tuple(shape)
    ]
    problems = [
        f"{len(names)} {words}: {', '.join(names[:_NUM_SHOWN])}{', ...' if len(names) > _NUM_SHOWN else ''}"
        for words, names in (
            ("missing", missing),
            ("that the model does not have", unknown),
            ("of other shapes", wrong),
        )
        if names
    ]
    if problems:
        raise EtalageError(
            f"{place} does not hold this model's {len(expected)} tensors ({'; '.join(problems)}); {remedy}"
        )


def read_tensors(headers: Mapping[str, Header], remedy: str) -> dict[str, Tensor]:
    """Read tensors, on the CPU and in their own types.

    Args:
        headers: The tensors to read.
        remedy: What the user can do, as the end of a sentence.

    Raises:
        EtalageError: One holds NaN or infinity.
    """
    tensors: dict[str, Tensor] = {}
    for path in sorted({header.path for header in headers.values()}):
        with safe_open(path, "pt") as file:
            # In the order of the file, which disks read fastest.
            for name in file.keys():  # noqa: SIM118
                if name in headers:
                    tensors[name] = file.get_tensor(name)
                    if not is_finite(tensors[name]):
                        raise EtalageError(f"{path}: {name} holds numbers that are not finite; {remedy}")
    return tensors


def is_finite(tensor: Tensor) -> bool:
    """Return whether a tensor holds floats that are neither NaN nor infinite; several times as fast as torch.isfinite.

    Args:
        tensor: On the CPU. Other types than bfloat16, float16 and float32 count as not finite.
    """
    exponent = {torch.bfloat16: 0x7F80, torch.float16: 0x7C00, torch.float32: 0x7F800000}.get(tensor.dtype)
    if exponent is None:
        return False
    signed = tensor.reshape(-1).view(torch.int16 if tensor.itemsize == 2 else torch.int32).numpy()
    sign = 1 << (8 * tensor.itemsize - 1)
    unsigned = signed.view(np.uint16 if tensor.itemsize == 2 else np.uint32)
    # With all bits of the exponent set, and only then, a number's bits are as large as infinity's: as signed integers
    # for the positive ones, as unsigned integers for the negative ones. In chunks that stay in the cache between both.
    return all(
        signed[start : start + _CHUNK].max() < exponent and unsigned[start : start + _CHUNK].max() < exponent | sign
        for start in range(0, len(signed), _CHUNK)
    )
