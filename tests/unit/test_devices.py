import pytest
import torch
from torch import nn

from etalage import devices
from etalage.errors import EtalageError


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (torch.OutOfMemoryError("CUDA out of memory"), r"the GPU's memory is too small \(CUDA out of memory\); wait"),
        (RuntimeError("DefaultCPUAllocator: can't allocate"), "the machine's memory is too small .*; wait"),
    ],
)
def test_memory_that_is_too_small_is_explained(error, message):
    with pytest.raises(EtalageError, match=message) as explained, devices.explain_out_of_memory("wait"):
        raise error
    assert explained.value.__cause__ is error


def test_other_errors_pass():
    with pytest.raises(RuntimeError, match="expected scalar type"), devices.explain_out_of_memory("wait"):
        raise RuntimeError("expected scalar type")


def test_a_model_is_moved_in_place():
    model = nn.Linear(2, 2)
    assert devices.on_device(model) is model
    assert model.weight.device.type == devices.device().type


def test_a_cpu_computes_in_float32():
    if not torch.cuda.is_available():
        assert devices.weights_dtype("lora") == devices.weights_dtype() == torch.float32
        with devices.autocast():
            assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.float32
