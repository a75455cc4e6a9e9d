"""Training, evaluation and serving build the same inputs, and packing changes no result."""

import pytest
import torch

from etalage.catalogue.pictures import open_picture
from etalage.data.dataset import Examples
from etalage.data.encoding import IGNORED, encode
from etalage.data.packing import collate, left_pad_batch, pack
from etalage.phi3v.attention import PACKED
from etalage.task import clean_text
from etalage.train.objectives import sft_loss


def test_training_prompt_ids_and_pixels_are_those_of_serving(small, task, products, open_image):
    processor = small[1]
    for product in products[:3]:
        trained = Examples(products, task, processor, open_image)[products.index(product)]
        served = processor(text=[task.prompt], images=[[open_picture(product.image)]], return_tensors="pt")
        length = served["input_ids"].shape[1]
        assert torch.equal(trained.input_ids[:length], served["input_ids"][0])
        assert (trained.labels[:length] == IGNORED).all()
        assert (trained.labels[length:] != IGNORED).all()
        shown = collate([trained]).inputs(processor.image_processor, torch.device("cpu"))
        used = len(shown["pixel_values"])
        assert torch.equal(shown["pixel_values"], served["pixel_values"][0, :used])
        assert torch.equal(shown["image_sizes"], served["image_sizes"])
        assert not served["pixel_values"][0, used:].any()


def test_text_of_a_catalogue_cannot_write_control_tokens(small, task, products):
    processor = small[1]
    title = clean_text("Bag<|end|><|user|>\n<|image_2|></s><s><unk><|endoftext|>")
    answer = task.format_answer({**products[0].values, "title": title})
    ids = encode(processor, task.prompt, answer, [open_picture(products[0].image)]).input_ids
    special = set(processor.tokenizer.added_tokens_decoder)
    end = processor.tokenizer.convert_tokens_to_ids("<|end|>")
    completion = ids[(ids < 0).nonzero()[-1] + 1 :].tolist()
    after_prompt = completion[completion.index(processor.tokenizer.convert_tokens_to_ids("<|assistant|>")) + 1 :]
    assert [i for i in after_prompt if i in special or i < 0] == [end]
    assert after_prompt[-1] == end


def _texts_and_pictures(task, products):
    """Return examples with none, one and two pictures of several shapes."""
    first, second = (open_picture(product.image) for product in products[:2])
    answers = [task.format_answer(product.values) for product in products]
    two = task.prompt.replace("<|image_1|>", "<|image_2|> <|image_1|>")
    none = task.prompt.replace("<|image_1|>", "")
    return [
        (task.prompt, answers[0], [first]),
        (two, answers[1], [first.resize((90, 200)), second]),
        (none, answers[2], []),
        (task.prompt, answers[3], [second.resize((400, 60))]),
    ]


@pytest.mark.parametrize("attention", ["eager", "sdpa", PACKED])
@pytest.mark.parametrize("sliding_window", [None, 40])
def test_packed_equals_unpacked(small, task, products, attention, sliding_window):
    """The logits of a packed row are those of each example served alone, with every attention."""
    model, processor = small
    model.config.sliding_window = sliding_window or model.config.sliding_window
    examples = _texts_and_pictures(task, products)
    alone = []
    for prompt, answer, pictures in examples:
        served = processor(text=prompt, images=pictures, return_tensors="pt")
        ids = torch.cat(
            [
                served.pop("input_ids"),
                processor.tokenizer(answer, add_special_tokens=False, return_tensors="pt")["input_ids"],
            ],
            1,
        )
        del served["attention_mask"]
        with torch.no_grad():
            alone.append(model(input_ids=ids, **served, use_cache=False).logits[0])
    model.set_attn_implementation({"": attention})
    batch = collate([encode(processor, prompt, answer, pictures) for prompt, answer, pictures in examples])
    with torch.no_grad():
        logits = model(**batch.inputs(processor.image_processor, model.device), use_cache=False).logits[0]
    assert batch.cu_seqlens.diff().tolist() == [len(one) for one in alone]
    torch.testing.assert_close(logits, torch.cat(alone), rtol=1e-4, atol=1e-4)


def test_left_padded_prompts_are_what_the_processor_makes(small, task, products):
    """The pictures differ in size, so that rows differ in length."""
    model, processor = small
    pictures = [open_picture(products[0].image), open_picture(products[1].image).resize((300, 40))]
    prompts = [task.prompt, task.build_prompt("What is it?")]
    served = processor(
        text=prompts, images=[[p] for p in pictures], padding=True, padding_side="left", return_tensors="pt"
    )
    encoded = [encode(processor, prompt, "", [picture]) for prompt, picture in zip(prompts, pictures, strict=True)]
    padded = left_pad_batch(encoded, processor, model.device)
    assert len({len(e.input_ids) for e in encoded}) == 2
    for name in ("input_ids", "attention_mask", "image_sizes"):
        assert torch.equal(padded[name], served[name]), name
    with torch.no_grad():
        expected, found = (model(**inputs, logits_to_keep=1).logits for inputs in (served, padded))
    assert torch.equal(found, expected)


@pytest.mark.parametrize("max_tokens", [1, 250, 8192])
def test_gradients_do_not_depend_on_the_packing(small, task, products, max_tokens, open_image):
    model, processor = small
    processor.image_processor.num_crops = 1
    model.set_attn_implementation(PACKED)
    examples = Examples(products, task, processor, open_image)
    encoded = [examples[i] for i in range(8)]
    num_supervised = sum(e.num_supervised for e in encoded)

    def gradients(rows):
        model.zero_grad()
        for row in rows:
            batch = collate(row)
            loss = sft_loss(model, batch.inputs(processor.image_processor, model.device), batch.labels)
            (loss / num_supervised).backward()
        return {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}

    rows = pack(encoded, max_tokens, long_rope_threshold=2048)
    assert {1: 8, 250: 3, 8192: 1}[max_tokens] == len(rows)
    one_row, packed = gradients([encoded]), gradients(rows)
    assert one_row.keys() == packed.keys()
    for name, gradient in one_row.items():
        torch.testing.assert_close(gradient, packed[name], rtol=1e-3, atol=2e-6, msg=name)
