"""A drawn catalogue: brands' products as rows of the Burberry schema, each with a picture and with what lies behind it.

A row follows from the seed and its number alone. Neighbouring rows may be one product in several colours, as in real
catalogues: rows are cut into families, block by block.
"""

import math
import random
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import median
from typing import Any

from etalage.sample.appearance import Scene
from etalage.sample.draw import SUFFIXES, draw
from etalage.sample.rows import Picture, Row, Scalar
from etalage.sample.vocabulary import STYLES
from etalage.sample.world import NOISE, Brand, Colour, Piece, brand_of, long_tailed, tinted

__all__ = ["COLUMNS", "VERSION", "Drawn", "Oracle"]

VERSION = 3
"""Same seed and version, same bytes (with the same libvips, which draws, and Pillow, which encodes)."""

COLUMNS = (
    *("website_name", "competence_date", "country_code", "currency_code", "brand"),
    *("category1_code", "category2_code", "category3_code", "product_code", "title", "itemurl", "imageurl"),
    *("full_price", "price", "full_price_eur", "price_eur", "flg_discount"),
)
"""Of DBQ/Burberry.Product.prices.United.States and its sister tables, in their order."""

EUR_PER_USD = 0.92

_BLOCK = 16
"""Rows that are cut into families together."""
_FAMILY_SIZES = {1: 0.55, 2: 0.2, 3: 0.12, 4: 0.08, 5: 0.05}


@dataclass(frozen=True)
class Drawn:
    """The rows of a drawn catalogue.

    Args:
        seed: Of the products and their pictures. Brands follow from their own numbers.
        brands: Numbers of the brands, from the most to the least frequent.
        picture_px: Longer side of a usual picture; one in ten is larger or smaller.
    """

    seed: int
    brands: Sequence[int] = (0,)
    picture_px: int = 336

    @property
    def columns(self) -> Mapping[str, str]:
        return {
            "title": "title",
            "category": "category3_code",
            "price": "full_price",
            "image": "imageurl",
            "product_code": "product_code",
        }

    def make(self, number: int, *, code: int | None = None, recolour: int = 0) -> Row:
        brand, piece, palette, place, noise = self._family(number)
        rng = random.Random(f"{self.seed} row {number}")
        turn = 1 + (recolour - 1) % (len(palette) - 1) if recolour else 0
        colour = palette[(place + turn) % len(palette)]
        accent = rng.choice([other for other in palette if other is not colour])
        design = brand.dyed(piece, colour, accent)
        title = _without_a_word(design.title, rng) if rng.random() < NOISE["title"] else design.title
        full_price = brand.rounded(design.price * noise)
        scene = self._scene(brand, random.Random(f"{self.seed} scene {number} {recolour}"))
        categories = self._categories(brand, piece, rng)
        product_code = self._code(number if code is None else code)
        record = self._record(brand, title, categories, product_code, full_price, _discount(brand, piece, rng), rng)
        attributes: dict[str, Scalar] = {
            "product_code": product_code,
            "brand": brand.number,
            "family": number - place,
            **vars(piece),
            "colour": design.colour,
            "accent": design.accent,
            "law_title": design.title,
            "law_category": design.categories[-1],
            "law_price": design.price,
            "title": title,
            "category": record["category3_code"],
            "full_price": full_price,
            **{key: value for key, value in vars(scene).items() if isinstance(value, Scalar)},
        }
        return Row(record, Picture(draw(design.look, scene), SUFFIXES[scene.format]), attributes)

    def manifest(self) -> dict[str, Any]:
        return {
            "kind": "drawn",
            "version": VERSION,
            "seed": self.seed,
            "picture_px": self.picture_px,
            "noise": dict(NOISE),
            "brands": [brand_of(number).law() for number in self.brands],
        }

    def _family(self, number: int) -> tuple[Brand, Piece, list[Colour], int, float]:
        """Brand, piece and palette of a row's family, the row's place in it, and what its price is off its law by."""
        first = next(start for start in reversed(_starts(self.seed, number // _BLOCK)) if start <= number)
        rng = random.Random(f"{self.seed} family {first}")
        brand = brand_of(long_tailed(rng, self.brands, 0.5))
        return brand, brand.piece(rng), brand.palette(rng), number - first, rng.lognormvariate(0, NOISE["price"])

    def _categories(self, brand: Brand, piece: Piece, rng: random.Random) -> tuple[str, str, str]:
        neighbours = [s for s in brand.styles if s != piece.style and _department(s) == _department(piece.style)]
        strays = bool(neighbours) and rng.random() < NOISE["category"]
        return brand.categories(rng.choice(neighbours) if strays else piece.style)

    def _code(self, number: int) -> int:
        return 8_000_000 + number * 37 + random.Random(f"{self.seed} code {number}").randrange(37)

    def _record(
        self,
        brand: Brand,
        title: str,
        categories: tuple[str, str, str],
        product_code: int,
        full_price: float,
        discount: float,
        rng: random.Random,
    ) -> dict[str, Scalar]:
        price = min(full_price, brand.rounded(full_price * (1 - discount)))
        shop = brand.name.lower().replace(" & ", "-").replace(" ", "-")
        slug = title.lower().replace(",", "").replace(" - ", " ").replace(" ", "-")
        return {
            "website_name": brand.name,
            "competence_date": rng.choice(brand.dates),
            "country_code": "USA",
            "currency_code": "USD",
            "brand": brand.name,
            "category1_code": categories[0],
            "category2_code": categories[1],
            "category3_code": categories[2],
            "product_code": product_code,
            "title": title,
            "itemurl": f"https://{shop}.example/us/{slug}-p{product_code}",
            "imageurl": None,
            "full_price": full_price,
            "price": price,
            "full_price_eur": round(full_price * EUR_PER_USD, 2),
            "price_eur": round(price * EUR_PER_USD, 2),
            "flg_discount": int(price < full_price),
        }

    def _scene(self, brand: Brand, rng: random.Random) -> Scene:
        """As the brand's photographer has it, with some variety."""
        odd = rng.random() < 0.1
        aspect = math.exp(rng.uniform(-0.5, 0.5)) if odd else brand.aspect
        longer = self.picture_px * (rng.uniform(0.6, 1.6) if odd else 1)
        kind, mode = rng.choices(
            (("JPEG", "RGB"), ("PNG", "RGB"), ("PNG", "RGBA"), ("WEBP", "RGB"), ("JPEG", "CMYK")),
            (0.92, 0.02, 0.03, 0.02, 0.01),
        )[0]
        return Scene(
            width_px=max(16, round(longer * min(aspect, 1))),
            height_px=max(16, round(longer / max(aspect, 1))),
            background="transparent" if mode == "RGBA" else long_tailed(rng, brand.backgrounds, 1.0),
            tint=tinted(rng, brand.tint, 6),
            pose=long_tailed(rng, brand.poses, 1.5),
            angle=round(rng.gauss(0, 12 if rng.random() < 0.1 else 3), 1),
            scale=round(rng.uniform(0.95, 1.12) if rng.random() < 0.07 else rng.uniform(0.74, 0.92), 3),
            shift=(round(rng.uniform(-0.05, 0.05), 3), round(rng.uniform(-0.04, 0.04), 3)),
            light=round(rng.random(), 2),
            contrast=round(rng.uniform(0.25, 0.85), 2),
            flipped=rng.random() < 0.3,
            mode=mode,
            format=kind,
            quality=rng.randint(72, 94),
            seed=rng.getrandbits(31),
        )


class Oracle:
    """How well one would do who reads every attribute off the picture and knows the laws; eight bytes a row."""

    def __init__(self) -> None:
        self._titles = self._categories = 0
        self._errors = array("d")

    def add(self, attributes: Mapping[str, Scalar]) -> None:
        """A row's."""
        self._titles += attributes["law_title"] == attributes["title"]
        self._categories += attributes["law_category"] == attributes["category"]
        self._errors.append(abs(math.log(float(attributes["law_price"] or 0) / float(attributes["full_price"] or 0))))

    def __bool__(self) -> bool:
        return bool(self._errors)

    def figures(self) -> dict[str, float]:
        rows = len(self._errors)
        return {
            "title_exact": round(self._titles / rows, 6),
            "category_accuracy": round(self._categories / rows, 6),
            "price_median_factor_error": round(math.exp(median(self._errors)), 6),
        }


@lru_cache(4096)
def _starts(seed: int, block: int) -> tuple[int, ...]:
    """The first row of each family of a block."""
    rng = random.Random(f"{seed} block {block}")
    starts, first = [], block * _BLOCK
    while first < (block + 1) * _BLOCK:
        starts.append(first)
        first += rng.choices(list(_FAMILY_SIZES), list(_FAMILY_SIZES.values()))[0]
    return tuple(starts)


def _discount(brand: Brand, piece: Piece, rng: random.Random) -> float:
    reduced = rng.random() < brand.discounts[_department(piece.style)]
    return rng.choice((0.1, 0.2, 0.3, 0.5)) if reduced else 0.0


def _department(style: str) -> str:
    return STYLES[style].department


def _without_a_word(title: str, rng: random.Random) -> str:
    words = title.split(" ")
    if len(words) > 2:
        del words[rng.randrange(len(words) - 2)]
    return " ".join(words)
