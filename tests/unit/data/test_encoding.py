import pytest
import torch
from PIL import Image

from etalage.data.dataset import Examples
from etalage.data.encoding import IGNORED, encode, encode_completion


def test_only_the_answer_and_its_end_are_supervised(small, task, products, open_image):
    processor = small[1]
    encoded = Examples(products, task, processor, open_image)[0]
    supervised = encoded.input_ids[encoded.labels != IGNORED]
    assert processor.decode(supervised).strip() == task.format_answer(products[0].values)
    assert int(supervised[-1]) == processor.tokenizer.convert_tokens_to_ids("<|end|>")
    assert torch.equal(encoded.labels[encoded.labels != IGNORED], supervised)
    assert (encoded.input_ids < 0).sum() > 0, "the picture is in the prompt"
    assert (encoded.labels[encoded.input_ids < 0] == IGNORED).all()


def test_padding_is_not_supervised_and_only_fills_up(small, task):
    encoded = encode(small[1], task.prompt, "Bag<|end|>", [Image.new("RGB", (60, 60))])
    length = len(encoded.input_ids)
    padded = encoded.padded(length - 1)
    assert len(padded.input_ids) == len(padded.labels) == 2 * (length - 1)
    assert torch.equal(padded.input_ids[:length], encoded.input_ids)
    assert torch.equal(padded.labels[:length], encoded.labels)
    assert (padded.labels[length:] == IGNORED).all()
    assert padded.num_supervised == encoded.num_supervised
    assert torch.equal(encoded.padded(length).input_ids, encoded.input_ids)


def test_without_a_completion_nothing_is_supervised(small, task):
    encoded = encode(small[1], task.prompt, "", [Image.new("RGB", (60, 60))])
    assert encoded.num_supervised == 0


def test_a_span_of_the_completion_is_supervised_and_the_rest_left_out(small):
    tokenizer = small[1].tokenizer
    completion = "Product: Red Bag, Category: BAGS<|end|>"
    begin, end = completion.index("Category"), completion.index("<|end|>")
    prompt_ids = torch.tensor([7, 8])
    ids, labels = encode_completion(small[1], prompt_ids, completion, (begin, end))
    assert ids[:2].tolist() == [7, 8]
    assert (labels[:2] == IGNORED).all()
    assert tokenizer.decode(ids[labels != IGNORED]).strip() == "Category: BAGS"
    assert torch.equal(labels[labels != IGNORED], ids[labels != IGNORED])
    assert tokenizer.decode(ids[2:]).strip() == "Product: Red Bag, Category: BAGS"


def test_a_prompt_without_a_tag_for_its_picture_is_refused(small):
    with pytest.raises(ValueError, match="image"):
        encode(small[1], "What is it?", "Bag<|end|>", [Image.new("RGB", (60, 60))])
