import pytest
import torch
from PIL import Image

from etalage.batches import Examples, StepSampler, collate, encode


def test_only_the_answer_and_its_end_are_supervised(small, task, products, open_image):
    processor = small[1]
    encoded = Examples(products, task, processor, open_image)[0]
    supervised = encoded.input_ids[encoded.labels != -100]
    assert processor.decode(supervised).strip() == task.answer(products[0].values)
    assert int(supervised[-1]) == processor.tokenizer.convert_tokens_to_ids("<|end|>")
    assert torch.equal(encoded.labels[encoded.labels != -100], supervised)
    assert (encoded.input_ids < 0).sum() > 0, "the picture is in the prompt"
    assert (encoded.labels[encoded.input_ids < 0] == -100).all()


def test_collate_pads_rows_and_crop_slots(small, task, products):
    processor = small[1]
    processor.image_processor.num_crops = 4
    wide = encode(processor, task.prompt, "a<|end|>", [Image.new("RGB", (200, 60))])
    square = encode(processor, task.prompt, "a longer answer<|end|>", [Image.new("RGB", (80, 80))])
    batch = collate([wide, square], pad_id=7)
    longest = max(len(wide.input_ids), len(square.input_ids))
    assert batch["input_ids"].shape == batch["labels"].shape == batch["attention_mask"].shape == (2, longest)
    padding = batch["attention_mask"] == 0
    assert (batch["input_ids"][padding] == 7).all()
    assert (batch["labels"][padding] == -100).all()
    assert batch["pixel_values"].shape[:2] == (2, max(wide.pixel_values.shape[1], square.pixel_values.shape[1]))
    assert torch.equal(batch["pixel_values"][0, : wide.pixel_values.shape[1]], wide.pixel_values[0])
    assert (batch["pixel_values"][0, wide.pixel_values.shape[1] :] == 0).all()
    assert torch.equal(batch["image_sizes"], torch.cat([wide.image_sizes, square.image_sizes]))


def test_examples_keep_no_more_than_they_may(small, task, products, open_image):
    size = Examples(products, task, small[1], open_image)[0].num_bytes
    examples = Examples(products, task, small[1], open_image, cache_bytes=size * 2 + size // 2)
    first = [examples[i] for i in range(len(products))]
    again = [examples[i] for i in range(len(products))]
    assert [a is b for a, b in zip(first, again, strict=True)].count(True) == 2
    assert all(torch.equal(a.pixel_values, b.pixel_values) for a, b in zip(first, again, strict=True))


@pytest.mark.parametrize("start", range(8))
def test_sampler_continues_where_it_was(start):
    whole = list(StepSampler(10, 3, 2, seed=5))
    assert len(whole) == len(StepSampler(10, 3, 2, seed=5)) == 8
    rest = StepSampler(10, 3, 2, seed=5, start_step=start)
    assert list(rest) == whole[start:]
    assert len(rest) == 8 - start


def test_sampler_shows_each_example_once_an_epoch_in_a_new_order():
    steps = list(StepSampler(10, 3, 2, seed=5))
    epochs = [[i for step in half for i in step] for half in (steps[:4], steps[4:])]
    assert sorted(epochs[0]) == list(range(10))
    assert sorted(epochs[1]) == list(range(10, 20)), "the second epoch's"
    assert [i + 10 for i in epochs[0]] != epochs[1]
    assert next(iter(StepSampler(10, 3, 1, seed=6))) != steps[0]


def test_epochs_show_the_views_in_turn(small, task, products, open_image):
    examples = Examples(products, task, small[1], open_image, num_views=2)
    plain, other, again = (examples[4 + epoch * len(products)] for epoch in range(3))
    assert torch.equal(plain.input_ids, other.input_ids)
    assert torch.equal(plain.image_sizes, other.image_sizes)
    assert not torch.equal(plain.pixel_values, other.pixel_values)
    assert torch.equal(plain.pixel_values, again.pixel_values)


def test_field_by_field_each_field_is_taught_behind_another_products_values(small, task, products, open_image):
    processor, num_views = small[1], 2
    whole = Examples(products, task, processor, open_image, num_views=num_views)
    apart = Examples(products, task, processor, open_image, num_views=num_views, field_by_field=True)
    values = products[4].values
    taught, before, shown = [], set(), set()
    for epoch in range(num_views * len(task.fields)):
        encoded, reference = (examples[4 + epoch * len(products)] for examples in (apart, whole))
        assert torch.equal(encoded.pixel_values, reference.pixel_values)
        num_prompt = int((reference.labels < 0).sum())
        assert torch.equal(encoded.input_ids[:num_prompt], reference.input_ids[:num_prompt])
        told = encoded.labels >= 0
        assert torch.equal(encoded.labels[told], encoded.input_ids[told]), "what is taught stands there"
        assert told[told.nonzero()[0] :].all(), "and nothing behind it"
        taught.append(processor.decode(encoded.labels[told]))
        before.add(processor.decode(encoded.input_ids[num_prompt:][~told[num_prompt:]]))
        shown.add((epoch % num_views, taught[-1]))
    answer = task.answer(values)
    cuts = [task.span(values, place) for place in range(len(task.fields))]
    assert "".join(answer[begin:end] for begin, end in cuts) == answer
    # a piece may hold the space in front of it
    assert {text.strip() for text in taught} == {answer[begin:end].strip() for begin, end in cuts}
    assert len(shown) == num_views * len(task.fields), "each field with each view"
    others = {str(product.values["title"]) for product in products}
    assert any(other in text and other != values["title"] for text in before for other in others)
