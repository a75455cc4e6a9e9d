"""The matmul of fused layers, against the layers themselves."""

import pytest
import torch
from peft import LoraConfig, get_peft_model
from torch import nn

from etalage.fused import reference
from etalage.fused.linear import use_fused_linear
from etalage.fused.matmul import LoraMatmul, elementwise_ops_for, has_kernels, lora_matmul_of
from etalage.fused.quantization import quantize

NUM_TOKENS, NUM_IN = 9, 16


def adapted_layers(*widths, bias=True):
    """Adapted layers that read the same input, one for each number of outputs."""
    torch.manual_seed(0)
    layers = nn.ModuleDict({f"layer{i}": nn.Linear(NUM_IN, width, bias=bias) for i, width in enumerate(widths)})
    model = get_peft_model(layers, LoraConfig(r=4, lora_alpha=12, target_modules=list(layers)))
    use_fused_linear(model)
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            nn.init.normal_(parameter)
    return list(model.base_model.model.values())


@pytest.mark.parametrize("widths", [(24,), (24, 8, 8)])
@pytest.mark.parametrize("bias", [False, True])
def test_it_is_its_layers_side_by_side(widths, bias):
    layers = adapted_layers(*widths, bias=bias)
    x, grad = torch.randn(NUM_TOKENS, NUM_IN).requires_grad_(), torch.randn(NUM_TOKENS, sum(widths))
    expected = torch.cat([layer(x) for layer in layers], 1)
    adapters = [part for layer in layers for part in layer.adapter()[:2]]
    expected_x, *expected_adapters = torch.autograd.grad(expected, [x, *adapters], grad)
    matmul = lora_matmul_of(*layers)
    with torch.no_grad():
        y, reduced = matmul.forward(reference.to_operand(x, fmt=matmul.forward_format))
        grad_operand = reference.to_operand(grad, fmt=matmul.backward_format)
        grad_x, grad_reduced = matmul.backward(grad_operand)
        adapter_grads = matmul.adapter_grads(grad_operand, grad_reduced, x, reduced)
    torch.testing.assert_close(y, expected, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(grad_x, expected_x, rtol=1e-4, atol=1e-4)
    for found, one in zip(adapter_grads, expected_adapters, strict=True):
        torch.testing.assert_close(found, one, rtol=1e-4, atol=1e-4)


def test_fp8_layers_add_the_adapters_product_to_the_output(fp8_on_cpu):
    (layer,) = adapted_layers(24)
    x = torch.randn(NUM_TOKENS, NUM_IN).bfloat16()
    quantize(layer.bfloat16(), "fp8")
    expected = layer(x)
    matmul = lora_matmul_of(layer)
    with torch.no_grad():
        y, reduced = matmul.forward(reference.to_operand(x, fmt=matmul.forward_format))
    assert reduced.shape == (NUM_TOKENS, 4)
    assert (y - expected).float().norm() < 0.02 * expected.float().norm()


def test_layers_without_adapters_need_no_extra_columns():
    layers = [nn.Linear(NUM_IN, 8), nn.Linear(NUM_IN, 24)]
    x = torch.randn(NUM_TOKENS, NUM_IN)
    expected = torch.cat([layer(x) for layer in layers], 1)
    matmul = LoraMatmul(layers)
    assert matmul.forward_format.num_extra_columns == 0
    with torch.no_grad():
        y, _ = matmul.forward(reference.to_operand(x, fmt=matmul.forward_format))
    torch.testing.assert_close(y, expected)


def test_weights_are_held_once_and_keep_their_values():
    layers = adapted_layers(24, 8)
    before = [layer.base_layer.weight.clone() for layer in layers]
    lora_matmul_of(*layers)
    storages = {layer.base_layer.weight.untyped_storage().data_ptr() for layer in layers}
    assert len(storages) == 1
    assert all(layer.base_layer.weight.equal(weight) for layer, weight in zip(layers, before, strict=True))


def test_it_is_kept_until_its_weights_move():
    layers = adapted_layers(24, 8)
    matmul = lora_matmul_of(*layers)
    assert lora_matmul_of(*layers) is matmul
    for layer in layers:
        layer.double().float()
    assert not matmul.is_current(layers[0])
    assert lora_matmul_of(*layers) is not matmul


def test_updates_of_adapters_are_seen_though_no_version_counter_moves():
    (layer,) = adapted_layers(24)
    x = torch.randn(NUM_TOKENS, NUM_IN)
    lora_matmul_of(layer)
    layer.lora_B["default"].weight.data.mul_(2)
    matmul = lora_matmul_of(layer)
    with torch.no_grad():
        y, _ = matmul.forward(reference.to_operand(x, fmt=matmul.forward_format))
        torch.testing.assert_close(y, layer(x), rtol=1e-4, atol=1e-4)


def test_a_cpu_uses_the_reference_and_has_no_kernels():
    x = torch.randn(2, 2)
    assert elementwise_ops_for(x) is reference
    assert not has_kernels(x.bfloat16(), 96)
