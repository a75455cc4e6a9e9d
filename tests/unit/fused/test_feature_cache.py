"""A frozen tower's features are remembered, and are what the tower would say again."""

import pytest
import torch

from etalage.fused import feature_cache
from etalage.fused.feature_cache import FeatureCache, cache_features
from etalage.phi3v.image_embedding import Phi3VImageEmbedding


@pytest.fixture
def embedding(small):
    return next(module for module in small[0].modules() if isinstance(module, Phi3VImageEmbedding))


def count_calls(embedding, monkeypatch):
    """How many crops the tower itself reads."""
    read, tower = [], embedding.tower_features

    def counting(crops):
        read.append(len(crops))
        return tower(crops)

    monkeypatch.setattr(embedding, "tower_features", counting)
    return read


def test_each_crop_is_read_once(embedding, monkeypatch):
    read = count_calls(embedding, monkeypatch)
    side = 128
    crops = torch.rand(4, 3, side, side)
    plain = embedding.tower_features(crops)
    read.clear()
    cache_features(embedding)
    once, again = embedding.tower_features(crops), embedding.tower_features(crops.flip(0))
    assert read == [1] * 4
    torch.testing.assert_close(once, plain)
    assert again.flip(0).equal(once)
    assert not once.requires_grad
    embedding.tower_features(crops + 1e-3)
    assert len(read) == 8, "another crop is another crop"


def test_what_there_is_no_room_for_is_read_again(embedding, monkeypatch):
    read = count_calls(embedding, monkeypatch)
    crops = torch.rand(3, 3, 128, 128)
    monkeypatch.setattr(feature_cache, "ROOM_BYTES", 2 * embedding.tower_features(crops)[0].nbytes)
    read.clear()
    cache_features(embedding)
    for _ in range(2):
        embedding.tower_features(crops)
    assert read == [1] * 4


@pytest.mark.parametrize("room_bytes", [None, 0])
def test_features_of_whole_pictures_are_the_towers(small, embedding, monkeypatch, room_bytes):
    images = small[1].image_processor
    side = images.crop_size
    pictures = [torch.randint(0, 256, (3, *size), dtype=torch.uint8) for size in ((side, side), (2 * side, side))]
    with torch.no_grad():
        wanted = [embedding.tower_features(images.cut_bytes(p, torch.device("cpu"))) for p in pictures]
    read = count_calls(embedding, monkeypatch)
    memory = FeatureCache(small[0], images, room_bytes)
    first, second = pictures
    for shown, expected in (([first], wanted[:1]), ([second, first], wanted[::-1]), ([first, first], wanted[:1] * 2)):
        torch.testing.assert_close(memory(shown), torch.cat(expected))
    assert read == ([2, 3] if room_bytes is None else [2, 5, 2]), "what there is no room for is read again"
    assert not memory(pictures).requires_grad
