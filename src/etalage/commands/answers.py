"""How `evaluate` and `predict` ask a trained model: in one way, so that predictions are as good as was measured."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from PIL import Image

from etalage.config import EvaluateConfig, PredictConfig
from etalage.generate.budget import token_budget
from etalage.generate.consensus import consensus
from etalage.generate.engine import generate_answers
from etalage.task import Task

if TYPE_CHECKING:
    from peft import PeftModel

    from etalage.phi3v import Phi3VForCausalLM, Phi3VProcessor

__all__ = ["answer", "max_new_tokens"]


def answer(
    config: EvaluateConfig | PredictConfig,
    trained: Mapping[str, Any],
    task: Task,
    model: "Phi3VForCausalLM | PeftModel",
    processor: "Phi3VProcessor",
    prompts: Iterable[tuple[str, Image.Image]],
    progress: Callable[[int], object],
) -> list[str]:
    """Answer each prompt about its picture.

    Args:
        config: How many samples to draw, and of what length.
        trained: The run's config.json; samples use the augmentations that the model was trained with.
        task: Parses the samples and writes their consensus.
        model: A Phi-3-V, adapted or not.
        processor: The processor that the model was trained with.
        prompts: Prompt and RGB picture; taken one batch at a time.
        progress: Called with the number of pictures of each batch that is done.

    Returns:
        One answer per prompt, in order; those that were not cut close with END_TOKEN.
    """
    answers = generate_answers(
        model,
        processor,
        prompts,
        batch_size=config.batch_size,
        max_new_tokens=max_new_tokens(config, trained),
        num_samples=config.num_samples,
        num_augmentations=trained["num_augmentations"],
        choose=partial(consensus, task),
        progress=progress,
    )
    return list(answers)


def max_new_tokens(config: EvaluateConfig | PredictConfig, trained: Mapping[str, Any]) -> int:
    """Return how many tokens an answer may take.

    Args:
        config: The setting, which may be auto.
        trained: The run's config.json, which says how long the answers are that it learned.
    """
    if config.max_new_tokens == "auto":
        return token_budget(trained.get("longest_answer_tokens"))
    return config.max_new_tokens
