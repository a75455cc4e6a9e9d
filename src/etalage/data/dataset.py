"""Products of a split as encoded examples."""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace

from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset

from etalage.data.augmentation import augment
from etalage.data.encoding import IGNORED, Encoded, encode, encode_completion, encode_pixels
from etalage.data.pixel_cache import PixelCache
from etalage.phi3v import Phi3VProcessor
from etalage.task import Product, Task

__all__ = ["Examples"]


class Examples(Dataset[Encoded]):
    """Products as encoded examples, made when asked for and kept in memory while there is room.

    Index i + e * N is product i, of N, as epoch e shows it.

    Args:
        products: The products of a split.
        task: Writes prompt and answer.
        processor: Tokenizes and applies the HD transform.
        open_image: Reads a product's picture as RGB, under its catalogue's limits.
        cache_bytes: Memory for examples already made; the first ones asked for stay.
        num_augmentations: Versions of each picture, shown by the epochs in turn; the first is the picture as it is.
        field_by_field: Each epoch teaches one field of a product, another one each time, after some other product's
            values for the fields before it. The field then has to be read off the picture: a model that has memorised
            which price goes with which title would price an unseen product by the title that it has just made up.
        pixel_cache: Where pictures are kept on disk after the HD transform.
    """

    def __init__(
        self,
        products: Sequence[Product],
        task: Task,
        processor: Phi3VProcessor,
        open_image: Callable[[Product], Image.Image],
        cache_bytes: int = 0,
        num_augmentations: int = 1,
        field_by_field: bool = False,
        pixel_cache: PixelCache | None = None,
    ) -> None:
        self.products, self.task, self.processor, self.open_image = products, task, processor, open_image
        self._num_augmentations, self._field_by_field = num_augmentations, field_by_field
        self._pixel_cache = pixel_cache
        self._free_bytes = cache_bytes
        self._cached: dict[tuple[int, int], Encoded] = {}

    def __len__(self) -> int:
        return len(self.products)

    def __getitem__(self, index: int) -> Encoded:
        epoch, place = divmod(index, len(self.products))
        encoded = self._encoded(place, epoch % self._num_augmentations)
        return self._one_field(encoded, place, epoch) if self._field_by_field else encoded

    def encode(self, product: Product, picture: Image.Image) -> Encoded:
        """Encode a product's prompt and answer beside a picture, its own or another.

        Args:
            product: Gives the words.
            picture: RGB.

        Returns:
            The example.
        """
        return encode(
            self.processor, self.task.build_prompt(product.question), self.task.format_answer(product.values), [picture]
        )

    def _encoded(self, place: int, number: int) -> Encoded:
        """Return the whole example of a product, with the picture's augmentation of this number."""
        if (place, number) in self._cached:
            return self._cached[place, number]
        product = self.products[place]

        def make() -> Tensor:
            return self.processor.image_processor.pixels(augment(self.open_image(product), number, seed=place))

        # Augmentation 0 is the picture as it is, so its key in the cache must not depend on the product's place.
        key = f"{number} {number and place}"
        pixels = self._pixel_cache(product.image, key, make) if self._pixel_cache else make()
        prompt, answer = self.task.build_prompt(product.question), self.task.format_answer(product.values)
        encoded = encode_pixels(self.processor, prompt, answer, [pixels])
        # First come, first kept: evicting would help nothing, as every epoch asks for all examples.
        if encoded.num_bytes <= self._free_bytes:
            self._free_bytes -= encoded.num_bytes
            self._cached[place, number] = encoded
        return encoded

    def _one_field(self, encoded: Encoded, place: int, epoch: int) -> Encoded:
        """Return the example with one supervised field, after another product's values."""
        fields = self.task.fields
        # Each epoch teaches every field to some product, and each augmentation comes to teach each field.
        taught = (place + sum(divmod(epoch, self._num_augmentations))) % len(fields)
        # Decided by place and epoch alone, so that workers and resumed runs choose the same one.
        other = random.Random(f"{place} {epoch}").choice(self.products)
        values = dict(self.products[place].values) | {f.name: other.values[f.name] for f in fields[:taught]}
        prompt_ids = encoded.input_ids[encoded.labels == IGNORED]
        span = self.task.answer_span(values, taught)
        input_ids, labels = encode_completion(self.processor, prompt_ids, self.task.format_answer(values), span)
        return replace(encoded, input_ids=input_ids, labels=labels)
