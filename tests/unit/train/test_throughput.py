import pytest
import torch
from torch import nn

from etalage.data.dataset import Examples
from etalage.data.packing import collate
from etalage.fused.compilation import compile_layers
from etalage.fused.feature_cache import cache_features
from etalage.train import throughput
from etalage.train.activation_checkpointing import CheckpointedLayers
from etalage.train.flops import step_flops
from etalage.train.objectives import sft_loss
from etalage.train.throughput import ThroughputMeter
from etalage.train.trainable import make_trainable, trainable_parameters


@pytest.fixture
def without_writing_code(monkeypatch):
    """All that the compiler does but write code, for which a machine may lack the tools."""
    torch.compiler.reset()
    compile_module = nn.Module.compile
    monkeypatch.setattr(nn.Module, "compile", lambda m, **how: compile_module(m, backend="aot_eager", **how))
    yield
    torch.compiler.reset()


@pytest.mark.usefixtures("without_writing_code")
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor")  # which the compiler looks at itself
@pytest.mark.parametrize(
    "settings",
    [
        {"recipe": "lora", "activation_checkpointing": "full"},
        {"recipe": "full"},
        {"recipe": "lora", "lora_variant": "dora"},
    ],
    ids=str,
)
def test_compiled_layers_learn_the_same(small, config, task, products, open_image, settings):
    model, processor = small
    processor.image_processor.num_crops = 1
    how = config(**{"activation_checkpointing": "none", "lora_rank": 4, "freeze": (), "patch_dropout": 0.0, **settings})
    learned = make_trainable(model, how).train()
    CheckpointedLayers(learned, how.activation_checkpointing)
    examples = Examples(products, task, processor, open_image)
    rows = [collate([examples[i] for i in range(length)]) for length in (3, 2)]

    def losses_and_gradients():
        found = []
        for row in rows:
            learned.zero_grad()
            loss = sft_loss(learned, row.inputs(processor.image_processor, model.device), row.labels)
            loss.backward()
            found.append((loss.detach(), {n: p.grad.clone() for n, p in trainable_parameters(learned).items()}))
        return found

    expected = losses_and_gradients()
    compile_layers(learned)
    for (loss, gradients), (compiled_loss, compiled) in zip(expected, losses_and_gradients(), strict=True):
        torch.testing.assert_close(compiled_loss, loss)
        largest = max(float(gradient.norm()) for gradient in gradients.values())
        for name, gradient in gradients.items():
            assert (gradient - compiled[name]).norm() < 1e-4 * (gradient.norm() + largest), name


@pytest.mark.usefixtures("without_writing_code")
@pytest.mark.parametrize(("dropout", "compiled"), [(0.0, True), (0.1, False)])
def test_what_would_fall_apart_is_not_compiled(small, config, dropout, compiled):
    how = config(recipe="lora", lora_variant="dora", lora_dropout=dropout, freeze=())
    learned = make_trainable(small[0], how)
    compile_layers(learned)
    layers = learned.model.model.layers
    assert {layer._compiled_call_impl is not None for layer in layers} == {compiled}


def test_the_pace_counts_what_was_needed(small, config, task, products, open_image, monkeypatch):
    """What is remembered is not read again, and so not counted."""
    model, processor = small
    learned = make_trainable(model, config(freeze=("tower",)))
    cache_features(learned)
    encoded = [Examples(products, task, processor, open_image)[0]]
    row = collate(encoded)
    monkeypatch.setattr(throughput, "matmul_flops_per_second", lambda _: 1e9)
    clock = iter((0.0, 10.0, 12.0, 20.0, 22.0, 30.0))
    monkeypatch.setattr(throughput.time, "perf_counter", lambda: next(clock))
    pace = ThroughputMeter(learned, processor.image_processor, full=True)
    num_crops = len(row.inputs(processor.image_processor, model.device)["pixel_values"])
    pace.begin()
    for num_read in (num_crops, 0):
        sft_loss(learned, row.inputs(processor.image_processor, model.device), row.labels)
        figures = pace.figures(encoded)
        counted = step_flops(
            *(model.config, [len(encoded[0].input_ids)], num_crops, num_read, encoded[0].num_supervised),
            trained={"projector", "decoder"},
            full=True,
        )
        assert figures["samples_per_second"] == 1 / 2.0
        assert figures["tokens_per_second"] == len(encoded[0].input_ids) / 2.0
        assert figures["matmul_efficiency"] == pytest.approx(counted / 2.0 / 1e9)
        assert figures["peak_memory_gib"] > 0
