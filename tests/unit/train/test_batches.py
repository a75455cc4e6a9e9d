from contextlib import closing

import pytest
import torch

from etalage.data.dataset import Examples
from etalage.data.encoding import Encoded
from etalage.data.sampler import StepSampler
from etalage.errors import EtalageError
from etalage.train.batches import PAD_MULTIPLE, Packer, make_packer, read_batches
from etalage.train.trainable import make_trainable


def picture_is_gone(product):
    raise EtalageError(f"product {product.product_code}: its picture is gone; restore it")


@pytest.mark.parametrize("num_workers", [0, 1])
def test_batches_are_those_of_the_sampler(small, config, task, products, open_image, num_workers):
    model, processor = small
    settings = config(batch_size=4, num_workers=num_workers)
    examples = Examples(products, task, processor, open_image)
    packer = make_packer(make_trainable(model, settings), processor, settings)
    sampler = StepSampler(len(products), 4, 1, seed=3)
    with closing(read_batches(examples, sampler, settings, packer)) as batches:
        found = list(batches)
    assert [batch.indices for batch in found] == list(sampler)
    for batch in found:
        assert sum(row.num_supervised for row in batch.rows) == sum(e.num_supervised for e in batch.encoded)
        for index, encoded in zip(batch.indices, batch.encoded, strict=True):
            assert torch.equal(encoded.input_ids, examples[index].input_ids)


@pytest.mark.parametrize("num_workers", [0, 1])
def test_an_error_has_one_line_wherever_it_was_raised(small, config, task, products, num_workers):
    model, processor = small
    settings = config(batch_size=4, num_workers=num_workers)
    packer = make_packer(make_trainable(model, settings), processor, settings)
    examples = Examples(products[:1], task, processor, picture_is_gone)
    batches = read_batches(examples, StepSampler(1, 4, 1, seed=0), settings, packer)
    with closing(batches), pytest.raises(EtalageError) as raised:
        next(batches)
    assert str(raised.value) == "product P00: its picture is gone; restore it"


def test_rows_are_padded_for_a_gpu_alone(small):
    ids = torch.arange(PAD_MULTIPLE + 1)
    for device, length in (("cpu", PAD_MULTIPLE + 1), ("cuda", 2 * PAD_MULTIPLE)):
        packer = Packer(small[1].image_processor, torch.device(device), 100, long_rope_threshold=4096)
        assert packer.is_gpu == (device == "cuda")
        (row,) = packer.rows([Encoded(ids, ids, ())])
        assert row.input_ids.shape == (1, length)
        assert row.num_supervised == PAD_MULTIPLE, "the first token is not predicted, and padding is not supervised"
