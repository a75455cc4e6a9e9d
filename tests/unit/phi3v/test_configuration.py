"""The hub's config.json in and out."""

import copy
import json
from pathlib import Path

import pytest
from transformers import AutoConfig

from etalage.phi3v import Phi3VConfig

from .conftest import SMALL, read_json

NAMES = ["phi3_vision", "phi35_vision"]
# Written by transformers, or names of remote code and of an attention that may not be installed.
NOT_KEPT = {"transformers_version", "auto_map", "_attn_implementation"}


@pytest.mark.parametrize("name", NAMES)
def test_hub_configuration_is_kept(name: str, tmp_path: Path) -> None:
    hub = read_json(f"configs/{name}.json")
    (tmp_path / "config.json").write_text(json.dumps(hub))
    config = AutoConfig.from_pretrained(tmp_path)
    assert isinstance(config, Phi3VConfig)
    assert config._attn_implementation is None
    assert config.vision_config.num_hidden_layers == 24
    assert (config.crop_size, config.num_img_tokens, config.num_tower_layers) == (336, 144, 23)
    assert config.rope_parameters["rope_type"] == "longrope"
    assert config.pad_token_id == 32000
    config.save_pretrained(tmp_path / "saved")
    saved = json.loads((tmp_path / "saved" / "config.json").read_text())
    for key in hub.keys() - NOT_KEPT:
        assert saved[key] == hub[key], key
    assert not saved.keys() & {"auto_map", "_attn_implementation", "rope_parameters", "vision_config"}
    again = Phi3VConfig.from_pretrained(tmp_path / "saved")
    assert again.to_diff_dict() == config.to_diff_dict()
    assert Phi3VConfig(**config.to_dict()).to_diff_dict() == config.to_diff_dict()
    assert copy.deepcopy(config).to_dict() == config.to_dict()


def test_lengths_may_change_after_loading() -> None:
    config = Phi3VConfig(**SMALL)
    config.max_position_embeddings, config.original_max_position_embeddings = 8192, 1024
    config.standardize_rope_params()
    assert config.rope_parameters["factor"] == 8
    assert config.rope_parameters["original_max_position_embeddings"] == 1024


def test_every_size_follows_the_tower() -> None:
    config = Phi3VConfig(**SMALL)
    assert (config.crop_size, config.num_img_tokens, config.num_tower_layers) == (32, 4, 2)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ({"embd_layer": {"hd_transform_order": "glb_sub"}}, "hd_transform_order"),
        ({"embd_layer": {"use_hd_transform": False}}, "use_hd_transform"),
        ({"rope_scaling": {"type": "yarn", "factor": 2.0}}, "yarn"),
        ({"img_processor": {"clip_config": {"image_size": 24, "patch_size": 8}}}, "image_size 24"),
        ({"img_processor": {"num_img_tokens": 100}}, "num_img_tokens is 100"),
        ({"img_processor": {"type_feature": "cls_patch"}}, "type_feature"),
        ({"img_processor": {"layer_idx": -26}}, "layer_idx -26"),
        ({"img_processor": {"layer_idx": 3}}, "layer_idx 3"),
    ],
)
def test_refuses_what_it_would_ignore(override: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Phi3VConfig(**override)
