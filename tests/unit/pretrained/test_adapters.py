"""Adapters are put on a model as PEFT puts them, or one message says what is wrong with them."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file

from etalage.errors import EtalageError
from etalage.pretrained.adapters import load_adapters
from tests.unit.phi3v.conftest import small_model

TARGETS = ["qkv_proj", "o_proj", "down_proj", "lm_head", "img_projection.0", "q_proj", "fc1"]
ADAPTERS = "adapter_model.safetensors"


@pytest.fixture(params=["lora", "rslora", "dora"])
def variant(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def folder(variant: str, tmp_path: Path) -> Path:
    config = LoraConfig(
        r=2, lora_alpha=8, target_modules=TARGETS, use_rslora=variant == "rslora", use_dora=variant == "dora"
    )
    adapted = get_peft_model(small_model(), config)
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in adapted.parameters():
            if parameter.requires_grad:
                parameter.uniform_(-0.5, 0.5)
    adapted.save_pretrained(tmp_path, save_embedding_layers=False)
    return tmp_path


def test_they_are_those_that_peft_loads(folder: Path) -> None:
    ours = load_adapters(small_model(), folder, "mend it")
    theirs = PeftModel.from_pretrained(small_model(), folder).eval()
    left, right = ours.state_dict(), theirs.state_dict()
    assert left.keys() == right.keys()
    assert all(left[name].equal(right[name]) for name in left)
    ids = torch.tensor([[1, 20, 30, 40]])
    with torch.no_grad():
        assert ours(input_ids=ids).logits.equal(theirs(input_ids=ids).logits)
    assert not ours.training
    assert not any(parameter.requires_grad for parameter in ours.parameters())


def test_pickled_adapters_are_never_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "load", lambda *_, **__: pytest.fail("a pickle is read"))
    torch.save(load_file(folder / ADAPTERS), folder / "adapter_model.bin")
    load_adapters(small_model(), folder, "mend it")
    (folder / ADAPTERS).unlink()
    with pytest.raises(EtalageError, match=r"adapter_model\.safetensors' cannot be read .*; mend it"):
        load_adapters(small_model(), folder, "mend it")


def rename(tensors: dict) -> dict:
    return {name.replace("layers.0.self_attn.o_proj", "layers.0.self_attn.out"): t for name, t in tensors.items()}


CHANGES = {
    "missing": (lambda ts: {n: t for n, t in ts.items() if "lm_head.lora_B" not in n}, r"1 missing: .*lm_head\.lora_B"),
    "renamed": (rename, r"missing: .*o_proj.*that the model does not have: .*\.out\.lora_A"),
    "extra": (lambda ts: ts | {"base_model.model.lm_head.lora_C": torch.ones(1)}, r"1 that the model does not have"),
    "reshaped": (lambda ts: {n: t[:1] if "lora_A" in n else t for n, t in ts.items()}, r"of other shapes: .*lora_A"),
    "none": (lambda ts: {}, r"missing: "),
}


@pytest.mark.parametrize(("change", "message"), CHANGES.values(), ids=CHANGES)
def test_tensors_that_differ_are_named(folder: Path, change: Callable, message: str) -> None:
    tensors = {name: tensor.contiguous() for name, tensor in change(load_file(folder / ADAPTERS)).items()}
    save_file(tensors, folder / ADAPTERS)
    with pytest.raises(EtalageError, match=rf"adapter_model\.safetensors does not hold .*{message}.*; mend it"):
        load_adapters(small_model(), folder, "mend it")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_that_are_not_finite_are_refused(folder: Path, value: float) -> None:
    tensors = load_file(folder / ADAPTERS)
    tensors["base_model.model.lm_head.lora_A.weight"][0, 0] = value
    save_file(tensors, folder / ADAPTERS)
    with pytest.raises(EtalageError, match=r"lm_head\.lora_A\.weight holds numbers that are not finite; mend it"):
        load_adapters(small_model(), folder, "mend it")


@pytest.mark.parametrize("variant", ["lora"], indirect=True)
@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("r", 10**6, "of other shapes"),
        ("r", 10**9, "r is 1000000000; expected an integer from 1"),
        ("r", 0, "r is 0"),
        ("r", "2", "r is"),
        ("r", ..., "r is missing"),
        ("lora_alpha", 0, "lora_alpha is 0; expected a number above 0"),
        ("lora_alpha", ..., "lora_alpha is missing"),
        ("use_dora", True, "missing: .*lora_magnitude_vector"),
        ("use_dora", None, "use_dora is null"),
        ("use_rslora", ..., "use_rslora is missing"),
        ("peft_type", "IA3", 'peft_type is "IA3"; expected "LORA"'),
        ("target_modules", "(a+)+$", r'target_modules is "\(a\+\)\+\$"; expected a list'),
        ("target_modules", [], "target_modules is"),
        ("target_modules", None, "target_modules is null"),
        ("target_modules", [*TARGETS, "o_prij"], "target_modules names 'o_prij', and the model has no linear layer"),
        ("target_modules", TARGETS[1:], "that the model does not have: .*qkv_proj"),
        ("target_modules", [*TARGETS, "v_proj"], "missing: .*v_proj"),
        ("target_modules", [*TARGETS, ".*"], "target_modules names '.*'"),
        ("target_modules", [*TARGETS, 5], r"target_modules\[7\] is 5"),
        ("modules_to_save", ["lm_head"], "modules_to_save is"),
        ("rank_pattern", {"(a+)+$": 4}, "rank_pattern"),
        ("alpha_pattern", {"lm_head": 4}, "alpha_pattern"),
        ("exclude_modules", "(a+)+$", "exclude_modules is"),
        ("layers_pattern", "(a+)+$", "layers_pattern is"),
        ("layers_to_transform", [0], "layers_to_transform is"),
        ("layer_replication", [[0, 10**9]], "layer_replication is"),
        ("bias", "all", "bias is"),
        ("fan_in_fan_out", True, "fan_in_fan_out is true"),
    ],
)
def test_a_setting_that_is_not_ours_is_named(folder: Path, edit: Callable, key: str, value: Any, message: str) -> None:
    edit("adapter_config.json", key, value)
    start = time.monotonic()
    with pytest.raises(EtalageError, match=rf"adapter_(config\.json|model\.safetensors).*{message}.*; mend it"):
        load_adapters(small_model(), folder, "mend it")
    assert time.monotonic() - start < 2
