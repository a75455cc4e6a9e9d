"""Tests of the controls: wrong pictures for each product."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from etalage.errors import EtalageError
from etalage.evaluate.controls import blank_picture, shuffle_pictures
from etalage.task import Product


def make_products(images: list[int]) -> list[Product]:
    return [Product(f"P{i}", {}, Path(f"{image}.png")) for i, image in enumerate(images)]


@settings(deadline=None)  # a busy machine is no failure
@given(st.lists(st.integers(0, 6), min_size=2, max_size=40), st.integers(0, 5))
def test_each_product_is_shown_another_picture_and_each_picture_once(images: list[int], seed: int) -> None:
    own = make_products(images)
    shown = shuffle_pictures(own, seed)
    assert [p.product_code for p in shown] == [p.product_code for p in own]
    assert sorted(p.image for p in shown) == sorted(p.image for p in own)
    most = max(images.count(image) for image in images)
    unavoidable = max(0, 2 * most - len(images))
    assert sum(a.image == b.image for a, b in zip(own, shown, strict=True)) == unavoidable
    assert shuffle_pictures(own, seed) == shown


def test_pictures_of_the_own_group_are_avoided() -> None:
    own = make_products(list(range(9)))
    shown = shuffle_pictures(own, 0, groups=list("aaabbbccc"))
    assert all(int(a.image.stem) // 3 != int(b.image.stem) // 3 for a, b in zip(own, shown, strict=True))


def test_another_seed_gives_another_order() -> None:
    own = make_products(list(range(20)))
    assert shuffle_pictures(own, 0) != shuffle_pictures(own, 1)


def test_only_the_picture_changes() -> None:
    own = [Product(f"P{i}", {"title": f"t{i}"}, Path(f"{i}.png"), group=f"g{i}", question=f"q{i}") for i in range(5)]
    for before, after in zip(own, shuffle_pictures(own, 3), strict=True):
        assert before.image != after.image
        assert (before.product_code, before.values, before.group, before.question) == (
            *(after.product_code, after.values, after.group, after.question),
        )


@pytest.mark.parametrize("images", [[], [0]])
def test_fewer_than_two_products_are_refused(images: list[int]) -> None:
    with pytest.raises(EtalageError, match=f"found {len(images)} product.*at least 2"):
        shuffle_pictures(make_products(images), 0)


def test_a_blank_picture_keeps_only_the_size() -> None:
    grey = blank_picture(Image.effect_noise((30, 50), 90).convert("RGB"))
    assert (grey.size, grey.mode) == ((30, 50), "RGB")
    assert grey.getextrema() == ((128, 128),) * 3
