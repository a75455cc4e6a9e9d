"""A checkpoint folder to a model."""

from pathlib import Path

import torch
import xxhash
from torch import Tensor
from transformers import GenerationConfig

from etalage.folders import file_digest, file_in
from etalage.phi3v import Phi3VConfig, Phi3VForCausalLM
from etalage.pretrained.model_config import read_config, read_generation_config
from etalage.pretrained.weights import check_names_and_shapes, read_model_headers, read_tensors

__all__ = ["FILES", "checkpoint_digest", "load_model"]

FILES = (
    *("config.json", "generation_config.json", "preprocessor_config.json", "tokenizer.json", "tokenizer_config.json"),
    *("chat_template.jinja", "model.safetensors.index.json", "*.safetensors"),
)
"""The files of a checkpoint that are read."""


def checkpoint_digest(folder: Path, remedy: str) -> str:
    """Return one digest of all files that a checkpoint is loaded from.

    Args:
        folder: A checkpoint folder.
        remedy: What the user can do, as the end of a sentence.

    Raises:
        EtalageError: One of them is not a regular file inside the folder.
    """
    names = sorted({path.name for pattern in FILES for path in folder.glob(pattern)})
    files = [file_in(folder, name, remedy) for name in names]
    lines = [f"{file_digest(path)}  {path.name}\n" for path in files]
    return xxhash.xxh3_128_hexdigest("".join(lines).encode())


def load_model(folder: Path, *, dtype: torch.dtype, remedy: str) -> Phi3VForCausalLM:
    """Load the model in a checkpoint folder.

    transformers is given the tensors instead of the folder, in which it would look for files of many other kinds.

    Args:
        folder: The folder, with config.json and safetensors.
        dtype: The type that the weights are held in.
        remedy: What the user can do, as the end of a sentence.

    Returns:
        The model, on the CPU and in evaluation mode.

    Raises:
        EtalageError: A file is missing, damaged or not inside the folder; a tensor is missing, unknown, of another
            shape or not finite; or a setting is of another type or does not fit the tensors.
    """
    headers = read_model_headers(folder, remedy)
    config = read_config(folder, headers, remedy)
    generation_config = read_generation_config(folder, config, remedy)
    with torch.device("meta"):
        model = Phi3VForCausalLM(config)
    expected = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    unused = {name for name in expected if name.startswith(tuple(f"{module}." for module in model.unused_modules))}
    tied = {"lm_head.weight"} if config.tie_word_embeddings else set()
    headers = {name: header for name, header in headers.items() if not Phi3VForCausalLM.is_spare_tensor(name)}
    check_names_and_shapes(headers, expected, unused | tied, folder, remedy)
    tensors = read_tensors(headers, remedy)
    # The cookbook deletes what never runs; random weights in its place would only be reported as missing.
    tensors |= {name: torch.zeros(expected[name]) for name in unused if name not in tensors}
    return _assemble(config, tensors, generation_config, dtype)


def _assemble(
    config: Phi3VConfig, tensors: dict[str, Tensor], generation_config: GenerationConfig, dtype: torch.dtype
) -> Phi3VForCausalLM:
    return Phi3VForCausalLM.from_pretrained(
        None, config=config, state_dict=tensors, generation_config=generation_config, dtype=dtype
    )
