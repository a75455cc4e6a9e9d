from pathlib import Path

import pytest

from etalage.config import TrainConfig
from etalage.recipes import sized, with_recipe


@pytest.mark.parametrize(
    ("num_products", "epochs", "num_augmentations"),
    [(0, 20, 4), (40, 20, 4), (312, 19, 4), (700, 8, 1), (50_000, 6, 1)],
)
def test_the_small_model_sees_few_products_often_and_in_many_views(num_products, epochs, num_augmentations):
    config = sized(with_recipe(TrainConfig(Path("c"), Path("r"), recipe="full")), num_products)
    assert (config.epochs, config.num_augmentations) == (epochs, num_augmentations)


def test_what_was_asked_for_stays(config):
    assert sized(config(epochs=3, num_augmentations=2), 40).epochs == 3
    large = with_recipe(TrainConfig(Path("c"), Path("r"), model="elsewhere"))
    assert sized(large, 40) == large
