"""Private and undocumented names of torch, transformers and peft that this package relies on.

They may change from one release to the next, so each is named here, in phi3v/private_api.py (which cannot import this
file) or in catalogue/readers/hub.py. tests/unit/fused/test_torch_private.py says which one has changed.
"""

from functools import partial

from torch import nn
from torch.utils.checkpoint import checkpoint

from etalage.phi3v.private_api import PRIVATE_NAMES as PHI3V_PRIVATE_NAMES
from etalage.phi3v.private_api import PrivateName

__all__ = ["PRIVATE_NAMES", "is_compiler_error", "make_checkpointable"]


def make_checkpointable(layer: nn.Module) -> None:
    """Let a layer's `gradient_checkpointing` switch the checkpointing of its activations; it is off at first.

    The model's own method is not used: with adapters it makes a tower's input require gradients, frozen or not.

    Args:
        layer: One of transformers' GradientCheckpointingLayer.
    """
    layer._gradient_checkpointing_func = partial(checkpoint, use_reentrant=False)
    layer.gradient_checkpointing = False


def is_compiler_error(error: BaseException) -> bool:
    """Return whether an error comes from torch's compiler, such as from a missing C compiler.

    Args:
        error: What was raised.
    """
    return type(error).__module__.startswith(("torch._dynamo", "torch._inductor"))


_LORA = "peft.tuners.lora.LoraLayer"

PRIVATE_NAMES = (
    *PHI3V_PRIVATE_NAMES,
    PrivateName("torch._dynamo.exc", "BackendCompilerFailed"),
    PrivateName("torch._inductor.exc", "InductorError"),
    PrivateName("transformers.modeling_layers.GradientCheckpointingLayer", "_gradient_checkpointing_func"),
    PrivateName("transformers.modeling_layers.GradientCheckpointingLayer", "gradient_checkpointing"),
    *(
        PrivateName(_LORA, name)
        for name in ("active_adapters", "disable_adapters", "lora_A", "lora_B", "lora_bias", "lora_dropout")
    ),
    *(PrivateName(_LORA, name) for name in ("lora_magnitude_vector", "merged", "scaling", "use_dora")),
)
"""The names that the whole package relies on, apart from those of `datasets`."""
