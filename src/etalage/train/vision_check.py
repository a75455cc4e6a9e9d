"""Does the model see? One example shown twice, the second time with another picture, before any step is taken."""

import torch
from PIL import Image, ImageOps

from etalage.data.dataset import Examples
from etalage.data.packing import collate
from etalage.errors import EtalageError

__all__ = ["assert_uses_image"]

_LEAST_CHANGE = 1e-4
"""Of the logits' own spread. A blind model shows 0, rounding on a GPU about 1e-6, fresh weights 1e-2 and more."""


@torch.no_grad()
def assert_uses_image(model: torch.nn.Module, examples: Examples) -> float:
    """Refuse to train a model whose answer does not depend on the picture.

    The second picture is brought to the first one's size, so that both prompts have the same ids: what changes in the
    logits can only come from the pixels.

    Returns:
        Greatest change of a logit on the answer's positions, in standard deviations of the logits.
    Raises:
        EtalageError: nothing changed.
    """
    product = examples.products[0]
    picture = examples.open_image(product)
    other = next((p for p in examples.products if p.image != product.image), None)
    another = examples.open_image(other).resize(picture.size) if other else ImageOps.invert(picture)
    if another.tobytes() == picture.tobytes():
        another = ImageOps.invert(picture)

    def logits(shown: Image.Image) -> torch.Tensor:
        encoded = examples.encode(product, shown)
        inputs = collate([encoded]).inputs(examples.processor.image_processor, next(model.parameters()).device)
        return model(**inputs, logits_to_keep=encoded.num_supervised + 1, use_cache=False).logits.float()

    was_training = model.training
    model.eval()
    first, second = logits(picture), logits(another)
    model.train(was_training)
    change = float((first - second).abs().max() / first.std())
    if change < _LEAST_CHANGE:
        raise EtalageError(
            f"the model does not see: product {product.product_code} with its own picture {product.image.name} and "
            f"with another one gives the same logits (greatest change {change:.1e} standard deviations). Training "
            "would only teach it the catalogue's averages. Check that the checkpoint holds the weights of tower and "
            "projector (model.vision_embed_tokens.*) and that they are finite and not zero"
        )
    return change
