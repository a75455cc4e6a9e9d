"""Does the model use its picture? One example is shown twice, the second time with another picture, before training."""

import torch
from PIL import Image, ImageOps

from etalage.data.dataset import Examples
from etalage.data.packing import collate
from etalage.errors import EtalageError

__all__ = ["assert_uses_image"]

_MIN_CHANGE = 1e-4
"""In standard deviations of the logits. A blind model shows 0, rounding on a GPU 1e-6, fresh weights 1e-2 and more."""


@torch.no_grad()
def assert_uses_image(model: torch.nn.Module, examples: Examples) -> float:
    """Refuse to train a model whose answer does not depend on the picture.

    The second picture is resized to the first one's size, so that both prompts have the same ids. Only the pixels can
    then change the logits.

    Args:
        model: On its device; left in the mode that it is in.
        examples: At least one; the first is shown, with the picture of the next one that has another.

    Returns:
        The largest change of a logit at the answer's positions, in standard deviations of the logits.

    Raises:
        EtalageError: Nothing changed.
    """
    product = examples.products[0]
    picture = examples.open_image(product)
    other = next((p for p in examples.products if p.image != product.image), None)
    replacement = examples.open_image(other).resize(picture.size) if other else ImageOps.invert(picture)
    # The next product may have a copy of the same picture.
    if replacement.tobytes() == picture.tobytes():
        replacement = ImageOps.invert(picture)

    def logits(shown: Image.Image) -> torch.Tensor:
        encoded = examples.encode(product, shown)
        inputs = collate([encoded]).inputs(examples.processor.image_processor, next(model.parameters()).device)
        return model(**inputs, logits_to_keep=encoded.num_supervised + 1, use_cache=False).logits.float()

    # Dropout and hidden patches would change the logits without any picture.
    was_training = model.training
    model.eval()
    original, replaced = logits(picture), logits(replacement)
    model.train(was_training)
    change = float((original - replaced).abs().max() / original.std())
    if not change >= _MIN_CHANGE:  # true of NaN, too
        raise EtalageError(
            f"the model does not see: product {product.product_code} with its own picture {product.image.name} and "
            f"with another one gives the same logits (largest change {change:.1e} standard deviations). Training "
            "would only teach it the catalogue's averages. Check that the checkpoint holds the weights of tower and "
            "projector (model.vision_embed_tokens.*) and that they are finite and not zero"
        )
    return change
