import pytest
import torch
from transformers.modeling_layers import GradientCheckpointingLayer

from etalage.data.dataset import Examples
from etalage.data.packing import collate
from etalage.train.activation_checkpointing import CheckpointedLayers
from etalage.train.objectives import sft_loss
from etalage.train.trainable import make_trainable, trainable_parameters


def recomputing(model):
    return [m.gradient_checkpointing for m in model.modules() if isinstance(m, GradientCheckpointingLayer)]


@pytest.mark.parametrize("recipe", ["full", "lora"])
def test_activations_computed_twice_give_the_same_gradients(small, config, task, products, open_image, recipe):
    model, processor = small
    learned = make_trainable(model, config(recipe=recipe, lora_rank=4, freeze=())).train()
    batch = collate([Examples(products, task, processor, open_image)[0]])
    inputs = batch.inputs(processor.image_processor, model.device)

    def gradients(memory):
        plan = CheckpointedLayers(learned, memory)
        learned.zero_grad()
        torch.manual_seed(0)  # hides the same patches
        sft_loss(learned, inputs, batch.labels).backward()
        return plan, {name: p.grad.clone() for name, p in trainable_parameters(learned).items()}

    plan, expected = gradients("none")
    assert not any(recomputing(learned))
    assert plan.num_kept == plan.num_layers
    plan, found = gradients("full")
    assert all(recomputing(learned))
    assert plan.num_kept == 0
    for name, gradient in expected.items():
        torch.testing.assert_close(gradient, found[name], rtol=1e-4, atol=1e-5)


def test_a_frozen_tower_wants_no_gradients_and_computes_nothing_twice(small, config):
    model, _ = small
    learned = make_trainable(model, config(recipe="lora", lora_rank=4, freeze=("tower",)))
    CheckpointedLayers(learned, "full")
    tower = model.model.vision_embed_tokens
    side = model.config.crop_size
    assert not tower.tower_features(torch.randn(1, 3, side, side)).requires_grad
    assert not any(recomputing(tower))
    assert all(recomputing(model.model.layers))


def test_on_a_cpu_all_are_kept_and_there_is_nothing_to_shrink(small, config):
    learned = make_trainable(small[0], config(recipe="lora", lora_rank=4))
    plan = CheckpointedLayers(learned, "auto")
    plan.measure(lambda: pytest.fail("there is nothing to measure"))
    assert plan.num_kept == plan.num_layers > 0
    assert not plan.shrink()


@pytest.mark.parametrize(
    ("total", "kept"), [(1000, 12), (60, 12), (40, 11), (30, 6), (20, 2), (18, 2), (12, 0), (10, 0)]
)
def test_as_many_are_kept_as_there_is_room_for(small, config, monkeypatch, total, kept):
    """On a GPU that is told about: 10 with none kept, 3 for a decoder's layer, 2 for a tower's, 8 % in reserve."""
    model = make_trainable(small[0], config(recipe="lora", lora_rank=4, freeze=()))
    plan = CheckpointedLayers(model, "none")
    plan._is_auto, plan._moment_bytes = True, 0
    decoder, tower = plan._layers[:4], plan._layers[4:]
    assert len(tower) == 8
    assert type(decoder[0]).__name__.endswith("LastDecoderLayer")

    def peak():
        spared = [sum(not layer.gradient_checkpointing for layer in kind) for kind in (decoder, tower)]
        return 10 + 3 * spared[0] + 2 * spared[1]

    tries = []

    def try_row():
        tries.append(plan.num_kept)
        if peak() > total:
            raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda: (total - 9, total))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda: 9)
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", peak)
    for name in ("empty_cache", "reset_peak_memory_stats"):
        monkeypatch.setattr(torch.cuda, name, lambda: None)
    plan.measure(try_row)
    assert plan.num_kept == kept
    assert not kept or peak() <= 0.92 * total
    assert len(tries) <= 2 * 6
    if kept:
        assert plan.shrink()
        assert plan.num_kept == 3 * kept // 4
    total = 9
    with pytest.raises(torch.OutOfMemoryError):
        plan.measure(try_row)
