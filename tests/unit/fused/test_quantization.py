"""Frozen weights in fewer bits leave the figures near, and adapters can be trained on them."""

import pytest
import torch
from torch import nn

from etalage.data.dataset import Examples
from etalage.data.packing import collate
from etalage.errors import EtalageError
from etalage.fused import quantization
from etalage.fused.quantization import FP8Linear, check_quantization, quantize
from etalage.train.objectives import sft_loss
from etalage.train.trainable import make_trainable, trainable_parameters


def frozen(linear):
    return linear.requires_grad_(False)


@pytest.mark.parametrize("bias", [False, True])
def test_an_fp8_layer_is_near_the_layer_it_was_made_of(fp8_on_cpu, bias):
    torch.manual_seed(0)
    linear = frozen(nn.Linear(64, 96, bias=bias)).bfloat16()
    x = torch.randn(2, 5, 64).bfloat16()
    inputs = [x.clone().requires_grad_() for _ in range(2)]
    grad = torch.randn(2, 5, 96).bfloat16()
    outputs = [layer(one) for layer, one in zip((linear, FP8Linear(linear)), inputs, strict=True)]
    assert outputs[1].dtype == torch.bfloat16
    for y in outputs:
        y.backward(grad)
    for expected, found in (outputs, (one.grad for one in inputs)):
        assert (found - expected).float().norm() < 0.06 * expected.float().norm()


def test_a_dequantised_weight_is_near():
    linear = frozen(nn.Linear(64, 96))
    weight = FP8Linear(linear).dequantize()
    assert weight.dtype == torch.float32
    assert (weight - linear.weight).norm() < 0.04 * linear.weight.norm()


def test_an_fp8_layer_takes_no_more_memory_than_in_bfloat16():
    linear = frozen(nn.Linear(512, 512, bias=False)).bfloat16()
    quantized = FP8Linear(linear)
    assert not list(quantized.parameters())
    assert sum(buffer.nbytes for buffer in quantized.buffers()) < 1.02 * linear.weight.nbytes


def test_trained_layers_and_the_head_keep_their_weights():
    model = nn.ModuleDict({"trained": nn.Linear(8, 8), "lm_head": nn.Linear(8, 8), "frozen": nn.Linear(8, 8)})
    frozen(model["frozen"])
    frozen(model["lm_head"])
    quantize(model, "none")
    assert {type(layer) for layer in model.values()} == {nn.Linear}
    quantize(model, "fp8")
    assert {name: type(layer) for name, layer in model.items()} == {
        "trained": nn.Linear,
        "lm_head": nn.Linear,
        "frozen": FP8Linear,
    }


@pytest.mark.parametrize("freeze", [(), ("tower",)])
def test_nf4_leaves_the_loss_near_and_adapters_are_trained(small, config, task, products, open_image, freeze):
    pytest.importorskip("bitsandbytes")
    model, processor = small
    batch = collate([Examples(products, task, processor, open_image)[0]])
    inputs = batch.inputs(processor.image_processor, model.device)
    with torch.no_grad():
        expected = sft_loss(model, inputs, batch.labels)
    adapted = make_trainable(model, config(recipe="lora", lora_rank=4, freeze=freeze, quantization="nf4"))
    weights = [m.weight for n, m in adapted.named_modules() if n.endswith("base_layer") and "lm_head" not in n]
    assert weights
    assert all(weight.dtype == torch.uint8 for weight in weights)
    with torch.no_grad():
        sft_loss(adapted.eval(), inputs, batch.labels)  # As before training and between epochs.
    loss = sft_loss(adapted.train(), inputs, batch.labels)
    torch.testing.assert_close(loss, expected, rtol=0.1, atol=0)
    loss.backward()
    assert all(p.grad is not None for p in trainable_parameters(adapted).values())


def test_fp8_needs_a_gpu_that_multiplies_it(monkeypatch):
    check_quantization("none")
    for is_available, capability in ((False, None), (True, (8, 0))):
        monkeypatch.setattr(torch.cuda, "is_available", lambda is_available=is_available: is_available)
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda capability=capability: capability)
        with pytest.raises(EtalageError, match="fp8 needs a GPU"):
            check_quantization("fp8")
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda: (9, 0))
    check_quantization("fp8")


def test_nf4_needs_its_package(monkeypatch):
    monkeypatch.setattr(quantization, "find_spec", lambda name: None)
    with pytest.raises(EtalageError, match=r"pip install etalage\[nf4\]"):
        check_quantization("nf4")
