"""A whole checkpoint of the smallest model, to be damaged."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file, save_file
from torch import Tensor

from etalage.phi3v import Phi3VImageProcessor, Phi3VProcessor
from tests.unit.phi3v.conftest import small_model, small_tokenizer


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "checkpoint"
    small_model().save_pretrained(folder)
    images = Phi3VImageProcessor(num_crops=1, crop_size=32, num_img_tokens=4)
    Phi3VProcessor(images, small_tokenizer()).save_pretrained(folder)
    return folder


@pytest.fixture
def edit(folder: Path) -> Callable[..., None]:
    """Return a function that sets a value in a JSON file; `...` removes it."""

    def edit(name: str, key: str, value: Any) -> None:
        content = json.loads((folder / name).read_text())
        *parents, last = key.split(".")
        part = content
        for parent in parents:
            part = part[int(parent) if parent.isdecimal() else parent]
        if value is ...:
            del part[last]
        else:
            part[int(last) if last.isdecimal() else last] = value
        (folder / name).write_text(json.dumps(content))

    return edit


@pytest.fixture
def edit_tensors(folder: Path) -> Callable[..., None]:
    """Return a function that writes a file's tensors again as a function returns them."""

    def edit(change: Callable[[dict[str, Tensor]], dict[str, Tensor]], name: str = "model.safetensors") -> None:
        save_file(change(load_file(folder / name)), folder / name, metadata={"format": "pt"})

    return edit
