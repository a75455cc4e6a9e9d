"""Pre-training's forward pass is the model's own."""

import torch
from PIL import Image

from etalage.data.encoding import encode
from etalage.data.packing import collate
from etalage.models import SMALL, load_base
from etalage.train.objectives import sft_loss
from pretraining.augmentation import estrange
from pretraining.forward import UNKNOWN, answer_loss, encode_pictures, prompt_ids

QUESTION, ANSWER = "What is this?", "Product: Wool Scarf, Price: 90.0<|end|>"


def test_the_loss_of_an_answer_is_the_model_s_own():
    model, processor = load_base(str(SMALL), dtype=torch.float32)
    torch.manual_seed(0)
    pixels = torch.randint(0, 256, (2, 256, 256, 3), dtype=torch.uint8)
    pictures = [Image.fromarray(picture.numpy()) for picture in pixels]
    features, grid = encode_pictures(model, processor, pixels.permute(0, 3, 1, 2).float() / 255)
    ids = torch.tensor(processor.tokenizer(ANSWER, add_special_tokens=False)["input_ids"])
    answers = ids.repeat(2, 1)
    before, after = prompt_ids(processor, QUESTION, torch.device("cpu"))
    loss, hidden = answer_loss(model, features, grid, (before, after), answers, answers)

    prompt = f"<|user|>\n<|image_1|>{QUESTION}<|end|><|assistant|>\n"
    batch = collate([encode(processor, prompt, ANSWER, [picture]) for picture in pictures])
    expected = sft_loss(model, batch.inputs(processor.image_processor, torch.device("cpu")), batch.labels)
    torch.testing.assert_close(loss, expected / batch.num_supervised, rtol=1e-4, atol=1e-4)
    assert hidden.shape == (2, len(ids), model.config.hidden_size)


def test_tokens_that_are_unknown_are_not_counted():
    model, processor = load_base(str(SMALL), dtype=torch.float32)
    pixels = torch.rand(2, 3, 256, 256, generator=torch.Generator().manual_seed(1))
    features, grid = encode_pictures(model, processor, pixels)
    prompt = prompt_ids(processor, QUESTION, torch.device("cpu"))
    context = torch.tensor(processor.tokenizer(ANSWER, add_special_tokens=False)["input_ids"]).repeat(2, 1)
    labels = context.clone()
    labels[0] = UNKNOWN
    both, _ = answer_loss(model, features, grid, prompt, context, labels)
    alone, _ = answer_loss(model, features[1:], grid, prompt, context[1:], labels[1:])
    torch.testing.assert_close(both, alone, rtol=1e-4, atol=1e-4)


def test_estranged_pictures_stay_pictures_and_differ():
    pixels = torch.rand(8, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    estranged = estrange(pixels, torch.Generator().manual_seed(1))
    assert estranged.shape == pixels.shape
    assert 0 <= float(estranged.min()) < float(estranged.max()) <= 1
    assert ((estranged - pixels).abs().mean((1, 2, 3)) > 0.02).all()
