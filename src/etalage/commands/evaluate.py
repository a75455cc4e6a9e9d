"""`etalage evaluate`: score a run on pictures that it has never seen."""

import gc
import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from PIL import Image

from etalage.atomic import atomic_write_text
from etalage.catalogue.store import Catalogue
from etalage.config import EvaluateConfig
from etalage.console import console, say
from etalage.errors import EtalageError
from etalage.evaluate import baselines, controls
from etalage.evaluate.predictions import Prediction, write_predictions
from etalage.evaluate.summary import summary_table
from etalage.evaluate.systems import build_metrics, check_field_names
from etalage.evaluate.verdict import verdict
from etalage.flatten import flatten
from etalage.progress import progress_bar
from etalage.runs import Run
from etalage.task import END_TOKEN, Product
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
        EtalageError: Training is not done or under way, the catalogue is gone, damaged or another one, or it has no
            product in the split.
    """
    run = Run(config.run)
    with run.lock(make=False):
        run.require_model()
        _evaluate(config, run)


def _evaluate(config: EvaluateConfig, run: Run) -> None:
    trained = run.read_config()
    catalogue = Catalogue.load_of_run(trained, run.folder, config.catalogue)
    task, products = catalogue.task, catalogue.split(config.split)
    # All that can be refused is refused before the first answer.
    _require_products(catalogue, config)
    check_field_names(task.fields)
    majority = baselines.majority_answer(task.fields, [p.values for p in catalogue.split("train")])
    groups = [product.group for product in products]
    answers = _generate(config, run, catalogue, _shuffle(products, groups, trained["seed"]))
    parsed = {name: [task.parse_answer(text) for text in texts] for name, texts in answers.items()}
    problems = {name: [task.find_problem(text) for text in texts] for name, texts in answers.items()}
    metrics = build_metrics(
        config.split,
        task.fields,
        [p.values for p in products],
        parsed["model"],
        before=parsed["before fine-tuning"],
        majority=majority,
        blank=parsed["blank"],
        shuffled=parsed.get("shuffled"),
        num_cut={name: found.count("cut") for name, found in problems.items()},
        groups=groups,
        seed=trained["seed"],
    )
    texts = ([text.removesuffix(END_TOKEN) for text in answers[name]] for name in ("before fine-tuning", "model"))
    predictions = [
        Prediction(p.product_code, p.image, p.values, *found)
        for p, *found in zip(products, *texts, parsed["model"], problems["model"], strict=True)
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


def _shuffle(products: Sequence[Product], groups: Sequence[str], seed: int) -> list[Product] | None:
    """Show each product another one's picture, if there is another."""
    if len(set(groups)) > 1:
        return controls.shuffle_pictures(products, seed, groups=groups)
    say("note: there is no other product's picture to show, so the shuffled control is left out")
    return None


def _generate(
    config: EvaluateConfig, run: Run, catalogue: Catalogue, shuffled: Sequence[Product] | None
) -> dict[str, list[str]]:
    """Return answers by system; without shuffled products, that system has none."""
    # Not before all else is checked, as torch takes seconds to import.
    from etalage.commands.answers import answer
    from etalage.models import load_run, load_run_base

    task, products, trained = catalogue.task, catalogue.split(config.split), run.read_config()
    # Generators, so that pictures are opened a batch at a time.
    asked: dict[str, Iterable[tuple[str, Image.Image]]] = {
        "before fine-tuning": ((task.build_prompt(p.question), catalogue.open(p)) for p in products),
        "model": ((task.build_prompt(p.question), catalogue.open(p)) for p in products),
        "blank": ((task.build_prompt(p.question), controls.blank_picture(catalogue.open(p))) for p in products),
    }
    if shuffled is not None:
        asked["shuffled"] = ((task.build_prompt(p.question), catalogue.open(p)) for p in shuffled)
    answers: dict[str, list[str]] = {}
    with progress_bar("evaluate", len(products) * len(asked)) as progress:

        def ask(names: Sequence[str], model: "Phi3VForCausalLM | PeftModel", processor: "Phi3VProcessor") -> None:
            for name in names:
                answers[name] = answer(config, trained, task, model, processor, asked[name], progress.advance)

        ask(["before fine-tuning"], *load_run_base(run))
        # The base, which holds reference cycles, must be gone before the tuned model loads: two may not fit.
        gc.collect()
        ask([name for name in asked if name != "before fine-tuning"], *load_run(run))
    return answers


def _require_products(catalogue: Catalogue, config: EvaluateConfig) -> None:
    if catalogue.split(config.split):
        return
    others = [f"--split {name} ({len(found)})" for name, found in catalogue.products.items() if found]
    raise EtalageError(
        f"{catalogue.folder} has no {config.split} products to evaluate; there are {', '.join(others)}. Or prepare and "
        "train again with a larger --test-fraction"
    )
