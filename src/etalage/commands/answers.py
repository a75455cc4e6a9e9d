"""How `evaluate` and `predict` ask a trained model: in one way, so that predictions are as good as was measured."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from PIL import Image

from etalage.config import EvaluateConfig, PredictConfig
from etalage.generate.consensus import consensus
from etalage.generate.engine import generate_answers
from etalage.task import Task

if TYPE_CHECKING:
    from peft import PeftModel

    from etalage.phi3v import Phi3VForCausalLM, Phi3VProcessor

__all__ = ["answer"]


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
        One answer per prompt, in order.
    """
    answers = generate_answers(
        model,
        processor,
        prompts,
        batch_size=config.batch_size,
        max_new_tokens=config.max_new_tokens,
        num_samples=config.num_samples,
        num_augmentations=trained["num_augmentations"],
        choose=partial(consensus, task),
        progress=progress,
    )
    return list(answers)
