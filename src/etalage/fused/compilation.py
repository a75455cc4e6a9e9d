"""Compile the layers that are not fused."""

from torch import nn
from transformers.modeling_layers import GradientCheckpointingLayer

from etalage.fused.decoder_layer import FusedDecoderLayer
from etalage.fused.linear import is_unfused_dora
from etalage.fused.vision_layer import FusedVisionLayer

__all__ = ["compile_layers"]


def compile_layers(model: nn.Module) -> None:
    """Compile the layers of tower and decoder in place: once for all layers of a kind and for rows of any length.

    Skip fused layers, and layers whose adapters would break the graph.

    Args:
        model: Prepared by `make_trainable`.
    """
    for module in model.modules():
        is_fused = isinstance(module, FusedDecoderLayer | FusedVisionLayer)
        is_layer = isinstance(module, GradientCheckpointingLayer)
        if is_layer and not is_fused and not any(map(is_unfused_dora, module.modules())):
            # Packed rows differ in length, and fixed shapes would be compiled anew for each length.
            module.compile(dynamic=True)
