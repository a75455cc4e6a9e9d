"""What makes adapters quick, or frozen weights small, changes no figure that matters."""

import pytest
import torch
from peft import LoraConfig, get_peft_model
from peft.tuners import lora
from torch import nn

from etalage.data.dataset import Examples
from etalage.data.packing import collate
from etalage.fused.linear import (
    FP8Linear,
    FusedLoraLinear,
    check_quantization,
    quantize,
    use_fused_linear,
)
from etalage.train.objectives import sft_loss
from etalage.train.trainable import make_trainable, trainable_parameters


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


def output_and_gradients(model, x, *after):
    model.zero_grad()
    x = x.clone().requires_grad_()
    y = model(x, *after)
    y.square().sum().backward()
    return [y.detach(), x.grad, *(p.grad.clone() for p in model.parameters() if p.grad is not None)]


@pytest.mark.parametrize("settings", [{}, {"use_rslora": True}, {"use_dora": True}], ids=str)
def test_quick_adapters_are_pefts(settings):
    x = torch.randn(3, 5, 64)
    model = adapted_pair(**settings)
    expected = output_and_gradients(model, x)
    use_fused_linear(model)
    assert sum(isinstance(module, FusedLoraLinear) for module in model.modules()) == 2
    found = output_and_gradients(model, x)
    assert len(found) == 6 + 2 * ("use_dora" in settings)
    for one, other in zip(expected, found, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)
    with model.disable_adapter():
        torch.testing.assert_close(model(x), model.base_model.model(x))


def test_lengths_of_rows_are_never_stale():
    x = torch.randn(5, 64)
    model, quick = adapted_pair(use_dora=True), adapted_pair(use_dora=True)
    use_fused_linear(quick)
    for step in range(3):
        found = []
        for one in (model, quick):
            one.train()
            with torch.no_grad():
                for name, parameter in one.named_parameters():
                    parameter.mul_(1 + step * ("lora_B" in name))
                one.eval()
                found += [one(x), one(x)]
            found.append(one(x).detach())
        for y in found[1:]:
            torch.testing.assert_close(y, found[0], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("dora", [False, True])
def test_compiled_for_any_length_they_are_too(dora):
    torch.compiler.reset()
    model = adapted_pair(use_dora=dora)
    use_fused_linear(model)
    # all that a compiler does but write code, for which a machine may lack the tools
    compiled = torch.compile(model, dynamic=True, fullgraph=True, backend="aot_eager")
    for length in (5, 9, 12):
        x = torch.randn(2, length, 64)
        for one, other in zip(output_and_gradients(model, x), output_and_gradients(compiled, x), strict=True):
            torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)
    torch.compiler.reset()


def test_what_they_cannot_do_is_left_to_peft():
    model = adapted_pair(lora_dropout=0.1)
    use_fused_linear(model)
    assert sum(type(module) is lora.Linear for module in model.modules()) == 2


@pytest.mark.parametrize("dora", [False, True])
def test_eight_bit_products_are_near(eight_bit_products, dora):
    x = torch.randn(7, 64) * torch.logspace(-2, 1, 7)[:, None]
    model = adapted_pair(use_dora=dora)
    use_fused_linear(model)
    expected = output_and_gradients(model.bfloat16(), x.bfloat16())
    quantize(model, "fp8")
    assert sum(type(module) is FP8Linear for module in model.modules()) == 2
    found = output_and_gradients(model, x.bfloat16())
    for one, other in zip(expected, found, strict=True):
        assert (one - other).float().norm() < 0.1 * one.float().norm()
    whole = expected[0].float().norm(dim=-1)
    assert ((expected[0] - found[0]).float().norm(dim=-1) < 0.1 * whole).all(), "small rows have their own scale"


@pytest.mark.parametrize("frozen", [(), ("tower",)])
def test_nf4_leaves_the_loss_near_and_adapters_learn(small, config, task, products, open_image, frozen):
    pytest.importorskip("bitsandbytes")
    model, processor = small
    batch = collate([Examples(products, task, processor, open_image)[0]])
    inputs = batch.inputs(processor.image_processor, model.device)
    with torch.no_grad():
        expected = sft_loss(model, inputs, batch.labels)
    learned = make_trainable(model, config(recipe="lora", lora_rank=4, freeze=frozen, quantization="nf4"))
    weights = [m.weight for n, m in learned.named_modules() if n.endswith("base_layer") and "lm_head" not in n]
    assert weights
    assert all(weight.dtype == torch.uint8 for weight in weights)
    with torch.no_grad():
        sft_loss(learned.eval(), inputs, batch.labels)  # as is done before training and between epochs
    loss = sft_loss(learned.train(), inputs, batch.labels)
    torch.testing.assert_close(loss, expected, rtol=0.1, atol=0)
    loss.backward()
    assert all(p.grad is not None for p in trainable_parameters(learned).values())


def test_what_this_machine_cannot_do_is_refused():
    check_quantization("none")
    if not torch.cuda.is_available():
        with pytest.raises(ValueError, match="fp8 needs a GPU"):
            check_quantization("fp8")
