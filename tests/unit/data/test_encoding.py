import torch

from etalage.data.dataset import Examples


def test_only_the_answer_and_its_end_are_supervised(small, task, products, open_image):
    processor = small[1]
    encoded = Examples(products, task, processor, open_image)[0]
    supervised = encoded.input_ids[encoded.labels != -100]
    assert processor.decode(supervised).strip() == task.format_answer(products[0].values)
    assert int(supervised[-1]) == processor.tokenizer.convert_tokens_to_ids("<|end|>")
    assert torch.equal(encoded.labels[encoded.labels != -100], supervised)
    assert (encoded.input_ids < 0).sum() > 0, "the picture is in the prompt"
    assert (encoded.labels[encoded.input_ids < 0] == -100).all()
