"""A run folder: the names of its files, and how a run begins, resumes and finishes."""

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from etalage.atomic import atomic_directory, atomic_write_text
from etalage.config import TaskConfig, TrainConfig
from etalage.errors import EtalageError
from etalage.folders import file_in, model_folder, write_sums
from etalage.json_files import read_json_lines, read_json_object
from etalage.locks import lock
from etalage.recorded import check_settings, with_current_names
from etalage.schema import NULL, PATH, TEXT, array, check, either, integer, mapping, number, record, text
from etalage.task import Task
from etalage.versions import versions

if TYPE_CHECKING:  # `report` reads a run without loading torch
    from peft import PeftModel
    from transformers import PreTrainedModel, ProcessorMixin

__all__ = ["Run", "read_log"]

_MAY_CHANGE = (
    *("out", "catalogue", "track", "log_model", "num_workers", "cache_mib", "pixel_cache"),
    *("checkpoint_minutes", "checkpoint_every"),
    *("activation_checkpointing", "max_tokens", "compile"),
)
"""Settings that may change on resume; they affect results only by rounding."""

_MAX_CONFIG_BYTES, _MAX_LOG_BYTES = 64 << 20, 1 << 30  # a config holds every known category
_COUNT = integer(1)
_LIMITS = {"max_image_px": _COUNT, "max_image_bytes": _COUNT, "background": either(text(50), NULL)}
# Settings are checked by their declarations, see check_settings; these are read whatever TrainConfig has by default.
_CONFIG = record(
    {
        **{"catalogue": PATH, "model": PATH, "recipe": TEXT, "seed": integer(0), "num_augmentations": _COUNT},
        **{"task": record({"question": TEXT, "answer": TEXT}, closed=True), "limits": record({}, _LIMITS, closed=True)},
    },
    {
        **{"choices": mapping(array(TEXT)), "longest_answer_tokens": _COUNT, "versions": mapping(TEXT)},
        **dict.fromkeys(("catalogue_digest", "base_digest"), TEXT),
    },
)
_LOG_LINE, _FIGURES = record({"step": _COUNT, "loss": number()}), mapping(number())


@dataclass(frozen=True)
class Run:
    """The files of a run folder. `train` writes the first half of them, `evaluate` and `report` the rest.

    Args:
        folder: The run folder; it need not exist yet.
    """

    folder: Path

    @property
    def config(self) -> Path:
        """The resolved configuration and the versions that the run began with."""
        return self.folder / "config.json"

    @property
    def log(self) -> Path:
        """The training log, one JSON object per step."""
        return self.folder / "log.jsonl"

    @property
    def checkpoints(self) -> Path:
        """The folder that an interrupted run resumes from."""
        return self.folder / "checkpoints"

    @property
    def model(self) -> Path:
        """The trained model: a checkpoint folder (full) or adapters (lora). It exists once training is done."""
        return self.folder / "model"

    @property
    def metrics(self) -> Path:
        """The scores that `evaluate` computed."""
        return self.folder / "metrics.json"

    @property
    def predictions(self) -> Path:
        """The answers to each picture of the evaluated split, before and after fine-tuning."""
        return self.folder / "predictions.jsonl"

    @property
    def report(self) -> Path:
        """The HTML report."""
        return self.folder / "report.html"

    def resolve(self, config: TrainConfig, catalogue: Mapping[str, Any]) -> dict[str, Any]:
        """Return the contents of config.json for this run: configuration, task and versions. Write nothing.

        A run that has taken no step, for example because memory was too small for one, may begin again with other
        settings.

        Args:
            config: The configuration, after the recipe and the command line.
            catalogue: What is recorded of the catalogue, see `Catalogue.record`, and of the base, its base_digest.

        Returns:
            What `begin` writes; what it wrote before, if this run is resumed.

        Raises:
            EtalageError: The folder holds another run or something else, or the model is a path without a folder.
        """
        # Absolute, since later commands may run in another folder.
        folders = {
            "catalogue": str(config.catalogue.resolve()),
            "out": str(self.folder.resolve()),
            "pixel_cache": config.pixel_cache and str(config.pixel_cache.resolve()),
        }
        resolved = json.loads(json.dumps({**asdict(config), **folders, **catalogue}))  # as it is read back
        if (folder := model_folder(config.model)) is not None and config.model != "small":
            resolved["model"] = str(folder.resolve())
        if self.config.exists():
            before = self.read_config()
            # Runs of earlier versions have no digest of their base.
            comparable = resolved.keys() - ({"base_digest"} - before.keys())
            differing = [
                k for k in resolved if k in comparable and before.get(k) != resolved[k] and k not in _MAY_CHANGE
            ]
            if not differing:
                # Where both are now, so that the catalogue is found again when they move together.
                return before | {name: resolved[name] for name in ("catalogue", "out")}
            if self.log.exists() and self.log.stat().st_size:
                raise EtalageError(
                    f"{self.folder} holds a run with another configuration: "
                    + "; ".join(_describe_change(k, before, resolved) for k in differing)
                    + ". Choose another --out, or give the same arguments to resume it"
                )
        elif self.folder.exists() and any(path != self._lock_file for path in self.folder.iterdir()):
            raise EtalageError(f"{self.folder} is not empty and is not a run folder; choose another --out")
        # Added last, so that they are not compared: libraries may be newer when a run resumes.
        return {**resolved, "versions": versions()}

    @property
    def _lock_file(self) -> Path:
        return self.folder / "run.lock"

    @property
    def last_checkpoint_step(self) -> int | None:
        """The step that an interrupted training resumes after; None if it begins again."""
        names = (path.name.removeprefix("step-") for path in self.checkpoints.glob("step-*"))
        return max((int(name) for name in names if name.isdecimal()), default=None)

    @contextmanager
    def lock(self, *, make: bool = True) -> Iterator[None]:
        """Keep other processes from writing into the run folder while the block runs. A folder left empty is removed.

        Args:
            make: Whether to make a folder that is missing.

        Raises:
            EtalageError: Another process writes into it, or it is a file or missing.
        """
        if not make and not self.folder.is_dir():
            self.read_config()  # says what is missing
        made = [folder for folder in (self.folder, *self.folder.parents) if not folder.exists()]
        if file := next((path for path in (self.folder, *self.folder.parents) if path.is_file()), None):
            raise EtalageError(f"{file} is a file, so {self.folder} cannot be a run folder")
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            with lock(self._lock_file, str(self.folder)):
                yield
        finally:
            with suppress(OSError):  # something is in it
                for folder in made:
                    folder.rmdir()

    def begin(self, resolved: Mapping[str, Any]) -> None:
        """Create the folder and write config.json.

        Args:
            resolved: What `resolve` returned.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        atomic_write_text(self.config, json.dumps(resolved, indent=1) + "\n")

    def read_config(self) -> dict[str, Any]:
        """Read config.json.

        Returns:
            What `begin` wrote; settings of version 0.1.0 have their current names.

        Raises:
            EtalageError: The folder is not a run folder, or the file is damaged.
        """
        if not self.config.exists():
            raise EtalageError(
                f"{self.folder} is not a run folder: it has no config.json; name the --out of `etalage train`"
            )
        remedy = f"restore it, or train again with another --out than {self.folder}"
        file_in(self.folder, self.config.name, remedy)
        found = read_json_object(self.config, remedy=remedy, max_bytes=_MAX_CONFIG_BYTES)
        config, place = with_current_names(found), str(self.config)
        check(config, _CONFIG, place, remedy)
        check_settings(config, place, remedy)
        try:
            Task(TaskConfig(**config["task"]), config.get("choices"))
        except EtalageError as error:
            raise EtalageError(f"{place}: task: {error}; {remedy}") from error
        return config

    def read_log(self) -> list[dict[str, float]]:
        """Read the training log.

        Returns:
            The figures of each step.

        Raises:
            EtalageError: A line is damaged.
        """
        return read_log(self.log)

    def require_model(self) -> None:
        """Check that training is done.

        Raises:
            EtalageError: It is not.
        """
        if not self.model.is_dir():
            raise EtalageError(
                f"{self.folder}: training is not done; `etalage train` with the same arguments resumes it"
            )

    def finish(self, model: "PreTrainedModel | PeftModel", processor: "ProcessorMixin") -> None:
        """Write the trained model, whole or not at all, and remove the checkpoints, which are no longer needed.

        Args:
            model: The trained model or its adapters.
            processor: The processor that it was trained with.
        """
        # The head has adapters, for which PEFT would store the head itself, which never changes.
        options = {} if self.read_config()["recipe"] == "full" else {"save_embedding_layers": False}
        with atomic_directory(self.model) as folder:
            model.save_pretrained(folder, **options)
            processor.save_pretrained(folder)
            for weights in folder.glob("*.safetensors"):  # safetensors 0.8 hides its files from other users
                shutil.copymode(folder / "tokenizer.json", weights)
            write_sums(folder)
        shutil.rmtree(self.checkpoints)


def _describe_change(key: str, before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    if key == "base_digest":
        return f"the files of the base {now['model']} have changed since"
    return f"{key} was {before.get(key)!r}, now {now[key]!r}"


def read_log(path: Path, num_steps: int | None = None) -> list[dict[str, float]]:
    """Read a training log.

    Args:
        path: log.jsonl.
        num_steps: Steps to read; None is all. A killed run may have left half a line after them.

    Returns:
        The figures of each step, from the first one on.

    Raises:
        EtalageError: A line is damaged, or steps are missing.
    """
    remedy = "restore it, or train again with another --out"
    lines: list[dict[str, float]] = []
    file_in(path.parent, path.name, remedy)
    for place, line in islice(read_json_lines(path, remedy=remedy, max_bytes=_MAX_LOG_BYTES), num_steps):
        check(line, _LOG_LINE, place, remedy)
        check(line, _FIGURES, place, remedy)
        lines.append(line)
        if line["step"] != len(lines):
            raise EtalageError(f"{place}: step is {line['step']}; expected {len(lines)}; {remedy}")
    if num_steps is not None and len(lines) < num_steps:
        raise EtalageError(f"{path} has {len(lines)} of the {num_steps} steps that were taken; {remedy}")
    return lines
