"""Load the model that a run starts from, or the one that it produced."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from huggingface_hub import snapshot_download
from transformers.utils import logging

from etalage import devices
from etalage.config import Quantization
from etalage.errors import EtalageError
from etalage.folders import SMALL, SUMS, WHOLE_MODEL, file_in, model_folder, optional_file_in, verify_sums
from etalage.json_files import read_text
from etalage.phi3v import Phi3VForCausalLM, Phi3VProcessor
from etalage.pretrained.checkpoint import FILES, checkpoint_digest, load_model
from etalage.pretrained.processor import read_processor
from etalage.runs import Run

if TYPE_CHECKING:
    from peft import PeftModel

__all__ = ["SMALL", "base_digest", "load_base", "load_run", "load_run_base"]

_RESTORE = "restore the base that the run began with, or train again"


def load_base(model: str, *, dtype: torch.dtype) -> tuple[Phi3VForCausalLM, Phi3VProcessor]:
    """Load a model to fine-tune, and its processor.

    Args:
        model: `small`, a checkpoint folder, or a hub id.
        dtype: The type that the weights are held in.

    Returns:
        The model, on the CPU, and its processor.

    Raises:
        EtalageError: There is no complete checkpoint in the folder or on the hub, or a file of it is damaged.
    """
    logging.disable_progress_bar()  # ours is enough
    folder = _base_folder(model, WHOLE_MODEL)
    loaded = load_model(folder, dtype=dtype, remedy=WHOLE_MODEL)
    return loaded, read_processor(folder, loaded.config, WHOLE_MODEL)


def base_digest(model: str) -> str:
    """Return a digest of a base's files, by which a run knows later that it has not changed.

    Args:
        model: `small`, a checkpoint folder, or a hub id.

    Raises:
        EtalageError: There is no such folder, and the hub has no such model.
    """
    return checkpoint_digest(_base_folder(model, WHOLE_MODEL), WHOLE_MODEL)


def load_run(run: Run) -> tuple["Phi3VForCausalLM | PeftModel", Phi3VProcessor]:
    """Load the model that a run trained.

    Args:
        run: A run whose training is done.

    Returns:
        The model, in evaluation mode on the device, and its processor.

    Raises:
        EtalageError: Training is not done, a file of the run or of its base is damaged or has changed, or the run
            needs a package that is not installed.
    """
    from etalage.fused.feature_cache import cache_features
    from etalage.fused.linear import use_fused_linear
    from etalage.fused.quantization import check_quantization, quantize
    from etalage.pretrained.adapters import load_adapters

    logging.disable_progress_bar()
    config = run.read_config()
    remedy = _check_files(run, config)
    model: Phi3VForCausalLM | PeftModel
    if config["recipe"] == "full":
        model = load_model(run.model, dtype=devices.weights_dtype(), remedy=remedy)
        processor = read_processor(run.model, model.config, remedy)
        devices.on_device(model).eval()
    else:
        # The frozen weights as the adapters were trained on them; but FP8 only makes training faster.
        quantization: Quantization = "nf4" if config.get("quantization") == "nf4" else "none"
        check_quantization(quantization)
        base = _load_base_of(config)
        processor = read_processor(run.model, base.config, remedy)
        model = load_adapters(base, run.model, remedy)
        use_fused_linear(model)
        quantize(model, quantization)
    cache_features(model)
    return model, processor


def load_run_base(run: Run) -> tuple[Phi3VForCausalLM, Phi3VProcessor]:
    """Load the model that a run started from, with the run's own processor, so that it sees the same crops.

    Args:
        run: A run whose training is done.

    Returns:
        The model, in evaluation mode on the device, and the processor.

    Raises:
        EtalageError: Training is not done, the base is no longer where it was or has changed, or a file is damaged.
    """
    from etalage.fused.feature_cache import cache_features

    config = run.read_config()
    remedy = _check_files(run, config)
    model = _load_base_of(config)
    processor = read_processor(run.model, model.config, remedy)
    cache_features(model)  # every sample of an answer asks for the same crops
    return model, processor


def _base_folder(model: str, remedy: str) -> Path:
    """Return the folder that a base is in; one of the hub's is downloaded."""
    if (folder := model_folder(model, remedy)) is not None:
        return folder
    try:
        return Path(snapshot_download(model, allow_patterns=list(FILES)))
    except (OSError, ValueError) as error:
        raise EtalageError(f"the model {model} is neither a folder nor found on the hub ({error}); {remedy}") from error


def _load_base_of(config: Mapping[str, Any]) -> Phi3VForCausalLM:
    """Load the model that a run started from, if it is still the same."""
    logging.disable_progress_bar()
    name, recorded = config["model"], config.get("base_digest")
    folder = _base_folder(name, _RESTORE)
    if recorded is not None and checkpoint_digest(folder, _RESTORE) != recorded:
        raise EtalageError(f"the base {name} has changed since this run began; {_RESTORE}")
    return devices.on_device(load_model(folder, dtype=devices.weights_dtype(), remedy=_RESTORE)).eval()


def _check_files(run: Run, config: Mapping[str, Any]) -> str:
    """Check that the trained model is there as it was written; return the remedy for what is wrong with it."""
    run.require_model()
    remedy = f"restore {run.model}, or train again with another --out"
    # Runs of earlier versions have neither.
    find = file_in if "base_digest" in config else optional_file_in
    if (path := find(run.model, SUMS, remedy)) is not None:
        verify_sums(run.model, read_text(path, remedy=remedy, max_bytes=1 << 20), remedy)
    return remedy
