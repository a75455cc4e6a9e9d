"""What the controls show."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from etalage.evaluate.controls import blank, shuffled
from etalage.task import Product


def products(images: list[int]) -> list[Product]:
    return [Product(f"P{i}", {}, Path(f"{image}.png")) for i, image in enumerate(images)]


@settings(deadline=None)  # a busy machine is no failure
@given(st.lists(st.integers(0, 6), min_size=2, max_size=40), st.integers(0, 5))
def test_each_product_is_shown_another_picture_and_each_picture_once(images: list[int], seed: int) -> None:
    own = products(images)
    shown = shuffled(own, seed)
    assert [p.product_code for p in shown] == [p.product_code for p in own]
    assert sorted(p.image for p in shown) == sorted(p.image for p in own)
    most = max(images.count(image) for image in images)
    unavoidable = max(0, 2 * most - len(images))
    assert sum(a.image == b.image for a, b in zip(own, shown, strict=True)) == unavoidable
    assert shuffled(own, seed) == shown


def test_pictures_of_the_own_group_are_avoided() -> None:
    own = products(list(range(9)))
    shown = shuffled(own, 0, groups=list("aaabbbccc"))
    assert all(int(a.image.stem) // 3 != int(b.image.stem) // 3 for a, b in zip(own, shown, strict=True))


def test_one_product_has_no_other() -> None:
    with pytest.raises(ValueError, match="at least 2"):
        shuffled(products([0]), 0)


def test_blank_keeps_the_size_alone() -> None:
    grey = blank(Image.effect_noise((30, 50), 90).convert("RGB"))
    assert (grey.size, grey.mode) == ((30, 50), "RGB")
    assert grey.getextrema() == ((128, 128),) * 3
