"""A checkpoint is loaded as transformers loads it, or one message says what is wrong with it."""

import json
import pickle
import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest
import torch
from safetensors.torch import load_file, save_file

from etalage.errors import EtalageError
from etalage.phi3v import Phi3VForCausalLM
from etalage.pretrained.checkpoint import checkpoint_digest, load_model
from etalage.pretrained.weights import read_headers, read_tensors


def load(folder: Path, dtype: torch.dtype = torch.float32) -> Phi3VForCausalLM:
    return load_model(folder, dtype=dtype, remedy="mend it")


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_model_is_the_one_that_transformers_loads(folder: Path, dtype: torch.dtype) -> None:
    ours, theirs = load(folder, dtype), Phi3VForCausalLM.from_pretrained(folder, dtype=dtype)
    for left, right in (
        (ours.state_dict(), theirs.state_dict()),
        (dict(ours.named_buffers()), dict(theirs.named_buffers())),
    ):
        assert left.keys() == right.keys()
        assert all(left[name].equal(right[name]) and left[name].dtype == right[name].dtype for name in left)
    settings = [model.config.to_dict() | {"_name_or_path": ""} for model in (ours, theirs)]
    assert settings[0] == settings[1]
    assert ours.generation_config.eos_token_id == theirs.generation_config.eos_token_id
    assert not ours.training


def test_no_loading_path_reads_a_pickle(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> NoReturn:
        raise AssertionError("a pickle is read")

    monkeypatch.setattr(torch, "load", refuse)
    for name in ("load", "loads"):
        monkeypatch.setattr(pickle, name, refuse)
    load(folder)
    (folder / "pytorch_model.bin").write_bytes(b"")
    load(folder)
    (folder / "model.safetensors").unlink()
    with pytest.raises(EtalageError, match=r"pytorch_model\.bin alone: pickles .* never read; mend it"):
        load(folder)


def shard(folder: Path) -> Path:
    tensors = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    names = sorted(tensors)
    weight_map = {name: f"model-0000{1 + i % 2}-of-00002.safetensors" for i, name in enumerate(names)}
    for part in set(weight_map.values()):
        save_file({n: tensors[n] for n in names if weight_map[n] == part}, folder / part, metadata={"format": "pt"})
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"metadata": {"total_size": 1}, "weight_map": weight_map}))
    return index


def test_shards_are_joined(folder: Path) -> None:
    expected = load(folder).state_dict()
    shard(folder)
    assert all(tensor.equal(expected[name]) for name, tensor in load(folder).state_dict().items())


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("weights.bin", "expected the name of a .safetensors file"),
        ("weights.pt", "expected the name of a .safetensors file"),
        ("../model.safetensors", "expected the name of a .safetensors file"),
        ("/etc/passwd", "expected the name of a .safetensors file"),
        ("gone.safetensors", "gone.safetensors' cannot be read"),
        ("model-00001-of-00002.safetensors\0", "expected the name"),
        ("model-00002-of-00002.safetensors", "is not in model-00002-of-00002.safetensors, which it names"),
        (7, "weight_map.lm_head.weight is 7; expected a text"),
    ],
)
def test_an_index_leads_nowhere_else(folder: Path, file: object, message: str) -> None:
    index = shard(folder)
    content = json.loads(index.read_text())
    assert content["weight_map"]["lm_head.weight"] == "model-00001-of-00002.safetensors"
    content["weight_map"]["lm_head.weight"] = file
    index.write_text(json.dumps(content))
    with pytest.raises(EtalageError, match=rf"{message}.*mend it"):
        load(folder)


def test_two_sets_of_weights_are_not_chosen_between(folder: Path) -> None:
    (folder / "model.safetensors.index.json").write_text('{"weight_map": {}}')
    with pytest.raises(EtalageError, match="has both"):
        load(folder)


@pytest.mark.parametrize("part", ["lm_head", "qkv_proj", "norm", "img_projection", "glb_GN", "embed_tokens", "fc1"])
def test_missing_tensors_are_named(folder: Path, edit_tensors: Callable, part: str) -> None:
    edit_tensors(lambda tensors: {name: t for name, t in tensors.items() if part not in name})
    with pytest.raises(EtalageError, match=rf"(missing: .*{part}|{part}.* is missing).*; mend it"):
        load(folder)


def test_many_missing_tensors_are_counted(folder: Path, edit_tensors: Callable) -> None:
    edit_tensors(lambda tensors: {name: t for name, t in tensors.items() if "self_attn" not in name})
    with pytest.raises(EtalageError, match=r"20 missing: [\w.]+, [\w.]+, [\w.]+, \.\.\.\); mend it"):
        load(folder)


def test_unknown_and_reshaped_tensors_are_named(folder: Path, edit_tensors: Callable) -> None:
    def change(tensors: dict) -> dict:
        down = tensors["model.layers.1.mlp.down_proj.weight"]
        return tensors | {"model.layers.1.mlp.down_proj.weight": down.T.contiguous(), "model.extra": torch.ones(2)}

    edit_tensors(change)
    with pytest.raises(
        EtalageError,
        match=r"1 that the model does not have: model\.extra; 1 of other shapes: model\.layers\.1\.mlp\.down_proj\."
        r"weight has shape \[32, 16\] instead of \[16, 32\]\); mend it",
    ):
        load(folder)


def test_spare_tensors_of_other_tools_are_left_out(folder: Path, edit_tensors: Callable) -> None:
    unused = tuple(f"{name}." for name in load(folder).unused_modules)
    tower = "model.vision_embed_tokens.img_processor.vision_model"

    def change(tensors: dict) -> dict:
        alias = {"model.vision_embed_tokens.wte.weight": tensors["model.embed_tokens.weight"].clone()}
        buffer = {f"{tower}.embeddings.position_ids": torch.ones(1, 17)}
        # As the Phi-3 cookbook deletes what is never run.
        return {name: t for name, t in tensors.items() if not name.startswith(unused)} | alias | buffer

    expected = load(folder).state_dict()
    edit_tensors(change)
    loaded = load(folder).state_dict()
    assert loaded.keys() == expected.keys()
    assert all(loaded[name].equal(t) for name, t in expected.items() if not name.startswith(unused))
    assert all(t.isfinite().all() for t in loaded.values())


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("value", [float("nan"), -float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("name", ["model.norm.weight", "lm_head.weight"])
def test_numbers_that_are_not_finite_are_refused(
    folder: Path, edit_tensors: Callable, name: str, value: float, dtype: torch.dtype
) -> None:
    def change(tensors: dict) -> dict:
        tensors = {key: t.to(dtype) for key, t in tensors.items()}
        tensors[name].view(-1)[7] = value
        return tensors

    edit_tensors(change)
    with pytest.raises(EtalageError, match=rf"model\.safetensors: {name} holds numbers that are not finite; mend it"):
        load(folder)


def test_the_largest_and_the_smallest_numbers_are_finite(tmp_path: Path) -> None:
    tensors = {
        f"{dtype} {sign}": sign * torch.tensor([torch.finfo(dtype).max, torch.finfo(dtype).tiny, 0], dtype=dtype)
        for dtype in (torch.float32, torch.bfloat16, torch.float16)
        for sign in (1, -1)
    }
    save_file(tensors | {"empty": torch.ones(0), "scalar": torch.tensor(1.0)}, tmp_path / "a.safetensors")
    headers = read_headers(tmp_path / "a.safetensors", "mend it")
    read = read_tensors(headers, "mend it")
    assert all(read[name].equal(tensor) for name, tensor in tensors.items())


def test_other_types_are_refused(folder: Path, edit_tensors: Callable) -> None:
    edit_tensors(lambda tensors: tensors | {"model.norm.weight": torch.ones(16, dtype=torch.int32)})
    with pytest.raises(EtalageError, match=r"model\.norm\.weight is of type I32; expected BF16, F16, F32"):
        load(folder)


@pytest.mark.parametrize("keep", [0, 4, 100, 5000, -1])
def test_a_file_that_was_cut_is_refused(folder: Path, keep: int) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(EtalageError, match=r"model\.safetensors is damaged \(.*\); mend it"):
        load(folder)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("num_hidden_layers", 1000),
        ("vocab_size", 2**24),
        ("hidden_size", 2**24),
        ("intermediate_size", 2**24),
        ("num_hidden_layers", 10**6),
        ("vocab_size", 10**9),
        ("num_attention_heads", 10**6),
        ("max_position_embeddings", 10**12),
        ("img_processor.clip_config.image_size", 2**20),
        ("img_processor.clip_config.num_hidden_layers", 1000),
        ("img_processor.clip_config.hidden_size", 2**24),
        ("img_processor.clip_config.patch_size", 1),
    ],
)
def test_sizes_are_compared_with_the_file_before_anything_is_made(
    folder: Path, edit: Callable, key: str, value: int
) -> None:
    edit("config.json", key, value)
    start = time.monotonic()
    with pytest.raises(EtalageError, match=r"config\.json: .*; mend it"):
        load(folder)
    assert time.monotonic() - start < 2


def test_the_digest_changes_with_any_file(folder: Path, edit: Callable, edit_tensors: Callable) -> None:
    digests = [checkpoint_digest(folder, "mend it")]
    (folder / "README.md").write_text("A card.")
    assert checkpoint_digest(folder, "mend it") == digests[0]
    edit("preprocessor_config.json", "num_crops", 2)
    digests.append(checkpoint_digest(folder, "mend it"))
    edit_tensors(lambda tensors: tensors | {"model.norm.weight": tensors["model.norm.weight"] * 1.01})
    digests.append(checkpoint_digest(folder, "mend it"))
    assert len(set(digests)) == 3
