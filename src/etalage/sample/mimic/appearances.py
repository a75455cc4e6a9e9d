"""What new pictures show: products by category and price, in files of the original's sizes."""

import colorsys
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from PIL import ImageColor

from etalage.sample.appearance import BACKGROUNDS, CUTS, HARDWARE, MATERIALS, PATTERNS, POSES, Appearance, Rgb, Scene
from etalage.sample.mimic.category_path import CategoryPath, path_contexts
from etalage.sample.mimic.keyed_rng import KeyedRng
from etalage.sample.mimic.picture_headers import SIZE_RATIO, PictureHeader, learn_headers
from etalage.sample.mimic.suppressed_counts import SuppressedCounts

__all__ = ["Appearances", "recolour"]

MIN_PX, MAX_PX = 16, 4096

_WRITABLE_MODES = {
    "JPEG": ("RGB", "L", "CMYK"),
    "PNG": ("RGB", "RGBA", "L", "LA", "P"),
    "WEBP": ("RGB", "RGBA"),
    "GIF": ("P",),
}
"""Modes that can be written in each format; any other is written as the first of them."""

_WORDS_OF_STYLE = {
    "trench coat": "coat trench outerwear parka raincoat mantel manteau cappotto abrigo",
    "puffer jacket": "jacket puffer down bomber vest gilet jacke veste giacca chaqueta",
    "blazer": "blazer suit tailoring tuxedo anzug",
    "shirt": "shirt top blouse hemd chemise camicia camisa",
    "polo": "polo tshirt tee jersey",
    "sweater": "sweater knitwear pullover hoodie sweatshirt jumper",
    "cardigan": "cardigan",
    "dress": "dress robe gown jumpsuit kleid vestido abito",
    "skirt": "skirt rock jupe gonna falda",
    "trousers": "trouser pant jean short legging bottom hose pantalon",
    "scarf": "scarf shawl stole foulard schal echarpe sciarpa",
    "cap": "cap hat beanie headwear mutze chapeau",
    "tote bag": "tote shopper basket",
    "shoulder bag": "bag clutch purse handbag crossbody wallet tasche sac borsa bolso",
    "backpack": "backpack rucksack luggage suitcase",
    "sneakers": "sneaker trainer shoe schuh chaussure scarpa zapato",
    "boots": "boot stiefel botte",
    "pumps": "pump heel sandal loafer ballerina mule slipper",
    "belt": "belt gurtel ceinture cintura",
    "sunglasses": "sunglass glasses eyewear brille lunette",
    "perfume": "perfume fragrance cologne beauty bottle parfum",
    "earrings": "earring ring",
    "necklace": "necklace jewel jewellery bracelet pendant",
    "watch": "watch clock uhr montre",
    "umbrella": "umbrella regenschirm parapluie",
}
_STYLE_OF_WORD = {word: style for style, words in _WORDS_OF_STYLE.items() for word in words.split()}
_MATERIALS_BY_PRICE = (
    *("cotton", "straw", "denim", "knit", "quilted", "wool"),
    *("gabardine", "suede", "satin", "leather", "metal"),
)
_PATTERNS_BY_PRICE = ("plain", "striped", "dotted", "pinstripe", "check", "houndstooth", "floral", "monogram")
_HARDWARE_BY_PRICE = ("black", "silver", "gold")
# A value that is added to `sample.appearance` has to get its rank here.
assert set(_MATERIALS_BY_PRICE) == set(MATERIALS)
assert set(_PATTERNS_BY_PRICE) == set(PATTERNS)
assert set(_HARDWARE_BY_PRICE) == set(HARDWARE)
assert set(_WORDS_OF_STYLE) == set(CUTS)

_GOLDEN = (math.sqrt(5) - 1) / 2
_RANK_NOISE = 0.12
"""Standard deviation by which a product may look cheaper or dearer than its price's rank."""


@dataclass(frozen=True)
class Appearances:
    """The appearances of products, and the files of their pictures."""

    headers: SuppressedCounts[PictureHeader]
    styles: Mapping[str, str]
    """By category."""

    @classmethod
    def learn(
        cls, headers: Sequence[PictureHeader | None], paths: Sequence[CategoryPath], categories: Sequence[str]
    ) -> "Appearances":
        """Learn sizes and formats by category, and give each category a style.

        Args:
            headers: The header of each row's picture; None where the file could not be read.
            paths: The category path of each row.
            categories: All names at the level that pictures have to show, the most frequent first.

        Returns:
            The appearances.
        """
        return cls(learn_headers(headers, paths), _assign_styles(categories))

    def appearance(self, category: str, title: str, price_rank: float, shared: KeyedRng, own: KeyedRng) -> Appearance:
        """Return a product's appearance: what its title names, and otherwise what its price suggests.

        Args:
            category: Its category at the level that pictures have to show.
            title: Its title.
            price_rank: The rank of its price within the category, from 0 to 1.
            shared: Random numbers that all variants of the product share.
            own: Random numbers that tell its variants apart.

        Returns:
            The appearance.
        """
        style = self.styles.get(category, next(iter(CUTS)))
        words = re.findall(r"[a-z]+", title.casefold())
        # Title before price: a picture must not contradict the words that describe it.
        return Appearance(
            style=style,
            cut=_by_rank(CUTS[style], price_rank, shared),
            pattern=_named(words, _PATTERNS_BY_PRICE) or _by_rank(_PATTERNS_BY_PRICE, price_rank, shared),
            material=_named(words, _MATERIALS_BY_PRICE) or _by_rank(_MATERIALS_BY_PRICE, price_rank, shared),
            hardware=_named(words, _HARDWARE_BY_PRICE) or _by_rank(_HARDWARE_BY_PRICE, price_rank, shared),
            colour=_named_colour(words) or _random_colour(own),
            accent=_random_colour(own),
        )

    def scene(self, path: CategoryPath, rng: KeyedRng) -> Scene:
        """Return a scene, which has no meaning, and the picture's file format.

        Args:
            path: The row's category path.
            rng: Random numbers for the picture.

        Returns:
            The scene.
        """
        # Every field draws in this order: another order would give other pictures for the same seed.
        header = self.headers.draw(path_contexts(path), rng.uniform())
        jitter = [SIZE_RATIO ** (rng.uniform() - 0.5) if header.is_binned else 1.0 for _ in "wh"]
        is_known = header.format in _WRITABLE_MODES
        # Pillow names a JPEG that holds further pictures MPO.
        file_format = header.format if is_known else "JPEG" if header.format == "MPO" else "PNG"
        modes = _WRITABLE_MODES[file_format]
        mode = header.mode if header.mode in modes else modes[0]
        opaque = [background for background in BACKGROUNDS if background != "transparent"]
        grey = 200 + rng.randbelow(56)
        return Scene(
            width_px=_clip_px(header.width_px * jitter[0]),
            height_px=_clip_px(header.height_px * jitter[1]),
            # The square makes the plain backgrounds, which come first, the frequent ones.
            background="transparent" if mode in ("RGBA", "LA") else opaque[int(len(opaque) * rng.uniform() ** 2)],
            # Never greener or bluer than red: a neutral or a warm grey.
            tint=(grey, max(0, grey - rng.randbelow(12)), max(0, grey - rng.randbelow(16))),
            pose=POSES[rng.randbelow(len(POSES))],
            angle=round(rng.normal() * 3, 1),
            scale=round(0.74 + 0.18 * rng.uniform(), 3),
            shift=(round(0.1 * rng.uniform() - 0.05, 3), round(0.08 * rng.uniform() - 0.04, 3)),
            light=round(rng.uniform(), 2),
            contrast=round(0.25 + 0.6 * rng.uniform(), 2),
            flipped=rng.uniform() < 0.3,
            mode=mode,
            format=file_format,
            quality=72 + rng.randbelow(23),
            seed=rng.randbelow(1 << 31),
        )


def recolour(appearance: Appearance, number: int) -> Appearance:
    """Return an appearance in another colour.

    Args:
        appearance: The appearance.
        number: Selects the colour; different numbers give different ones.

    Returns:
        The recoloured appearance.
    """
    hue, saturation, value = colorsys.rgb_to_hsv(*(part / 255 for part in appearance.colour))
    # Multiples of the golden ratio never meet again. Grey and black have no hue that could be seen, hence the floors.
    colour = _rgb(hue + number * _GOLDEN, max(0.35, saturation), max(0.4, value - 0.004 * (number % 50)))
    return replace(appearance, colour=colour)


def _assign_styles(categories: Sequence[str]) -> dict[str, str]:
    """Give each category the style that its words name, or else one that is still free."""
    styles = {category: style for category in categories if (style := _style_named_by(category))}
    # Neighbours in CUTS look alike: steps of 7 give categories that follow each other different shapes.
    spread = [list(CUTS)[index * 7 % len(CUTS)] for index in range(len(CUTS))]
    # 25 styles and steps of 7 share no factor, so each style comes once.
    free = [style for style in spread if style not in styles.values()] or spread
    for index, category in enumerate(c for c in categories if c not in styles):
        styles[category] = free[index % len(free)]
    return styles


def _style_named_by(category: str) -> str:
    # The last word names the thing: "shoulder bags" are bags.
    for word in reversed(re.findall(r"[^\W\d_]+", category.casefold())):
        # Plurals of the languages above: bags, watches, Taschen.
        for form in (word, word.removesuffix("s"), word.removesuffix("es"), word.removesuffix("n")):
            if form in _STYLE_OF_WORD:
                return _STYLE_OF_WORD[form]
    return ""


def _clip_px(length: float) -> int:
    return min(max(MIN_PX, round(length)), MAX_PX)


def _by_rank(values: Sequence[str], price_rank: float, rng: KeyedRng) -> str:
    """Return one of the values; the higher the price's rank, the later, with some noise."""
    # Below 1, which would be an index past the last value.
    place = min(max(price_rank + _RANK_NOISE * rng.normal(), 0.0), 1 - 1e-9)
    return values[int(place * len(values))]


def _named(words: Sequence[str], values: Sequence[str]) -> str | None:
    # Six letters find other forms of a word, such as Stripes for striped.
    return next((value for value in values if any(word.startswith(value[:6]) for word in words)), None)


def _named_colour(words: Sequence[str]) -> Rgb | None:
    """Return the first CSS colour that a title names."""
    for word in words:
        if word in ImageColor.colormap:
            red, green, blue, *_ = ImageColor.getrgb(word)
            return red, green, blue
    return None


def _random_colour(rng: KeyedRng) -> Rgb:
    return _rgb(rng.uniform(), 0.25 + 0.7 * rng.uniform(), 0.2 + 0.75 * rng.uniform())


def _rgb(hue: float, saturation: float, value: float) -> Rgb:
    red, green, blue = (round(255 * part) for part in colorsys.hsv_to_rgb(hue % 1.0, saturation, value))
    return red, green, blue
