"""Private names of torch, transformers and flash-attn that the model relies on.

They may change from one release to the next. Each stands here once, so that a test can say which one has changed.
"""

from dataclasses import dataclass
from typing import Any

import torch

__all__ = [
    "PRIVATE_NAMES",
    "PrivateName",
    "attn_implementation",
    "cpu_attention",
    "cpu_attention_backward",
    "cudnn_attention",
    "cudnn_attention_backward",
]


@dataclass(frozen=True)
class PrivateName:
    """A private name of another package, and what this package expects of it."""

    owner: str
    """The module, or the class in a module, that holds it."""
    name: str
    positional: tuple[str, ...] = ()
    """Its first parameters, which we pass by position or take over in an override."""
    keywords: tuple[str, ...] = ()
    """Further parameters, which we pass by name."""

    @property
    def library(self) -> str:
        """The package that it belongs to."""
        return self.owner.partition(".")[0]


# Public attention has no backward function of its own, and does not return the log-sum-exp that one needs.
cudnn_attention = torch.ops.aten._scaled_dot_product_cudnn_attention
cudnn_attention_backward = torch.ops.aten._scaled_dot_product_cudnn_attention_backward
cpu_attention = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
cpu_attention_backward = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward


def attn_implementation(config: Any) -> str | None:
    """Return the name of the attention that a model or a part of one is set to.

    Args:
        config: Its configuration.
    """
    return config._attn_implementation


_ATEN = "torch.ops.aten"
# torch's own integration calls the same two functions, but it cannot take the version that we pin.
_FLASH = "flash_attn.cute.interface"
_GENERATION = "transformers.generation.GenerationMixin"
_MODEL = "transformers.PreTrainedModel"
_FLASH_KEYWORDS = ("cu_seqlens_q", "cu_seqlens_k", "max_seqlen_q", "max_seqlen_k", "softmax_scale", "causal")
_INPUTS = ("query", "key", "value")
_SAVED = ("grad_out", *_INPUTS, "out", "logsumexp")

PRIVATE_NAMES = (
    PrivateName(
        _ATEN,
        "_scaled_dot_product_cudnn_attention",
        (*_INPUTS, "attn_bias", "compute_log_sumexp", "dropout_p", "is_causal", "return_debug_mask"),
        ("scale",),
    ),
    PrivateName(
        _ATEN,
        "_scaled_dot_product_cudnn_attention_backward",
        (
            *(*_SAVED, "philox_seed", "philox_offset", "attn_bias"),
            *("cum_seq_q", "cum_seq_k", "max_q", "max_k", "dropout_p", "is_causal"),
        ),
        ("scale",),
    ),
    PrivateName(_ATEN, "_scaled_dot_product_flash_attention_for_cpu", (*_INPUTS, "dropout_p", "is_causal"), ("scale",)),
    PrivateName(
        _ATEN, "_scaled_dot_product_flash_attention_for_cpu_backward", (*_SAVED, "dropout_p", "is_causal"), ("scale",)
    ),
    PrivateName("transformers.PreTrainedConfig", "_attn_implementation"),
    PrivateName(_MODEL, "_init_weights", ("module",)),
    PrivateName(_MODEL, "_keys_to_ignore_on_load_unexpected"),
    PrivateName(_MODEL, "_no_split_modules"),
    PrivateName(_MODEL, "_pp_plan"),
    PrivateName(_MODEL, "_tied_weights_keys"),
    PrivateName(_MODEL, "_tp_plan"),
    PrivateName(_GENERATION, "_expand_inputs_for_generation", ("expand_size", "is_encoder_decoder", "input_ids")),
    PrivateName(_GENERATION, "_get_logits_processor", ()),
    PrivateName(_GENERATION, "_get_stopping_criteria", ()),
    PrivateName("transformers.utils.hub", "cached_files", keywords=("_raise_exceptions_for_missing_entries",)),
    PrivateName(_FLASH, "_flash_attn_fwd", ("q", "k", "v"), (*_FLASH_KEYWORDS, "return_lse")),
    PrivateName(_FLASH, "_flash_attn_bwd", ("q", "k", "v", "out", "dout", "lse"), _FLASH_KEYWORDS),
)
"""The names that `etalage.phi3v` uses or overrides."""
