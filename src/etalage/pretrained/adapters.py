"""Adapters on disk to adapters on a model, without PEFT's own loader, which reads pickles and regular expressions."""

import warnings
from pathlib import Path
from typing import Any

from peft import LoraConfig, PeftModel, set_peft_model_state_dict
from torch import nn

from etalage.errors import EtalageError
from etalage.folders import file_in
from etalage.json_files import read_json_object
from etalage.phi3v import Phi3VForCausalLM
from etalage.pretrained.weights import check_names_and_shapes, read_headers, read_tensors
from etalage.schema import BOOLEAN, NULL, Check, array, check, constant, either, integer, mapping, number, record, text

__all__ = ["load_adapters"]

_MAX_BYTES = 4 << 20
_PREFIX = "base_model.model."
_USED: dict[str, Check] = {
    **{"r": integer(1, 2**20), "lora_alpha": number(above=0, most=1e6), "lora_dropout": number(0, 1)},
    **{"use_dora": BOOLEAN, "use_rslora": BOOLEAN, "target_modules": array(text(300), least=1)},
}
_EMPTY = record({}, closed=True)
# What would change how the adapters are applied, and what `train` never writes.
_UNUSED: dict[str, Check] = {
    "peft_type": constant("LORA"),
    **{"bias": constant("none"), "fan_in_fan_out": constant(False), "lora_bias": constant(False)},
    **{"rank_pattern": _EMPTY, "alpha_pattern": _EMPTY},
    **dict.fromkeys(("modules_to_save", "layers_to_transform", "layers_pattern", "exclude_modules"), NULL),
    **dict.fromkeys(("layer_replication", "trainable_token_indices", "target_parameters"), NULL),
    **{"use_qalora": constant(False), "loftq_config": either(NULL, mapping(NULL))},
}


def load_adapters(model: Phi3VForCausalLM, folder: Path, remedy: str) -> PeftModel:
    """Put the adapters of a folder on a model.

    Args:
        model: The model that they were trained on, on its device; changed in place.
        folder: Holds adapter_config.json and adapter_model.safetensors.
        remedy: What the user can do, as the end of a sentence.

    Returns:
        The model with its adapters, none of them trainable.

    Raises:
        EtalageError: A file is missing, damaged or not inside the folder; a setting is none that `train` writes; or a
            tensor is missing, unknown, of another shape or not finite.
    """
    config = _read_config(folder, remedy)
    path = file_in(folder, "adapter_model.safetensors", remedy)
    headers = read_headers(path, remedy)
    # Before PEFT makes any: a rank of a million would fill the memory.
    check_names_and_shapes(headers, _expected(model, config, folder, remedy), set(), path, remedy)
    tensors = read_tensors(headers, remedy)
    lora = LoraConfig(**{name: config[name] for name in _USED}, inference_mode=True)
    with warnings.catch_warnings(category=FutureWarning, action="ignore"):  # as in train/trainable.py
        adapted = PeftModel(model, lora)
    left_over = set_peft_model_state_dict(adapted, tensors).unexpected_keys
    assert not left_over, left_over
    return adapted.eval()


def _read_config(folder: Path, remedy: str) -> dict[str, Any]:
    path = file_in(folder, "adapter_config.json", remedy)
    found = read_json_object(path, remedy=remedy, max_bytes=_MAX_BYTES)
    check(found, record(_USED, _UNUSED), str(path), remedy)
    return found


def _expected(model: Phi3VForCausalLM, config: dict[str, Any], folder: Path, remedy: str) -> dict[str, tuple[int, ...]]:
    """Return the shape of each tensor that adapters on these modules have, by its name in the file."""
    linear = {name: module for name, module in model.named_modules() if isinstance(module, nn.Linear)}
    shapes: dict[str, tuple[int, ...]] = {}
    for target in config["target_modules"]:
        # A name is that of a module or its end, as PEFT reads lists.
        names = [name for name in linear if name == target or name.endswith(f".{target}")]
        if not names:
            raise EtalageError(
                f"{folder / 'adapter_config.json'}: target_modules names {target!r}, and the model has no linear layer "
                f"of this name; {remedy}"
            )
        for name in names:
            outputs, inputs = linear[name].weight.shape
            shapes[f"{_PREFIX}{name}.lora_A.weight"] = (config["r"], inputs)
            shapes[f"{_PREFIX}{name}.lora_B.weight"] = (outputs, config["r"])
            if config["use_dora"]:
                shapes[f"{_PREFIX}{name}.lora_magnitude_vector"] = (outputs,)
    return shapes
