"""Copies have equal pixels, near copies nearly equal hashes, and plain pictures no hash."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from etalage.catalogue.pictures import BadPicture, read_picture
from etalage.catalogue.pictures.identity import perceptual_hash

from .conftest import LIMITS, RED, encode


def test_a_picture_is_identified_by_its_content(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(encode(Image.new("RGB", (20, 30), RED)))
    (tmp_path / "b.png").write_bytes(encode(Image.new("RGB", (20, 30), RED), compress_level=0))
    a, b = (read_picture(tmp_path / name, **LIMITS) for name in ("a.jpg", "b.png"))
    assert (a.extension, a.width, a.height) == ("png", 20, 30)
    assert a.sha256 != b.sha256
    assert a.pixels == b.pixels
    (tmp_path / "camera.jpg").write_bytes(
        encode(Image.new("RGB", (20, 30)), "MPO", save_all=True, append_images=[Image.new("RGB", (20, 30))])
    )
    assert read_picture(tmp_path / "camera.jpg", **LIMITS).extension == "jpg"


def test_near_copies_are_near_and_others_far(tmp_path: Path) -> None:
    random = np.random.default_rng(0)

    def drawn(kind: int) -> Image.Image:
        coarse = Image.fromarray(np.random.default_rng(kind).integers(0, 255, (9, 9, 3), dtype=np.uint8))
        return coarse.resize((240, 300), Image.Resampling.BICUBIC)

    def bits(image: Image.Image, kind: str = "PNG", **options: object) -> np.ndarray:
        path = tmp_path / f"{random.integers(1 << 40)}"
        path.write_bytes(encode(image, kind, **options))
        return np.unpackbits(np.frombuffer(read_picture(path, **LIMITS).phash, np.uint8))

    for kind in range(4):
        image = drawn(kind)
        own = bits(image)
        assert (own != bits(image, "JPEG", quality=40)).sum() <= 16
        assert (own != bits(image.resize((180, 225)))).sum() <= 16
        assert (own != bits(drawn(kind + 10))).sum() > 60
    assert not bits(Image.new("RGB", (50, 50), RED)).size, "a plain picture has none"


def test_the_width_is_part_of_the_pixels(tmp_path: Path) -> None:
    """20 x 30 and 30 x 20 red pixels are the same bytes."""
    for name, size in (("a.png", (20, 30)), ("b.png", (30, 20))):
        (tmp_path / name).write_bytes(encode(Image.new("RGB", size, RED)))
    one, other = (read_picture(tmp_path / name) for name in ("a.png", "b.png"))
    assert one.pixels != other.pixels


def test_the_hash_of_the_file_is_its_sha256(tmp_path: Path) -> None:
    data = encode(Image.new("RGB", (20, 30), RED))
    (tmp_path / "a.png").write_bytes(data)
    assert read_picture(tmp_path / "a.png").sha256 == hashlib.sha256(data).hexdigest()


def test_a_plain_picture_has_no_perceptual_hash_and_a_lively_one_has_32_bytes() -> None:
    assert perceptual_hash(Image.new("RGB", (1, 1))) == b""
    lively = Image.fromarray(np.random.default_rng(0).integers(0, 255, (9, 9, 3), dtype=np.uint8))
    assert len(perceptual_hash(lively)) == 32
    assert perceptual_hash(lively) == perceptual_hash(lively.copy())


def test_a_bad_picture_is_refused_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"no picture")
    with pytest.raises(BadPicture, match="image_undecodable"):
        read_picture(tmp_path / "a.png")
    (tmp_path / "a.png").write_bytes(encode(Image.new("RGB", (20, 30))))
    with pytest.raises(BadPicture, match="image_too_many_pixels: 20x30, more than the limit of 599 pixels"):
        read_picture(tmp_path / "a.png", max_image_px=599)
