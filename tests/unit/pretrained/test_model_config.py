"""Settings of a checkpoint are taken if they are of the right type and range; a wrong one is named."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from etalage.errors import EtalageError
from etalage.phi3v import Phi3VConfig
from etalage.pretrained.model_config import read_config, read_generation_config
from etalage.pretrained.weights import Header, read_model_headers
from tests.unit.phi3v.conftest import GOLDEN


def read(folder: Path) -> Phi3VConfig:
    config = read_config(folder, read_model_headers(folder, "mend it"), "mend it")
    read_generation_config(folder, config, "mend it")
    return config


@pytest.mark.parametrize("name", ["phi3_vision", "phi35_vision"])
def test_published_configurations_are_taken(tmp_path: Path, name: str) -> None:
    published = (GOLDEN / f"configs/{name}.json").read_text()
    (tmp_path / "config.json").write_text(published)
    rows = (row.split("\t") for row in (GOLDEN / "tensors.tsv").read_text().splitlines()[1:])
    headers = {name: Header(tmp_path, tuple(json.loads(shape))) for name, shape, *_ in rows}
    config = read_config(tmp_path, headers, "mend it")
    assert config.to_diff_dict() == Phi3VConfig(**json.loads(published)).to_diff_dict()
    generation = read_generation_config(tmp_path, config, "mend it")  # there is no such file on the hub
    assert (generation.bos_token_id, generation.eos_token_id, generation.pad_token_id) == (1, 2, 32000)


def test_remote_code_and_other_loaders_keys_are_never_used(folder: Path, edit: Callable) -> None:
    expected = read(folder).to_dict()
    for key, value in {
        "auto_map": {"AutoConfig": "evil.Config"},
        "transformers_weights": "weights.bin",
        "to_dict": 5,
        "_attn_implementation": "flash_attention_2",
        "adapter": {"a": []},
    }.items():
        edit("config.json", key, value)
    assert read(folder).to_dict() == expected


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("model_type", "llama", 'model_type is "llama"; expected "phi3_v"'),
        ("hidden_size", "16", "hidden_size is"),
        ("hidden_size", 16.0, "hidden_size is 16.0; expected an integer"),
        ("hidden_size", None, "hidden_size is null"),
        ("num_attention_heads", 0, "num_attention_heads is 0; expected an integer from 1"),
        ("num_attention_heads", 3, "hidden_size 16 is not a multiple of twice num_attention_heads 3"),
        ("num_key_value_heads", 3, "num_attention_heads 2 is not a multiple of num_key_value_heads 3"),
        ("rms_norm_eps", ..., "rms_norm_eps is missing"),
        ("rms_norm_eps", -1, "rms_norm_eps is -1; expected a number above 0"),
        ("rms_norm_eps", "1e-5", "rms_norm_eps is"),
        ("rope_theta", 0, "rope_theta is 0"),
        ("rope_scaling", {"type": "yarn"}, "rope_scaling.short_factor is missing"),
        ("rope_scaling", "su", 'rope_scaling is "su"; expected an object or null'),
        ("rope_scaling.type", "yarn", 'rope_scaling.type is "yarn"'),
        ("rope_scaling.short_factor", [1.0], "short_factor"),
        ("rope_scaling.short_factor", [1.0, 1.0, 1.0, 0], r"rope_scaling.short_factor\[3\] is 0"),
        ("hidden_act", "swish", 'hidden_act is "swish"; expected "silu"'),
        ("embd_layer.use_hd_transform", False, "use_hd_transform"),
        ("img_processor", None, "img_processor is null; expected an object"),
        ("img_processor.clip_config.hidden_size", [], "img_processor.clip_config.hidden_size is"),
        ("img_processor.clip_config.hiden_size", 16, "hiden_size is 16; expected no key of this name"),
        ("img_processor.clip_config.num_attention_heads", 5, "hidden_size 16 is not a multiple of 5 heads"),
        ("img_processor.layer_idx", -9, "layer_idx -9 names no layer"),
        ("img_processor.layer_idx", 0, "layer_idx is 0"),
        ("img_processor.image_dim_out", 17, "image_dim_out is 17"),
        ("eos_token_id", ..., "eos_token_id is missing"),
        ("eos_token_id", [], "eos_token_id is empty"),
        ("eos_token_id", 112, "eos_token_id is 112; expected less than vocab_size 112"),
        ("eos_token_id", -1, "eos_token_id is -1"),
        ("pad_token_id", 10**6, "pad_token_id"),
        ("quantization_config", {"quant_method": "gptq"}, "quantization_config is"),
        ("attention_dropout", 2, "attention_dropout is 2"),
        ("torch_dtype", "float8", "torch_dtype is"),
        ("original_max_position_embeddings", 1024, "original_max_position_embeddings is more than"),
        ("sliding_window", 0, "sliding_window is 0"),
    ],
)
def test_a_wrong_setting_is_named(folder: Path, edit: Callable, key: str, value: Any, message: str) -> None:
    edit("config.json", key, value)
    with pytest.raises(EtalageError, match=rf"checkpoint/config\.json: .*{message}.*; mend it"):
        read(folder)


@pytest.mark.parametrize("value", [..., None, "end", [2, "5"], 10**9, {"a": 1}])
def test_generation_ends_with_known_tokens(folder: Path, edit: Callable, value: Any) -> None:
    edit("generation_config.json", "eos_token_id", value)
    with pytest.raises(EtalageError, match=r"generation_config\.json: eos_token_id.*; mend it"):
        read(folder)


@pytest.mark.parametrize("name", ["config.json", "generation_config.json"])
@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 10**5, '{"a": 1e999}', '{"a": ' + "9" * 5000 + "}"])
def test_what_is_no_object_is_named(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text)
    with pytest.raises(EtalageError, match=rf"checkpoint/{name} is damaged .*; mend it"):
        read(folder)
