"""A fused decoder layer computes what the plain one does, forward and backward."""

import copy

import pytest
import torch
from torch import nn
from transformers import DynamicCache
from transformers.models.phi3.modeling_phi3 import Phi3DecoderLayer

from etalage.data.encoding import Encoded
from etalage.data.packing import collate
from etalage.fused.decoder_layer import FusedDecoderLayer, FusedLastDecoderLayer
from etalage.fused.quantization import quantize
from etalage.phi3v.cache_name import CACHE_NAMES
from etalage.train.objectives import sft_loss
from etalage.train.trainable import make_trainable, trainable_parameters


def rows(*lengths):
    """Return a packed row of examples, whose second halves are supervised."""
    torch.manual_seed(0)
    encoded = []
    for length in lengths:
        ids = torch.randint(5, 500, (length,))
        encoded.append(Encoded(ids, torch.where(torch.arange(length) < length // 2, -100, ids), ()))
    return collate(encoded)


@pytest.fixture
def both(small, config):
    """Make the same adapted decoder twice, plain and fused, with adapters that have an effect."""

    def make(**settings):
        model = make_trainable(small[0], config(recipe="lora", lora_rank=8, freeze=("tower",), **settings)).train()
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                nn.init.normal_(parameter, std=0.05)
            elif "layernorm" in name:
                nn.init.normal_(parameter, mean=1.0, std=0.3)
        plain = copy.deepcopy(model)
        for layer in plain.modules():
            if isinstance(layer, FusedDecoderLayer):
                layer.__class__ = next(kind for kind in type(layer).__mro__ if not kind.__name__.startswith("Fused"))
        return plain, model

    return make


def loss_and_gradients(model, batch, images):
    model.zero_grad()
    loss = sft_loss(model, batch.inputs(images, torch.device("cpu"), None), batch.labels)
    loss.backward()
    return {
        "loss": loss.detach(),
        **{name: p.grad for name, p in trainable_parameters(model).items() if p.grad is not None},
    }


@pytest.mark.parametrize("lengths", [(40,), (30, 30, 12), (24, 24, 17, 9, 9)], ids=str)
def test_loss_and_gradients_are_the_plain_layers(both, small, lengths):
    plain, fused = both()
    layers = [layer for layer in fused.modules() if isinstance(layer, FusedDecoderLayer)]
    assert len(layers) == fused.config.num_hidden_layers
    assert [isinstance(layer, FusedLastDecoderLayer) for layer in layers] == [False] * (len(layers) - 1) + [True]
    batch, images = rows(*lengths), small[1].image_processor
    expected, found = (loss_and_gradients(model, batch, images) for model in (plain, fused))
    assert set(found) == set(expected)
    assert len(found) > 8 * len(layers)
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, rtol=1e-3, atol=1e-5 * value.abs().max().item() + 1e-7, msg=name)


def test_fp8_loss_and_gradients_are_near(both, small, fp8_on_cpu):
    images = small[1].image_processor
    expected, found = (loss_and_gradients(quantized(model), rows(30, 30, 12), images) for model in both())
    for name, value in expected.items():
        assert (found[name] - value).float().norm() <= 0.1 * value.float().norm(), name


def quantized(model):
    """Return the model in bfloat16, with frozen weights in FP8."""
    quantize(model.bfloat16(), "fp8")
    return model


def test_changed_adapters_are_seen(both, small):
    """After an optimizer's step, and after weights are written in place."""
    plain, fused = both()
    batch, images = rows(20, 20), small[1].image_processor
    before = {name: p.detach().clone() for name, p in trainable_parameters(fused).items()}

    def losses():
        return [loss_and_gradients(model, batch, images)["loss"] for model in (plain, fused)]

    first = losses()
    torch.optim.AdamW(trainable_parameters(fused).values(), lr=1e-3, fused=True).step()
    plain.load_state_dict({name: p.detach() for name, p in trainable_parameters(fused).items()}, strict=False)
    expected, found = losses()
    assert abs(expected - first[0]) > 0.1
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
    with torch.no_grad():
        for name, parameter in trainable_parameters(fused).items():
            parameter.copy_(before[name])
    torch.testing.assert_close(losses()[1], first[1])


def test_frozen_weights_keep_their_values_and_may_move(both, small):
    """They are views of a larger matrix, which is made again after a model is moved or copied."""
    _, fused = both()
    batch, images = rows(20, 20), small[1].image_processor
    linears = [m for m in fused.modules() if hasattr(m, "base_layer")]
    before = [linear.base_layer.weight.clone() for linear in linears]
    expected = loss_and_gradients(fused, batch, images)["loss"]
    assert all(torch.equal(linear.base_layer.weight, weight) for linear, weight in zip(linears, before, strict=True))
    for other in (fused.double().float(), copy.deepcopy(fused)):
        torch.testing.assert_close(loss_and_gradients(other, batch, images)["loss"], expected)


@pytest.mark.parametrize("name", CACHE_NAMES)
def test_it_falls_back_to_the_plain_layer_with_a_cache(name, both, monkeypatch):
    layer = next(layer for layer in both()[1].modules() if isinstance(layer, FusedDecoderLayer))
    states = torch.randn(1, 8, layer.config.hidden_size)
    angles = torch.randn(1, 8, layer.self_attn.head_dim)
    packed = {"cu_seq_lens_q": torch.tensor([0, 8], dtype=torch.int32), "max_length_q": 8}
    plain = []
    monkeypatch.setattr(Phi3DecoderLayer, "forward", lambda self, *args, **kwargs: plain.append(kwargs))
    cache = DynamicCache()
    layer.forward(states, position_embeddings=(angles.cos(), angles.sin()), **packed, **{name: None})
    assert not plain
    layer.forward(states, position_embeddings=(angles.cos(), angles.sin()), **packed, **{name: cache})
    assert [kwargs[name] for kwargs in plain] == [cache]
