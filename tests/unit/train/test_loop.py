import json
import signal

import pytest
import torch

from etalage.data.dataset import Examples
from etalage.errors import EtalageError
from etalage.fused.feature_cache import cache_features
from etalage.models import load_base
from etalage.train import loop
from etalage.train.tracker import NoTracker
from etalage.train.trainable import make_trainable


@pytest.fixture
def run(tmp_path, task, products, open_image):
    """Train in tmp_path/NAME; return the model and the lines of the log."""

    def run(name, config, tracker=None, break_model=None, scores=()):
        model, processor = load_base("small", dtype=torch.float32)
        processor.image_processor.num_crops = 1  # fast: the steps are what is tested
        model = make_trainable(model, config)
        if "tower" in config.freeze:
            cache_features(model)
        if break_model:
            break_model(model)
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        log, score = folder / "log.jsonl", iter(scores)
        loop.train(
            model,
            Examples(products[:7], task, processor, open_image, 1 << 30),
            Examples(products[7:], task, processor, open_image),
            config,
            checkpoints=folder / "checkpoints",
            log=log,
            tracker=tracker or NoTracker(),
            validation_score=lambda progress: (next(score), progress(2))[0],
        )
        return model, [json.loads(line) for line in log.read_text().splitlines()]

    return run


class Stop(NoTracker):
    """A tracker that presses Ctrl-C while a step is logged."""

    def __init__(self, at):
        self.at = at

    def log(self, figures, step=None):
        if step == self.at:
            signal.raise_signal(signal.SIGINT)


def test_the_loss_falls_and_each_step_is_logged(run, config):
    _, log = run("a", config(epochs=20))
    assert [line["step"] for line in log] == list(range(1, 41))
    assert log[-1]["loss"] < 0.5 * log[0]["loss"]
    assert {"loss", "learning_rate", "grad_norm", "tokens_per_second", "samples_per_second"} < log[0].keys()
    assert [line["step"] for line in log if "validation_loss" in line] == list(range(2, 41, 2))


@pytest.mark.parametrize("recipe", ["full", "lora"])
def test_an_interrupted_and_resumed_run_equals_an_unbroken_one(run, config, recipe):
    settings = config(recipe=recipe, epochs=3, lora_rank=4, lora_dropout=0.1, checkpoint_every=2)
    whole, log = run("whole", settings)
    with pytest.raises(KeyboardInterrupt):
        run("broken", settings, tracker=Stop(3))
    resumed, resumed_log = run("broken", settings)
    assert [line["loss"] for line in resumed_log] == [line["loss"] for line in log]
    for (name, a), (_, b) in zip(whole.named_parameters(), resumed.named_parameters(), strict=True):
        assert torch.equal(a, b), name


def test_steps_after_the_last_checkpoint_are_taken_again(run, config):
    class Kill(NoTracker):
        def log(self, figures, step=None):
            if step == 4:
                raise MemoryError

    settings = config(epochs=3, checkpoint_every=3)
    _, log = run("whole", settings)
    with pytest.raises(MemoryError):
        run("killed", settings, tracker=Kill())
    _, resumed_log = run("killed", settings)
    assert [(line["step"], line["loss"]) for line in resumed_log] == [(line["step"], line["loss"]) for line in log]


@pytest.mark.parametrize("every", [{"checkpoint_minutes": 1e-9}, {"checkpoint_minutes": None, "checkpoint_every": 1}])
def test_a_killed_run_equals_an_unbroken_one_whichever_step_has_the_checkpoint(run, config, every):
    class Kill(NoTracker):
        def __init__(self, at):
            self.at = at

        def log(self, figures, step=None):
            if step == self.at:
                raise MemoryError

    settings = config(epochs=2, **every)
    _, log = run("whole", settings)
    for step in (1, 2, 3, 4):  # the last epoch ends with 4
        with pytest.raises(MemoryError):
            run("broken", settings, tracker=Kill(step))
    _, resumed = run("broken", settings)
    assert [line["loss"] for line in resumed] == [line["loss"] for line in log]
    assert [line.get("validation_loss") for line in resumed] == [line.get("validation_loss") for line in log]


def test_without_checkpoints_on_the_way_a_run_begins_again(run, config, tmp_path):
    with pytest.raises(KeyboardInterrupt, match="stopped after step 2 of 4"):
        run("a", config(checkpoint_minutes=None), tracker=Stop(2))
    assert [path.name for path in (tmp_path / "a/checkpoints").iterdir()] == ["step-0000002"], "the one of Ctrl-C"


def test_ctrl_c_is_heeded_within_validation(run, config, tmp_path):
    settings = config(epochs=3, patience=3)
    whole, log = run("whole", settings, scores=[0.1, 0.2, 0.3])

    def interrupting():
        yield 0.1
        signal.raise_signal(signal.SIGINT)
        yield 0.2

    with pytest.raises(KeyboardInterrupt):
        run("broken", settings, scores=interrupting())
    last = json.loads((tmp_path / "broken/log.jsonl").read_text().splitlines()[-1])
    assert last["step"] == 4
    assert "validation_loss" not in last
    assert [path.name for path in (tmp_path / "broken/checkpoints").glob("step-*")] == ["step-0000004"]
    resumed, resumed_log = run("broken", settings, scores=[0.2, 0.3])
    for name in ("loss", "validation_loss", "validation_score"):
        assert [line.get(name) for line in resumed_log] == [line.get(name) for line in log]
    assert torch.equal(whole.lm_head.weight, resumed.lm_head.weight)


def test_a_loss_that_is_not_finite_names_step_and_products(run, config):
    def break_model(model):
        with torch.no_grad():
            model.lm_head.weight.fill_(float("nan"))

    with pytest.raises(ValueError, match=r"step 1: loss nan.*products P\d\d, "):
        run("nan", config(), break_model=break_model)


def test_the_learning_rate_rises_then_falls_to_zero():
    rates = [loop.lr_multiplier(step, 10, 0.2) for step in range(1, 11)]
    assert rates[:2] == [0.5, 1.0]
    assert rates[1:] == sorted(rates[1:], reverse=True)
    assert 0 < rates[-1] < 0.05, "the last step still learns"


def test_patience_stops_and_restores_the_best_epoch(run, config):
    settings = config(epochs=9, patience=2)
    stopped, log = run("stopped", settings, scores=[0.2, 0.5, 0.5, 0.4])
    assert [line["validation_score"] for line in log if "validation_score" in line] == [0.2, 0.5, 0.5, 0.4]
    assert log[-1]["step"] == 8
    best, _ = run("best", config(epochs=9, patience=3), scores=[0.2, 0.5, 0.1, 0.1, 0.1])
    third, _ = run("third", settings, scores=[0.2, 0.5, 0.6, 0.1, 0.1])
    weights, same, other = (model.lm_head.weight for model in (stopped, best, third))
    assert torch.equal(weights, same)
    assert not torch.equal(weights, other)


def test_a_resumed_run_with_patience_ends_as_an_unbroken_one(run, config):
    settings = config(epochs=9, patience=2, checkpoint_every=3)
    whole, log = run("whole", settings, scores=[0.2, 0.5, 0.4, 0.3])
    with pytest.raises(KeyboardInterrupt):
        run("broken", settings, tracker=Stop(5), scores=[0.2, 0.5])
    resumed, resumed_log = run("broken", settings, scores=[0.4, 0.3])
    assert [line["loss"] for line in resumed_log] == [line["loss"] for line in log]
    assert torch.equal(whole.lm_head.weight, resumed.lm_head.weight)


def test_without_patience_no_answers_are_scored(run, config):
    _, log = run("a", config(epochs=2))
    assert not any("validation_score" in line for line in log)


def test_a_step_is_repeated_with_less_memory_when_it_runs_out(run, config, monkeypatch):
    """A CPU has no such error of its own, so the test raises it."""
    shrunk, step, failures = [], loop.optimizer_step, {"planned": 3, "seen": 0}

    def failing(*arguments):
        if failures["planned"] > failures["seen"]:
            failures["seen"] += 1
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 1 GiB")
        return step(*arguments)

    expected = run("plain", config())[1]
    monkeypatch.setattr(loop, "optimizer_step", failing)
    monkeypatch.setattr(loop.CheckpointedLayers, "shrink", lambda self: shrunk.append(1) or True)
    found = run("again", config())[1]
    assert len(shrunk) == 3
    assert [line["loss"] for line in found] == [line["loss"] for line in expected]
    failures["seen"] = 0
    monkeypatch.setattr(loop.CheckpointedLayers, "shrink", lambda self: False)
    with pytest.raises(ValueError, match=r"memory is too small \(CUDA out of memory.*lower --max-tokens"):
        run("broken", config())


def test_an_error_of_the_compiler_is_explained_and_others_are_not(run, config, monkeypatch):
    failed = type("BackendCompilerFailed", (RuntimeError,), {"__module__": "torch._dynamo.exc"})

    def step(error):
        def failing(*_):
            raise error

        return failing

    monkeypatch.setattr(loop, "optimizer_step", step(failed("backend='inductor' raised:\nFailed to find C compiler")))
    with pytest.raises(ValueError, match=r"could not be compiled .*pass --no-compile to train without"):
        run("compiler", config())
    monkeypatch.setattr(loop, "optimizer_step", step(RuntimeError("expected scalar type")))
    with pytest.raises(RuntimeError, match="expected scalar type"):
        run("other", config())


def test_memory_that_runs_out_in_validation_is_one_message(run, config, monkeypatch):
    def fail(*_):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(loop, "validation_loss", fail)
    with pytest.raises(EtalageError, match=r"memory is too small \(CUDA out of memory\); lower --max-tokens"):
        run("validation", config())


def test_the_figures_of_a_step_have_these_names(run, config):
    _, log = run("names", config(epochs=1, patience=1), scores=[0.5])
    step = ["step", "loss", "learning_rate", "grad_norm", "samples_per_second", "tokens_per_second"]
    step += ["matmul_efficiency", "peak_memory_gib"]
    assert [list(line) for line in log] == [step, [*step, "validation_loss", "validation_score"]]
