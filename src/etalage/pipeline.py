"""The verbs, each a short paragraph, and the names of the files in a run folder."""

import gc
import json
import shutil
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.text import Text

from etalage import config as c
from etalage.aside import write_aside, written_aside
from etalage.progress import bar

__all__ = [
    "Run",
    "bench",
    "demo",
    "evaluate",
    "predict",
    "prepare",
    "report",
    "sample",
    "sample_check",
    "sample_serve",
    "train",
]

console = Console(highlight=False)

_FREE = ("out", "track", "num_workers", "cache_mib", "prepared_pictures", "memory", "max_tokens", "compile")
"""What a run may be continued with otherwise: it changes no step, but for rounding."""


@dataclass(frozen=True)
class Run:
    """A run folder: `train` writes its first half, `evaluate` and `report` the rest."""

    folder: Path

    @property
    def config(self) -> Path:
        """The resolved configuration and the versions it ran with."""
        return self.folder / "config.json"

    @property
    def log(self) -> Path:
        """One line per step."""
        return self.folder / "log.jsonl"

    @property
    def checkpoints(self) -> Path:
        """What a broken run continues from."""
        return self.folder / "checkpoints"

    @property
    def model(self) -> Path:
        """The result: a checkpoint folder (full) or adapters (lora). Its presence says that training is done."""
        return self.folder / "model"

    @property
    def metrics(self) -> Path:
        """What `evaluate` found."""
        return self.folder / "metrics.json"

    @property
    def predictions(self) -> Path:
        """What was answered to each picture of the evaluated split, before fine-tuning and after."""
        return self.folder / "predictions.jsonl"

    @property
    def report(self) -> Path:
        """The page."""
        return self.folder / "report.html"

    def resolve(self, config: c.TrainConfig, catalogue: Any) -> dict[str, Any]:
        """What config.json is to hold: configuration, task, versions. Writes nothing.

        A run that has taken no step, as where memory was too small for one, may be begun otherwise.

        Raises:
            ValueError: another run was begun here, or the folder holds something else.
        """
        from etalage.train.tracking import versions

        folders = {
            "catalogue": str(config.catalogue.resolve()),
            "out": str(self.folder.resolve()),
            "prepared_pictures": config.prepared_pictures and str(config.prepared_pictures.resolve()),
        }
        words = {
            "task": asdict(catalogue.task.config),
            "limits": catalogue.facts["limits"],
            "catalogue_digest": catalogue.digest,
        }
        wanted = json.loads(json.dumps({**asdict(config), **folders, **words}))  # as it is read back
        if Path(config.model).is_dir():
            wanted["model"] = str(Path(config.model).resolve())
        if self.config.exists():
            before = self.read_config()
            differing = [k for k, v in wanted.items() if before.get(k) != v and k not in _FREE]
            if not differing:
                return before
            if self.log.exists() and self.log.read_text():
                raise ValueError(
                    f"{self.folder} holds a run with another configuration: "
                    + "; ".join(f"{k} was {before.get(k)!r}, now {wanted[k]!r}" for k in differing)
                    + ". Choose another --out, or give the same arguments to continue it"
                )
        elif self.folder.exists() and any(self.folder.iterdir()):
            raise ValueError(f"{self.folder} holds something that is no run; choose another --out")
        return {**wanted, "versions": versions()}

    def begin(self, resolved: Mapping[str, Any]) -> None:
        """Write the resolved configuration."""
        self.folder.mkdir(parents=True, exist_ok=True)
        write_aside(self.config, json.dumps(resolved, indent=1) + "\n")

    def read_config(self) -> dict[str, Any]:
        """What `begin` wrote.

        Raises:
            ValueError: no run begun here.
        """
        if not self.config.exists():
            raise ValueError(f"{self.folder} is no run folder: no config.json in it; name the --out of `etalage train`")
        config: dict[str, Any] = json.loads(self.config.read_text())
        return config

    def finish(self, model: Any, processor: Any) -> None:
        """Leave the trained model, whole or not at all; checkpoints are then no longer needed."""
        # the head has adapters, for which peft would store the head itself, which never changes
        options = {} if self.read_config()["recipe"] == "full" else {"save_embedding_layers": False}
        with written_aside(self.model) as aside:
            model.save_pretrained(aside, **options)
            processor.save_pretrained(aside)
            for weights in aside.glob("*.safetensors"):  # safetensors 0.8 keeps what it writes from other users
                shutil.copymode(aside / "tokenizer.json", weights)
        shutil.rmtree(self.checkpoints)

    def load(self) -> tuple[Any, Any]:
        """The trained model, in evaluation mode on the device, and its processor.

        Raises:
            ValueError: training is not done.
        """
        from peft import PeftModel

        from etalage.train.adapters import check_quantization, quantize, use_quick_adapters
        from etalage.train.remember import remember_features

        config = self.read_config()
        if config["recipe"] == "full":
            model, processor = self._load(str(self.model))
        else:
            # what the adapters were trained on; FP8 is left to training, whose speed it is for
            quantization: c.Quantization = "nf4" if config.get("quantization") == "nf4" else "none"
            check_quantization(quantization)
            base, processor = self._load(config["model"])
            with warnings.catch_warnings(category=FutureWarning, action="ignore"):  # as in train/trainable.py
                model = PeftModel.from_pretrained(base, self.model).eval()
            use_quick_adapters(model)
            quantize(model, quantization)
        remember_features(model)
        return model, processor

    def load_before(self) -> tuple[Any, Any]:
        """The model as it was before fine-tuning, likewise; its processor is the run's, so that it sees the same crops.

        Raises:
            ValueError: training is not done, or the base is no longer where it was.
        """
        from etalage.train.remember import remember_features

        model, processor = self._load(self.read_config()["model"])
        remember_features(model)  # every sample of an answer asks for the same crops
        return model, processor

    def _load(self, checkpoint: str) -> tuple[Any, Any]:
        from etalage.base import load_base
        from etalage.phi3v import Phi3VProcessor
        from etalage.train import precision

        if not self.model.exists():
            raise ValueError(
                f"{self.folder}: training is not done; `etalage train` with the same arguments continues it"
            )
        processor = Phi3VProcessor.from_pretrained(self.model)
        model, _ = load_base(checkpoint, dtype=precision.weights_dtype())
        return model.to(precision.device()).eval(), processor


def sample(config: c.SampleConfig) -> None:
    """Draw a sample catalogue, of brands or like another one, with faults planted if asked for."""
    from etalage.sample.drawn import Drawn
    from etalage.sample.faults import Faulty, parse_rates
    from etalage.sample.mimic import learn
    from etalage.sample.rows import Rows
    from etalage.sample.write import write_sample

    if config.like is not None and find_spec("sklearn") is None:
        raise ValueError("--like compares with the original, which needs one more package; pip install etalage[like]")
    rows: Rows = (
        Drawn(config.seed, range(config.brand, config.brand + config.num_brands), config.picture_px)
        if config.like is None
        else learn(config.like, seed=config.seed, rows=config.rows)
    )
    if config.faults:
        links = bool(config.image_url)
        rates = parse_rates(config.faults, links=links)
        rows = Faulty(rows, rates, seed=config.seed, num_rows=config.rows, links=links)
    with bar("sample", config.rows) as progress:
        manifest = write_sample(
            config.out,
            rows,
            config.rows,
            table_format=config.format,
            image_url=config.image_url,
            progress=progress.reach,
            finish=None if config.like is None else lambda folder, made: _measure(folder, made, config),
        )
    table = config.out / ("catalogue.csv" if config.format == "csv" else "catalogue")
    _say(f"{config.rows} products drawn: {table}")
    if oracle := manifest.get("oracle"):
        _say(
            f"who knew the laws would name {oracle['title_exact']:.1%} and categorise "
            f"{oracle['category_accuracy']:.1%} as the table does, and be off by "
            f"x{oracle['price_median_factor_error']:.2f} in the price"
        )


def _measure(sample: Path, manifest: Mapping[str, Any], config: c.SampleConfig) -> None:
    """How like its original a sample is, left beside it and said in two lines."""
    from etalage.sample.fidelity import measure, read_written, write_fidelity

    assert config.like is not None
    with console.status("comparing with the original"):
        written, suppressed = read_written(sample), manifest["num_suppressed"]
        figures = measure(config.like, written, seed=config.seed, num_suppressed=suppressed)
        title = f"{config.out.name}, like {config.like.resolve().name}"
        write_fidelity(sample / "fidelity.json", sample / "fidelity.html", figures, title=title)
    privacy, detection = figures["privacy"], figures["detection"]
    copied = sum(privacy.get(name, 0) for name in ("rows_copied", "titles_copied", "codes_copied"))
    _say(
        f"mean fidelity of its columns {figures['column_fidelity']:.3f} (1 is perfect); told from the original with an "
        f"area of {detection['logistic']:.2f} by regression and {detection['boosting']:.2f} by trees (0.5 is perfect)"
    )
    _say(f"{copied} rows, titles or codes are the original's; more in {config.out / 'fidelity.html'}")


def sample_serve(config: c.SampleServeConfig) -> None:
    """Answer a sample's pictures until Ctrl-C."""
    from etalage.sample.serve import serve

    serve(
        config.sample,
        _say,
        port=config.port,
        latency_ms=config.latency_ms,
        error_rate=config.error_rate,
        bandwidth_kib_s=config.bandwidth_kib_s,
    )


def sample_check(config: c.SampleCheckConfig) -> None:
    """Say what became of a sample's planted faults.

    Raises:
        ValueError: something else than its manifest expects.
    """
    from etalage.sample.faults import MANIFEST, check, read_planted

    manifest = config.sample / MANIFEST
    if wrong := check(config.catalogue, manifest):
        shown = "\n".join(wrong[:20])
        raise ValueError(f"{len(wrong)} planted faults are not accounted for in {config.catalogue}:\n{shown}")
    _say(f"all {len(read_planted(manifest))} planted faults are accounted for")


def prepare(config: c.PrepareConfig) -> None:
    """Read the table, fetch and check pictures, group copies, split by group, write the catalogue."""
    from etalage.catalogue.intake import take_in
    from etalage.catalogue.pictures import check_colour
    from etalage.catalogue.sources import open_source, read_table
    from etalage.task import Task

    check_colour(config.background)
    source = open_source(config.source, config)
    task = Task(c.TaskConfig(answer="{answer}") if source.kind == "conversations" else config.task)
    table = read_table(source, task.fields, config)
    if source.note:
        _say(f"note: {source.note}")
    _say("columns: " + ", ".join(f"{n}={col}{' (guessed)' * (n in table.guessed)}" for n, col in table.columns.items()))
    with written_aside(config.out) as aside:
        facts = take_in(aside, table, task, config)
    _say_prepared(config, facts)


def train(config: c.TrainConfig) -> None:
    """Fine-tune, from the start or from where an earlier process broke off, and leave the model in the run folder."""
    from etalage.base import load_base
    from etalage.batches import Examples
    from etalage.catalogue.store import Catalogue
    from etalage.evaluate.metrics import closeness
    from etalage.evaluate.predictions import generate_answers
    from etalage.prepared import PreparedPictures
    from etalage.recipes import sized
    from etalage.train import loop, precision
    from etalage.train.adapters import check_quantization
    from etalage.train.remember import remember_features
    from etalage.train.sight import check_sight
    from etalage.train.tracking import track
    from etalage.train.trainable import make_trainable, trainable_parameters

    run, catalogue = Run(config.out), Catalogue.load(config.catalogue)
    config = sized(config, len(catalogue.split("train")))
    resolved = run.resolve(config, catalogue)
    if run.model.exists():
        _say(f"{run.model} is trained already")
        return
    check_quantization(config.quantization)
    model, processor = load_base(config.model, dtype=precision.weights_dtype(config.recipe))
    if config.num_crops is not None:
        processor.image_processor.num_crops = config.num_crops
    torch_model = make_trainable(model.to(precision.device()), config)
    if "tower" in config.freeze:
        remember_features(torch_model)
    held = (catalogue.task, processor, catalogue.open, config.cache_mib << 20)
    folder = config.prepared_pictures
    prepared = None if folder is None else PreparedPictures(folder, processor.image_processor)
    training = Examples(catalogue.split("train"), *held, config.views, config.field_by_field, prepared)
    validation = Examples(catalogue.split("validation"), *held, prepared=prepared)
    change = check_sight(torch_model, training)
    run.begin(resolved)
    task, held_out = catalogue.task, validation.products

    def validation_score() -> float:
        asked = ((task.ask(product.question), catalogue.open(product)) for product in held_out)
        given = generate_answers(torch_model, processor, asked, batch_size=config.batch_size, max_new_tokens=96)
        return closeness(task.fields, [p.values for p in held_out], [task.parse(answer) for answer in given])

    num_trainable = sum(p.numel() for p in trainable_parameters(torch_model).values())
    _say(
        f"{config.recipe} on {config.model}: {num_trainable:,} weights learn from {len(training)} products; "
        f"another picture changes the logits by {change:.2g} standard deviations"
    )
    with track(config.track, run.folder, resolved, "train") as tracker:
        loop.train(
            torch_model,
            training,
            validation,
            config,
            checkpoints=run.checkpoints,
            log=run.log,
            tracker=tracker,
            validation_score=validation_score,
        )
        with console.status("writing the model"):
            run.finish(torch_model, processor)
        tracker.keep(f"{run.folder.name}-model", "model", run.model)
    _say(_pace([json.loads(line) for line in run.log.read_text().splitlines()]))
    _say(f"trained: {run.model}")


def _pace(steps: Sequence[Mapping[str, float]]) -> str:
    """How quick a training was: its median steps, and the most memory that it held."""
    samples, tokens, mfu = (
        median(step[name] for step in steps) for name in ("samples_per_second", "tokens_per_second", "mfu")
    )
    peak = max(step["peak_memory_gib"] for step in steps)
    rates = f"{samples:.1f} products/s, {tokens:,.0f} tokens/s, MFU {mfu:.0%}"
    return f"{len(steps)} steps: {rates}, peak memory {peak:.1f} GiB"


def evaluate(config: c.EvaluateConfig) -> None:
    """Generate answers to each picture of the split, before fine-tuning and after, and to wrong ones; judge them."""
    from etalage.catalogue.store import Catalogue
    from etalage.evaluate import baselines, controls
    from etalage.evaluate.judge import judge, table, verdict
    from etalage.evaluate.predictions import Prediction, write_predictions
    from etalage.train.tracking import track

    run = Run(config.run)
    trained = run.read_config()
    catalogue = Catalogue.load(Path(trained["catalogue"]))
    task, products = catalogue.task, catalogue.split(config.split)
    groups = [product.group for product in products]
    others = controls.shuffled(products, trained["seed"], groups=groups)
    shown = {
        "before": ((task.ask(p.question), catalogue.open(p)) for p in products),
        "model": ((task.ask(p.question), catalogue.open(p)) for p in products),
        "blank": ((task.ask(p.question), controls.blank(catalogue.open(p))) for p in products),
        "shuffled": ((task.ask(p.question), catalogue.open(p)) for p in others),
    }
    answers: dict[str, list[str]] = {}
    with bar("evaluate", len(products) * len(shown)) as progress:

        def ask(names: Sequence[str], model: Any, processor: Any) -> None:
            for name in names:
                answers[name] = _answers(config, trained, task, model, processor, shown[name], progress.add)

        ask(["before"], *run.load_before())
        gc.collect()  # the base must be gone, cycles and all, when the tuned model comes: two large ones may not fit
        ask(["model", "blank", "shuffled"], *run.load())
    parsed = {name: [task.parse(answer) for answer in given] for name, given in answers.items()}
    metrics = judge(
        config.split,
        task.fields,
        [p.values for p in products],
        parsed["model"],
        before=parsed["before"],
        majority=baselines.majority(task.fields, [p.values for p in catalogue.split("train")]),
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
    write_aside(run.metrics, json.dumps(metrics, indent=1, allow_nan=False) + "\n")
    with track(config.track, run.folder, trained, "evaluate") as tracker:
        tracker.log(dict(_flat(metrics)))
        tracker.table(
            f"{config.split}_predictions",
            ["picture", "target", "before", "answer"],
            [[p.image, task.answer(p.target or {}), p.before, p.answer] for p in predictions[:100]],
        )
    console.print(table(metrics))
    _say(verdict(metrics))
    _say(f"metrics: {run.metrics}")


def predict(config: c.PredictConfig) -> None:
    """Answer each picture, to the terminal or to a file."""
    from rich.table import Column, Table

    from etalage.catalogue.pictures import open_picture
    from etalage.evaluate.predictions import Prediction, write_csv, write_predictions
    from etalage.task import Task

    run = Run(config.run)
    trained = run.read_config()
    task, limits = Task(c.TaskConfig(**trained["task"])), trained["limits"]
    for image in config.images:  # all of them before the first answer, so that no long work ends in an error
        try:
            open_picture(image, **limits)
        except ValueError as bad:
            raise ValueError(f"{image}: {bad}; leave it out or replace it") from bad
    model, processor = run.load()
    with bar("predict", len(config.images)) as progress:
        asked = ((task.prompt, open_picture(image, **limits)) for image in config.images)
        answers = _answers(config, trained, task, model, processor, asked, progress.add)
    predictions = [
        Prediction(image.name, image, None, None, answer, task.parse(answer))
        for image, answer in zip(config.images, answers, strict=True)
    ]
    if config.out is None:
        rows = Table(Column("image", overflow="fold"), *(field.name for field in task.fields))
        for p in predictions:
            values = [str(p.values[f.name]) for f in task.fields] if p.values else [f"not an answer: {p.answer}"]
            rows.add_row(*(Text(cell) for cell in (str(p.image), *values)))
        console.print(rows)
    elif config.out.suffix == ".csv":
        write_csv(config.out, task.fields, predictions)
    else:
        write_predictions(config.out, predictions)


def report(config: c.ReportConfig) -> None:
    """Write the page."""
    from etalage.catalogue.store import Catalogue
    from etalage.evaluate.predictions import read_predictions
    from etalage.evaluate.report import write_report

    run = Run(config.run)
    trained = run.read_config()
    if not run.metrics.exists():
        raise ValueError(f"{run.folder}: nothing to report yet; run `etalage evaluate {run.folder}` first")
    facts = Catalogue.load(Path(trained["catalogue"])).facts
    write_report(
        run.report,
        title=run.folder.resolve().name,
        config=trained,
        metrics=json.loads(run.metrics.read_text()),
        predictions=read_predictions(run.predictions),
        losses=[json.loads(line) for line in run.log.read_text().splitlines()],
        counts={**facts["splits"], "dropped": facts["drops"]},
        limits=facts["limits"],
    )
    _say(f"report: {run.report}")


def bench(config: c.BenchConfig) -> None:
    """Time ways to fine-tune, one after the other, and show each as soon as it is known."""
    import torch

    from etalage.bench import Line, lines, machine, table

    if config.model == "random" and not torch.cuda.is_available():
        raise ValueError("there is no GPU, and the full size would take hours on a CPU; give --model small")
    device, measured = machine(), list[Line]()
    _say(device)
    for line in lines(config):
        measured.append(line)
        if config.out is not None:
            write_aside(config.out, f"{device}\n\n{table(measured)}")
        _say(
            f"{line.num_crops:>2} crops, {line.name}: {line.samples_per_second:.2f} samples/s, "
            f"{line.tokens_per_second:,.0f} tokens/s, MFU {line.mfu:.1%}, {line.peak_memory_gib:.1f} GiB"
        )
    if config.out is not None:
        _say(f"table: {config.out}")


def demo(config: c.DemoConfig) -> None:
    """Sample, prepare, train, evaluate, report: what exists already is kept, so a broken demo continues."""
    from etalage.recipes import with_recipe

    drawn, catalogue, run = config.out / "sample", config.out / "catalogue", config.out / "run"
    if not drawn.exists():
        sample(c.SampleConfig(drawn, config.rows, config.seed))
    if not catalogue.exists():
        prepare(c.PrepareConfig(str(drawn / "catalogue.csv"), catalogue, seed=config.seed))
    training = with_recipe(c.TrainConfig(catalogue, run, recipe="full", seed=config.seed, track=config.track))
    # quick rather than best; in so few epochs, whole answers teach more than one field at a time
    train(replace(training, epochs=config.epochs, views=1, patience=0, field_by_field=False))
    evaluate(c.EvaluateConfig(run, num_samples=1, track=config.track))
    report(c.ReportConfig(run))


def _answers(
    config: c.EvaluateConfig | c.PredictConfig,
    trained: Mapping[str, Any],
    task: Any,
    model: Any,
    processor: Any,
    asked: Iterable[tuple[str, Any]],
    progress: Callable[[int], object],
) -> list[str]:
    """One answer to each picture, so that `predict` answers as it was measured."""
    from etalage.evaluate.consensus import consensus
    from etalage.evaluate.predictions import generate_answers

    given = generate_answers(
        model,
        processor,
        asked,
        batch_size=config.batch_size,
        max_new_tokens=config.max_new_tokens,
        num_samples=config.num_samples,
        num_views=trained["views"],
        choose=partial(consensus, task),
        progress=progress,
    )
    return list(given)


def _say_prepared(config: c.PrepareConfig, facts: Mapping[str, Any]) -> None:
    counts = ", ".join(f"{count} {split}" for split, count in facts["splits"].items())
    total, leaks = sum(facts["splits"].values()), facts["leaks"]
    _say(f"{total} products in {facts['num_groups']} groups ({counts}): {config.out}")
    if facts["drops"]:
        reasons = ", ".join(f"{count} {reason}" for reason, count in facts["drops"].items())
        num_dropped = sum(facts["drops"].values())
        _say(f"{num_dropped} row{'s' * (num_dropped > 1)} dropped ({reasons}): {config.out / 'drops.parquet'}")
    for found in facts["placeholders"][:3]:
        what = f"{found['num_products']} products with {found['num_titles']} titles"
        _say(f"placeholder? {what} show {config.out / found['file_name']}; --placeholders drop leaves them out")
    if config.split_column and leaks["num_leaked"]:
        _say(
            f"LEAK: of {leaks['num_held_out']} products that column {config.split_column!r} holds out, "
            f"{leaks['num_leaked']} have a copy or variant in train: {config.out / 'leaks.parquet'}"
        )
    elif leaks["num_leaked"]:
        _say(f"splitting by row would have leaked {leaks['num_leaked']} of {leaks['num_held_out']} held-out products")


def _say(text: str) -> None:
    """A line for the user. Long ones are left to the terminal, so that paths can be copied whole."""
    console.print(text, soft_wrap=True, markup=False)


def _flat(metrics: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, float]]:
    """Nested figures as test/category.accuracy and so on; what is no number is left out."""
    for name, value in metrics.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        elif isinstance(value, int | float):
            yield f"{prefix}{name}", float(value)
