"""The tower's layers that are written out compute what the plain ones do, forward and backward."""

import copy

import pytest
import torch
from torch import nn
from transformers.models.clip.modeling_clip import CLIPEncoderLayer

from etalage.fused import vision_layer
from etalage.fused.vision_layer import FusedVisionLayer
from etalage.phi3v.image_embedding import find_image_embedding
from etalage.train.activation_checkpointing import CheckpointedLayers
from etalage.train.trainable import make_trainable, trainable_parameters


@pytest.fixture(autouse=True)
def quick_everywhere(monkeypatch):
    """Layers are quick on machines with kernels only; the arithmetic is that of any machine."""
    monkeypatch.setattr(vision_layer, "has_kernels", lambda *_: True)


def num_quick(model):
    return sum(isinstance(layer, FusedVisionLayer) for layer in model.modules())


@pytest.fixture
def both(small, config):
    """The same tower, plain and quick, with weights that are nothing special and adapters that have learned."""

    def make(**settings):
        for name, parameter in small[0].named_parameters():
            if "img_processor" in name and "bias" in name:
                nn.init.normal_(parameter, std=0.05)
            elif "layer_norm" in name:
                nn.init.normal_(parameter, mean=1.0, std=0.3)
        model = make_trainable(small[0], config(**{"recipe": "lora", "lora_rank": 8, "freeze": (), **settings})).train()
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                nn.init.normal_(parameter, std=0.05)
        assert num_quick(model) >= find_image_embedding(model).num_tower_layers
        plain = copy.deepcopy(model)
        for layer in plain.modules():
            if isinstance(layer, FusedVisionLayer):
                layer.__class__ = CLIPEncoderLayer
        return plain, model

    return make


def features_and_gradients(model, crops, wanted):
    model.zero_grad()
    features = find_image_embedding(model).tower_features(crops)
    (features * wanted).sum().backward()
    gradients = {name: p.grad for name, p in trainable_parameters(model).items() if p.grad is not None}
    return {"features": features.detach(), **gradients}


@pytest.fixture
def crops(small):
    torch.manual_seed(0)
    size = small[0].config.crop_size
    return torch.randn(3, 3, size, size)


@pytest.fixture
def wanted(small, crops):
    """A gradient of the features."""
    with torch.no_grad():
        return torch.randn_like(find_image_embedding(small[0]).tower_features(crops))


@pytest.mark.parametrize("memory", ["none", "full"])
def test_it_learns_as_the_plain_layer_does(both, crops, wanted, memory):
    plain, quick = both()
    num_layers = find_image_embedding(quick).num_tower_layers
    expected = features_and_gradients(plain, crops, wanted)
    CheckpointedLayers(quick, memory)
    found = features_and_gradients(quick, crops, wanted)
    assert set(found) == set(expected)
    assert len(found) == 1 + 12 * num_layers
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, rtol=1e-3, atol=1e-5 * value.abs().max().item() + 1e-7, msg=name)


def test_it_takes_over_what_was_learned(both, crops, wanted):
    plain, quick = both()
    before = features_and_gradients(quick, crops, wanted)["features"]
    torch.optim.AdamW(trainable_parameters(quick).values(), lr=1e-3, fused=True).step()
    plain.load_state_dict({name: p.detach() for name, p in trainable_parameters(quick).items()}, strict=False)
    expected, found = (features_and_gradients(model, crops, wanted)["features"] for model in (plain, quick))
    assert (expected - before).abs().max() > 0.1
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-3)


def test_where_nothing_learns_it_is_the_plain_layer(both, crops, wanted):
    """Also behind a step, when frozen weights have become parts of larger ones; and without its adapters."""
    plain, quick = both()
    features_and_gradients(quick, crops, wanted)
    with torch.no_grad():
        for without in (False, True):
            outputs = []
            for model in (plain, quick):
                if without:
                    model.base_model.disable_adapter_layers()
                outputs.append(find_image_embedding(model).tower_features(crops))
            torch.testing.assert_close(*outputs, rtol=1e-4, atol=1e-4)


def test_frozen_it_sees_as_the_plain_layer_does(both, crops):
    plain, quick = both(freeze=("tower",))
    expected, found, again = (find_image_embedding(model).tower_features(crops) for model in (plain, quick, quick))
    assert not found.requires_grad
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
    assert torch.equal(again, found)
    quick.double().float()  # its weights are new ones
    torch.testing.assert_close(find_image_embedding(quick).tower_features(crops), expected, rtol=1e-4, atol=1e-4)


def test_frozen_with_eight_bits_too(both, crops, eight_bit_products):
    """Their scales come along when three weights become one."""
    plain, quick = both(freeze=("tower",), quantization="fp8")
    expected, found = (
        find_image_embedding(model.bfloat16()).tower_features(crops.bfloat16()) for model in (plain, quick)
    )
    assert (found - expected).float().norm() < 0.05 * expected.float().norm()


@pytest.mark.parametrize(
    ("settings", "quick"),
    [
        ({"lora_dropout": 0.1}, False),
        ({"lora_variant": "dora"}, False),
        ({"recipe": "full"}, False),
        ({"recipe": "full", "freeze": ("tower",)}, False),
        ({"quantization": "fp8"}, False),
        ({"quantization": "fp8", "freeze": ("tower",)}, True),
    ],
    ids=str,
)
def test_what_it_cannot_do_is_left_to_the_plain_layer(small, config, settings, quick):
    model = make_trainable(small[0], config(**{"recipe": "lora", "freeze": (), **settings}))
    assert (num_quick(model) > 0) == quick
