"""The floating-point operations that a step needs: those of its matmuls, each counted once."""

from collections.abc import Collection, Sequence

from etalage.config import Part
from etalage.phi3v.configuration import Phi3VConfig

__all__ = ["step_flops"]


def step_flops(
    config: Phi3VConfig,
    lengths: Sequence[int],
    num_crops: int,
    num_encoded_crops: int,
    num_supervised: int,
    *,
    trained: Collection[Part],
    full: bool,
) -> float:
    """Return the floating-point operations of one step, forward and backward.

    A multiplication and an addition count as two. Not counted: adapters, element-wise work, the masked half of causal
    attention, the last layer's feed-forward at tokens that the head does not read, and recomputed activations.

    Args:
        config: The model's configuration.
        lengths: Tokens of each example.
        num_crops: Crops of all pictures, global views included.
        num_encoded_crops: Crops that the tower had to encode; the features of the others were cached.
        num_supervised: Tokens that the head reads.
        trained: The parts that are trained. Gradients pass through the decoder in any case, and through the projector
            where the tower is trained.
        full: Whether the weights themselves are trained, not adapters. Each then needs a matmul for its own gradient.
    """
    head_dim = config.hidden_size // config.num_attention_heads
    qkv_width = (config.num_attention_heads + 2 * config.num_key_value_heads) * head_dim
    width, depth = config.hidden_size, config.num_hidden_layers
    feed_forward = 3 * width * config.intermediate_size
    decoder = depth * (width * qkv_width + width * width + feed_forward)
    tower, side = config.vision_config, config.crop_size // config.vision_config.patch_size
    num_patches = side * side + 1
    tower_layer = 4 * tower.hidden_size**2 + 2 * tower.hidden_size * tower.intermediate_size
    tower_weights = config.num_tower_layers * tower_layer
    # Its input is four patches, merged to one token.
    projector = 4 * tower.hidden_size * width + width * width
    trains_tower = "tower" in trained

    def matmul_flops(num_weights: float, part: Part, *, needs_input_grad: bool) -> float:
        """For one token: forward, the gradient of the input, and the gradient of the weights, as far as needed."""
        return 2 * num_weights * (1 + needs_input_grad + (full and part in trained))

    num_tokens = sum(lengths)
    # Scores and values are 4 * width * length**2 operations, of which the causal mask needs half; backward takes twice
    # as many as forward. Crops have no mask.
    decoder_attention = 3 * depth * width * sum(2 * length**2 for length in lengths)
    crop_attention = 4 * config.num_tower_layers * tower.hidden_size * num_patches**2 * (3 if trains_tower else 1)
    crop_matmuls = matmul_flops(tower_weights * num_patches, "tower", needs_input_grad=trains_tower)
    num_unread = num_tokens - num_supervised  # which the last layer's feed-forward skips
    return (
        matmul_flops(decoder, "decoder", needs_input_grad=True) * num_tokens
        - matmul_flops(feed_forward, "decoder", needs_input_grad=True) * num_unread
        + matmul_flops(width * config.vocab_size, "decoder", needs_input_grad=True) * num_supervised
        + matmul_flops(projector, "projector", needs_input_grad=trains_tower) * num_crops * config.num_img_tokens
        + (crop_matmuls + crop_attention) * num_encoded_crops
        + decoder_attention
    )
