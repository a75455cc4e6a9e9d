import random

import pytest
from PIL import Image, ImageChops, ImageDraw, ImageStat

from etalage.data.augmentation import augment


@pytest.fixture(scope="module")
def picture():
    picture = Image.new("RGB", (120, 90), "white")
    ImageDraw.Draw(picture).polygon([(30, 20), (90, 45), (30, 70)], fill=(200, 40, 60))
    return picture


def test_an_augmentation_keeps_size_colour_and_white_edges(picture):
    for number in range(40):
        augmented = augment(picture, number)
        assert augmented.size == picture.size
        assert all(min(augmented.getpixel(corner)) > 200 for corner in [(0, 0), (119, 0), (0, 89), (119, 89)])
        product = ImageChops.invert(augmented.convert("L")).point(lambda darkness: 255 if darkness > 90 else 0)
        red, green, blue = ImageStat.Stat(augmented, product).mean
        assert red > 2 * green
        assert red > 2 * blue


def test_augmentations_differ_and_some_are_mirrored(picture):
    augmented = [augment(picture, number) for number in range(20)]
    assert augmented[0] is picture
    assert len({one.tobytes() for one in [*augmented, augment(picture, 3, seed=1)]}) == 21
    assert augmented[3].tobytes() == augment(picture, 3).tobytes()
    halves = [[ImageStat.Stat(one.crop((x, 0, x + 60, 90))).sum[1] for x in (0, 60)] for one in augmented]
    assert 4 < sum(left < right for left, right in halves) < 16


def test_the_global_random_state_is_not_used(picture):
    random.seed(5)
    expected = random.random()
    random.seed(5)
    augment(picture, 7)
    assert random.random() == expected
