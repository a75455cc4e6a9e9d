"""Pictures to crops."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from transformers.models.auto.image_processing_auto import AutoImageProcessor

from etalage.phi3v import Phi3VImageProcessor, num_image_tokens


@pytest.mark.parametrize(
    ("grid", "tokens"),
    [((1, 1), 313), ((1, 4), 745), ((4, 1), 781), ((2, 2), 757), ((3, 4), 1921), ((4, 3), 1933), ((16, 1), 2653)],
)
def test_number_of_tokens(grid: tuple[int, int], tokens: int) -> None:
    assert num_image_tokens(grid[0] * 336, grid[1] * 336) == tokens


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 60), st.integers(1, 60), st.integers(1, 16))
def test_pixels_have_the_size_that_was_counted(width: int, height: int, num_crops: int) -> None:
    processor = Phi3VImageProcessor(num_crops=num_crops, crop_size=8, num_img_tokens=4)
    picture = Image.new("RGB", (width, height), "red")
    if max(width, height) / min(width, height) > 8:
        with pytest.raises(ValueError, match=f"{width}x{height}"):
            # Fewer crops allow for less; at more this picture may pass.
            Phi3VImageProcessor(num_crops=1, crop_size=8, num_img_tokens=4).hd_size(width, height)
        return
    features = processor(picture)
    height_px, width_px = processor.hd_size(width, height)
    used = height_px * width_px // 64
    assert features["image_sizes"].tolist() == [[height_px, width_px]]
    assert used <= num_crops
    assert features["pixel_values"].shape == (1, num_crops + 1, 3, 8, 8)
    assert not features["pixel_values"][0, used + 1 :].any()
    assert features["num_img_tokens"] == [processor.calc_num_image_tokens_from_image_size(width, height)]


def test_arrays_equal_pictures(pictures: list[Image.Image]) -> None:
    processor = Phi3VImageProcessor(num_crops=4, crop_size=32, num_img_tokens=4)
    drawn, arrays = processor(pictures), processor([np.asarray(picture) for picture in pictures])
    assert drawn["pixel_values"].equal(arrays["pixel_values"])
    assert processor(np.asarray(pictures[0].convert("L")))["pixel_values"].shape == (1, 5, 3, 32, 32)
    assert isinstance(processor(pictures, return_tensors="np")["pixel_values"], np.ndarray)


@pytest.mark.parametrize(
    ("picture", "message"),
    [
        (torch.zeros(3, 8, 8), "Tensor"),
        (np.zeros((8, 8, 3), dtype=np.float32), "float32"),
        ("a.png", "str"),
        (Image.new("RGB", (1345, 1)), r"1345x1 .*factor of 1344"),
    ],
)
def test_refuses(picture: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Phi3VImageProcessor(num_crops=4)([picture])


def test_refuses_no_pictures_and_other_modes() -> None:
    with pytest.raises(ValueError, match="no pictures"):
        Phi3VImageProcessor()([])
    with pytest.raises(ValueError, match="mode L"):
        Phi3VImageProcessor(do_convert_rgb=False)(Image.new("L", (9, 9)))
    with pytest.raises(ValueError, match="num_crops is 0"):
        Phi3VImageProcessor(num_crops=0)
    with pytest.raises(ValueError, match="num_img_tokens is 5"):
        Phi3VImageProcessor(num_img_tokens=5)


def test_settings_are_saved(tmp_path: Path) -> None:
    processor = Phi3VImageProcessor(num_crops=7, crop_size=32, num_img_tokens=4, auto_map={"AutoProcessor": "x.y"})
    processor.save_pretrained(tmp_path)
    assert (tmp_path / "preprocessor_config.json").read_text().count("auto_map") == 0
    for again in (Phi3VImageProcessor.from_pretrained(tmp_path), AutoImageProcessor.from_pretrained(tmp_path)):
        assert isinstance(again, Phi3VImageProcessor)
        assert again.to_dict() == processor.to_dict()
    assert Phi3VImageProcessor.from_pretrained(tmp_path, num_crops=2).num_crops == 2
