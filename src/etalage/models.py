"""Load the model that a run starts from, or the one that it produced."""

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from safetensors import SafetensorError
from transformers.utils import logging

from etalage import devices
from etalage.config import Quantization
from etalage.errors import EtalageError
from etalage.phi3v import Phi3VForCausalLM, Phi3VProcessor
from etalage.runs import Run

if TYPE_CHECKING:
    from peft import PeftModel

__all__ = ["SMALL", "load_base", "load_run", "load_run_base"]

SMALL = Path(__file__).parent / "base" / "small"
"""The small model that ships: a checkpoint folder like any other; its card is README.md."""


def load_base(model: str, *, dtype: torch.dtype) -> tuple[Phi3VForCausalLM, Phi3VProcessor]:
    """Load a model to fine-tune, and its processor.

    Args:
        model: `small`, a checkpoint folder, or a hub id.
        dtype: The type that the weights are held in.

    Returns:
        The model, on the CPU, and its processor.

    Raises:
        EtalageError: There is no complete checkpoint in the folder or on the hub.
    """
    logging.disable_progress_bar()  # ours is enough
    folder = SMALL if model == "small" else model
    try:
        return Phi3VForCausalLM.from_pretrained(folder, dtype=dtype), Phi3VProcessor.from_pretrained(folder)
    except (OSError, ValueError, SafetensorError) as error:
        raise EtalageError(
            f"--model {model}: no complete Phi-3-vision checkpoint found ({error}); give a folder with config.json and "
            "safetensors, a hub id that this machine can reach, or small"
        ) from error


def load_run(run: Run) -> tuple["Phi3VForCausalLM | PeftModel", Phi3VProcessor]:
    """Load the model that a run trained.

    Args:
        run: A run whose training is done.

    Returns:
        The model, in evaluation mode on the device, and its processor.

    Raises:
        EtalageError: Training is not done, or the run needs a package that is not installed.
    """
    from peft import PeftModel

    from etalage.fused.feature_cache import cache_features
    from etalage.fused.linear import use_fused_linear
    from etalage.fused.quantization import check_quantization, quantize

    config = run.read_config()
    if config["recipe"] == "full":
        model, processor = _load(run, str(run.model))
    else:
        # The frozen weights as the adapters were trained on them; but FP8 only makes training faster.
        quantization: Quantization = "nf4" if config.get("quantization") == "nf4" else "none"
        check_quantization(quantization)
        base, processor = _load(run, config["model"])
        with warnings.catch_warnings(category=FutureWarning, action="ignore"):  # as in train/trainable.py
            model = PeftModel.from_pretrained(base, run.model).eval()
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
        EtalageError: Training is not done, or the base is no longer where it was.
    """
    from etalage.fused.feature_cache import cache_features

    model, processor = _load(run, run.read_config()["model"])
    cache_features(model)  # every sample of an answer asks for the same crops
    return model, processor


def _load(run: Run, checkpoint: str) -> tuple[Phi3VForCausalLM, Phi3VProcessor]:
    if not run.model.exists():
        raise EtalageError(f"{run.folder}: training is not done; `etalage train` with the same arguments resumes it")
    processor = Phi3VProcessor.from_pretrained(run.model)
    model, _ = load_base(checkpoint, dtype=devices.weights_dtype())
    return devices.on_device(model).eval(), processor
