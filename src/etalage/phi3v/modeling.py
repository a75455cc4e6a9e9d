"""Phi-3-vision: image embedding -> Phi-3 decoder -> head.

Letters: B rows, T tokens, K positions that are read, V vocabulary, N images, C crop slots, U used crops, S side of a
crop in pixels, G side of a crop's grid after the 2x2 merge, D tower width, H decoder width, P image tokens of a batch.
"""

import os
import re
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn
from transformers import Phi3Model
from transformers import initialization as init
from transformers.cache_utils import Cache
from transformers.modeling_outputs import BaseModelOutputWithPast, CausalLMOutputWithPast
from transformers.models.phi3.modeling_phi3 import Phi3DecoderLayer, Phi3PreTrainedModel
from transformers.utils import can_return_tuple

from etalage.phi3v.attention import PACKED
from etalage.phi3v.cache_name import CACHE_NAME, cache_in
from etalage.phi3v.configuration import Phi3VConfig
from etalage.phi3v.generation import Phi3VGenerationMixin
from etalage.phi3v.image_embedding import Phi3VImageEmbedding
from etalage.phi3v.image_plan import ImagePlan, plan_images
from etalage.phi3v.private_api import attn_implementation
from etalage.phi3v.safetensors_only import HUB_KEYS, refuse_pickles

__all__ = ["Phi3VForCausalLM", "Phi3VLastDecoderLayer", "Phi3VModel"]

# The hub's files name `</s>` (2) as the end, which the checkpoints never write: they end turns with <|end|> (32007)
# or <|endoftext|> (32000), and <|assistant|> (32001) can only start a turn that nobody asked for.
HUB_VOCAB_SIZE = 32064
HUB_END_IDS = [32000, 32001, 32007]


@dataclass
class Phi3VModelOutputWithPast(BaseModelOutputWithPast):
    """Outputs of the decoder."""

    image_hidden_states: Tensor | None = None
    """(P, H), what was written at the image positions, image by image; None without images."""


@dataclass
class Phi3VCausalLMOutputWithPast(CausalLMOutputWithPast):
    """Outputs of the whole model."""

    image_hidden_states: Tensor | None = None
    """(P, H), what was written at the image positions, image by image; None without images."""


class Phi3VLastDecoderLayer(Phi3DecoderLayer):
    """The last decoder layer, which can compute its output at some positions alone."""

    def forward(self, hidden_states: Tensor, *args: Any, kept_positions: Tensor | None = None, **kwargs: Any) -> Tensor:
        """Run the layer.

        Args:
            hidden_states: (B, T, H).
            args, kwargs: As in Phi3DecoderLayer.forward.
            kept_positions: (K,) int64, the positions whose output is read; None is all.

        Returns:
            (B, K, H), or (B, T, H) without kept_positions.
        """
        if kept_positions is None:
            return super().forward(hidden_states, *args, **kwargs)
        # Only attention needs all tokens, as keys and values; all else is computed at the kept ones.
        attended, _ = self.self_attn(hidden_states=self.input_layernorm(hidden_states), **kwargs)
        hidden_states = hidden_states[:, kept_positions] + self.resid_attn_dropout(attended[:, kept_positions])
        return hidden_states + self.resid_mlp_dropout(self.mlp(self.post_attention_layernorm(hidden_states)))


class Phi3VPreTrainedModel(Phi3PreTrainedModel):
    """The base class of both models."""

    config: Phi3VConfig
    config_class = Phi3VConfig
    input_modalities = ("image", "text")
    _no_split_modules: ClassVar[list[str]] = ["Phi3DecoderLayer", "Phi3VLastDecoderLayer", "Phi3VImageEmbedding"]
    # Saved by some tools: the embedding's alias and buffers of old transformers versions.
    _keys_to_ignore_on_load_unexpected: ClassVar[list[str]] = [
        r"vision_embed_tokens\.wte\.",
        r"embeddings\.position_ids$",
    ]

    @classmethod
    def is_spare_tensor(cls, name: str) -> bool:
        """Return whether a tensor of a checkpoint may be left out, because the model has or computes it elsewhere."""
        return any(re.search(pattern, name) for pattern in cls._keys_to_ignore_on_load_unexpected)

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if isinstance(module, Phi3VImageEmbedding):
            # The base class does not know these bare parameters. transformers' init leaves alone what was loaded.
            init.zeros_(module.glb_GN)
            init.zeros_(module.sub_GN)


class Phi3VModel(Phi3VPreTrainedModel, Phi3Model):
    """The decoder, with pictures written into its input embeddings."""

    def __init__(self, config: Phi3VConfig) -> None:
        super().__init__(config)
        # Training reads few positions of the last layer, whose MLP is two hundredths of the decoder's work.
        self.layers[-1] = Phi3VLastDecoderLayer(config, config.num_hidden_layers - 1)
        self.vision_embed_tokens = Phi3VImageEmbedding(config)
        self.post_init()

    @torch.compiler.disable
    def plan_images(
        self, input_ids: Tensor, pixel_values: Tensor | None, image_sizes: Tensor | None
    ) -> ImagePlan | None:
        """Plan the images of a batch on the CPU, which makes it and a GPU wait for each other.

        Args:
            input_ids, pixel_values, image_sizes: As in Phi3VForCausalLM.forward.

        Returns:
            The plan, on the device of input_ids; None if there are no images.

        Raises:
            ValueError: Pictures and image positions do not agree.
        """
        shape = None if pixel_values is None else pixel_values.shape
        sizes = {"crop_size": self.config.crop_size, "num_img_tokens": self.config.num_img_tokens}
        plan = plan_images(input_ids.cpu(), shape, image_sizes, **sizes)
        return plan and ImagePlan(*(t if t is None else t.to(input_ids.device) for t in plan))

    def embed(
        self,
        input_ids: Tensor,
        pixel_values: Tensor | None = None,
        image_sizes: Tensor | None = None,
        image_plan: ImagePlan | None = None,
        crop_features: Tensor | None = None,
    ) -> tuple[Tensor, Tensor | None]:
        """Embed tokens and pictures.

        Args:
            input_ids, pixel_values, image_sizes, image_plan, crop_features: As in Phi3VForCausalLM.forward.

        Returns:
            (B, T, H) embeddings, and (P, H) what was written at the image positions or None.

        Raises:
            ValueError: Pictures and image positions do not agree.
        """
        # A single new token while decoding is never an image position: skip the look-up, which waits for the GPU.
        if input_ids.shape[1] == 1 and pixel_values is None:
            return self.embed_tokens(input_ids), None
        plan = image_plan or self.plan_images(input_ids, pixel_values, image_sizes)
        if plan is None:
            return self.embed_tokens(input_ids), None
        # Image positions look up `<unk>` and are overwritten below. The caller's ids are never changed.
        embeds = self.embed_tokens(input_ids.clamp(min=0))
        crops = pixel_values if pixel_values is None or plan.used is None else pixel_values[plan.used]
        images = self.vision_embed_tokens(crops, plan.order, crop_features).to(embeds)
        return embeds.index_put((plan.rows, plan.columns), images), images

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        cache: Cache | None = None,
        inputs_embeds: Tensor | None = None,
        pixel_values: Tensor | None = None,
        image_sizes: Tensor | None = None,
        image_plan: ImagePlan | None = None,
        crop_features: Tensor | None = None,
        past_key_values: Cache | None = None,
        **kwargs: Any,
    ) -> Phi3VModelOutputWithPast:
        """Run the decoder.

        Args:
            input_ids, attention_mask, position_ids, cache, inputs_embeds: As in Phi3VForCausalLM.forward.
            pixel_values, image_sizes, image_plan, crop_features, past_key_values: Likewise.
            kwargs: Passed to Phi3Model and its layers.

        Returns:
            last_hidden_state: (B, T, H), and the fields of its class.

        Raises:
            ValueError: Pictures and image positions do not agree, both or neither of input_ids and inputs_embeds are
                given, or pictures come with inputs_embeds.
        """
        if (input_ids is None) == (inputs_embeds is None):
            raise ValueError("pass exactly one of input_ids and inputs_embeds")
        images = None
        if inputs_embeds is None:
            inputs_embeds, images = self.embed(input_ids, pixel_values, image_sizes, image_plan, crop_features)
        elif pixel_values is not None:
            raise ValueError("pixel_values need input_ids, whose negative ids place them; inputs_embeds have none")
        if position_ids is None and isinstance(attention_mask, Tensor) and attention_mask.ndim == 2:
            # Padding must not count: it would move a batch into the long rope regime that its rows are too short for.
            position_ids = (attention_mask.long().cumsum(-1) - 1).clamp(min=0)[:, -inputs_embeds.shape[1] :]
        if kwargs.get("cu_seq_lens_q") is not None and attn_implementation(self.config) == PACKED:
            # Packed attention reads no mask; this empty one keeps transformers from making one of (T, T).
            attention_mask = inputs_embeds.new_empty(1, 1, 0, 0)
        outputs = super().forward(
            attention_mask=attention_mask,
            position_ids=position_ids,
            inputs_embeds=inputs_embeds,
            **{CACHE_NAME: cache_in({"cache": cache, "past_key_values": past_key_values})},
            **kwargs,
        )
        return Phi3VModelOutputWithPast(**outputs, image_hidden_states=images)


class Phi3VForCausalLM(Phi3VPreTrainedModel, Phi3VGenerationMixin):
    """Phi-3-vision and Phi-3.5-vision: text and pictures in, text out.

    Loads and saves the hub's files as they are. The rope regime is chosen per forward call for the whole batch: long
    factors as soon as one position reaches original_max_position_embeddings. `generate` recomputes its cache there,
    so cached decoding equals decoding without a cache.

    Source: "Phi-3 Technical Report" (arXiv 2404.14219, section on Phi-3-Vision); the checkpoints' behaviour.
    """

    # As in transformers' Phi3ForCausalLM. Weights are tied only if the configuration says so, and the hub's do not.
    _tied_weights_keys: ClassVar[dict[str, str]] = {"lm_head.weight": "model.embed_tokens.weight"}
    _tp_plan: ClassVar[dict[str, str]] = {"lm_head": "colwise_gather_output"}
    _pp_plan: ClassVar[dict[str, tuple]] = {"lm_head": (["hidden_states"], ["logits"])}

    def __init__(self, config: Phi3VConfig) -> None:
        super().__init__(config)
        self.model = Phi3VModel(config)
        self.vocab_size = config.vocab_size
        self.lm_head = nn.Linear(config.hidden_size, config.vocab_size, bias=False)
        self.post_init()
        self._set_end_ids()

    @classmethod
    def from_pretrained(
        cls, pretrained_model_name_or_path: str | os.PathLike | None, *args: Any, **kwargs: Any
    ) -> Self:
        """Load a checkpoint from safetensors.

        Args:
            pretrained_model_name_or_path: A checkpoint's folder or hub id.
            args, kwargs: As in transformers.

        Raises:
            ValueError: use_safetensors is False, the checkpoint leads to pickled weights, or tensors are missing that
                transformers would draw at random. With ignore_mismatched_sizes it may draw them.
        """
        if kwargs.setdefault("use_safetensors", True) is False:
            raise ValueError("use_safetensors=False: pickled weights can run code when loaded; use safetensors")
        if pretrained_model_name_or_path is not None:
            hub = {key: kwargs[key] for key in HUB_KEYS if key in kwargs}
            refuse_pickles(pretrained_model_name_or_path, kwargs.get("variant"), **hub)
        wants_info, draws = kwargs.pop("output_loading_info", False), kwargs.get("ignore_mismatched_sizes", False)
        model, info = super().from_pretrained(pretrained_model_name_or_path, *args, output_loading_info=True, **kwargs)
        unused = tuple(f"{name}." for name in model.unused_modules)
        if not draws and (missing := sorted(name for name in info["missing_keys"] if not name.startswith(unused))):
            raise ValueError(
                f"{pretrained_model_name_or_path} lacks {len(missing)} of the model's tensors: "
                f"{', '.join(missing[:3])}{', ...' if len(missing) > 3 else ''}; give a complete checkpoint"
            )
        # Again, as loading has replaced the generation configuration.
        model._set_end_ids()
        loaded: Any = (model, info) if wants_info else model
        return loaded

    def _set_end_ids(self) -> None:
        generation = self.generation_config
        if self.config.vocab_size == HUB_VOCAB_SIZE and generation.eos_token_id in (None, 2, [2]):
            generation.eos_token_id = list(HUB_END_IDS)

    @property
    def unused_modules(self) -> list[str]:
        """Names of the modules that are stored and never run: freeze them, and leave them out of adapters."""
        tower = "model.vision_embed_tokens.img_processor.vision_model."
        layers = range(self.config.num_tower_layers, self.config.vision_config.num_hidden_layers)
        return [f"{tower}encoder.layers.{layer}" for layer in layers] + [f"{tower}post_layernorm"]

    @can_return_tuple
    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        cache: Cache | None = None,
        inputs_embeds: Tensor | None = None,
        pixel_values: Tensor | None = None,
        image_sizes: Tensor | None = None,
        image_plan: ImagePlan | None = None,
        crop_features: Tensor | None = None,
        labels: Tensor | None = None,
        use_cache: bool | None = None,
        logits_to_keep: int | Tensor = 0,
        past_key_values: Cache | None = None,
        **kwargs: Any,
    ) -> Phi3VCausalLMOutputWithPast:
        """Predict the next tokens.

        Args:
            input_ids: (B, T) int64; id -n is a position of image n of its row. Never changed.
            attention_mask: (B, T) or, with a cache, (B, past + T); 0 at padding, on either side.
            position_ids: (B, T) int64; counted along attention_mask by default.
            cache: Keys and values of the past tokens; grows in place.
            inputs_embeds: (B, T, H), instead of input_ids.
            pixel_values: (N, C, 3, S, S) of any float type, images of row 0, then of row 1 ...; or (U, 3, S, S), their
                used crops alone, one image after the other.
            image_sizes: (N, 2) int64, pixels after the HD transform, height first.
            image_plan: The batch's plan_images, on the device, if it is made already.
            crop_features: (U, (2G)^2, D), the tower's features of the used crops, instead of pixel_values; needs an
                image_plan.
            labels: (B, T) int64, negative where nothing is supervised, image positions included; shifted here.
            use_cache: By default the configuration's choice, and no cache in training or with labels: packed rows
                (attention_mask None, position_ids starting again at 0) are kept apart only without one.
            logits_to_keep: Last positions to predict, or their indices; 0 is all.
            past_key_values: The older name of `cache`.
            kwargs: num_items_in_batch makes the loss the sum divided by it; others go to the layers.

        Returns:
            logits: (B, T, V) in the weights' type; loss: scalar float32; and the fields of its class.

        Raises:
            ValueError: Pictures and image positions do not agree, or two caches are given.
        """
        if use_cache is None and (self.training or labels is not None):
            use_cache = False
        skips = isinstance(logits_to_keep, Tensor) and labels is None and not use_cache
        outputs = self.model(  # Its first parameters are ours, in the same order.
            *(input_ids, attention_mask, position_ids, cache, inputs_embeds),
            *(pixel_values, image_sizes, image_plan, crop_features, past_key_values),
            use_cache=use_cache,
            **({"kept_positions": logits_to_keep} if skips else {}),
            **kwargs,
        )
        hidden_states = outputs.last_hidden_state
        if not skips:
            kept = slice(-logits_to_keep, None) if isinstance(logits_to_keep, int) else logits_to_keep
            hidden_states = hidden_states[:, kept, :]
        return self._predict(hidden_states, outputs, labels, **kwargs)

    def _predict(
        self, hidden_states: Tensor, outputs: Phi3VModelOutputWithPast, labels: Tensor | None, **kwargs: Any
    ) -> Phi3VCausalLMOutputWithPast:
        """Apply the head to (B, K, H) hidden states, and compute the loss if there are labels."""
        logits, loss = self.lm_head(hidden_states), None
        if labels is not None:
            labels = labels.masked_fill(labels < 0, -100)  # Trainers copy input_ids, which name images by -1, -2 ...
            loss = self.loss_function(logits=logits, labels=labels, vocab_size=self.config.vocab_size, **kwargs)
        return Phi3VCausalLMOutputWithPast(
            loss=loss,
            logits=logits,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
            image_hidden_states=outputs.image_hidden_states,
            **{CACHE_NAME: outputs.get(CACHE_NAME)},
        )
