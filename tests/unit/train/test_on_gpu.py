"""Training on a GPU: the fused paths learn as the plain ones do. Skipped without a GPU."""

import json

import pytest
import torch

from etalage import devices
from etalage.data.dataset import Examples
from etalage.models import load_base
from etalage.train import loop, trainable
from etalage.train.tracker import NoTracker
from etalage.train.trainable import make_trainable

pytestmark = [
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU"),
    pytest.mark.filterwarnings("default"),  # torch's compiler warns about its own code
]


@pytest.fixture
def losses(tmp_path, config, task, products, open_image):
    """Return the losses of a few steps, from the same weights."""

    def losses(**settings):
        torch.compiler.reset()
        plain = {"recipe": "lora", "lora_rank": 16, "epochs": 6, "batch_size": 7, "freeze": (), "compile": False}
        resolved = config(**{**plain, "patch_dropout": 0.0, **settings})
        model, processor = load_base("small", dtype=devices.weights_dtype(resolved.recipe))
        processor.image_processor.num_crops = 4
        log = tmp_path / f"{len(list(tmp_path.iterdir()))}.jsonl"
        loop.train(
            make_trainable(model.cuda(), resolved),
            Examples(products[:7], task, processor, open_image),
            Examples(products[7:], task, processor, open_image),
            resolved,
            checkpoints=tmp_path / f"{log.stem}-checkpoints",
            log=log,
            tracker=NoTracker(),
            validation_score=lambda _: 0.0,
        )
        return torch.tensor([json.loads(line)["loss"] for line in log.read_text().splitlines()])

    return losses


@pytest.mark.parametrize(
    "settings",
    [
        {"compile": True},
        {"compile": True, "activation_checkpointing": "full"},
        {"activation_checkpointing": "none"},
        {"max_tokens": 300},
        {"freeze": ("tower",), "compile": True},
        {"recipe": "full", "compile": True},
        {"lora_variant": "dora", "compile": True},
    ],
    ids=str,
)
def test_fused_paths_learn_as_the_plain_one(losses, settings, monkeypatch):
    same = {name: value for name, value in settings.items() if name in ("freeze", "recipe", "lora_variant")}
    found = losses(**settings)
    for use_fused in ("use_fused_linear", "use_fused_decoder", "use_fused_vision"):
        monkeypatch.setattr(trainable, use_fused, lambda model: None)
    expected = losses(activation_checkpointing="full", max_tokens=1, **same)
    assert expected[-1] < 0.8 * expected[0]
    torch.testing.assert_close(found, expected, rtol=0.03, atol=0.03)


@pytest.mark.parametrize("variant", ["lora", "dora"])
@pytest.mark.parametrize("quantization", ["fp8", "nf4"])
def test_quantized_frozen_weights_learn_nearly_the_same(losses, quantization, variant):
    if quantization == "nf4":
        pytest.importorskip("bitsandbytes")
    expected = losses(lora_variant=variant)
    found = losses(lora_variant=variant, quantization=quantization, compile=True)
    torch.testing.assert_close(found, expected, rtol=0.1, atol=0.1)
