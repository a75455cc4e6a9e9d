"""Clothes are shown on hangers and dress forms that fit them."""

import pytest

from etalage.sample.appearance import CUTS
from etalage.sample.silhouettes import Sketch, sketch_product
from etalage.sample.silhouettes.holders import put_on_dress_form, put_on_hanger
from etalage.sample.silhouettes.transforms import bounds

CLOTHES = [(style, cut) for style, cuts in CUTS.items() for cut in cuts if sketch_product(style, cut, "flat").hanger]


def flat(style: str, cut: str) -> Sketch:
    return sketch_product(style, cut, "flat")


def test_ten_styles_are_clothes() -> None:
    assert len({style for style, _ in CLOTHES}) == 10


@pytest.mark.parametrize(("style", "cut"), CLOTHES)
def test_hangers_add_a_hook_above_and_leave_the_fabric(style: str, cut: str) -> None:
    product = flat(style, cut)
    assert product.hanger is not None
    hung = put_on_hanger(product, product.hanger)
    assert (hung.fabric, hung.raised, hung.seams) == (product.fabric, product.raised, product.seams)
    hook = next(item for item in hung.back if item.paint == "steel" and item not in product.back)
    assert bounds(hook.path)[1] < product.hanger.top - 20
    has_clips = len(hung.front) > len(product.front)
    assert has_clips == product.hanger.at_waist


@pytest.mark.parametrize(("style", "cut"), CLOTHES)
def test_dress_forms_stand_below_the_hem(style: str, cut: str) -> None:
    product = flat(style, cut)
    assert product.hanger is not None
    worn = put_on_dress_form(product, product.hanger)
    assert worn.fabric == product.fabric
    assert worn.front == product.front
    added = [item for item in worn.back if item not in product.back]
    assert {"wood", "linen"} <= {item.paint for item in added}
    assert max(bounds(item.path)[3] for item in added) >= product.hanger.hem + 30


def test_only_short_hems_show_the_hips() -> None:
    def num_linen(cut: str) -> int:
        product = flat("trench coat", cut)
        assert product.hanger is not None
        return sum(item.paint == "linen" for item in put_on_dress_form(product, product.hanger).back)

    assert (num_linen("short"), num_linen("long")) == (2, 1)
