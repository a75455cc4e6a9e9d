"""No file that `from_pretrained` opens is a pickle, and no tensor of a checkpoint is drawn at random."""

import json
import pickle
from pathlib import Path
from typing import NoReturn

import pytest
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

from etalage.phi3v import Phi3VForCausalLM

from .conftest import small_model


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A saved model; and any pickle that is read is an error of another kind."""
    small_model().save_pretrained(tmp_path)

    def refuse(*_: object, **__: object) -> NoReturn:
        raise AssertionError("a pickle is read")

    monkeypatch.setattr(torch, "load", refuse)
    for name in ("load", "loads"):
        monkeypatch.setattr(pickle, name, refuse)
    return tmp_path


def write_index(folder: Path, file: str) -> None:
    tensors = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").rename(folder / "part.safetensors")
    weight_map = dict.fromkeys(tensors, "part.safetensors") | {"lm_head.weight": file}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": weight_map}))


def test_a_sharded_checkpoint_is_loaded(folder: Path) -> None:
    write_index(folder, "part.safetensors")
    assert Phi3VForCausalLM.from_pretrained(folder).lm_head.weight.equal(small_model().lm_head.weight)


@pytest.mark.parametrize(
    "file", ["weights.bin", "weights.pt", "../part.safetensors", "/tmp/part.safetensors", "a/b.safetensors", 5, None]
)
@pytest.mark.parametrize("auto", [Phi3VForCausalLM, AutoModelForCausalLM])
def test_an_index_names_safetensors_beside_it_alone(folder: Path, file: str, auto: type) -> None:
    write_index(folder, file)
    (folder / "weights.bin").write_bytes(b"")
    with pytest.raises(ValueError, match=r"lm_head\.weight is in .*, which is no \.safetensors file beside the index"):
        auto.from_pretrained(folder)


def test_a_configuration_names_no_file_of_weights(folder: Path) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"transformers_weights": "weights.bin"}))
    (folder / "weights.bin").write_bytes(b"")
    assert Phi3VForCausalLM.from_pretrained(folder).lm_head.weight.equal(small_model().lm_head.weight)


def test_pickled_adapters_beside_a_model_are_refused(folder: Path) -> None:
    adapted = get_peft_model(small_model(), LoraConfig(r=2, target_modules=["fc1"]))
    adapted.save_pretrained(folder)
    (folder / "adapter_model.safetensors").rename(folder / "adapter_model.bin")
    with pytest.raises(ValueError, match=r"has adapters, but no adapter_model\.safetensors; pickles"):
        Phi3VForCausalLM.from_pretrained(folder)


@pytest.mark.parametrize("part", ["lm_head", "qkv_proj", "norm", "img_projection", "glb_GN", "embed_tokens"])
def test_missing_tensors_are_named_and_not_drawn(folder: Path, part: str) -> None:
    path = folder / "model.safetensors"
    tensors = load_file(path)
    save_file({name: t for name, t in tensors.items() if part not in name}, path, metadata={"format": "pt"})
    with pytest.raises(ValueError, match=rf"lacks \d+ of the model's tensors: .*{part}"):
        Phi3VForCausalLM.from_pretrained(folder)


def test_tower_layers_that_never_run_may_be_missing(folder: Path) -> None:
    path = folder / "model.safetensors"
    unused = small_model().unused_modules
    tensors = {n: t for n, t in load_file(path).items() if not n.startswith(tuple(f"{name}." for name in unused))}
    save_file(tensors, path, metadata={"format": "pt"})
    assert Phi3VForCausalLM.from_pretrained(folder).lm_head.weight.equal(tensors["lm_head.weight"])
