import pytest
import torch
from PIL import Image

from etalage.catalogue.pictures import open_picture
from etalage.data.dataset import Examples
from etalage.data.pixel_cache import PixelCache


def cached_examples(folder, small, task, products, open_image, **options):
    opened = []

    def open_and_note(product):
        opened.append(product.product_code)
        return open_image(product)

    pixel_cache = PixelCache(folder, small[1].image_processor)
    return Examples(products, task, small[1], open_and_note, pixel_cache=pixel_cache, **options), opened


def test_cached_pixels_are_those_made_anew_and_nothing_is_opened(tmp_path, small, task, products, open_image):
    plain = Examples(products, task, small[1], open_image, num_augmentations=2)
    for again in (False, True):
        kept, opened = cached_examples(tmp_path, small, task, products, open_image, num_augmentations=2)
        for index in (0, 3, 0 + len(products), 3 + len(products)):  # two products in two augmentations
            expected, found = plain[index], kept[index]
            assert torch.equal(found.input_ids, expected.input_ids)
            assert torch.equal(found.pictures[0], expected.pictures[0])
        assert len(opened) == (0 if again else 4)
    assert len(list(tmp_path.iterdir())) == 4
    assert not list(tmp_path.glob(".*")), "no temporary file is left"


def test_damaged_pixels_and_those_of_other_crops_are_made_again(tmp_path, small, task, products, open_image):
    examples, opened = cached_examples(tmp_path, small, task, products, open_image)
    expected = examples[0].pictures[0]
    for damage in (b"", b"\x93NUMPY", next(tmp_path.iterdir()).read_bytes()[:200]):
        next(tmp_path.iterdir()).write_bytes(damage)
        opened.clear()
        assert torch.equal(examples[0].pictures[0], expected)
        assert len(opened) == 1
    small[1].image_processor.num_crops = 1
    again, opened = cached_examples(tmp_path, small, task, products, open_image)
    assert again[0].pictures[0].shape != expected.shape or len(opened) == 1
    assert len(list(tmp_path.iterdir())) == 2


def test_a_changed_picture_file_is_read_again(tmp_path, small):
    path, folder = tmp_path / "bag.png", tmp_path / "pixels"
    images = small[1].image_processor
    cache, made = PixelCache(folder, images), []

    def pixels_of(colour):
        Image.new("RGB", (40 + len(made), 40), colour).save(path)
        made.append(colour)
        return cache(path, "0", lambda: images.pixels(open_picture(path)))

    assert not torch.equal(pixels_of("red"), pixels_of("blue"))
    assert len(list(folder.iterdir())) == 2
    path.unlink()
    with pytest.raises(FileNotFoundError):
        cache(path, "0", lambda: pytest.fail("nothing can be made"))
