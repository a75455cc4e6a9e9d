import torch

from etalage.data.dataset import Examples
from etalage.data.pixel_cache import PixelCache


def examples_of(folder, small, task, products, open_image, **how):
    opened = []

    def open_and_note(product):
        opened.append(product.product_code)
        return open_image(product)

    prepared = PixelCache(folder, small[1].image_processor)
    return Examples(products, task, small[1], open_and_note, pixel_cache=prepared, **how), opened


def test_kept_pictures_are_what_is_made_anew_and_nothing_is_opened(tmp_path, small, task, products, open_image):
    plain = Examples(products, task, small[1], open_image, num_augmentations=2)
    for again in (False, True):
        kept, opened = examples_of(tmp_path, small, task, products, open_image, num_augmentations=2)
        for index in (0, 3, 0 + len(products), 3 + len(products)):  # two products in two views
            expected, found = plain[index], kept[index]
            assert torch.equal(found.input_ids, expected.input_ids)
            assert torch.equal(found.pictures[0], expected.pictures[0])
        assert len(opened) == (0 if again else 4)
    assert len(list(tmp_path.iterdir())) == 4
    assert not list(tmp_path.glob(".*")), "nothing half-written stays"


def test_damaged_changed_or_otherwise_cut_pictures_are_made_again(tmp_path, small, task, products, open_image):
    examples, opened = examples_of(tmp_path, small, task, products, open_image)
    expected = examples[0].pictures[0]
    for damage in (b"", b"\x93NUMPY", next(tmp_path.iterdir()).read_bytes()[:200]):
        next(tmp_path.iterdir()).write_bytes(damage)
        opened.clear()
        assert torch.equal(examples[0].pictures[0], expected)
        assert len(opened) == 1
    small[1].image_processor.num_crops = 1
    again, opened = examples_of(tmp_path, small, task, products, open_image)
    assert again[0].pictures[0].shape != expected.shape or len(opened) == 1
    assert len(list(tmp_path.iterdir())) == 2
