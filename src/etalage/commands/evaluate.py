"""`etalage evaluate`: score a run on pictures that it has never seen."""

import gc
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from etalage.atomic import atomic_write_text
from etalage.catalogue.store import Catalogue
from etalage.commands.answers import answer
from etalage.commands.console import console, say
from etalage.config import EvaluateConfig
from etalage.evaluate import baselines, controls
from etalage.evaluate.predictions import Prediction, write_predictions
from etalage.evaluate.summary import summary_table
from etalage.evaluate.systems import build_metrics
from etalage.evaluate.verdict import verdict
from etalage.flatten import flatten
from etalage.models import load_run, load_run_base
from etalage.progress import progress_bar
from etalage.runs import Run
from etalage.task import Product
from etalage.train.tracking import make_tracker

if TYPE_CHECKING:
    from peft import PeftModel

    from etalage.phi3v import Phi3VForCausalLM, Phi3VProcessor

__all__ = ["evaluate"]


def evaluate(config: EvaluateConfig) -> None:
    """Generate answers before and after fine-tuning and for the controls, score them, and write metrics.json.

    Args:
        config: The run and the split to score.

    Raises:
        EtalageError: Training is not done, or the catalogue is gone or damaged.
    """
    run = Run(config.run)
    trained = run.read_config()
    catalogue = Catalogue.load(Path(trained["catalogue"]))
    task, products = catalogue.task, catalogue.split(config.split)
    groups = [product.group for product in products]
    answers = _generate(config, run, catalogue, controls.shuffle_pictures(products, trained["seed"], groups=groups))
    parsed = {name: [task.parse_answer(text) for text in texts] for name, texts in answers.items()}
    metrics = build_metrics(
        config.split,
        task.fields,
        [p.values for p in products],
        parsed["model"],
        before=parsed["before"],
        majority=baselines.majority_answer(task.fields, [p.values for p in catalogue.split("train")]),
        blank=parsed["blank"],
        shuffled=parsed["shuffled"],
        groups=groups,
        seed=trained["seed"],
    )
    predictions = [
        Prediction(p.product_code, p.image, p.values, before, after, values)
        for p, before, after, values in zip(products, answers["before"], answers["model"], parsed["model"], strict=True)
    ]
    write_predictions(run.predictions, predictions)
    # NaN is no JSON, and other readers than Python refuse it.
    atomic_write_text(run.metrics, json.dumps(metrics, indent=1, allow_nan=False) + "\n")
    with make_tracker(config.track, run.folder, trained, "evaluate") as tracker:
        tracker.log({name: float(v) for name, v in flatten(metrics) if isinstance(v, int | float)})
        tracker.log_table(
            f"{config.split}_predictions",
            ["picture", "target", "before", "answer"],
            [[p.image, task.format_answer(p.target or {}), p.before, p.answer] for p in predictions[:100]],
        )
    console.print(summary_table(metrics))
    say(verdict(metrics))
    say(f"metrics: {run.metrics}")


def _generate(
    config: EvaluateConfig, run: Run, catalogue: Catalogue, shuffled: Sequence[Product]
) -> dict[str, list[str]]:
    """Answers by name: before fine-tuning, after it, and after it to a blank and to a wrong picture."""
    task, products, trained = catalogue.task, catalogue.split(config.split), run.read_config()
    # Generators, so that pictures are opened a batch at a time.
    asked: dict[str, Iterable[tuple[str, Image.Image]]] = {
        "before": ((task.build_prompt(p.question), catalogue.open(p)) for p in products),
        "model": ((task.build_prompt(p.question), catalogue.open(p)) for p in products),
        "blank": ((task.build_prompt(p.question), controls.blank_picture(catalogue.open(p))) for p in products),
        "shuffled": ((task.build_prompt(p.question), catalogue.open(p)) for p in shuffled),
    }
    answers: dict[str, list[str]] = {}
    with progress_bar("evaluate", len(products) * len(asked)) as progress:

        def ask(names: Sequence[str], model: "Phi3VForCausalLM | PeftModel", processor: "Phi3VProcessor") -> None:
            for name in names:
                answers[name] = answer(config, trained, task, model, processor, asked[name], progress.advance)

        ask(["before"], *load_run_base(run))
        # The base, which holds reference cycles, must be gone before the tuned model loads: two may not fit.
        gc.collect()
        ask(["model", "blank", "shuffled"], *load_run(run))
    return answers
