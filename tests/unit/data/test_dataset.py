import pickle
from dataclasses import replace

import torch

from etalage.data.dataset import Examples
from etalage.data.encoding import IGNORED


def test_no_more_is_cached_than_cache_bytes(small, task, products, open_image):
    size = Examples(products, task, small[1], open_image)[0].num_bytes
    examples = Examples(products, task, small[1], open_image, cache_bytes=size * 2 + size // 2)
    first = [examples[i] for i in range(len(products))]
    again = [examples[i] for i in range(len(products))]
    assert [a is b for a, b in zip(first, again, strict=True)].count(True) == 2
    assert all(torch.equal(a.pictures[0], b.pictures[0]) for a, b in zip(first, again, strict=True))


def test_epochs_show_the_augmentations_in_turn(small, task, products, open_image):
    examples = Examples(products, task, small[1], open_image, num_augmentations=2)
    plain, other, again = (examples[4 + epoch * len(products)] for epoch in range(3))
    assert torch.equal(plain.input_ids, other.input_ids)
    assert not torch.equal(plain.pictures[0], other.pictures[0])
    assert torch.equal(plain.pictures[0], again.pictures[0])


def test_field_by_field_teaches_each_field_after_another_products_values(small, task, products, open_image):
    processor, num_augmentations = small[1], 2
    whole = Examples(products, task, processor, open_image, num_augmentations=num_augmentations)
    one_by_one = Examples(
        products, task, processor, open_image, num_augmentations=num_augmentations, field_by_field=True
    )
    values = products[4].values
    taught, before, shown = [], set(), set()
    for epoch in range(num_augmentations * len(task.fields)):
        encoded, reference = (examples[4 + epoch * len(products)] for examples in (one_by_one, whole))
        assert torch.equal(encoded.pictures[0], reference.pictures[0])
        num_prompt = int((reference.labels < 0).sum())
        assert torch.equal(encoded.input_ids[:num_prompt], reference.input_ids[:num_prompt])
        supervised = encoded.labels >= 0
        assert torch.equal(encoded.labels[supervised], encoded.input_ids[supervised]), "labels are the ids"
        assert supervised[supervised.nonzero()[0] :].all(), "nothing follows it"
        taught.append(processor.decode(encoded.labels[supervised]))
        before.add(processor.decode(encoded.input_ids[num_prompt:][~supervised[num_prompt:]]))
        shown.add((epoch % num_augmentations, taught[-1]))
    answer = task.format_answer(values)
    cuts = [task.answer_span(values, place) for place in range(len(task.fields))]
    assert "".join(answer[begin:end] for begin, end in cuts) == answer
    # a token may hold the space before it
    assert {text.strip() for text in taught} == {answer[begin:end].strip() for begin, end in cuts}
    assert len(shown) == num_augmentations * len(task.fields), "each field with each augmentation"
    others = {str(product.values["title"]) for product in products}
    assert any(other in text and other != values["title"] for text in before for other in others)


def test_the_prompt_asks_a_product_s_own_question(small, task, products, open_image):
    asked = replace(products[0], question="Which colour is it?")
    encoded = Examples([asked], task, small[1], open_image)[0]
    prompt_ids = encoded.input_ids[encoded.labels == IGNORED]
    text = small[1].tokenizer.decode(prompt_ids[prompt_ids >= 0])
    assert "Which colour is it?" in text
    assert task.config.question not in text


def test_an_example_is_the_same_in_another_process(small, task, products, open_image):
    encoded = Examples(products, task, small[1], open_image)[0]
    copy = pickle.loads(pickle.dumps(encoded))  # noqa: S301 - our own bytes
    assert torch.equal(copy.input_ids, encoded.input_ids)
    assert torch.equal(copy.labels, encoded.labels)
    assert torch.equal(copy.pictures[0], encoded.pictures[0])
