from pathlib import Path

import pytest

from etalage.config import TrainConfig
from etalage.recipes import default_recipe, sized, with_recipe


@pytest.mark.parametrize(
    ("num_products", "epochs", "num_augmentations"),
    [(0, 20, 4), (40, 20, 4), (312, 19, 4), (700, 8, 1), (50_000, 6, 1)],
)
def test_the_small_model_sees_few_products_often_and_in_many_augmentations(num_products, epochs, num_augmentations):
    config = sized(with_recipe(TrainConfig(Path("c"), Path("r"), recipe="full")), num_products)
    assert (config.epochs, config.num_augmentations) == (epochs, num_augmentations)


def test_numbers_that_were_set_stay(config):
    assert sized(config(epochs=3, num_augmentations=2), 40).epochs == 3
    large = with_recipe(TrainConfig(Path("c"), Path("r"), model="elsewhere"))
    assert sized(large, 40) == large


def test_each_recipe_has_its_own_learning_rate():
    def rate(**settings):
        return with_recipe(TrainConfig(Path("c"), Path("r"), **settings)).learning_rate

    assert rate(model="elsewhere", recipe="lora") == 2e-4
    assert rate(model="elsewhere", recipe="full") == 4e-5
    assert rate(model="small", recipe="lora") == 2e-3
    assert rate(model="small", recipe="full") == 5e-4


def test_only_the_small_model_is_trained_in_full_by_default():
    assert default_recipe("small") == "full"
    assert default_recipe("/a/checkpoint") == "lora"


def test_no_automatic_number_is_left():
    config = sized(TrainConfig(Path("c"), Path("r"), epochs="auto", num_augmentations="auto"), 100)
    assert isinstance(config.epochs, int)
    assert isinstance(config.num_augmentations, int)
