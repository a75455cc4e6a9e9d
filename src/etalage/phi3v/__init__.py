"""Phi-3-vision and Phi-3.5-vision on transformers' own CLIP and Phi-3 parts, without remote code."""

from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForImageTextToText,
    AutoProcessor,
)

# Imported from its module: under `transformers`, 5.17 gives a stand-in that asks for torchvision.
from transformers.models.auto.image_processing_auto import AutoImageProcessor

from etalage.phi3v.configuration import Phi3VConfig
from etalage.phi3v.image_processing import Phi3VImageProcessor, num_image_tokens
from etalage.phi3v.modeling import Phi3VForCausalLM
from etalage.phi3v.processing import Phi3VProcessor

__all__ = ["Phi3VConfig", "Phi3VForCausalLM", "Phi3VImageProcessor", "Phi3VProcessor", "num_image_tokens"]

AutoConfig.register(Phi3VConfig.model_type, Phi3VConfig)
AutoModelForCausalLM.register(Phi3VConfig, Phi3VForCausalLM)
AutoModelForImageTextToText.register(Phi3VConfig, Phi3VForCausalLM)
# As "pil", the backend that needs no torchvision.
AutoImageProcessor.register(Phi3VConfig, image_processor_classes={"pil": Phi3VImageProcessor})
AutoProcessor.register(Phi3VConfig, Phi3VProcessor)
