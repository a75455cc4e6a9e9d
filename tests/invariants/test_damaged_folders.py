"""Damaged model and run folders end in one message: no traceback, no hang, no wrong answer, and little memory.

ETALAGE_DAMAGES=200 tries more of them.
"""

import json
import os
import queue
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from etalage.commands.prepare import prepare
from etalage.commands.train import train
from etalage.config import PrepareConfig, TrainConfig
from etalage.evaluate.predictions import Prediction, write_predictions
from etalage.evaluate.systems import build_metrics
from etalage.folders import SUMS
from etalage.phi3v import Phi3VImageProcessor, Phi3VProcessor
from etalage.task import Task, TaskConfig
from tests.invariants.mutations import mutate
from tests.unit.phi3v.conftest import small_model, small_tokenizer

ROOT = Path(__file__).parents[2]
NUM_DAMAGES = int(os.environ.get("ETALAGE_DAMAGES", "30"))
TIMEOUT = 20
MAX_BYTES = 2 << 30


class Worker:
    """A process that runs commands one after the other, and is replaced when one of them hangs."""

    def __init__(self) -> None:
        self.start()

    def start(self) -> None:
        self.is_ready = False
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.invariants.damaged_worker"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.replies: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, args=(self.process, self.replies), daemon=True).start()

    @staticmethod
    def _read(process: subprocess.Popen, replies: queue.Queue[str]) -> None:
        with process.stdout as lines:
            for line in lines:
                replies.put(line)
        replies.put("")

    def run(self, entry: str, folder: Path, timeout: float = TIMEOUT) -> dict[str, Any]:
        if not self.is_ready:  # importing torch takes long on a busy machine
            assert self.replies.get(timeout=300) == "ready\n"
            self.is_ready = True
        self.process.stdin.write(json.dumps({"entry": entry, "folder": str(folder)}) + "\n")
        self.process.stdin.flush()
        try:
            line = self.replies.get(timeout=timeout)
        except queue.Empty:
            line = None
        if line:
            return json.loads(line)
        self.stop()
        self.start()
        return {"outcome": "hang" if line is None else "crash", "text": "", "peak": 0}

    def stop(self) -> None:
        self.process.kill()
        self.process.stdin.close()
        self.process.wait()


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    worker = Worker()
    yield worker
    worker.stop()


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base, and runs that are done, done in an earlier version, and interrupted."""
    folder = tmp_path_factory.mktemp("folders")
    small_model(original_max_position_embeddings=512).save_pretrained(folder / "base")
    images = Phi3VImageProcessor(num_crops=1, crop_size=32, num_img_tokens=4)
    Phi3VProcessor(images, small_tokenizer()).save_pretrained(folder / "base")
    _prepare(folder)
    shared = {"model": str(folder / "base"), "track": "none", "num_workers": 0, "batch_size": 4, "lora_rank": 2}
    shared |= {"checkpoint_every": 2, "compile": False}
    for recipe in ("lora", "full"):
        train(TrainConfig(folder / "catalogue", folder / recipe, recipe=recipe, epochs=1, **shared))
        _evaluate(folder / recipe)
        plain = folder / f"plain {recipe}"
        shutil.copytree(folder / recipe, plain)
        (plain / "model" / SUMS).unlink()
        config = json.loads((plain / "config.json").read_text())
        (plain / "config.json").write_text(json.dumps({k: v for k, v in config.items() if k != "base_digest"}))
    _interrupt(folder, TrainConfig(folder / "catalogue", folder / "interrupted", epochs=4, **shared))
    return folder


def _prepare(folder: Path) -> None:
    lines = ["code,title,category,price,image"]
    for number in range(24):
        colour, kind = ("Red", "Green", "Blue")[number % 3], ("Disc", "Box")[number % 2]
        picture = Image.radial_gradient("L").rotate(15 * number).resize((40 + number, 60)).convert("RGB")
        picture.save(folder / f"{number}.png")
        lines.append(
            f"P{number},{colour} {kind} {'abcdefghijklmnopqrstuvwx'[number]},{kind},{10 + number}.50,{number}.png"
        )
    (folder / "table.csv").write_text("\n".join(lines))
    prepare(PrepareConfig(str(folder / "table.csv"), folder / "catalogue"))


def _evaluate(run: Path) -> None:
    """Write what `evaluate` does, as if the model had learned something."""
    task = Task(TaskConfig())
    true = [{"title": f"Bag {n}", "category": "ab"[n % 2], "price": 10.0 + n} for n in range(6)]
    found = [*true[:4], {"title": "Bag", "category": "a", "price": 99.0}, None]
    others = {"before": [None] * 6, "majority": true[0], "blank": true[::-1], "shuffled": true[::-1]}
    metrics = build_metrics("test", task.fields, true, found, groups=range(6), **others)
    (run / "metrics.json").write_text(json.dumps(metrics))
    picture = run.parent / "0.png"
    write_predictions(
        run / "predictions.jsonl",
        [Prediction(f"P{n}", picture, true[n], "?", "answer", found[n]) for n in range(6)],
    )


def _interrupt(folder: Path, config: TrainConfig) -> None:
    """Press Ctrl-C in a training that has taken five of its steps."""
    settings = {name: str(value) if isinstance(value, Path) else value for name, value in asdict(config).items()}
    settings = {name: value for name, value in settings.items() if name != "out"}
    (folder / "settings.json").write_text(json.dumps(settings))
    log = config.out / "log.jsonl"

    def press() -> None:
        while not log.exists() or log.read_text().count("\n") < 5:
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=press)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        train(config)
    thread.join()
    assert len(list((config.out / "checkpoints").glob("step-???????"))) == 2


CHECKPOINT = [
    "config.json",
    "generation_config.json",
    "preprocessor_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
]
CHECKPOINT += ["model.safetensors", "model.safetensors"]
ADAPTERS = ["adapter_config.json", "adapter_model.safetensors", "preprocessor_config.json", "tokenizer.json"]
TARGETS = [
    ("base", "load", CHECKPOINT),
    ("base", "load", CHECKPOINT),
    ("lora", "predict", [f"model/{name}" for name in ADAPTERS]),
    ("plain lora", "predict", [f"model/{name}" for name in ADAPTERS]),
    ("plain full", "predict", [f"model/{name}" for name in CHECKPOINT]),
    ("lora", "report", ["config.json", "log.jsonl", "metrics.json", "predictions.jsonl"]),
    ("full", "report", ["config.json", "log.jsonl", "metrics.json", "predictions.jsonl"]),
    ("lora", "predict", ["config.json"]),
    ("lora", "evaluate", ["config.json", f"model/{SUMS}"]),
    (
        "interrupted",
        "train",
        [
            "config.json",
            "log.jsonl",
            *[f"checkpoints/*/{n}" for n in ("state.json", "weights.safetensors", "optimizer.safetensors")],
        ],
    ),
]


def test_damaged_folders_end_in_one_message(worker: Worker, folders: Path, tmp_path: Path) -> None:
    @cache
    def expected(target: str, entry: str) -> str:
        found = worker.run(entry, _copy(folders / target, tmp_path / "whole", target), timeout=60)
        assert found["outcome"] == "accepted", found["text"]
        return re.sub(r"/whole/", "/case/", found["text"])

    problems, counts = [], {"refused": 0, "accepted": 0}
    for seed in range(NUM_DAMAGES):
        chance = random.Random(seed)
        target, entry, names = TARGETS[seed % len(TARGETS)]
        case = _copy(folders / target, tmp_path / "case", target)
        name = chance.choice(names)
        path = max(case.glob(name))  # of checkpoints the newest
        what, detectable = mutate(path.parent, path.name, chance)
        found = worker.run(entry, case)
        told = f"{seed} {target} {entry}: {what}: {found['outcome']}: {found['text'][:2000]}"
        if detectable and found["outcome"] == "accepted" and found["text"] != expected(target, entry):
            problems.append(f"{told} instead of {expected(target, entry)}")
        counts[found["outcome"]] = counts.get(found["outcome"], 0) + 1
        print(told[:400])
        if found["outcome"] not in ("refused", "accepted") or found["peak"] > MAX_BYTES:
            problems.append(f"{told} {found['peak'] / 2**30:.1f} GiB")
    print(counts)
    assert not problems, "\n".join(problems)


def _copy(source: Path, folder: Path, name: str) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    shutil.copytree(source, folder / name)
    shutil.copyfile(source.parent / "settings.json", folder / "settings.json")
    return folder / name
