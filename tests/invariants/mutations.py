"""Seeded damage to the files of a model or run folder: what disks, copies, editors and strangers do to them."""

import json
import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save_file

Mutation = tuple[str, bool]
"""What was done, in words; and whether a loader can tell it: another number of the same type may be meant."""

WRONG = [None, True, "x", "", -1, [], {}, [[]], {"a": None}, "(a+)+$", "a\0b", "../secret", 1.5, 10**30]
LEGAL = [0, 1, 2, 3, 0.25, 7.0, 1e-3, 10**6, 10**9]
RAW = ["NaN", "Infinity", "-1e999", "9" * 5000, '"\\ud800"', "[" * 50_000, "{}}", '"\x01"', ""]


def mutate(folder: Path, name: str, chance: random.Random) -> Mutation:
    """Damage one file of a folder, and say how."""
    path = folder / name
    kinds: list[Callable[[Path, random.Random], Mutation]] = [_replace_file, _damage_bytes]
    if path.suffix == ".json":
        kinds += [_change_json] * 6
    elif path.suffix == ".jsonl":
        kinds += [_change_lines] * 6
    elif path.suffix == ".safetensors":
        kinds += [_change_tensors] * 6
    return chance.choice(kinds)(path, chance)


def _replace_file(path: Path, chance: random.Random) -> Mutation:
    """Put something else in the file's place, or nothing."""
    kind = chance.choice(
        ["remove", "pipe", "device", "outside", "dangling", "loop", "folder", "empty", "huge", "random", "bin", "lone"]
    )
    content = path.read_bytes()
    path.unlink()
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to(chance.choice(["/dev/zero", "/dev/tty", "/dev/stdin"]))
    elif kind == "outside":
        secret = path.parent.parent / "secret"
        secret.write_bytes(content)
        path.symlink_to(secret)
    elif kind in ("dangling", "loop"):
        path.symlink_to("gone" if kind == "dangling" else path.name)
    elif kind == "folder":
        path.mkdir()
    elif kind == "empty":
        path.touch()
    elif kind == "huge":
        with path.open("wb") as file:
            file.truncate(1 << 41)
    elif kind == "random":
        path.write_bytes(chance.randbytes(1000))
    elif kind == "bin":
        path.with_suffix(".bin").write_bytes(content)
        path.with_name("adapter_model.bin").write_bytes(content)
    elif kind == "lone":
        path.write_bytes(b"\xff\xfe" + content)
    return f"{path.name}: {kind}", True


def _damage_bytes(path: Path, chance: random.Random) -> Mutation:
    content = bytearray(path.read_bytes())
    kind = chance.choice(["cut", "flip a bit", "append", "flip a bit of the start", "zeros"])
    place = chance.randrange(max(1, len(content)))
    if kind == "cut":
        content = content[:place]
    elif kind == "append":
        content += chance.randbytes(10)
    elif kind == "zeros":
        content[place : place + 500] = bytes(len(content[place : place + 500]))
    else:
        place = place if kind == "flip a bit" else place % min(len(content), 2000)
        content[place] ^= 1 << chance.randrange(8)
    path.write_bytes(content)
    return f"{path.name}: {kind} at {place}", False


def _places(found: Any, keys: tuple = ()) -> Iterator[tuple]:
    """Yield the keys that lead to every value of a document; of long lists and objects a few."""
    items = (
        list(found.items()) if isinstance(found, dict) else list(enumerate(found)) if isinstance(found, list) else []
    )
    for key, value in items[:60]:
        yield (*keys, key)
        yield from _places(value, (*keys, key))


def _change_value(document: Any, chance: random.Random) -> tuple[str, str, bool]:
    """Return the text of a document with one value changed, how, and whether that can be told."""
    places = list(_places(document))
    keys = chance.choice(places)
    parent = document
    for key in keys[:-1]:
        parent = parent[key]
    name, before = ".".join(map(str, keys)), parent[keys[-1]]
    kind = chance.choice(["remove", "rename", "wrong", "wrong", "legal", "raw", "raw", "twice", "deep"])
    if kind == "rename" and isinstance(parent, dict):
        parent[f"{keys[-1]}x"] = parent.pop(keys[-1])
    elif kind == "twice" and isinstance(parent, dict):
        parent["SAME"] = parent[keys[-1]]
        text = json.dumps(document).replace('"SAME"', json.dumps(keys[-1]))
        return text, f"{name} twice", True
    elif kind in ("raw", "deep"):
        raw = "[" * 20_000 + "]" * 20_000 if kind == "deep" else chance.choice(RAW)
        parent[keys[-1]] = "RAW VALUE"
        return json.dumps(document).replace('"RAW VALUE"', raw), f"{name} = {raw[:20]}", True
    elif kind in ("wrong", "legal"):
        others = [value for value in (WRONG if kind == "wrong" else LEGAL) if type(value) is not type(before)]
        value = chance.choice(others) if kind == "wrong" else chance.choice(LEGAL)
        parent[keys[-1]] = value
        return json.dumps(document), f"{name} = {value!r}", False
    else:
        del parent[keys[-1]]
        return json.dumps(document), f"{name} removed", False
    return json.dumps(document), f"{name} renamed", False


def _change_json(path: Path, chance: random.Random) -> Mutation:
    text, what, detectable = _change_value(json.loads(path.read_text()), chance)
    path.write_text(text)
    return f"{path.name}: {what}", detectable


def _change_lines(path: Path, chance: random.Random) -> Mutation:
    lines = path.read_text().splitlines()
    number = chance.randrange(len(lines))
    kind = chance.choice(["value", "value", "value", "remove", "twice", "half", "blank"])
    what = kind
    if kind == "value":
        lines[number], what, _ = _change_value(json.loads(lines[number]), chance)
    elif kind == "remove":
        del lines[number]
    elif kind == "twice":
        lines.insert(number, lines[number])
    else:
        lines[number] = lines[number][: len(lines[number]) // 2] if kind == "half" else ""
    path.write_text("".join(f"{line}\n" for line in lines))
    return f"{path.name}: line {number + 1}: {what}", kind != "value"


def _change_tensors(path: Path, chance: random.Random) -> Mutation:
    tensors = load_file(path)
    name = chance.choice(sorted(tensors))
    kind = chance.choice(
        ["remove", "rename", "nan", "inf", "extra", "transpose", "cut", "integers", "all", "half of them", "double"]
    )
    tensor = tensors[name]
    if kind in ("nan", "inf"):
        tensor = tensor.copy()
        tensor.reshape(-1)[chance.randrange(tensor.size)] = np.nan if kind == "nan" else -np.inf
        tensors[name] = tensor
    elif kind == "extra":
        tensors["model.surprise"] = np.ones(3, np.float32)
    elif kind == "transpose":
        tensors[name] = np.ascontiguousarray(tensor.T)[None]
    elif kind == "cut":
        tensors[name] = np.ascontiguousarray(tensor.reshape(-1)[:-1])
    elif kind == "integers":
        tensors[name] = tensor.astype(np.int32)
    elif kind == "double":
        tensors[name] = tensor.astype(np.float64)
    elif kind == "all":
        tensors = {"a": np.ones(1, np.float32)}
    elif kind == "half of them":
        tensors = dict(sorted(tensors.items())[::2])
    else:
        tensors[f"{name}x"] = tensors.pop(name)
        if kind == "remove":
            del tensors[f"{name}x"]
    save_file(tensors, path, metadata={"format": "pt"})
    return f"{path.name}: {name} {kind}", True
