"""Fused layers of the tower compute what the plain ones do, forward and backward."""

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
def fused_everywhere(monkeypatch):
    """Fuse layers on machines without kernels too, where the reference computes the same."""
    monkeypatch.setattr(vision_layer, "has_kernels", lambda *_: True)


def num_fused(model):
    return sum(isinstance(layer, FusedVisionLayer) for layer in model.modules())


@pytest.fixture
def both(small, config):
    """Make the same tower twice, plain and fused, with weights and adapters that all have an effect."""

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
        assert num_fused(model) >= find_image_embedding(model).num_tower_layers
        plain = copy.deepcopy(model)
        for layer in plain.modules():
            if isinstance(layer, FusedVisionLayer):
                layer.__class__ = CLIPEncoderLayer
        return plain, model

    return make


def features_and_gradients(model, crops, grad):
    model.zero_grad()
    features = find_image_embedding(model).tower_features(crops)
    (features * grad).sum().backward()
    gradients = {name: p.grad for name, p in trainable_parameters(model).items() if p.grad is not None}
    return {"features": features.detach(), **gradients}


@pytest.fixture
def crops(small):
    torch.manual_seed(0)
    size = small[0].config.crop_size
    return torch.randn(3, 3, size, size)


@pytest.fixture
def grad(small, crops):
    """The gradient of the features."""
    with torch.no_grad():
        return torch.randn_like(find_image_embedding(small[0]).tower_features(crops))


@pytest.mark.parametrize("checkpointing", ["none", "full"])
def test_features_and_gradients_are_the_plain_layers(both, crops, grad, checkpointing):
    plain, fused = both()
    num_layers = find_image_embedding(fused).num_tower_layers
    expected = features_and_gradients(plain, crops, grad)
    CheckpointedLayers(fused, checkpointing)
    found = features_and_gradients(fused, crops, grad)
    assert set(found) == set(expected)
    assert len(found) == 1 + 12 * num_layers
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, rtol=1e-3, atol=1e-5 * value.abs().max().item() + 1e-7, msg=name)


def test_changed_adapters_are_seen(both, crops, grad):
    plain, fused = both()
    before = features_and_gradients(fused, crops, grad)["features"]
    torch.optim.AdamW(trainable_parameters(fused).values(), lr=1e-3, fused=True).step()
    plain.load_state_dict({name: p.detach() for name, p in trainable_parameters(fused).items()}, strict=False)
    expected, found = (features_and_gradients(model, crops, grad)["features"] for model in (plain, fused))
    assert (expected - before).abs().max() > 0.1
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-3)


def test_without_gradients_it_is_the_plain_layer(both, crops, grad):
    """After a step, when frozen weights are views of larger ones; with its adapters and without."""
    plain, fused = both()
    features_and_gradients(fused, crops, grad)
    with torch.no_grad():
        for disables_adapters in (False, True):
            outputs = []
            for model in (plain, fused):
                if disables_adapters:
                    model.base_model.disable_adapter_layers()
                outputs.append(find_image_embedding(model).tower_features(crops))
            torch.testing.assert_close(*outputs, rtol=1e-4, atol=1e-4)


def test_features_of_a_frozen_tower_are_the_plain_layers(both, crops):
    plain, fused = both(freeze=("tower",))
    expected, found, again = (find_image_embedding(model).tower_features(crops) for model in (plain, fused, fused))
    assert not found.requires_grad
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
    assert torch.equal(again, found)
    fused.double().float()  # This makes new weights.
    torch.testing.assert_close(find_image_embedding(fused).tower_features(crops), expected, rtol=1e-4, atol=1e-4)


def test_fp8_features_of_a_frozen_tower_are_near(both, crops, fp8_on_cpu):
    """The scales are joined, too, when three weights become one."""
    plain, fused = both(freeze=("tower",), quantization="fp8")
    expected, found = (
        find_image_embedding(model.bfloat16()).tower_features(crops.bfloat16()) for model in (plain, fused)
    )
    assert (found - expected).float().norm() < 0.05 * expected.float().norm()


@pytest.mark.parametrize(
    ("settings", "is_fused"),
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
def test_it_is_fused_only_where_it_computes_the_same(small, config, settings, is_fused):
    model = make_trainable(small[0], config(**{"recipe": "lora", "freeze": (), **settings}))
    assert (num_fused(model) > 0) == is_fused
