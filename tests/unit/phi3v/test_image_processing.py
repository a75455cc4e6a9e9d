"""Pictures to crops."""

import io
import logging
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from transformers.models.auto.image_processing_auto import AutoImageProcessor
from transformers.utils import logging as transformers_logging

from etalage.catalogue.pictures import open_picture
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
    ("picture", "error", "message"),
    [
        (torch.zeros(3, 8, 8), TypeError, r"found Tensor torch.float32 \(3, 8, 8\); pass tensor.permute"),
        (np.zeros((8, 8, 3), np.float32), TypeError, r"found ndarray float32 \(8, 8, 3\); scale it to 0..255"),
        (np.zeros((8, 8), bool), TypeError, r"found ndarray bool \(8, 8\)"),
        (np.zeros((8, 8, 3), np.uint16), TypeError, r"found ndarray uint16 \(8, 8, 3\)"),
        ("a.png", TypeError, r"found str; open a file with PIL.Image.open"),
        (b"\x89PNG", TypeError, r"found bytes; open a file with PIL.Image.open"),
        (None, TypeError, "found NoneType"),
        (np.zeros((3, 8, 9), np.uint8), ValueError, r"found ndarray uint8 \(3, 8, 9\); its channels come first"),
        (np.zeros((2, 8, 8, 3), np.uint8), ValueError, r"found ndarray uint8 \(2, 8, 8, 3\); pass a list of pictures"),
        (np.zeros((8, 8, 2), np.uint8), ValueError, r"found ndarray uint8 \(8, 8, 2\)"),
        (np.zeros((8,), np.uint8), ValueError, r"found ndarray uint8 \(8,\)"),
        (np.zeros((0, 8, 3), np.uint8), ValueError, r"found ndarray uint8 \(0, 8, 3\)"),
        (Image.new("RGB", (0, 4)), ValueError, "0x4 pixels .* is empty"),
        (Image.new("RGB", (1345, 1)), ValueError, r"1345x1 .*factor of 1344"),
    ],
)
def test_refuses(picture: object, error: type[Exception], message: str) -> None:
    """Alone or in a list, with what was found and what is expected."""
    for pictures in (picture, [picture]):
        with pytest.raises(error, match=message):
            Phi3VImageProcessor(num_crops=4)(pictures)


def deep_grey() -> Image.Image:
    return Image.fromarray(np.arange(0, 65536, 16, dtype=np.uint16).reshape(64, 64))


def palette() -> Image.Image:
    image = Image.new("P", (64, 48), 1)
    image.putpalette([255, 0, 0, 0, 0, 255])
    image.paste(0, (0, 0, 20, 48))
    return image


def rotated() -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif


@pytest.mark.parametrize(
    ("kind", "image", "options"),
    [
        ("PNG", deep_grey(), {}),
        ("TIFF", deep_grey(), {}),
        ("TIFF", Image.fromarray(np.linspace(0, 1, 4096, dtype=np.float32).reshape(64, 64)), {}),
        ("PNG", palette(), {"transparency": 1}),
        ("PNG", palette(), {"transparency": b"\xff\x20"}),
        ("PNG", Image.new("LA", (64, 48), (200, 60)), {}),
        ("PNG", Image.new("RGBA", (64, 48), (10, 200, 90, 60)), {}),
        ("JPEG", Image.new("CMYK", (64, 48), (0, 200, 90, 10)), {}),
        ("TIFF", Image.new("CMYK", (64, 48), (0, 200, 90, 10)), {}),
        ("JPEG", Image.linear_gradient("L").resize((64, 48)), {"exif": rotated()}),
        ("GIF", palette(), {"save_all": True, "append_images": [Image.new("P", (64, 48))]}),
        ("WEBP", Image.new("RGB", (64, 48), "red"), {"save_all": True, "append_images": [Image.new("RGB", (64, 48))]}),
    ],
)
def test_pictures_are_seen_as_prepare_sees_them(kind: str, image: Image.Image, options: dict[str, object]) -> None:
    """Pixel for pixel, once both lay transparent parts on the same background."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    processor = Phi3VImageProcessor(num_crops=4, crop_size=32, num_img_tokens=4, background="white")
    with Image.open(file) as opened:
        shown = processor.hd_transform(opened)
    assert np.array_equal(shown, processor.hd_transform(open_picture(file.getvalue())))
    assert np.ptp(shown) or image.mode not in ("I;16", "F"), "it is not one white field"


def test_alpha_is_dropped_by_default_and_laid_on_a_background_on_request(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The published processor drops it, and says nothing; ours says so once."""
    monkeypatch.setattr(logging.getLogger("transformers"), "propagate", True)
    monkeypatch.setattr(logging.getLogger("etalage"), "propagate", True)
    clear = Image.new("RGBA", (32, 32), (10, 20, 30, 0))
    processor = Phi3VImageProcessor(num_crops=1, crop_size=32, num_img_tokens=4)
    transformers_logging.get_logger("etalage").warning_once.cache_clear()
    assert processor.hd_transform(clear)[0, 0].tolist() == [10, 20, 30]
    assert "alpha channel" in caplog.text
    processor.background = "#405060"
    assert processor.hd_transform(clear)[0, 0].tolist() == [64, 80, 96]
    with pytest.raises(ValueError, match="whit"):
        Phi3VImageProcessor(background="whit")


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
