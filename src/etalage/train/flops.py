"""What a step must compute at least: the operations of its matrix products, each counted once."""

from collections.abc import Collection, Sequence

from etalage.config import Part
from etalage.phi3v.configuration import Phi3VConfig

__all__ = ["step_flops"]


def step_flops(
    config: Phi3VConfig,
    lengths: Sequence[int],
    num_crops: int,
    num_crops_read: int,
    num_supervised: int,
    *,
    trained: Collection[Part],
    full: bool,
) -> float:
    """Floating-point operations of one step, forward and backward.

    A multiplication and an addition count as two. Left out: adapters, element-wise work, the halves of causal attention
    that nobody sees, what the last layer would make of tokens that nobody reads, and what is computed twice to save
    memory.

    Args:
        lengths: Tokens of each example.
        num_crops: Crops of all pictures, global views counted.
        num_crops_read: Of these, how many the tower had to read; the others' features were known.
        num_supervised: Tokens that the head reads.
        trained: Parts that learn. Gradients pass through the decoder in any case, through the projector where the
            tower learns.
        full: Weights learn, not adapters: each then has a product for its own gradient.
    """
    heads = config.hidden_size // config.num_attention_heads
    fused = (config.num_attention_heads + 2 * config.num_key_value_heads) * heads
    width, depth = config.hidden_size, config.num_hidden_layers
    feed_forward = 3 * width * config.intermediate_size
    decoder = depth * (width * fused + width * width + feed_forward)
    tower, side = config.vision_config, config.crop_size // config.vision_config.patch_size
    patches = side * side + 1
    per_crop = config.num_tower_layers * (4 * tower.hidden_size**2 + 2 * tower.hidden_size * tower.intermediate_size)
    projector = 4 * tower.hidden_size * width + width * width

    def products(weights: float, part: Part, *, reached: bool) -> float:
        """Forward; for the gradient of the input, if it is wanted; for that of the weights."""
        return 2 * weights * (1 + reached + (full and part in trained))

    attention = 3 * depth * width * sum(2 * length**2 for length in lengths)
    seen = 4 * config.num_tower_layers * tower.hidden_size * patches**2 * (3 if "tower" in trained else 1)
    return (
        products(decoder, "decoder", reached=True) * sum(lengths)
        - products(feed_forward, "decoder", reached=True) * (sum(lengths) - num_supervised)  # of the last layer
        + products(width * config.vocab_size, "decoder", reached=True) * num_supervised
        + products(projector, "projector", reached="tower" in trained) * num_crops * config.num_img_tokens
        + (products(per_crop * patches, "tower", reached="tower" in trained) + seen) * num_crops_read
        + attention
    )
