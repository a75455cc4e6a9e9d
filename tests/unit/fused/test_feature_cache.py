"""Cached features of a frozen tower are those that the tower would compute again."""

import pytest
import torch

from etalage.fused import feature_cache
from etalage.fused.feature_cache import FeatureCache, cache_features
from etalage.phi3v.image_embedding import Phi3VImageEmbedding


@pytest.fixture
def embedding(small):
    return next(module for module in small[0].modules() if isinstance(module, Phi3VImageEmbedding))


def count_calls(embedding, monkeypatch):
    """Record how many crops the tower itself reads in each call."""
    read, tower = [], embedding.tower_features

    def counting(crops):
        read.append(len(crops))
        return tower(crops)

    monkeypatch.setattr(embedding, "tower_features", counting)
    return read


def test_each_crop_is_encoded_once(embedding, monkeypatch):
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


def test_crops_that_do_not_fit_are_encoded_again(embedding, monkeypatch):
    read = count_calls(embedding, monkeypatch)
    crops = torch.rand(3, 3, 128, 128)
    monkeypatch.setattr(feature_cache, "CAPACITY_BYTES", 2 * embedding.tower_features(crops)[0].nbytes)
    read.clear()
    cache_features(embedding)
    for _ in range(2):
        embedding.tower_features(crops)
    assert read == [1] * 4


@pytest.mark.parametrize("capacity_bytes", [None, 0])
def test_features_of_whole_pictures_are_the_towers(small, embedding, monkeypatch, capacity_bytes):
    images = small[1].image_processor
    side = images.crop_size
    pictures = [torch.randint(0, 256, (3, *size), dtype=torch.uint8) for size in ((side, side), (2 * side, side))]
    with torch.no_grad():
        expected = [embedding.tower_features(images.cut_bytes(p, torch.device("cpu"))) for p in pictures]
    read = count_calls(embedding, monkeypatch)
    cache = FeatureCache(small[0], images, capacity_bytes)
    first, second = pictures
    for shown, ones in (([first], expected[:1]), ([second, first], expected[::-1]), ([first] * 2, expected[:1] * 2)):
        torch.testing.assert_close(cache(shown), torch.cat(ones))
    assert read == ([2, 3] if capacity_bytes is None else [2, 5, 2]), "pictures that do not fit are encoded again"
    assert not cache(pictures).requires_grad


def test_a_feature_cache_keeps_the_first_pictures_that_fit(small, embedding, monkeypatch):
    images, side = small[1].image_processor, small[1].image_processor.crop_size
    pictures = [torch.full((3, side, side), shade, dtype=torch.uint8) for shade in (0, 100, 200)]
    with torch.no_grad():
        num_bytes = embedding.tower_features(images.cut_bytes(pictures[0], torch.device("cpu"))).nbytes
    encoded = count_calls(embedding, monkeypatch)
    cache = FeatureCache(small[0], images, 2 * num_bytes)
    for picture in pictures * 2:
        cache([picture])
    assert encoded == [2, 2, 2, 2], "the third one again"


def test_features_cached_while_generating_can_be_trained_on(embedding):
    cache_features(embedding)
    crops = torch.rand(1, 3, 128, 128)
    with torch.inference_mode():
        embedding.tower_features(crops)
    features = embedding.tower_features(crops)
    assert not features.is_inference()
    (features * torch.ones((), requires_grad=True)).sum().backward()
