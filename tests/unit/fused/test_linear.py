"""Fused LoRA and DoRA layers compute what PEFT's do."""

import pytest
import torch
from peft import LoraConfig, get_peft_model
from peft.tuners import lora
from torch import nn

from etalage.fused.linear import FusedDoraLinear, FusedLoraLinear, is_unfused_dora, use_fused_linear
from etalage.fused.quantization import FP8Linear, quantize


class Pair(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(64, 96), nn.Linear(96, 32, bias=False)

    def forward(self, x):
        return self.second(nn.functional.silu(self.first(x)))


def adapted_pair(**settings):
    torch.manual_seed(0)
    model = get_peft_model(Pair(), LoraConfig(r=8, lora_alpha=16, target_modules=["first", "second"], **settings))
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            nn.init.normal_(parameter, std=0.1)
    return model


def fused_pair(**settings):
    model = adapted_pair(**settings)
    use_fused_linear(model)
    return model


def output_and_gradients(model, x):
    model.zero_grad()
    x = x.clone().requires_grad_()
    y = model(x)
    y.square().sum().backward()
    return [y.detach(), x.grad, *(p.grad.clone() for p in model.parameters() if p.grad is not None)]


def assert_all_close(found, expected):
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("settings", [{}, {"use_rslora": True}, {"use_dora": True}], ids=str)
def test_outputs_and_gradients_are_pefts(settings):
    x = torch.randn(3, 5, 64)
    model = adapted_pair(**settings)
    expected = output_and_gradients(model, x)
    use_fused_linear(model)
    assert sum(isinstance(module, FusedLoraLinear) for module in model.modules()) == 2
    found = output_and_gradients(model, x)
    assert len(found) == 6 + 2 * ("use_dora" in settings)
    assert_all_close(found, expected)


@pytest.mark.parametrize("dora", [False, True])
def test_without_its_adapter_it_is_the_base_layer(dora):
    x, model = torch.randn(5, 64), fused_pair(use_dora=dora)
    with model.disable_adapter():
        torch.testing.assert_close(model(x), model.base_model.model(x))
        assert not torch.allclose(model(x), fused_pair(use_dora=dora)(x))


@pytest.mark.parametrize("dora", [False, True])
def test_merging_leaves_the_output_as_it_is(dora):
    x, model = torch.randn(5, 64), fused_pair(use_dora=dora).eval()
    before = model(x)
    model.merge_adapter()
    torch.testing.assert_close(model(x), before, rtol=1e-4, atol=1e-4)
    model.unmerge_adapter()
    torch.testing.assert_close(model(x), before, rtol=1e-4, atol=1e-4)


def test_saved_adapters_are_pefts(tmp_path):
    from peft import PeftModel

    x, model = torch.randn(5, 64), fused_pair()
    model.save_pretrained(tmp_path)
    torch.manual_seed(0)
    torch.testing.assert_close(PeftModel.from_pretrained(Pair(), tmp_path)(x), model(x), rtol=1e-4, atol=1e-4)


def test_the_output_has_the_type_of_the_frozen_weight():
    model = fused_pair()
    model.base_model.model.first.base_layer.bfloat16()
    x = torch.randn(5, 64)
    assert model.base_model.model.first(x).dtype == torch.bfloat16
    assert model.base_model.model.second(torch.randn(5, 96).bfloat16()).dtype == torch.float32


def test_dora_never_uses_stale_row_norms():
    x = torch.randn(5, 64)
    plain, fused = adapted_pair(use_dora=True), fused_pair(use_dora=True)
    for step in range(3):
        outputs = []
        for model in (plain, fused):
            model.train()
            with torch.no_grad():
                for name, parameter in model.named_parameters():
                    parameter.mul_(1 + step * ("lora_B" in name))
                model.eval()
                outputs += [model(x), model(x)]
            outputs.append(model(x).detach())
        for y in outputs[1:]:
            torch.testing.assert_close(y, outputs[0], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("dora", [False, True])
def test_it_compiles_in_one_graph_for_any_length(dora):
    torch.compiler.reset()
    model = fused_pair(use_dora=dora)
    # All that the compiler does except to generate code, for which a machine may lack the tools.
    compiled = torch.compile(model, dynamic=True, fullgraph=True, backend="aot_eager")
    for length in (5, 9, 12):
        x = torch.randn(2, length, 64)
        assert_all_close(output_and_gradients(compiled, x), output_and_gradients(model, x))
    torch.compiler.reset()


@pytest.mark.filterwarnings("ignore:`lora_bias=True` was passed")
@pytest.mark.parametrize("settings", [{"lora_dropout": 0.1}, {"lora_bias": True}], ids=str)
def test_layers_with_dropout_or_bias_are_left_to_peft(settings):
    model = fused_pair(**settings)
    assert sum(type(module) is lora.Linear for module in model.modules()) == 2


def test_only_dora_that_peft_computes_is_unfused():
    assert not any(map(is_unfused_dora, fused_pair().modules()))
    assert not any(map(is_unfused_dora, fused_pair(use_dora=True).modules()))
    assert sum(map(is_unfused_dora, fused_pair(use_dora=True, lora_dropout=0.1).modules())) == 2
    merged = fused_pair(use_dora=True)
    merged.merge_adapter()
    assert sum(map(is_unfused_dora, merged.modules())) == 2
    assert sum(type(module) is FusedDoraLinear for module in merged.modules()) == 2


@pytest.mark.parametrize("dora", [False, True])
def test_fp8_outputs_and_gradients_are_near(fp8_on_cpu, dora):
    x = torch.randn(7, 64) * torch.logspace(-2, 1, 7)[:, None]
    model = fused_pair(use_dora=dora)
    expected = output_and_gradients(model.bfloat16(), x.bfloat16())
    quantize(model, "fp8")
    assert sum(type(module) is FP8Linear for module in model.modules()) == 2
    found = output_and_gradients(model, x.bfloat16())
    for one, other in zip(expected, found, strict=True):
        assert (one - other).float().norm() < 0.1 * one.float().norm()
    norms = expected[0].float().norm(dim=-1)
    assert ((expected[0] - found[0]).float().norm(dim=-1) < 0.1 * norms).all(), "small rows have their own scale"
