import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from etalage.batches import Encoded, Examples, StepSampler, collate, encode, packs


def test_only_the_answer_and_its_end_are_supervised(small, task, products, open_image):
    processor = small[1]
    encoded = Examples(products, task, processor, open_image)[0]
    supervised = encoded.input_ids[encoded.labels != -100]
    assert processor.decode(supervised).strip() == task.answer(products[0].values)
    assert int(supervised[-1]) == processor.tokenizer.convert_tokens_to_ids("<|end|>")
    assert torch.equal(encoded.labels[encoded.labels != -100], supervised)
    assert (encoded.input_ids < 0).sum() > 0, "the picture is in the prompt"
    assert (encoded.labels[encoded.input_ids < 0] == -100).all()


def test_collate_packs_and_counts_images_on(small, task):
    processor = small[1]
    processor.image_processor.num_crops = 4
    two = task.prompt.replace("<|image_1|>", "<|image_1|> <|image_2|>")
    wide = encode(processor, task.prompt, "a<|end|>", [Image.new("RGB", (200, 60))])
    both = encode(processor, two, "a longer answer<|end|>", [Image.new("RGB", (80, 80)), Image.new("RGB", (60, 200))])
    batch = collate([wide, both])
    lengths = [len(wide.input_ids), len(both.input_ids)]
    assert batch.input_ids.shape == batch.labels.shape == batch.position_ids.shape == (1, sum(lengths))
    assert batch.borders.tolist() == [0, lengths[0], sum(lengths)]
    assert batch.longest == max(lengths)
    assert batch.position_ids[0].tolist() == [*range(lengths[0]), *range(lengths[1])]
    first, second = batch.input_ids[0].split(lengths)
    assert torch.equal(first, wide.input_ids)
    assert torch.equal(second, torch.where(both.input_ids < 0, both.input_ids - 1, both.input_ids))
    assert torch.equal(batch.labels[0], torch.cat([wide.labels, both.labels]))
    inputs = batch.inputs(processor.image_processor, torch.device("cpu"))
    assert inputs["image_sizes"].tolist() == [list(p.shape[1:]) for e in (wide, both) for p in e.pictures]
    assert len(inputs["pixel_values"]) == 4 + 5 + 4, "used crops alone"


def test_a_row_without_pictures_brings_none(small):
    ids = torch.arange(3)
    inputs = collate([Encoded(ids, ids, ())]).inputs(small[1].image_processor, torch.device("cpu"))
    assert not {"pixel_values", "image_sizes"} & inputs.keys()
    assert small[0](**inputs, use_cache=False).logits.shape[:2] == (1, 3)


def test_an_example_that_is_all_answer_is_not_told_from_the_one_before(small):
    ids = torch.arange(3)
    batch = collate([Encoded(ids, ids, ()), Encoded(ids, ids, ())])
    assert batch.labels[0].tolist() == [-100, 1, 2, -100, 1, 2]


@given(
    lengths=st.lists(st.integers(1, 60), min_size=1, max_size=40),
    max_tokens=st.integers(1, 90),
    limit=st.integers(0, 60),
)
def test_packs_hold_each_example_once_and_no_more_than_they_may(lengths, max_tokens, limit):
    encoded = [Encoded(torch.full((length,), place), torch.zeros(length), ()) for place, length in enumerate(lengths)]
    rows = packs(encoded, max_tokens, apart_above=limit)
    assert sorted(int(e.input_ids[0]) for row in rows for e in row) == list(range(len(lengths)))
    for row in rows:
        tokens = [len(e.input_ids) for e in row]
        assert sum(tokens) <= max_tokens or len(row) == 1
        assert len({length > limit for length in tokens}) == 1


def test_packs_are_few_and_about_equally_full():
    lengths = [100, 90, 80, 70, 60, 50, 40, 30]
    rows = packs([Encoded(torch.zeros(n), torch.zeros(n), ()) for n in lengths], 140, apart_above=1000)
    assert [sum(len(e.input_ids) for e in row) for row in rows] == [130, 130, 130, 130]


def test_examples_keep_no_more_than_they_may(small, task, products, open_image):
    size = Examples(products, task, small[1], open_image)[0].num_bytes
    examples = Examples(products, task, small[1], open_image, cache_bytes=size * 2 + size // 2)
    first = [examples[i] for i in range(len(products))]
    again = [examples[i] for i in range(len(products))]
    assert [a is b for a, b in zip(first, again, strict=True)].count(True) == 2
    assert all(torch.equal(a.pictures[0], b.pictures[0]) for a, b in zip(first, again, strict=True))


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
    assert not torch.equal(plain.pictures[0], other.pictures[0])
    assert torch.equal(plain.pictures[0], again.pictures[0])


def test_field_by_field_each_field_is_taught_behind_another_products_values(small, task, products, open_image):
    processor, num_views = small[1], 2
    whole = Examples(products, task, processor, open_image, num_views=num_views)
    apart = Examples(products, task, processor, open_image, num_views=num_views, field_by_field=True)
    values = products[4].values
    taught, before, shown = [], set(), set()
    for epoch in range(num_views * len(task.fields)):
        encoded, reference = (examples[4 + epoch * len(products)] for examples in (apart, whole))
        assert torch.equal(encoded.pictures[0], reference.pictures[0])
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
