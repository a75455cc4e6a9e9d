"""Phi-3-vision: CLIP tower -> 2x2 merge -> separators -> projector -> Phi-3 decoder.

Letters: B rows, T tokens, V vocabulary, N images, C crop slots, U used crops, S side of a crop in pixels, G side of a
crop's grid after the 2x2 merge, D tower width, H decoder width, P image tokens of the whole batch.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn
from transformers import CLIPVisionModel, GenerationMixin, Phi3Model
from transformers import initialization as init
from transformers.cache_utils import Cache
from transformers.generation import LogitsProcessorList, StoppingCriteriaList
from transformers.modeling_outputs import BaseModelOutputWithPast, CausalLMOutputWithPast
from transformers.models.phi3.modeling_phi3 import Phi3DecoderLayer, Phi3PreTrainedModel
from transformers.utils import can_return_tuple

from etalage.phi3v.attention import PACKED
from etalage.phi3v.cache_name import CACHE_NAME, cache_in
from etalage.phi3v.configuration import Phi3VConfig
from etalage.phi3v.image_plan import ImagePlan, plan_images

# The hub's files name `</s>` (2) as the end, which the checkpoints never write: they end turns with <|end|> (32007)
# or <|endoftext|> (32000), and <|assistant|> (32001) can only start a turn that nobody asked for.
HUB_VOCAB_SIZE = 32064
HUB_END_IDS = [32000, 32001, 32007]


@dataclass
class Phi3VModelOutputWithPast(BaseModelOutputWithPast):
    """image_hidden_states: (P, H), what was written at the image positions, image by image; None without images."""

    image_hidden_states: Tensor | None = None


@dataclass
class Phi3VCausalLMOutputWithPast(CausalLMOutputWithPast):
    """image_hidden_states: (P, H), what was written at the image positions, image by image; None without images."""

    image_hidden_states: Tensor | None = None


class Phi3VImageEmbedding(nn.Module):
    """Tower and projector, under the hub's tensor names."""

    patch_dropout = 0.0
    """Share of the patches that the projector does not get to see in training mode; the reference hides none."""

    def __init__(self, config: Phi3VConfig) -> None:
        super().__init__()
        width = 4 * config.vision_config.hidden_size
        self.num_tower_layers = config.num_tower_layers
        self.img_processor = nn.ModuleDict({"vision_model": CLIPVisionModel(config.vision_config)})
        self.glb_GN = nn.Parameter(torch.zeros(1, 1, width))
        self.sub_GN = nn.Parameter(torch.zeros(1, 1, 1, width))
        self.img_projection = nn.Sequential(
            nn.Linear(width, config.hidden_size), nn.GELU(), nn.Linear(config.hidden_size, config.hidden_size)
        )

    def tower_features(self, crops: Tensor) -> Tensor:
        """Encode crops. The layers behind the feature layer and post_layernorm are skipped: nothing reads them.

        Args:
            crops: (U, 3, S, S), any float type.
        Returns:
            (U, (2G)^2, D), patches row by row, without the class token.
        """
        tower = self.img_processor["vision_model"]
        embedded = tower.embeddings(crops)
        # as wide as the weights: with autocast a norm's output is wider, and so would be all that is added to it
        hidden = tower.pre_layrnorm(embedded).to(tower.pre_layrnorm.weight.dtype)
        for layer in tower.encoder.layers[: self.num_tower_layers]:
            hidden = layer(hidden, None)
        return hidden[:, 1:]

    def forward(self, crops: Tensor | None, order: Tensor, features: Tensor | None = None) -> Tensor:
        """Embed the image tokens of a batch.

        Args:
            crops: (U, 3, S, S), any float type; pictures one after the other.
            order: (P,) int64, see ImagePlan.
            features: (U, (2G)^2, D), what the tower says of the crops, if that is known.
        Returns:
            (P, H), in the projector's type.
        """
        if features is None:
            assert crops is not None, "one or the other"
            features = self.tower_features(crops)
        features = nn.functional.dropout1d(features, self.patch_dropout, self.training)
        side = int(features.shape[1] ** 0.5) // 2
        cells = features.unflatten(1, (side, 2, side, 2)).transpose(2, 3).flatten(3)  # (U, G, G, 4D)
        separators = torch.stack([self.sub_GN.flatten(), self.glb_GN.flatten()])
        # A separator is projected once, however many rows it ends.
        projected = self.img_projection(torch.cat([cells.flatten(0, 2), separators.to(cells.dtype)]))
        # Looked up, not indexed: on a CPU the gradient of indexing adds up in whatever order its threads come.
        return nn.functional.embedding(order % len(projected), projected)


def image_embedding(model: nn.Module) -> Phi3VImageEmbedding:
    """That of a Phi-3-V, adapted or not."""
    return next(module for module in model.modules() if isinstance(module, Phi3VImageEmbedding))


class Phi3VLastDecoderLayer(Phi3DecoderLayer):
    """What is behind its attention need not run where nobody reads its output."""

    def forward(self, hidden_states: Tensor, *args: Any, kept: Tensor | None = None, **kwargs: Any) -> Tensor:
        """As Phi3DecoderLayer's; kept: (K,) int64, the positions that are read, for (B, K, H) instead of (B, T, H)."""
        if kept is None:
            return super().forward(hidden_states, *args, **kwargs)
        attended, _ = self.self_attn(hidden_states=self.input_layernorm(hidden_states), **kwargs)
        hidden_states = hidden_states[:, kept] + self.resid_attn_dropout(attended[:, kept])
        return hidden_states + self.resid_mlp_dropout(self.mlp(self.post_attention_layernorm(hidden_states)))


class Phi3VPreTrainedModel(Phi3PreTrainedModel):
    """What both models share."""

    config: Phi3VConfig
    config_class = Phi3VConfig
    input_modalities = ("image", "text")
    _no_split_modules: ClassVar[list[str]] = ["Phi3DecoderLayer", "Phi3VLastDecoderLayer", "Phi3VImageEmbedding"]
    # Saved by some tools: the embedding's alias and buffers of old transformers versions.
    _keys_to_ignore_on_load_unexpected: ClassVar[list[str]] = [
        r"vision_embed_tokens\.wte\.",
        r"embeddings\.position_ids$",
    ]

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if isinstance(module, Phi3VImageEmbedding):
            init.zeros_(module.glb_GN)
            init.zeros_(module.sub_GN)


class Phi3VModel(Phi3VPreTrainedModel, Phi3Model):
    """The decoder, with pictures written into its input embeddings."""

    def __init__(self, config: Phi3VConfig) -> None:
        super().__init__(config)
        self.layers[-1] = Phi3VLastDecoderLayer(config, config.num_hidden_layers - 1)
        self.vision_embed_tokens = Phi3VImageEmbedding(config)
        self.post_init()

    @torch.compiler.disable
    def plan_images(
        self, input_ids: Tensor, pixel_values: Tensor | None, image_sizes: Tensor | None
    ) -> ImagePlan | None:
        """image_plan.plan_images of a batch, which makes a GPU and this code wait for each other."""
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
            As Phi3VForCausalLM.forward.
        Returns:
            (B, T, H) embeddings, and (P, H) what was written at the image positions or None.
        Raises:
            ValueError: as plan_images.
        """
        # A single new token while decoding is never an image position: spare it the look-up, which waits for the GPU.
        if input_ids.shape[1] == 1 and pixel_values is None:
            return self.embed_tokens(input_ids), None
        plan = image_plan or self.plan_images(input_ids, pixel_values, image_sizes)
        if plan is None:
            return self.embed_tokens(input_ids), None
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
        """Run the decoder; arguments as Phi3VForCausalLM.forward.

        Returns:
            last_hidden_state: (B, T, H), and the fields of its class.
        Raises:
            ValueError: as plan_images; both or neither of input_ids and inputs_embeds; pictures with inputs_embeds.
        """
        if (input_ids is None) == (inputs_embeds is None):
            raise ValueError("pass exactly one of input_ids and inputs_embeds")
        image_hidden_states = None
        if inputs_embeds is None:
            inputs_embeds, image_hidden_states = self.embed(
                input_ids, pixel_values, image_sizes, image_plan, crop_features
            )
        elif pixel_values is not None:
            raise ValueError("pixel_values need input_ids, whose negative ids place them; inputs_embeds have none")
        if position_ids is None and isinstance(attention_mask, Tensor) and attention_mask.ndim == 2:
            # Padding must not count: it would move a batch into the long rope regime that its rows are too short for.
            position_ids = (attention_mask.long().cumsum(-1) - 1).clamp(min=0)[:, -inputs_embeds.shape[1] :]
        if kwargs.get("cu_seq_lens_q") is not None and self.config._attn_implementation == PACKED:
            attention_mask = inputs_embeds.new_empty(1, 1, 0, 0)  # not read, and none of (T, T) is made
        outputs = super().forward(
            attention_mask=attention_mask,
            position_ids=position_ids,
            inputs_embeds=inputs_embeds,
            **{CACHE_NAME: cache_in({"cache": cache, "past_key_values": past_key_values})},
            **kwargs,
        )
        return Phi3VModelOutputWithPast(**outputs, image_hidden_states=image_hidden_states)


class _HideImageIds:
    """Shows `<unk>` (0) for image positions to code that takes ids for rows of a table."""

    def __call__(self, input_ids: Tensor, *args: Any, **kwargs: Any) -> Any:
        return super().__call__(input_ids.clamp(min=0), *args, **kwargs)  # type: ignore[misc]  # a mix-in


class _LogitsProcessors(_HideImageIds, LogitsProcessorList):
    pass


class _StoppingCriteria(_HideImageIds, StoppingCriteriaList):
    pass


class Phi3VForCausalLM(Phi3VPreTrainedModel, GenerationMixin):
    """Phi-3-vision and Phi-3.5-vision: text and pictures in, text out.

    Loads and saves the hub's files as they are. The rope regime is chosen per forward call for the whole batch: long
    factors as soon as one position reaches original_max_position_embeddings. `generate` recomputes its cache there,
    so cached decoding equals decoding without a cache.

    Source: "Phi-3 Technical Report" (arXiv 2404.14219, section on Phi-3-Vision); the checkpoints' behaviour.
    """

    _tied_weights_keys: ClassVar[dict[str, str]] = {"lm_head.weight": "model.embed_tokens.weight"}
    _tp_plan: ClassVar[dict[str, str]] = {"lm_head": "colwise_gather_output"}
    _pp_plan: ClassVar[dict[str, tuple]] = {"lm_head": (["hidden_states"], ["logits"])}

    def __init__(self, config: Phi3VConfig) -> None:
        super().__init__(config)
        self.model = Phi3VModel(config)
        self.vocab_size = config.vocab_size
        self.lm_head = nn.Linear(config.hidden_size, config.vocab_size, bias=False)
        self.post_init()
        self._name_end_ids()

    @classmethod
    def from_pretrained(
        cls, pretrained_model_name_or_path: str | os.PathLike | None, *args: Any, **kwargs: Any
    ) -> Self:
        """Load a checkpoint from safetensors; arguments as in transformers.

        Raises:
            ValueError: use_safetensors=False, or a folder that holds pickled weights only.
        """
        folder = Path(str(pretrained_model_name_or_path))
        if kwargs.setdefault("use_safetensors", True) is False:
            raise ValueError("use_safetensors=False: pickled weights can run code when loaded; use safetensors")
        if next(folder.glob("*.bin"), None) and not next(folder.glob("*.safetensors"), None):
            raise ValueError(
                f"{folder} holds pickled weights (*.bin) and no *.safetensors; pickles can run code when loaded and "
                "are never read here: convert the checkpoint to safetensors where you trust it"
            )
        loaded = super().from_pretrained(pretrained_model_name_or_path, *args, **kwargs)
        model = loaded[0] if isinstance(loaded, tuple) else loaded  # with output_loading_info
        model._name_end_ids()
        return loaded

    def _name_end_ids(self) -> None:
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
            pixel_values: (N, C, 3, S, S) of any float type; images of row 0, then of row 1 ...; or (U, 3, S, S), their
                used crops alone, one image after the other.
            image_sizes: (N, 2) int64, pixels after the HD transform, height first.
            image_plan: What plan_images makes of them, on the device, if that was done before; made here otherwise.
            crop_features: (U, (2G)^2, D), the tower's of the used crops, instead of pixel_values; with an image_plan.
            labels: (B, T) int64, negative where nothing is supervised, image positions included; shifted here.
            use_cache: By default the configuration's choice, and no cache in training or with labels: packed rows
                (attention_mask None, position_ids starting again at 0) are kept apart only without one.
            logits_to_keep: Last positions to predict, or their indices; 0 is all.
            past_key_values: The older name of `cache`.
            num_items_in_batch: In kwargs. The loss is then the sum divided by it, else the mean over the supervised
                tokens.
        Returns:
            logits: (B, T, V) in the weights' type; loss: scalar float32; and the fields of its class.
        Raises:
            ValueError: pictures and image positions do not agree; names row and image. Two caches are passed.
        """
        if use_cache is None and (self.training or labels is not None):
            use_cache = False
        chosen = isinstance(logits_to_keep, Tensor) and labels is None and not use_cache
        outputs = self.model(
            input_ids=input_ids,
            attention_mask=attention_mask,
            position_ids=position_ids,
            cache=cache,
            past_key_values=past_key_values,
            inputs_embeds=inputs_embeds,
            pixel_values=pixel_values,
            image_sizes=image_sizes,
            image_plan=image_plan,
            crop_features=crop_features,
            use_cache=use_cache,
            **({"kept": logits_to_keep} if chosen else {}),
            **kwargs,
        )
        kept = slice(-logits_to_keep, None) if isinstance(logits_to_keep, int) else logits_to_keep
        logits = self.lm_head(outputs.last_hidden_state if chosen else outputs.last_hidden_state[:, kept, :])
        loss = None
        if labels is not None:
            labels = labels.masked_fill(labels < 0, -100)  # trainers copy input_ids, which name images by -1, -2 ...
            loss = self.loss_function(logits=logits, labels=labels, vocab_size=self.config.vocab_size, **kwargs)
        return Phi3VCausalLMOutputWithPast(
            loss=loss,
            logits=logits,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
            image_hidden_states=outputs.image_hidden_states,
            **{CACHE_NAME: outputs.get(CACHE_NAME)},
        )

    def prepare_inputs_for_generation(
        self,
        input_ids: Tensor,
        next_sequence_length: int | None = None,
        cache: Cache | None = None,
        position_ids: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        pixel_values: Tensor | None = None,
        image_sizes: Tensor | None = None,
        is_first_iteration: bool | None = False,
        past_key_values: Cache | None = None,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """Drop the cache where the rope regime changes, and pass pictures only with the ids that hold them."""
        cache = cache_in({"cache": cache, "past_key_values": past_key_values})
        num_cached = 0 if cache is None else cache.get_seq_length()
        if self._changes_regime(num_cached, input_ids, position_ids):
            cache = next_sequence_length = None
            if inputs_embeds is not None:  # then input_ids are the new tokens alone
                inputs_embeds = torch.cat([inputs_embeds, self.get_input_embeddings()(input_ids)], dim=1)
                is_first_iteration = True
        model_inputs = super().prepare_inputs_for_generation(
            input_ids,
            next_sequence_length=next_sequence_length,
            position_ids=position_ids,
            inputs_embeds=inputs_embeds,
            is_first_iteration=is_first_iteration,
            **{CACHE_NAME: cache},
            **kwargs,
        )
        # first ids that come with a cache hold pictures, or the pictures are in the cache
        ids = model_inputs["input_ids"] if is_first_iteration else None
        whole = next_sequence_length is None or (is_first_iteration and (ids is None or bool((ids < 0).any())))
        return model_inputs | ({"pixel_values": pixel_values, "image_sizes": image_sizes} if whole else {})

    def _changes_regime(self, num_cached: int, input_ids: Tensor, position_ids: Tensor | None) -> bool:
        """Whether the cached keys were rotated with short factors and the next call uses long ones."""
        switch = self.config.original_max_position_embeddings
        length = input_ids.shape[1] if position_ids is None else position_ids.shape[1]
        if self.config.rope_parameters["rope_type"] != "longrope" or not num_cached or length <= switch:
            return False
        if position_ids is None:
            return num_cached <= switch
        return bool(position_ids[:, :num_cached].max() < switch <= position_ids.max())

    def _expand_inputs_for_generation(
        self,
        expand_size: int = 1,
        is_encoder_decoder: bool = False,
        input_ids: Tensor | None = None,
        **model_kwargs: Any,
    ) -> tuple[Tensor | None, dict[str, Any]]:
        """Repeat rows; a row's pictures are repeated together with it."""
        pixel_values, image_sizes = (model_kwargs.pop(name, None) for name in ("pixel_values", "image_sizes"))
        if input_ids is not None and pixel_values is not None and expand_size > 1:
            per_row = (-input_ids).amax(dim=1).clamp(min=0).tolist()
            if sum(per_row) == len(pixel_values):  # else forward says what is wrong
                images = torch.arange(len(pixel_values)).split(per_row)
                index = torch.cat([picks.repeat(expand_size) for picks in images])
                pixel_values, image_sizes = pixel_values[index], image_sizes[index]
        input_ids, model_kwargs = super()._expand_inputs_for_generation(
            expand_size=expand_size, is_encoder_decoder=is_encoder_decoder, input_ids=input_ids, **model_kwargs
        )
        return input_ids, model_kwargs | {"pixel_values": pixel_values, "image_sizes": image_sizes}

    def _get_logits_processor(self, *args: Any, **kwargs: Any) -> LogitsProcessorList:
        return _LogitsProcessors(super()._get_logits_processor(*args, **kwargs))

    def _get_stopping_criteria(self, *args: Any, **kwargs: Any) -> StoppingCriteriaList:
        return _StoppingCriteria(super()._get_stopping_criteria(*args, **kwargs))
