"""The model's forward pass for pictures of one size, in parts that pre-training needs one by one.

Letters: B pictures, C crops of each, P patches of a crop, D tower width, L answer tokens, H decoder width.
"""

from pathlib import Path

import torch
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional

from etalage.config import TaskConfig
from etalage.phi3v import Phi3VForCausalLM, Phi3VProcessor
from etalage.phi3v.image_plan import token_order
from etalage.task import Task

__all__ = ["UNKNOWN", "answer_loss", "encode_pictures", "prompt_ids", "save_weights"]

UNKNOWN = -100
"""The label of what is not asked for."""


def encode_pictures(
    model: Phi3VForCausalLM, processor: Phi3VProcessor, pixels: Tensor
) -> tuple[Tensor, tuple[int, int]]:
    """Return the tower's features of pictures of one size, and their grid of tiles.

    Args:
        model: Any Phi-3-V.
        processor: Cuts the pictures.
        pixels: (B, 3, height, width) float32 in 0..1, after the HD transform.

    Returns:
        (B, C, P, D), the global view first; and the number of tiles in a column and in a row.
    """
    crops = processor.image_processor.cut(pixels)
    features = model.model.vision_embed_tokens.tower_features(crops.flatten(0, 1))
    side = processor.image_processor.crop_size
    return features.unflatten(0, crops.shape[:2]), (pixels.shape[-2] // side, pixels.shape[-1] // side)


def answer_loss(
    model: Phi3VForCausalLM,
    features: Tensor,
    grid: tuple[int, int],
    prompt: tuple[Tensor, Tensor],
    context: Tensor,
    answers: Tensor,
) -> tuple[Tensor, Tensor]:
    """Return the loss of answers to one prompt about pictures of one size.

    Args:
        model: Any Phi-3-V.
        features: (B, C, P, D), the tower's.
        grid: The number of tiles in a column and in a row.
        prompt: (1, ids before the picture's) and (1, ids after them), int64.
        context: (B, L) int64, the tokens that follow the prompt; below 0 where there are none.
        answers: (B, L) int64, the tokens to predict there; UNKNOWN where there are none.

    Returns:
        () the mean loss, and (B, L, H) the decoder's state where it is about to write each token.
    """
    embedding, size = model.model.vision_embed_tokens, len(features)
    # The merge makes one token of 2 x 2 patches.
    tokens_per_crop = features.shape[2] // 4
    order = token_order(*grid, int(tokens_per_crop**0.5)).to(features.device)
    first = torch.arange(size, device=features.device)[:, None] * features.shape[1] * tokens_per_crop
    orders = torch.where(order < 0, order, order + first)  # below 0 are separators, which all pictures share
    images = embedding(None, orders.flatten(), features.flatten(0, 1)).unflatten(0, orders.shape)
    # Places without a token get token 0: they come after all others, so causal attention lets nothing read them.
    before, after, answer = (model.model.embed_tokens(ids) for ids in (*prompt, context.clamp(min=0)))
    parts = [before.expand(size, -1, -1), images, after.expand(size, -1, -1), answer]
    parts = [part.to(images.dtype) for part in parts]
    hidden = model.model(inputs_embeds=torch.cat(parts, 1), use_cache=False).last_hidden_state
    # One place to the left: a state predicts the token that follows it.
    hidden = hidden[:, -answers.shape[1] - 1 : -1]
    logits = model.lm_head(hidden)
    # In float32: bfloat16 has too few digits for a sum over the vocabulary.
    loss = functional.cross_entropy(logits.flatten(0, 1).float(), answers.flatten(), ignore_index=UNKNOWN)
    return loss, hidden


def prompt_ids(processor: Phi3VProcessor, question: str, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return the ids before and after the picture's in a prompt, as serving makes them.

    Args:
        processor: Tokenizes.
        question: Asked about the picture.
        device: Where the ids are needed.
    """
    prompt = Task(TaskConfig(question=question)).build_prompt("")
    # Any picture will do, since only the text around its places is kept; those have ids below 0.
    ids = processor(text=[prompt], images=[[Image.new("RGB", (64, 64))]], return_tensors="pt")["input_ids"][0]
    places = (ids < 0).nonzero()
    return ids[: int(places[0])][None].to(device), ids[int(places[-1]) + 1 :][None].to(device)


def save_weights(model: Phi3VForCausalLM, folder: Path) -> None:
    """Write a model's weights in bfloat16. A reader sees the old file or the new one, never half of one.

    Args:
        model: The model.
        folder: Where its configuration is.
    """
    partial = folder / "model.safetensors.partial"
    # Safetensors refuses tensors that are not contiguous.
    weights = {name: tensor.to(torch.bfloat16).contiguous() for name, tensor in model.state_dict().items()}
    save_file(weights, partial, metadata={"format": "pt"})
    partial.replace(folder / "model.safetensors")
