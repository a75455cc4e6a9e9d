import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from etalage.data.encoding import IGNORED, Encoded, encode
from etalage.data.packing import collate, pack


def test_collate_packs_and_counts_images_on(small, task):
    processor = small[1]
    processor.image_processor.num_crops = 4
    two = task.prompt.replace("<|image_1|>", "<|image_1|> <|image_2|>")
    wide = encode(processor, task.prompt, "a<|end|>", [Image.new("RGB", (200, 60))])
    both = encode(processor, two, "a longer answer<|end|>", [Image.new("RGB", (80, 80)), Image.new("RGB", (60, 200))])
    batch = collate([wide, both])
    lengths = [len(wide.input_ids), len(both.input_ids)]
    assert batch.input_ids.shape == batch.labels.shape == batch.position_ids.shape == (1, sum(lengths))
    assert batch.cu_seqlens.tolist() == [0, lengths[0], sum(lengths)]
    assert batch.max_seqlen == max(lengths)
    assert batch.position_ids[0].tolist() == [*range(lengths[0]), *range(lengths[1])]
    first, second = batch.input_ids[0].split(lengths)
    assert torch.equal(first, wide.input_ids)
    assert torch.equal(second, torch.where(both.input_ids < 0, both.input_ids - 1, both.input_ids))
    assert torch.equal(batch.labels[0], torch.cat([wide.labels, both.labels]))
    inputs = batch.inputs(processor.image_processor, torch.device("cpu"))
    assert inputs["image_sizes"].tolist() == [list(p.shape[1:]) for e in (wide, both) for p in e.pictures]
    assert len(inputs["pixel_values"]) == 4 + 5 + 4, "used crops alone"


def test_a_row_without_pictures_has_no_picture_arguments(small):
    ids = torch.arange(3)
    inputs = collate([Encoded(ids, ids, ())]).inputs(small[1].image_processor, torch.device("cpu"))
    assert not {"pixel_values", "image_sizes"} & inputs.keys()
    assert small[0](**inputs, use_cache=False).logits.shape[:2] == (1, 3)


def test_an_example_without_a_prompt_is_not_predicted_from_the_one_before(small):
    ids = torch.arange(3)
    batch = collate([Encoded(ids, ids, ()), Encoded(ids, ids, ())])
    assert batch.labels[0].tolist() == [IGNORED, 1, 2, IGNORED, 1, 2]


@given(
    lengths=st.lists(st.integers(1, 60), min_size=1, max_size=40),
    max_tokens=st.integers(1, 90),
    limit=st.integers(0, 60),
)
def test_each_example_is_in_one_row_and_rows_are_not_too_long(lengths, max_tokens, limit):
    encoded = [Encoded(torch.full((length,), place), torch.zeros(length), ()) for place, length in enumerate(lengths)]
    rows = pack(encoded, max_tokens, long_rope_threshold=limit)
    assert sorted(int(e.input_ids[0]) for row in rows for e in row) == list(range(len(lengths)))
    for row in rows:
        tokens = [len(e.input_ids) for e in row]
        assert sum(tokens) <= max_tokens or len(row) == 1
        assert len({length > limit for length in tokens}) == 1


def test_rows_are_few_and_about_equally_full():
    lengths = [100, 90, 80, 70, 60, 50, 40, 30]
    rows = pack([Encoded(torch.zeros(n), torch.zeros(n), ()) for n in lengths], 140, long_rope_threshold=1000)
    assert [sum(len(e.input_ids) for e in row) for row in rows] == [130, 130, 130, 130]
