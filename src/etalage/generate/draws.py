"""The random numbers of sampling: each follows from a picture, its prompt, and the numbers of sample and token alone.

A generator that a batch shares would give a picture another answer in other company.

Letters: B rows, S samples, T tokens, V vocabulary.
"""

import numpy as np
import torch
import xxhash
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from transformers import LogitsProcessor

__all__ = ["DrawnTokens", "draw_tokens", "uniform_numbers"]


def uniform_numbers(prompt: str, picture: Image.Image, num_samples: int, num_tokens: int) -> NDArray[np.float64]:
    """Return the numbers that decide the samples of one answer. More samples or tokens leave those before unchanged.

    Args:
        prompt: The prompt.
        picture: RGB, as decoded; equal pixels give equal numbers, whatever file they come from.
        num_samples: S.
        num_tokens: T, the tokens of a sample.

    Returns:
        (S, T) float64, at least 0 and below 1.
    """
    size = "x".join(map(str, picture.size))
    digest = xxhash.xxh3_128(f"{prompt}\0{size}\0".encode())
    digest.update(picture.tobytes())
    key = digest.intdigest()
    # Philox is a function of key and counter. The counter's low half counts the tokens, the high one the samples.
    streams = (np.random.Generator(np.random.Philox(key=key, counter=n << 128)) for n in range(num_samples))
    return np.stack([stream.random(num_tokens) for stream in streams])


def draw_tokens(logits: Tensor, temperature: float, uniform: Tensor) -> Tensor:
    """Return a token per row: the one at which the summed probabilities pass the row's number.

    Args:
        logits: (B, V) float32.
        temperature: Divides the logits.
        uniform: (B,) float64, at least 0 and below 1.

    Returns:
        (B,) int64.
    """
    # In float64: in float32 a sum of 32,064 numbers would depend on its order by more than rare tokens weigh.
    sums = (logits / temperature).softmax(-1).cumsum(-1, dtype=torch.float64)
    tokens = torch.searchsorted(sums, (uniform * sums[:, -1])[:, None], right=True)[:, 0]
    return tokens.clamp(max=logits.shape[-1] - 1)  # NaN compares as greater than all


class DrawnTokens(LogitsProcessor):
    """Makes transformers' `generate` take the tokens that `draw_tokens` takes.

    Args:
        temperature: As for `draw_tokens`.
        uniform: (B, T) float64.
        prompt_length: The tokens before the answers.
    """

    def __init__(self, temperature: float, uniform: Tensor, prompt_length: int) -> None:
        self.temperature, self.uniform, self.prompt_length = temperature, uniform, prompt_length

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """Return scores in which the drawn token alone is possible, (B, V)."""
        step = input_ids.shape[1] - self.prompt_length
        tokens = draw_tokens(scores, self.temperature, self.uniform[:, step])
        return torch.full_like(scores, -torch.inf).scatter(1, tokens[:, None], 0.0)
