"""Phi-3-vision's configuration: the hub's flat config.json on disk, transformers' own parts in memory."""

from typing import Any, ClassVar

from huggingface_hub.dataclasses import strict
from transformers import CLIPVisionConfig, Phi3Config

__all__ = ["Phi3VConfig"]

# The only layout of images that the published checkpoints use, and the only one that is implemented.
EMBD_LAYER = {
    "embedding_cls": "image",
    "hd_transform_order": "sub_glb",
    "projection_cls": "mlp",
    "use_hd_transform": True,
    "with_learnable_separator": True,
}
IMG_PROCESSOR = {
    "name": "clip_vision_model",
    "model_name": "openai/clip-vit-large-patch14-336",
    "image_dim_out": 1024,
    "num_img_tokens": 144,
}
# The hub's config.json does not state the tower's sizes: the reference has them in its code.
CLIP_VIT_L14_336 = {
    "hidden_size": 1024,
    "intermediate_size": 4096,
    "num_hidden_layers": 24,
    "num_attention_heads": 16,
    "image_size": 336,
    "patch_size": 14,
    "num_channels": 3,
    "hidden_act": "quick_gelu",
    "layer_norm_eps": 1e-5,
    "projection_dim": 768,
}


@strict
class Phi3VConfig(Phi3Config):
    """The sizes of decoder and image tower.

    The file has exactly the hub's keys (`rope_scaling` of type "su", `img_processor`, `embd_layer`, `torch_dtype`).
    `rope_parameters` of type "longrope" for the decoder and `vision_config` for the tower are derived from them. Tower
    sizes other than CLIP ViT-L/14-336 are read from `img_processor["clip_config"]`.

    Raises:
        ValueError: A value is one that this implementation would have to ignore, or sizes do not fit together.

    Source: config.json of microsoft/Phi-3-vision-128k-instruct and microsoft/Phi-3.5-vision-instruct.
    """

    model_type = "phi3_v"
    sub_configs: ClassVar[dict[str, type]] = {"vision_config": CLIPVisionConfig}

    max_position_embeddings: int = 131072
    # As in the hub's files, although no checkpoint ends a turn so; see HUB_END_IDS in modeling.py.
    eos_token_id: int | list[int] | None = 2
    embd_layer: dict | None = None
    img_processor: dict | None = None

    def __post_init__(self, **kwargs: Any) -> None:
        self.embd_layer = dict(EMBD_LAYER if self.embd_layer is None else self.embd_layer)
        self.img_processor = dict(IMG_PROCESSOR if self.img_processor is None else self.img_processor)
        # img_processor is the only source of the tower's sizes, so two cannot contradict each other.
        kwargs.pop("vision_config", None)
        self.vision_config = CLIPVisionConfig(**CLIP_VIT_L14_336 | self.img_processor.get("clip_config", {}))
        self._check_images()
        # The hub's config.json asks for flash attention, which may not be installed, and points to remote code.
        kwargs.pop("_attn_implementation", None)
        kwargs.pop("auto_map", None)
        # The name of a file to load weights from, whatever its format.
        kwargs.pop("transformers_weights", None)
        super().__post_init__(**kwargs)

    def _check_images(self) -> None:
        tower, img_processor, embd_layer = self.vision_config, self.img_processor, self.embd_layer
        assert img_processor is not None
        assert embd_layer is not None
        for key, value in EMBD_LAYER.items():
            if embd_layer.get(key, value) != value:
                raise ValueError(f"embd_layer.{key} is {embd_layer[key]!r}; only {value!r} is supported")
        if tower.image_size % (2 * tower.patch_size):
            raise ValueError(
                f"img_processor.clip_config: image_size {tower.image_size} is not a multiple of twice "
                f"patch_size {tower.patch_size}, so its patches cannot be merged 2x2"
            )
        derived = {"num_img_tokens": self.num_img_tokens, "image_dim_out": tower.hidden_size, "type_feature": "patch"}
        for key, value in derived.items():
            if img_processor.get(key, value) != value:
                raise ValueError(f"img_processor.{key} is {img_processor[key]!r}; the tower gives {value!r}")
        if not 0 < self.num_tower_layers <= tower.num_hidden_layers:
            raise ValueError(
                f"img_processor.layer_idx {img_processor['layer_idx']} names no layer of {tower.num_hidden_layers}; "
                "give a negative index of the hidden states, -2 on the hub"
            )

    @property
    def crop_size(self) -> int:
        """The side of one crop, in pixels."""
        return self.vision_config.image_size

    @property
    def num_img_tokens(self) -> int:
        """The number of tokens of one crop: its patches, merged 2x2."""
        return (self.vision_config.image_size // self.vision_config.patch_size // 2) ** 2

    @property
    def num_tower_layers(self) -> int:
        """The number of tower layers that the features pass; later ones are stored but never run."""
        # There is one hidden state more than layers, the embeddings. So -2 leaves out one layer, not two.
        return self.vision_config.num_hidden_layers + 1 + (self.img_processor or {}).get("layer_idx", -2)

    def convert_rope_params_to_dict(self, **kwargs: Any) -> dict[str, Any]:
        """Map the hub's `rope_scaling` of type "su" to transformers' "longrope".

        Args:
            kwargs: The base class passes the keys of config.json.

        Raises:
            ValueError: rope_scaling has another type.
        """
        scaling = kwargs.pop("rope_scaling", None) or self.rope_parameters or {}
        kind = scaling.get("rope_type", scaling.get("type", "default"))
        if kind not in ("su", "longrope", "default"):
            raise ValueError(f"rope_scaling.type is {kind!r}; only 'su' (also called 'longrope') is supported")
        scaling = {key: value for key, value in scaling.items() if key != "type"}
        scaling["rope_type"] = "default" if kind == "default" else "longrope"
        return super().convert_rope_params_to_dict(rope_scaling=scaling, **kwargs)

    def standardize_rope_params(self) -> None:
        """Update the extension factor from the two lengths, which may be changed after construction."""
        super().standardize_rope_params()
        if self.rope_parameters["rope_type"] == "longrope":
            # transformers scales cos and sin by sqrt(1 + ln(factor) / ln(original length)), in both regimes.
            self.rope_parameters["factor"] = max(
                1.0, self.max_position_embeddings / self.original_max_position_embeddings
            )

    def to_dict(self) -> dict[str, Any]:
        """Return the hub's keys, from which an equal configuration can be made."""
        output = super().to_dict()
        output.pop("vision_config", None)
        rope = output.pop("rope_parameters")
        output["rope_theta"] = rope["rope_theta"]
        output["rope_scaling"] = None
        if rope["rope_type"] == "longrope":
            # The hub's code knows these three keys alone, and refuses the name longrope.
            output["rope_scaling"] = {"type": "su"} | {key: rope[key] for key in ("short_factor", "long_factor")}
        return output

    def to_diff_dict(self) -> dict[str, Any]:
        """Return the content of config.json."""
        output = super().to_diff_dict()
        # The hub's name; transformers 5 calls it dtype.
        output["torch_dtype"] = output.pop("dtype", None)
        return output
