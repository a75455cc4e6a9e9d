"""The model that a run starts from: the small one that ships with the package, a folder, or a hub id."""

from pathlib import Path

import torch
from safetensors import SafetensorError
from transformers.utils import logging

from etalage.phi3v import Phi3VForCausalLM, Phi3VProcessor

__all__ = ["SMALL", "load_base"]

SMALL = Path(__file__).parent / "small"
"""The small model: a checkpoint folder like any other; its card is README.md."""


def load_base(model: str, *, dtype: torch.dtype) -> tuple[Phi3VForCausalLM, Phi3VProcessor]:
    """Model and processor to fine-tune.

    Args:
        model: `small`, a checkpoint folder, or a hub id.
        dtype: Of the weights.
    Raises:
        ValueError: neither a folder with a checkpoint nor to be had from the hub.
    """
    logging.disable_progress_bar()  # of ours and theirs, ours is enough
    folder = SMALL if model == "small" else model
    try:
        return Phi3VForCausalLM.from_pretrained(folder, dtype=dtype), Phi3VProcessor.from_pretrained(folder)
    except (OSError, SafetensorError) as error:
        raise ValueError(
            f"--model {model}: no whole Phi-3-vision checkpoint there ({error}); give a folder with config.json and "
            "safetensors, a hub id that this machine can reach, or small"
        ) from error
