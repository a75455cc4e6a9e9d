import pytest
import torch
from transformers.modeling_layers import GradientCheckpointingLayer

from etalage.data.dataset import Examples
from etalage.data.packing import collate
from etalage.errors import EtalageError
from etalage.train.activation_checkpointing import CheckpointedLayers
from etalage.train.objectives import sft_loss
from etalage.train.trainable import make_trainable, trainable_parameters


def recomputing(model):
    return [m.gradient_checkpointing for m in model.modules() if isinstance(m, GradientCheckpointingLayer)]


@pytest.mark.parametrize("recipe", ["full", "lora"])
def test_recomputed_activations_give_the_same_gradients(small, config, task, products, open_image, recipe):
    model, processor = small
    trained = make_trainable(model, config(recipe=recipe, lora_rank=4, freeze=())).train()
    batch = collate([Examples(products, task, processor, open_image)[0]])
    inputs = batch.inputs(processor.image_processor, model.device)

    def gradients(mode):
        checkpointed = CheckpointedLayers(trained, mode)
        trained.zero_grad()
        torch.manual_seed(0)  # the same patches are hidden
        sft_loss(trained, inputs, batch.labels).backward()
        return checkpointed, {name: p.grad.clone() for name, p in trainable_parameters(trained).items()}

    checkpointed, expected = gradients("none")
    assert not any(recomputing(trained))
    assert checkpointed.num_kept == checkpointed.num_layers
    checkpointed, found = gradients("full")
    assert all(recomputing(trained))
    assert checkpointed.num_kept == 0
    for name, gradient in expected.items():
        torch.testing.assert_close(gradient, found[name], rtol=1e-4, atol=1e-5)


def test_a_frozen_tower_requires_no_gradients_and_recomputes_nothing(small, config):
    model, _ = small
    trained = make_trainable(model, config(recipe="lora", lora_rank=4, freeze=("tower",)))
    CheckpointedLayers(trained, "full")
    tower = model.model.vision_embed_tokens
    side = model.config.crop_size
    assert not tower.tower_features(torch.randn(1, 3, side, side)).requires_grad
    assert not any(recomputing(tower))
    assert all(recomputing(model.model.layers))


def test_on_a_cpu_all_layers_keep_theirs_and_nothing_shrinks(small, config):
    trained = make_trainable(small[0], config(recipe="lora", lora_rank=4))
    checkpointed = CheckpointedLayers(trained, "auto")
    checkpointed.measure(lambda: pytest.fail("there is nothing to measure"))
    assert checkpointed.num_kept == checkpointed.num_layers > 0
    assert not checkpointed.shrink()


@pytest.mark.parametrize(
    ("total", "kept"), [(1000, 12), (60, 12), (40, 11), (30, 6), (20, 2), (18, 2), (12, 0), (10, 0)]
)
def test_as_many_layers_keep_theirs_as_there_is_room_for(small, config, monkeypatch, total, kept):
    """A GPU is imitated: 10 units if none keeps its own, 3 for a decoder layer, 2 for a tower layer, 8 % in reserve."""
    model = make_trainable(small[0], config(recipe="lora", lora_rank=4, freeze=()))
    checkpointed = CheckpointedLayers(model, "none")
    checkpointed._is_auto, checkpointed._moment_bytes = True, 0
    decoder, tower = checkpointed._layers[:4], checkpointed._layers[4:]
    assert len(tower) == 8
    assert type(decoder[0]).__name__.endswith("LastDecoderLayer")

    def peak():
        keeping = [sum(not layer.gradient_checkpointing for layer in kind) for kind in (decoder, tower)]
        return 10 + 3 * keeping[0] + 2 * keeping[1]

    tried = []

    def run_row():
        tried.append(checkpointed.num_kept)
        if peak() > total:
            raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda: (total - 9, total))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda: 9)
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", peak)
    for name in ("empty_cache", "reset_peak_memory_stats"):
        monkeypatch.setattr(torch.cuda, name, lambda: None)
    checkpointed.measure(run_row)
    assert checkpointed.num_kept == kept
    assert not kept or peak() <= 0.92 * total
    assert len(tried) <= 2 * 6
    if kept:
        assert checkpointed.shrink()
        assert checkpointed.num_kept == 3 * kept // 4
    total = 9
    with pytest.raises(torch.OutOfMemoryError):
        checkpointed.measure(run_row)


def test_other_errors_are_not_retried(small, config):
    checkpointed = CheckpointedLayers(make_trainable(small[0], config()), "auto")
    attempts = []

    def fail():
        attempts.append(1)
        raise RuntimeError("expected scalar type")

    with pytest.raises(RuntimeError, match="expected scalar type"):
        checkpointed.retry(fail)
    assert len(attempts) == 1


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (torch.OutOfMemoryError("CUDA out of memory"), r"the GPU's memory is too small \(CUDA out of memory\); lower"),
        (
            RuntimeError("DefaultCPUAllocator: can't allocate memory"),
            "the machine's memory is too small .*; lower",
        ),
    ],
)
def test_memory_that_is_too_small_is_one_message(small, config, error, message):
    checkpointed = CheckpointedLayers(make_trainable(small[0], config()), "auto")

    def fail():
        raise error

    with pytest.raises(EtalageError, match=message):
        checkpointed.retry(fail)
