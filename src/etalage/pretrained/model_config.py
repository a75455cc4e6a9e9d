"""config.json and generation_config.json of a checkpoint: types, ranges, and sizes that its tensors bear out."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from huggingface_hub.errors import StrictDataclassError
from transformers import GenerationConfig

from etalage.errors import EtalageError
from etalage.folders import file_in, optional_file_in
from etalage.json_files import read_json_object
from etalage.phi3v import Phi3VConfig
from etalage.phi3v.configuration import CLIP_VIT_L14_336
from etalage.pretrained.weights import Header
from etalage.schema import BOOLEAN, NULL, TEXT, Check, array, check, constant, either, integer, number, record

__all__ = ["read_config", "read_generation_config"]

_MAX_BYTES = 1 << 20
_SIZE, _NUM_LAYERS, _TOKEN_ID = integer(1, 2**24), integer(1, 1000), integer(0, 2**24)
_EPSILON, _SHARE, _WIDTH = number(above=0, most=1), number(0, 1), number(0, 10)
_IDS = {"bos_token_id": _TOKEN_ID, "eos_token_id": either(_TOKEN_ID, array(_TOKEN_ID))}
_OPTIONAL_IDS = {"pad_token_id": either(_TOKEN_ID, NULL)}
_FACTORS = array(number(above=0, most=1e6))
_DTYPE = constant("bfloat16", "float16", "float32", None)

_CLIP: dict[str, Check] = {
    **dict.fromkeys(("hidden_size", "intermediate_size", "num_attention_heads", "image_size", "patch_size"), _SIZE),
    **{"num_hidden_layers": _NUM_LAYERS, "num_channels": constant(3), "projection_dim": _SIZE},
    **{"hidden_act": constant("quick_gelu", "gelu"), "layer_norm_eps": _EPSILON, "attention_dropout": _SHARE},
    **{"initializer_range": _WIDTH, "initializer_factor": _WIDTH, "dtype": _DTYPE, "torch_dtype": _DTYPE},
    **{"model_type": TEXT, "transformers_version": TEXT},
}
_IMG_PROCESSOR: dict[str, Check] = {
    **{"clip_config": record({}, _CLIP, closed=True), "name": constant("clip_vision_model"), "model_name": TEXT},
    **{"image_dim_out": _SIZE, "num_img_tokens": _SIZE, "layer_idx": integer(-1000, -1), "type_feature": TEXT},
}
_ROPE = record(
    {"short_factor": _FACTORS, "long_factor": _FACTORS},
    {"type": constant("su", "longrope"), "rope_type": constant("su", "longrope")},
    closed=True,
)
# Those that decide what the model computes are required: a name that is misspelt must not mean the default.
_REQUIRED: dict[str, Check] = {
    "model_type": constant("phi3_v"),
    **dict.fromkeys(("vocab_size", "hidden_size", "intermediate_size"), _SIZE),
    **dict.fromkeys(("num_attention_heads", "num_key_value_heads"), _SIZE),
    **dict.fromkeys(("max_position_embeddings", "original_max_position_embeddings"), _SIZE),
    **{"num_hidden_layers": _NUM_LAYERS, "hidden_act": constant("silu"), "rms_norm_eps": _EPSILON},
    **{"rope_theta": number(above=0), "rope_scaling": either(_ROPE, NULL)},
    **{"img_processor": record({}, _IMG_PROCESSOR, closed=True), **_IDS},
}
_OPTIONAL: dict[str, Check] = {
    "architectures": either(array(constant("Phi3VForCausalLM"), 1, 1), NULL),
    **{"embd_layer": record({}), "tie_word_embeddings": BOOLEAN, "use_cache": BOOLEAN},
    **dict.fromkeys(("attention_dropout", "resid_pdrop", "embd_pdrop"), _SHARE),
    **{"sliding_window": either(integer(1), NULL), "initializer_range": _WIDTH, "torch_dtype": _DTYPE, **_OPTIONAL_IDS},
}
_REFUSED: dict[str, Check] = {"quantization_config": NULL, "partial_rotary_factor": constant(1, 1.0)}

_DECODER, _TOWER = "model.layers.", "model.vision_embed_tokens.img_processor.vision_model."


def read_config(folder: Path, headers: Mapping[str, Header], remedy: str) -> Phi3VConfig:
    """Read a checkpoint's config.json. Nothing of the sizes that it states is allocated.

    Args:
        folder: A checkpoint folder.
        headers: Its tensors.
        remedy: What the user can do, as the end of a sentence.

    Raises:
        EtalageError: A value is missing, of another type or out of range, or the tensors are of other sizes.
    """
    path = file_in(folder, "config.json", remedy)
    found = read_json_object(path, remedy=remedy, max_bytes=_MAX_BYTES)
    check(found, record(_REQUIRED, {**_OPTIONAL, **_REFUSED}), str(path), remedy)
    clip = CLIP_VIT_L14_336 | found["img_processor"].get("clip_config", {})
    _check_sizes(found, clip, headers, path, remedy)
    try:
        # The keys that were checked and no others: transformers would set an attribute for each.
        config = Phi3VConfig(**{key: value for key, value in found.items() if key in {**_REQUIRED, **_OPTIONAL}})
    except (ValueError, TypeError, StrictDataclassError) as error:
        raise EtalageError(f"{path}: {' '.join(str(error).split())}; {remedy}") from error
    _check_ids(config, config.vocab_size, path, remedy)
    return config


def read_generation_config(folder: Path, config: Phi3VConfig, remedy: str) -> GenerationConfig:
    """Read the special tokens in generation_config.json, or take config.json's if there is none.

    Other settings of generation are our own and not a checkpoint's.

    Args:
        folder: A checkpoint folder.
        config: Its configuration.
        remedy: What the user can do, as the end of a sentence.

    Raises:
        EtalageError: A token is missing, of another type, or not in the vocabulary.
    """
    names = (*_IDS, *_OPTIONAL_IDS)
    if (path := optional_file_in(folder, "generation_config.json", remedy)) is None:
        return GenerationConfig(**{name: getattr(config, name) for name in names})
    found = read_json_object(path, remedy=remedy, max_bytes=_MAX_BYTES)
    check(found, record(_IDS, _OPTIONAL_IDS), str(path), remedy)
    generation = GenerationConfig(**{name: found.get(name) for name in names})
    _check_ids(generation, config.vocab_size, path, remedy)
    return generation


def _check_ids(config: Any, vocab_size: int, path: Path, remedy: str) -> None:
    for name in (*_IDS, *_OPTIONAL_IDS):
        ids = getattr(config, name)
        ids = ids if isinstance(ids, list) else [] if ids is None else [ids]
        if name == "eos_token_id" and not ids:
            raise EtalageError(f"{path}: eos_token_id is empty; expected the tokens that end an answer; {remedy}")
        if max(ids, default=0) >= vocab_size:
            raise EtalageError(f"{path}: {name} is {max(ids)}; expected less than vocab_size {vocab_size}; {remedy}")


def _check_sizes(
    found: Mapping[str, Any], clip: Mapping[str, Any], headers: Mapping[str, Header], path: Path, remedy: str
) -> None:
    """Compare sizes with the tensors that have them, so that a model of these sizes is no larger than its files."""

    def require(is_right: bool, message: str) -> None:
        if not is_right:
            raise EtalageError(f"{path}: {message}; {remedy}")

    hidden, heads = found["hidden_size"], found["num_attention_heads"]
    require(hidden % (2 * heads) == 0, f"hidden_size {hidden} is not a multiple of twice num_attention_heads {heads}")
    kv_heads = found["num_key_value_heads"]
    require(heads % kv_heads == 0, f"num_attention_heads {heads} is not a multiple of num_key_value_heads {kv_heads}")
    tower_heads = clip["num_attention_heads"]
    require(
        clip["hidden_size"] % tower_heads == 0,
        f"img_processor.clip_config: hidden_size {clip['hidden_size']} is not a multiple of {tower_heads} heads",
    )
    longest = found["max_position_embeddings"]
    require(
        found["original_max_position_embeddings"] <= longest,
        f"original_max_position_embeddings is more than max_position_embeddings {longest}",
    )
    grid = clip["image_size"] // clip["patch_size"]
    shapes = {
        "model.embed_tokens.weight": (found["vocab_size"], hidden),
        f"{_DECODER}0.mlp.down_proj.weight": (hidden, found["intermediate_size"]),
        f"{_TOWER}embeddings.patch_embedding.weight": (clip["hidden_size"], 3, clip["patch_size"], clip["patch_size"]),
        f"{_TOWER}embeddings.position_embedding.weight": (grid**2 + 1, clip["hidden_size"]),
        f"{_TOWER}encoder.layers.0.mlp.fc1.weight": (clip["intermediate_size"], clip["hidden_size"]),
    }
    for name, shape in shapes.items():
        require(name in headers, f"tensor {name}, of shape {list(shape)}, is missing")
        stored = list(headers[name].shape)
        require(stored == list(shape), f"its sizes make {name} of shape {list(shape)}, but it is stored as {stored}")
    for prefix, key, stated in (
        (_DECODER, "num_hidden_layers", found["num_hidden_layers"]),
        (f"{_TOWER}encoder.layers.", "img_processor.clip_config.num_hidden_layers", clip["num_hidden_layers"]),
    ):
        layers = {match[1] for name in headers if (match := re.match(rf"{re.escape(prefix)}(\d+)\.", name))}
        # Fewer may be stored where the rest is never run, see Phi3VForCausalLM.unused_modules.
        is_right = len(layers) in (stated, stated - 1) if prefix != _DECODER else len(layers) == stated
        require(is_right, f"{key} is {stated}, but tensors of {len(layers)} layers are stored")
