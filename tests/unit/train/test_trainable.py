from dataclasses import replace

import pytest
import torch

from etalage.data.dataset import Examples
from etalage.data.packing import collate
from etalage.models import load_base
from etalage.train.trainable import make_trainable, optimizer_groups, part_of, trainable_parameters


def test_full_trains_all_that_the_output_depends_on(small, config):
    model = make_trainable(small[0], config(freeze=()))
    frozen = {name for name, p in model.named_parameters() if not p.requires_grad}
    assert frozen
    assert all("post_layernorm" in name for name in frozen)


def test_lora_reaches_decoder_tower_projector_and_head(small, config):
    model = make_trainable(small[0], config(recipe="lora", lora_rank=4, freeze=()))
    names = trainable_parameters(model)
    assert all("lora_" in name for name in names)
    for part in ("qkv_proj", "o_proj", "gate_up_proj", "down_proj", "lm_head", "img_projection.0", "fc1", "q_proj"):
        assert any(part in name for name in names), part
    assert not any("post_layernorm" in name for name in names), "it is never read"


@pytest.mark.parametrize("recipe", ["full", "lora"])
@pytest.mark.parametrize("frozen", [("tower",), ("projector",), ("decoder",), ("tower", "decoder")])
def test_a_frozen_part_learns_nothing_and_the_rest_does(small, config, recipe, frozen):
    model = make_trainable(small[0], config(recipe=recipe, lora_rank=4, freeze=frozen))
    learning = {part_of(name) for name in trainable_parameters(model)}
    assert learning == {"tower", "projector", "decoder"} - set(frozen)


@pytest.mark.parametrize("recipe", ["full", "lora"])
def test_each_part_has_its_own_learning_rate(small, config, recipe):
    settings = config(
        recipe=recipe, lora_rank=4, freeze=(), learning_rate=3.0, tower_learning_rate=1.0, weight_decay=0.5
    )
    settings = replace(settings, projector_learning_rate=2.0)
    parameters = trainable_parameters(make_trainable(small[0], settings))
    of = {id(p): group for group in optimizer_groups(parameters, settings) for p in group["params"]}
    assert len(of) == len(parameters)
    for name, parameter in parameters.items():
        assert of[id(parameter)]["peak"] == {"tower": 1.0, "projector": 2.0, "decoder": 3.0}[part_of(name)], name
        assert of[id(parameter)]["weight_decay"] == (0.5 if parameter.ndim > 1 else 0.0), name


@pytest.mark.parametrize(
    ("variant", "rank", "alpha", "scale"),
    [
        *(("lora", 4, 8, 2.0), ("rslora", 4, 8, 4.0), ("dora", 4, 8, 2.0)),
        *(
            ("lora", 4, "auto", 2.0),
            ("dora", 64, "auto", 2.0),
            ("rslora", 64, "auto", 2.0),
            ("rslora", 16, "auto", 4.0),
        ),
    ],
)
def test_variants_of_adapters(small, config, variant, rank, alpha, scale):
    model = make_trainable(small[0], config(recipe="lora", lora_rank=rank, lora_alpha=alpha, lora_variant=variant))
    layer = model.base_model.model.model.layers[0].mlp.down_proj
    assert layer.scaling["default"] == scale
    assert any("magnitude" in name for name in trainable_parameters(model)) == (variant == "dora")


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
    batch = collate([Examples(products, task, processor, open_image)[0]])
    inputs = batch.inputs(processor.image_processor, model.device)
    embedding = model.model.vision_embed_tokens
    seen = []
    embedding.img_projection.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    with torch.no_grad():
        learned.eval()(**inputs)
        learned.train()(**inputs)
    whole, part = (cells[:-2].unflatten(-1, (4, -1)) for cells in seen)  # the last two rows are separators
    hidden = (part == 0).all(-1)
    assert 0.3 < hidden.float().mean() < 0.7
    torch.testing.assert_close(part[~hidden], 2 * whole[~hidden])
