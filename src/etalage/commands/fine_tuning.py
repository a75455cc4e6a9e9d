"""What `etalage train` does once all that can be refused without a model has been checked."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from etalage import devices
from etalage.catalogue.store import Catalogue
from etalage.config import TrainConfig
from etalage.console import say
from etalage.data.dataset import Examples
from etalage.data.pixel_cache import PixelCache
from etalage.evaluate.metrics import validation_score
from etalage.fused.feature_cache import cache_features
from etalage.fused.quantization import check_quantization
from etalage.generate.budget import longest_answer, token_budget
from etalage.generate.engine import generate_answers
from etalage.models import base_digest, load_base
from etalage.phi3v import Phi3VProcessor
from etalage.progress import progress_bar
from etalage.runs import Run
from etalage.train import loop
from etalage.train.throughput import summary
from etalage.train.tracking import make_tracker
from etalage.train.trainable import make_trainable, trainable_parameters
from etalage.train.vision_check import assert_uses_image
from etalage.wording import count

if TYPE_CHECKING:
    from peft import PeftModel

    from etalage.phi3v import Phi3VForCausalLM

__all__ = ["fine_tune"]


def fine_tune(run: Run, catalogue: Catalogue, config: TrainConfig) -> None:
    """Fine-tune, from the start or from the last checkpoint, and leave the model in the run folder.

    Args:
        run: The run, which this process has locked.
        catalogue: The catalogue to learn from.
        config: Every setting, with no number of epochs left to choose.

    Raises:
        EtalageError: The model cannot be read or is another one than before, memory or disk space is too small, the
            model does not use its picture, or a loss is not finite.
    """
    resolved = run.resolve(config, {**catalogue.record, "base_digest": base_digest(config.model)})
    check_quantization(config.quantization)
    model, processor = load_base(config.model, dtype=devices.weights_dtype(config.recipe))
    if config.num_crops != "auto":
        processor.image_processor.num_crops = config.num_crops
    # Whoever loads the run without a catalogue sees transparent pictures as training did.
    processor.image_processor.background = catalogue.facts["limits"]["background"]
    trainable = make_trainable(devices.on_device(model), config)
    if "tower" in config.freeze:
        cache_features(trainable)  # on a CPU; for a GPU, make_packer keeps the features of whole pictures
    training, validation = _datasets(catalogue, processor, config)
    with devices.explain_out_of_memory("lower --num-crops, or end other processes on this GPU"):
        change = assert_uses_image(trainable, training)
    learned = (catalogue.task.format_answer(p.values) for p in [*training.products, *validation.products])
    resolved = {"longest_answer_tokens": longest_answer(processor, learned), **resolved}
    run.begin(resolved)  # not before the model is loaded and seen to use its picture
    score = partial(_score, trainable, catalogue, validation, config.batch_size, resolved["longest_answer_tokens"])
    num_trainable = sum(p.numel() for p in trainable_parameters(trainable).values())
    say(
        f"{config.recipe} on {config.model}: {count(num_trainable, 'trainable parameter')}, "
        f"{count(len(training), 'product')}; another picture changes the logits by {change:.2g} standard deviations"
    )
    with make_tracker(config.track, run.folder, resolved, "train", log_model=config.log_model) as tracker:
        loop.train(
            trainable,
            training,
            validation,
            config,
            checkpoints=run.checkpoints,
            log=run.log,
            tracker=tracker,
            validation_score=score,
        )
        with progress_bar("writing the model"):
            run.finish(trainable, processor)
        if config.log_model:
            tracker.log_folder(f"{run.folder.resolve().name}-model", "model", run.model)
    say(summary(run.read_log()))
    say(f"trained: {run.model}")


def _datasets(catalogue: Catalogue, processor: Phi3VProcessor, config: TrainConfig) -> tuple[Examples, Examples]:
    """Return the training and the validation split, the latter without augmentation."""
    shared = (catalogue.task, processor, catalogue.open, config.cache_mib << 20)
    folder = config.pixel_cache
    pixel_cache = None if folder is None else PixelCache(folder, processor.image_processor)
    assert config.num_augmentations != "auto", "chosen by recipes.sized"
    training = Examples(catalogue.split("train"), *shared, config.num_augmentations, config.field_by_field, pixel_cache)
    return training, Examples(catalogue.split("validation"), *shared, pixel_cache=pixel_cache)


def _score(
    model: "Phi3VForCausalLM | PeftModel",
    catalogue: Catalogue,
    validation: Examples,
    batch_size: int,
    longest_answer_tokens: int,
    progress: Callable[[int], object],
) -> float:
    """Return how well a model answers the validation split: greedily, as sixteen samples take three times as long."""
    task, products = catalogue.task, validation.products
    asked = ((task.build_prompt(product.question), catalogue.open(product)) for product in products)
    answers = generate_answers(
        *(model, validation.processor, asked),
        batch_size=batch_size,
        max_new_tokens=token_budget(longest_answer_tokens),
        progress=progress,
    )
    parsed = [task.parse_answer(answer) for answer in answers]
    return validation_score(task.fields, [product.values for product in products], parsed)
