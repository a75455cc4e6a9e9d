import torch
from transformers import DynamicCache

from etalage.generate.kv_cache import ROOM_MULTIPLE, growing_cache


def test_holds_what_a_dynamic_cache_holds():
    torch.manual_seed(0)
    expected, found = DynamicCache(), growing_cache(1)

    def append(rows, num_tokens):
        states = torch.randn(2, rows, 3, num_tokens, 8)
        room, _ = found.get_mask_sizes(num_tokens, 0)
        assert room % ROOM_MULTIPLE == 0
        for one, other in zip(expected.update(*states, 0), found.update(*states, 0), strict=True):
            assert other.shape[-2] == room, "as long as the mask"
            assert torch.equal(one, other[:, :, : one.shape[-2]])
            assert not other[:, :, one.shape[-2] :].any(), "the room after the last token is zero"
        assert found.get_seq_length(0) == expected.get_seq_length(0)

    with torch.inference_mode():
        append(2, 7)
        for cache in (expected, found):
            cache.batch_repeat_interleave(3)
        for _ in range(3):
            append(6, 1)
        chosen = torch.tensor([0, 2, 5])
        for cache in (expected, found):
            cache.batch_select_indices(chosen)
        append(3, ROOM_MULTIPLE + 5)
        append(3, 1)


def test_appends_a_token_in_place():
    cache = growing_cache(1)
    states = torch.randn(2, 2, 3, 7, 8)
    first, _ = cache.update(*states, 0)
    second, _ = cache.update(*states[:, :, :, :1], 0)
    assert first.data_ptr() == second.data_ptr()
