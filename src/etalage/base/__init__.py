"""The model that a run starts from: the small preset that ships with the package, a folder, or a hub id."""

from pathlib import Path

import torch
from transformers.utils import logging

from etalage.phi3v import Phi3VConfig, Phi3VForCausalLM, Phi3VProcessor

__all__ = ["SMALL", "load_base"]

SMALL = Path(__file__).parent / "small"
"""Configuration and tokenizer of the small preset."""


def load_base(model: str, *, dtype: torch.dtype, seed: int) -> tuple[Phi3VForCausalLM, Phi3VProcessor]:
    """Model and processor to fine-tune.

    Args:
        model: `small`, a checkpoint folder, or a hub id.
        dtype: Of the weights.
        seed: Of the small preset's weights, which are drawn afresh.
    Raises:
        ValueError: neither a folder with a checkpoint nor to be had from the hub.
    """
    logging.disable_progress_bar()  # of ours and theirs, ours is enough
    if model == "small":
        torch.manual_seed(seed)
        return (
            Phi3VForCausalLM(Phi3VConfig.from_pretrained(SMALL)).to(dtype),
            Phi3VProcessor.from_pretrained(SMALL),
        )
    try:
        return Phi3VForCausalLM.from_pretrained(model, dtype=dtype), Phi3VProcessor.from_pretrained(model)
    except OSError as error:
        raise ValueError(
            f"--model {model}: no Phi-3-vision checkpoint there ({error}); give a folder with config.json and "
            "safetensors, a hub id that this machine can reach, or small"
        ) from error
