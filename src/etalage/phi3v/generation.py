"""What `generate` needs to know about pictures, and about the rope switch that a cache does not survive."""

from typing import Any

import torch
from torch import Tensor
from transformers import GenerationMixin
from transformers.cache_utils import Cache
from transformers.generation import LogitsProcessorList, StoppingCriteriaList

from etalage.phi3v.cache_name import CACHE_NAME, cache_in
from etalage.phi3v.configuration import Phi3VConfig

__all__ = ["Phi3VGenerationMixin"]


class Phi3VGenerationMixin(GenerationMixin):
    """Generation with pictures: they are read with the prompt and never again, unless the cache is dropped."""

    config: Phi3VConfig

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
        """Drop the cache where the rope regime changes, and pass pictures only with the ids that hold them.

        Args:
            input_ids: (B, T) int64, all ids so far.
            next_sequence_length: How many of them the next call reads; None is all.
            cache: Keys and values of the past tokens.
            position_ids: (B, T) int64.
            inputs_embeds: Embeddings of the prompt, if it was not given as ids.
            pixel_values, image_sizes: The pictures, as for forward.
            is_first_iteration: Whether nothing has been generated yet.
            past_key_values: The older name of `cache`.
            kwargs: Passed to transformers.
        """
        cache = cache_in({"cache": cache, "past_key_values": past_key_values})
        num_cached = 0 if cache is None else cache.get_seq_length()
        if self._changes_regime(num_cached, input_ids, position_ids):
            # From here on this call reads the whole sequence, so that all keys are rotated with long factors.
            cache = next_sequence_length = None
            if inputs_embeds is not None:  # Then input_ids are the new tokens alone.
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
        # A prompt may come with a cache of an earlier part, and only one of the two holds the pictures.
        ids = model_inputs["input_ids"] if is_first_iteration else None
        has_images = next_sequence_length is None or (is_first_iteration and (ids is None or bool((ids < 0).any())))
        return model_inputs | ({"pixel_values": pixel_values, "image_sizes": image_sizes} if has_images else {})

    def _changes_regime(self, num_cached: int, input_ids: Tensor, position_ids: Tensor | None) -> bool:
        """Return whether the cached keys were rotated with short factors and the next call uses long ones."""
        switch = self.config.original_max_position_embeddings
        length = input_ids.shape[1] if position_ids is None else position_ids.shape[1]
        if self.config.rope_parameters["rope_type"] != "longrope" or not num_cached or length <= switch:
            return False
        # Positions, not lengths, decide where they are known: padding must not move a batch into the long regime.
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
        """Repeat rows, each together with its pictures."""
        pixel_values, image_sizes = (model_kwargs.pop(name, None) for name in ("pixel_values", "image_sizes"))
        if input_ids is not None and pixel_values is not None and expand_size > 1:
            num_images = (-input_ids).amax(dim=1).clamp(min=0).tolist()  # Image n has ids -n in its row.
            if sum(num_images) == len(pixel_values):  # If not, forward says what is wrong.
                images = torch.arange(len(pixel_values)).split(num_images)
                index = torch.cat([own.repeat(expand_size) for own in images])
                pixel_values, image_sizes = pixel_values[index], image_sizes[index]
        input_ids, model_kwargs = super()._expand_inputs_for_generation(
            expand_size=expand_size, is_encoder_decoder=is_encoder_decoder, input_ids=input_ids, **model_kwargs
        )
        return input_ids, model_kwargs | {"pixel_values": pixel_values, "image_sizes": image_sizes}

    def _get_logits_processor(self, *args: Any, **kwargs: Any) -> LogitsProcessorList:
        return _LogitsProcessors(super()._get_logits_processor(*args, **kwargs))

    def _get_stopping_criteria(self, *args: Any, **kwargs: Any) -> StoppingCriteriaList:
        return _StoppingCriteria(super()._get_stopping_criteria(*args, **kwargs))


class _HideImageIds:
    """A mixin that shows `<unk>` (0) at image positions to code that indexes tables by ids."""

    def __call__(self, input_ids: Tensor, *args: Any, **kwargs: Any) -> Any:
        return super().__call__(input_ids.clamp(min=0), *args, **kwargs)  # type: ignore[misc]  # Of the list's class.


class _LogitsProcessors(_HideImageIds, LogitsProcessorList):
    pass


class _StoppingCriteria(_HideImageIds, StoppingCriteriaList):
    pass
