"""Crops to image tokens: CLIP tower -> 2x2 merge -> separators -> projector.

Letters: U used crops, S side of a crop in pixels, G side of a crop's grid after the 2x2 merge, D tower width, H decoder
width, P image tokens of the whole batch.
"""

import torch
from torch import Tensor, nn
from transformers import CLIPVisionModel

from etalage.phi3v.configuration import Phi3VConfig

__all__ = ["Phi3VImageEmbedding", "find_image_embedding"]


class Phi3VImageEmbedding(nn.Module):
    """Tower and projector, under the hub's tensor names.

    Args:
        config: Their sizes.
    """

    patch_dropout = 0.0
    """Share of the patches that the projector does not see in training mode; the reference hides none."""

    def __init__(self, config: Phi3VConfig) -> None:
        super().__init__()
        width = 4 * config.vision_config.hidden_size
        self.num_tower_layers = config.num_tower_layers
        self.img_processor = nn.ModuleDict({"vision_model": CLIPVisionModel(config.vision_config)})
        # In the shapes in which the hub stores them.
        self.glb_GN = nn.Parameter(torch.zeros(1, 1, width))
        self.sub_GN = nn.Parameter(torch.zeros(1, 1, 1, width))
        # GELU is the exact one, as in the reference: the approximation by tanh would change the logits.
        self.img_projection = nn.Sequential(
            nn.Linear(width, config.hidden_size), nn.GELU(), nn.Linear(config.hidden_size, config.hidden_size)
        )

    def tower_features(self, crops: Tensor) -> Tensor:
        """Encode crops by the tower's layers up to the feature layer; later ones are skipped, as nothing reads them.

        Args:
            crops: (U, 3, S, S), any float type.

        Returns:
            (U, (2G)^2, D), patches row by row, without the class token.
        """
        tower = self.img_processor["vision_model"]
        embedded = tower.embeddings(crops)
        # In the weights' type: under autocast a norm's output is float32, and so would be all that is added to it.
        hidden = tower.pre_layrnorm(embedded).to(tower.pre_layrnorm.weight.dtype)
        for layer in tower.encoder.layers[: self.num_tower_layers]:
            hidden = layer(hidden, None)
        return hidden[:, 1:]

    def forward(self, crops: Tensor | None, order: Tensor, features: Tensor | None = None) -> Tensor:
        """Embed the image tokens of a batch.

        Args:
            crops: (U, 3, S, S), any float type, the pictures one after the other; not read if features are given.
            order: (P,) int64, see ImagePlan.
            features: (U, (2G)^2, D), the tower's features of the crops, if they are known.

        Returns:
            (P, H), in the projector's type.
        """
        if features is None:
            assert crops is not None, "pass crops or features"
            features = self.tower_features(crops)
        features = nn.functional.dropout1d(features, self.patch_dropout, self.training)
        side = int(features.shape[1] ** 0.5) // 2
        # A cell is its four patches in reading order, top left first, each with all of its channels.
        cells = features.unflatten(1, (side, 2, side, 2)).transpose(2, 3).flatten(3)  # (U, G, G, 4D)
        separators = torch.stack([self.sub_GN.flatten(), self.glb_GN.flatten()])
        # Separators are projected once, however many rows of a picture they end.
        projected = self.img_projection(torch.cat([cells.flatten(0, 2), separators.to(cells.dtype)]))
        # By embedding(), not by an index: on a CPU the order in which the gradient of indexing adds up is random.
        # The separators, which order counts from the end, become rows that embedding() can look up.
        return nn.functional.embedding(order % len(projected), projected)


def find_image_embedding(model: nn.Module) -> Phi3VImageEmbedding:
    """Return the image embedding of a Phi-3-Vision model.

    Args:
        model: The model itself, or one that wraps it, such as PEFT's.
    """
    return next(module for module in model.modules() if isinstance(module, Phi3VImageEmbedding))
