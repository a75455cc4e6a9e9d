"""Rows of drawn catalogues: brands' products in the Burberry schema, each with a picture and the attributes behind it.

A row follows from the seed and its number alone. Neighbouring rows may be one product in several colours, as in real
catalogues: every block of rows is cut into families.
"""

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from etalage.sample.appearance import Scene
from etalage.sample.brands import NOISE, Brand, Colour, Piece, choose_long_tailed, make_brand
from etalage.sample.colour import jitter
from etalage.sample.draw import SUFFIXES, draw
from etalage.sample.rows import Picture, Row, Scalar
from etalage.sample.vocabulary import STYLES

__all__ = ["COLUMNS", "EUR_PER_USD", "VERSION", "DrawnRows"]

VERSION = 3
"""Version of the laws and the drawings. The same seed and version give the same bytes with the same versions of
libvips, which draws, and Pillow, which encodes."""

# Unpacked rows keep the formatter from giving each name a line of its own.
COLUMNS = (
    *("website_name", "competence_date", "country_code", "currency_code", "brand"),
    *("category1_code", "category2_code", "category3_code", "product_code", "title", "itemurl", "imageurl"),
    *("full_price", "price", "full_price_eur", "price_eur", "flg_discount"),
)
"""The columns of DBQ/Burberry.Product.prices.United.States and its sister tables, in their order."""

EUR_PER_USD = 0.92

_BLOCK_ROWS = 16
"""Rows that are cut into families together, so that a row's family can be found without the rows before its block."""
_FAMILY_SIZES = {1: 0.55, 2: 0.2, 3: 0.12, 4: 0.08, 5: 0.05}
"""Shares of families by their number of colours."""


@dataclass(frozen=True)
class _Family:
    """The rows of one product."""

    first: int
    """Number of its first row."""
    brand: Brand
    piece: Piece
    palette: list[Colour]
    """The row at place n of the family has the n-th of these colours."""
    price_noise: float
    """Factor of its prices around the law, the same for all colours."""


@dataclass(frozen=True)
class DrawnRows:
    """The rows of a drawn catalogue. Implements `rows.Rows`."""

    seed: int
    """Seed of the products and their pictures. Brands follow from their own numbers."""
    brands: Sequence[int] = (0,)
    """Numbers of the brands, from the most to the least frequent."""
    picture_px: int = 336
    """Longer side of a usual picture; one in ten is larger or smaller."""

    @property
    def columns(self) -> Mapping[str, str]:
        """The table's column for each role."""
        return {
            "title": "title",
            "category": "category3_code",
            "price": "full_price",
            "image": "imageurl",
            "product_code": "product_code",
        }

    def make(self, number: int, *, code: int | None = None, recolour: int = 0) -> Row:
        """Make a row; the same arguments give the same row.

        Args:
            number: Number of the row, from 0.
            code: Number of the row whose product code this one gets; None for its own.
            recolour: If not 0, the same product in another colour and in another picture.
        """
        family = self._family(number)
        brand, piece, palette, place = family.brand, family.piece, family.palette, number - family.first
        # One stream per purpose: a new draw in one of them must not change the others.
        rng = random.Random(f"{self.seed} row {number}")
        shift = 1 + (recolour - 1) % (len(palette) - 1) if recolour else 0  # never a whole turn back to its own colour
        colour = palette[(place + shift) % len(palette)]
        # The accent is drawn for plain products, too: all draws of a row come in one order whatever its pattern.
        accent = rng.choice([other for other in palette if other is not colour])
        design = brand.design(piece, colour, accent)
        title = _drop_word(design.title, rng) if rng.random() < NOISE["title"] else design.title
        full_price = brand.round_price(design.price * family.price_noise)
        scene = self._scene(brand, random.Random(f"{self.seed} scene {number} {recolour}"))
        categories = self._categories(brand, piece, rng)
        product_code = self._code(number if code is None else code)
        # The discount is drawn before the date, because arguments are evaluated before the call.
        record = self._record(brand, title, categories, product_code, full_price, _discount(brand, piece, rng), rng)
        attributes: dict[str, Scalar] = {
            "product_code": product_code,
            "brand": brand.number,
            "family": family.first,
            **vars(piece),
            "colour": design.colour,
            "accent": design.accent,
            # What the laws say beside what the table says: `oracle` scores the difference.
            "law_title": design.title,
            "law_category": design.categories[-1],
            "law_price": design.price,
            "title": title,
            "category": record["category3_code"],
            "full_price": full_price,
            # Tuples such as the tint are left out: the table of attributes holds single values.
            **{key: value for key, value in vars(scene).items() if isinstance(value, Scalar)},
        }
        return Row(record, Picture(draw(design.appearance, scene), SUFFIXES[scene.format]), attributes)

    def manifest(self) -> dict[str, Any]:
        """Return version, seed, noise and the brands' price laws."""
        return {
            "kind": "drawn",
            "version": VERSION,
            "seed": self.seed,
            "picture_px": self.picture_px,
            "noise": dict(NOISE),
            "brands": [make_brand(number).price_law() for number in self.brands],
        }

    def _family(self, number: int) -> _Family:
        """Return the family of a row."""
        # Only the row's own block is needed: no family reaches into the next one.
        first = next(start for start in reversed(_family_starts(self.seed, number // _BLOCK_ROWS)) if start <= number)
        # Seeded by the family's first row, so that each of its rows draws the same brand, piece and palette.
        rng = random.Random(f"{self.seed} family {first}")
        brand = make_brand(choose_long_tailed(rng, self.brands, 0.5))
        return _Family(
            first,
            brand,
            brand.choose_piece(rng),
            brand.choose_palette(rng),
            price_noise=rng.lognormvariate(0, NOISE["price"]),
        )

    def _categories(self, brand: Brand, piece: Piece, rng: random.Random) -> tuple[str, str, str]:
        neighbours = [s for s in brand.styles if s != piece.style and _department(s) == _department(piece.style)]
        misplaced = bool(neighbours) and rng.random() < NOISE["category"]
        return brand.categories(rng.choice(neighbours) if misplaced else piece.style)

    def _code(self, number: int) -> int:
        """Return a product code that no other number has, and that does not give the number away."""
        # Each row owns 37 codes and picks one: codes are unique, rise with the rows, and have uneven gaps.
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
        # Rounding a reduced price may bring it above the full one.
        price = min(full_price, brand.round_price(full_price * (1 - discount)))
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
            "imageurl": None,  # the writer knows the path
            "full_price": full_price,
            "price": price,
            "full_price_eur": round(full_price * EUR_PER_USD, 2),
            "price_eur": round(price * EUR_PER_USD, 2),
            "flg_discount": int(price < full_price),
        }

    def _scene(self, brand: Brand, rng: random.Random) -> Scene:
        """Return a scene in the manner of the brand's photographer, with some variety."""
        unusual = rng.random() < 0.1
        aspect = math.exp(rng.uniform(-0.5, 0.5)) if unusual else brand.aspect
        longer_px = self.picture_px * (rng.uniform(0.6, 1.6) if unusual else 1)
        file_format, mode = rng.choices(
            (("JPEG", "RGB"), ("PNG", "RGB"), ("PNG", "RGBA"), ("WEBP", "RGB"), ("JPEG", "CMYK")),
            (0.92, 0.02, 0.03, 0.02, 0.01),
        )[0]
        return Scene(
            width_px=max(16, round(longer_px * min(aspect, 1))),
            height_px=max(16, round(longer_px / max(aspect, 1))),
            # Only a mode with alpha can show a transparent background.
            background="transparent" if mode == "RGBA" else choose_long_tailed(rng, brand.backgrounds, 1.0),
            tint=jitter(rng, brand.tint, 6),
            pose=choose_long_tailed(rng, brand.poses, 1.5),
            angle=round(rng.gauss(0, 12 if rng.random() < 0.1 else 3), 1),
            scale=round(rng.uniform(0.95, 1.12) if rng.random() < 0.07 else rng.uniform(0.74, 0.92), 3),
            shift=(round(rng.uniform(-0.05, 0.05), 3), round(rng.uniform(-0.04, 0.04), 3)),
            light=round(rng.random(), 2),
            contrast=round(rng.uniform(0.25, 0.85), 2),
            flipped=rng.random() < 0.3,
            mode=mode,
            format=file_format,
            quality=rng.randint(72, 94),
            seed=rng.getrandbits(31),
        )


# Sixteen neighbouring rows ask for the same block.
@lru_cache(4096)
def _family_starts(seed: int, block: int) -> tuple[int, ...]:
    """Return the number of the first row of each family of a block."""
    # The last family of a block may be cut short, since the next block begins anew.
    rng = random.Random(f"{seed} block {block}")
    starts, first = [], block * _BLOCK_ROWS
    while first < (block + 1) * _BLOCK_ROWS:
        starts.append(first)
        first += rng.choices(list(_FAMILY_SIZES), list(_FAMILY_SIZES.values()))[0]
    return tuple(starts)


def _discount(brand: Brand, piece: Piece, rng: random.Random) -> float:
    """Return the share by which the price is reduced, 0 for most products."""
    reduced = rng.random() < brand.discount_shares[_department(piece.style)]
    return rng.choice((0.1, 0.2, 0.3, 0.5)) if reduced else 0.0


def _department(style: str) -> str:
    return STYLES[style].department


def _drop_word(title: str, rng: random.Random) -> str:
    """Return a title without one of its words; the last two, the noun or the colour, stay."""
    words = title.split(" ")
    # Without its noun a title would name no product.
    if len(words) > 2:
        del words[rng.randrange(len(words) - 2)]
    return " ".join(words)
