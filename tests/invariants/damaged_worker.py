"""Run commands on folders for test_damaged_folders.py, in a process that may be ended: a JSON object per line."""

import hashlib
import json
import resource
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

import torch
from PIL import Image

from etalage.commands.evaluate import evaluate
from etalage.commands.predict import predict
from etalage.commands.report import report
from etalage.commands.train import train
from etalage.config import EvaluateConfig, PredictConfig, ReportConfig, TrainConfig
from etalage.errors import EtalageError
from etalage.generate.engine import generate_answers
from etalage.models import load_base
from etalage.recorded import read_settings
from etalage.task import Task, TaskConfig

torch.set_num_threads(1)


def load(folder: Path) -> str:
    """Load a base as `train` does, and return what it answers."""
    model, processor = load_base(str(folder), dtype=torch.float32)
    prompt = Task(TaskConfig()).prompt
    picture = Image.linear_gradient("L").convert("RGB").resize((50, 30))
    answers = generate_answers(model, processor, [(prompt, picture)], batch_size=1, max_new_tokens=6)
    inputs = processor(prompt, [picture], return_tensors="pt")
    with torch.no_grad():
        logits = model(**inputs).logits
    assert logits.isfinite().all()
    return f"{list(answers)} {hashlib.sha256(logits.numpy().tobytes()).hexdigest()}"


def answer(folder: Path) -> str:
    """Predict, and return the answers."""
    picture, out = folder.parent / "picture.png", folder.parent / "answers.jsonl"
    Image.linear_gradient("L").convert("RGB").resize((50, 30)).save(picture)
    predict(PredictConfig(folder, (picture,), out=out, num_samples=1, max_new_tokens=6))
    return out.read_text()


def resume(folder: Path) -> str:
    """Train on, and return the losses."""
    config = read_settings(folder.parent / "settings.json")
    train(TrainConfig(**config, out=folder))
    return "".join(f"{json.loads(line)['loss']}\n" for line in (folder / "log.jsonl").read_text().splitlines())


def score(folder: Path) -> str:
    """Evaluate, and return the scores."""
    evaluate(EvaluateConfig(folder, num_samples=1, max_new_tokens=2, track="none"))
    return (folder / "metrics.json").read_text()


def page(folder: Path) -> str:
    """Write the report, and return nothing of it."""
    report(ReportConfig(folder))
    return ""


ENTRIES: dict[str, Callable[[Path], str]] = {
    "load": load,
    "predict": answer,
    "train": resume,
    "evaluate": score,
    "report": page,
}

if __name__ == "__main__":
    replies, sys.stdout = sys.stdout, sys.stderr
    print("ready", file=replies, flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            outcome, text = "accepted", ENTRIES[asked["entry"]](Path(asked["folder"]))
        except EtalageError as error:
            outcome, text = "refused", str(error)
        except BaseException:
            outcome, text = "traceback", traceback.format_exc()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        print(json.dumps({"outcome": outcome, "text": text, "peak": peak}), file=replies, flush=True)
