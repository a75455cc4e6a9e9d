"""Layers that are not fused are compiled, with the same gradients."""

import pytest
import torch
from torch import nn

from etalage.data.dataset import Examples
from etalage.data.packing import collate
from etalage.fused.compilation import compile_layers
from etalage.fused.decoder_layer import FusedDecoderLayer
from etalage.train.activation_checkpointing import CheckpointedLayers
from etalage.train.objectives import sft_loss
from etalage.train.trainable import make_trainable, trainable_parameters


@pytest.fixture
def without_code_generation(monkeypatch):
    """Compile without generating code, for which a machine may lack the tools."""
    torch.compiler.reset()
    compile_module = nn.Module.compile
    monkeypatch.setattr(nn.Module, "compile", lambda m, **options: compile_module(m, backend="aot_eager", **options))
    yield
    torch.compiler.reset()


@pytest.mark.usefixtures("without_code_generation")
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor")  # which the compiler looks at itself
@pytest.mark.parametrize(
    "changes",
    [
        {"recipe": "lora", "activation_checkpointing": "full"},
        {"recipe": "full"},
        {"recipe": "lora", "lora_variant": "dora"},
    ],
    ids=str,
)
def test_compiled_layers_have_the_same_gradients(small, config, task, products, open_image, changes):
    model, processor = small
    processor.image_processor.num_crops = 1
    settings = config(
        **{"activation_checkpointing": "none", "lora_rank": 4, "freeze": (), "patch_dropout": 0.0, **changes}
    )
    trained = make_trainable(model, settings).train()
    CheckpointedLayers(trained, settings.activation_checkpointing)
    examples = Examples(products, task, processor, open_image)
    rows = [collate([examples[i] for i in range(length)]) for length in (3, 2)]

    def losses_and_gradients():
        found = []
        for row in rows:
            trained.zero_grad()
            loss = sft_loss(trained, row.inputs(processor.image_processor, model.device), row.labels)
            loss.backward()
            found.append((loss.detach(), {n: p.grad.clone() for n, p in trainable_parameters(trained).items()}))
        return found

    expected = losses_and_gradients()
    compile_layers(trained)
    for (loss, gradients), (compiled_loss, compiled) in zip(expected, losses_and_gradients(), strict=True):
        torch.testing.assert_close(compiled_loss, loss)
        largest = max(float(gradient.norm()) for gradient in gradients.values())
        for name, gradient in gradients.items():
            assert (gradient - compiled[name]).norm() < 1e-4 * (gradient.norm() + largest), name


@pytest.mark.usefixtures("without_code_generation")
@pytest.mark.parametrize(("dropout", "compiled"), [(0.0, True), (0.1, False)])
def test_layers_that_would_break_the_graph_are_not_compiled(small, config, dropout, compiled):
    settings = config(recipe="lora", lora_variant="dora", lora_dropout=dropout, freeze=())
    trained = make_trainable(small[0], settings)
    compile_layers(trained)
    layers = trained.model.model.layers
    assert {layer._compiled_call_impl is not None for layer in layers} == {compiled}


@pytest.mark.usefixtures("without_code_generation")
def test_fused_layers_are_not_compiled(small, config):
    trained = make_trainable(small[0], config(recipe="lora"))
    compile_layers(trained)
    assert all(isinstance(layer, FusedDecoderLayer) for layer in trained.model.model.layers)
    assert all(layer._compiled_call_impl is None for layer in trained.model.model.layers)
