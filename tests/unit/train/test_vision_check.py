import pytest
import torch

from etalage.data.dataset import Examples
from etalage.errors import EtalageError
from etalage.train.vision_check import assert_uses_image


def test_a_model_that_uses_its_picture_passes_and_keeps_its_mode(small, task, products, open_image):
    model, processor = small
    model.train()
    assert assert_uses_image(model, Examples(products, task, processor, open_image)) > 1e-3
    assert model.training


def test_a_model_with_a_zero_projector_is_refused(small, task, products, open_image):
    model, processor = small
    with torch.no_grad():
        model.model.vision_embed_tokens.img_projection[2].weight.zero_()
    with pytest.raises(ValueError, match="does not see: product P00"):
        assert_uses_image(model, Examples(products, task, processor, open_image))


def test_a_model_with_weights_that_are_not_finite_is_refused(small, task, products, open_image):
    model, processor = small
    with torch.no_grad():
        model.model.vision_embed_tokens.img_projection[2].weight.fill_(float("nan"))
    with pytest.raises(EtalageError, match=r"does not see: product P00 .* finite and not zero"):
        assert_uses_image(model, Examples(products, task, processor, open_image))


def test_one_product_is_enough(small, task, products, open_image):
    assert assert_uses_image(small[0], Examples(products[:1], task, small[1], open_image)) > 1e-3
