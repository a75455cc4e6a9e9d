import pytest
import torch

from etalage.base import load_base
from etalage.batches import Examples, collate
from etalage.train.trainable import TOWER, make_trainable, trainable_parameters


def test_full_trains_all_that_the_output_depends_on(small, config):
    model = make_trainable(small[0], config(freeze_tower=False))
    frozen = {name for name, p in model.named_parameters() if not p.requires_grad}
    assert frozen
    assert all("post_layernorm" in name for name in frozen)


def test_lora_reaches_decoder_tower_projector_and_head(small, config):
    model = make_trainable(small[0], config(recipe="lora", lora_rank=4, freeze_tower=False))
    names = trainable_parameters(model)
    assert all("lora_" in name for name in names)
    for part in ("qkv_proj", "o_proj", "gate_up_proj", "down_proj", "lm_head", "img_projection.0", "fc1", "q_proj"):
        assert any(part in name for name in names), part
    assert not any("post_layernorm" in name for name in names), "it is never read"


@pytest.mark.parametrize("recipe", ["full", "lora"])
def test_a_frozen_tower_learns_nothing_and_the_rest_does(small, config, recipe):
    model = make_trainable(small[0], config(recipe=recipe, freeze_tower=True))
    names = trainable_parameters(model)
    assert not any(TOWER in name for name in names)
    for part in ("img_projection.0", "qkv_proj", "lm_head"):
        assert any(part in name for name in names), part


def test_equal_seeds_give_equal_adapters(config):
    def adapters(seed):
        model, _ = load_base("small", dtype=torch.float32)
        return trainable_parameters(make_trainable(model, config(recipe="lora", lora_rank=4, seed=seed)))

    one, other, third = adapters(1), adapters(1), adapters(2)
    assert all(one[name].equal(other[name]) for name in one)
    assert not all(one[name].equal(third[name]) for name in one)


def test_patches_are_hidden_in_training_only(small, config, task, products, open_image):
    model, processor = small
    learned = make_trainable(model, config(patch_dropout=0.5))
    batch = collate([Examples(products, task, processor, open_image)[0]], pad_id=0)
    embedding = model.model.vision_embed_tokens
    seen = []
    embedding.img_projection.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    with torch.no_grad():
        learned.eval()(**batch)
        learned.train()(**batch)
    whole, part = (cells[:-2].unflatten(-1, (4, -1)) for cells in seen)  # the last two rows are separators
    hidden = (part == 0).all(-1)
    assert 0.3 < hidden.float().mean() < 0.7
    torch.testing.assert_close(part[~hidden], 2 * whole[~hidden])
