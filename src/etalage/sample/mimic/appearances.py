"""What new pictures show, and the files they come in: sizes as in the original, looks by category and price."""

import colorsys
import math
import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image, ImageColor

from etalage.sample.appearance import BACKGROUNDS, CUTS, HARDWARE, MATERIALS, PATTERNS, POSES, Look, Rgb, Scene
from etalage.sample.mimic.keyed_rng import Dice
from etalage.sample.mimic.suppressed_counts import Cells, Seen, views

__all__ = ["Frame", "Looks", "read_frame", "recoloured"]

MIN_PX, MAX_PX = 16, 4096

_READ = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
_MODES = {
    "JPEG": ("RGB", "L", "CMYK"),
    "PNG": ("RGB", "RGBA", "L", "LA", "P"),
    "WEBP": ("RGB", "RGBA"),
    "GIF": ("P",),
}
"""What can be drawn. Others are drawn as the first."""
_BIN = math.sqrt(math.sqrt(2))
"""Ratio of neighbouring sizes, where a size of its own is too rare."""

_MADE_FOR = {
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
_WORDS = {word: style for style, words in _MADE_FOR.items() for word in words.split()}
_BY_WORTH = ("cotton", "straw", "denim", "knit", "quilted", "wool", "gabardine", "suede", "satin", "leather", "metal")
_PATTERN_BY_WORTH = ("plain", "striped", "dotted", "pinstripe", "check", "houndstooth", "floral", "monogram")
_HARDWARE_BY_WORTH = ("black", "silver", "gold")
assert set(_BY_WORTH) == set(MATERIALS)
assert set(_PATTERN_BY_WORTH) == set(PATTERNS)
assert set(_HARDWARE_BY_WORTH) == set(HARDWARE)
assert set(_MADE_FOR) == set(CUTS)

_GOLDEN = (math.sqrt(5) - 1) / 2
_SPREAD = 0.12
"""By which a product's worth may seem to differ from its price's rank."""


@dataclass(frozen=True)
class Frame:
    """A picture file, seen from outside."""

    width_px: int
    height_px: int
    mode: str
    format: str
    binned: bool = False
    """The size stands for all near it."""


_USUAL = Frame(336, 336, "RGB", "JPEG", binned=True)


def read_frame(path: Path) -> Frame | None:
    """From a file's header; None if it cannot be read."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about files that do not keep to their format
            with Image.open(path, formats=_READ) as picture:
                return Frame(*picture.size, picture.mode, picture.format or "")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None


@dataclass(frozen=True)
class Looks:
    """How pictures look."""

    frames: Cells[Frame]
    styles: Mapping[str, str]
    """By category."""

    @classmethod
    def learn(
        cls, frames: Sequence[Frame | None], places: Sequence[tuple[str, ...]], categories: Sequence[str]
    ) -> "Looks":
        """Learn.

        Args:
            frames: Of each row; None where the file could not be read.
            places: The categories of each row, from the widest to the narrowest.
            categories: All names of the category that is to be told from a picture, the most frequent first.
        """
        seen: list[Seen[Frame]] = []
        for row, (frame, place) in enumerate(zip(frames, places, strict=True)):
            if frame is not None:
                seen.append(((*views(place), ()), frame, row))
        exact = set(Cells.learn([(((),), frame, row) for _, frame, row in seen], _USUAL).whole.values)
        coarse = [(where, frame if frame in exact else _binned(frame), row) for where, frame, row in seen]
        return cls(Cells.learn(coarse, _USUAL), _styles(categories))

    def look(self, category: str, title: str, worth: float, product: Dice, shown: Dice) -> Look:
        """A product's looks: what its title says, and else what its price's rank within its category suggests.

        Args:
            worth: That rank, from 0 to 1.
            product: Of what all variants of a product have in common.
            shown: Of what tells them apart.
        """
        style = self.styles.get(category, next(iter(CUTS)))
        words = re.findall(r"[a-z]+", title.casefold())
        return Look(
            style=style,
            cut=_ranked(CUTS[style], worth, product),
            pattern=_named(words, _PATTERN_BY_WORTH) or _ranked(_PATTERN_BY_WORTH, worth, product),
            material=_named(words, _BY_WORTH) or _ranked(_BY_WORTH, worth, product),
            hardware=_named(words, _HARDWARE_BY_WORTH) or _ranked(_HARDWARE_BY_WORTH, worth, product),
            colour=_named_colour(words) or _colour(shown),
            accent=_colour(shown),
        )

    def scene(self, place: tuple[str, ...], dice: Dice) -> Scene:
        """What varies without meaning."""
        frame = self.frames.draw((*views(place), ()), dice.uniform())
        jitter = [_BIN ** (dice.uniform() - 0.5) if frame.binned else 1.0 for _ in "wh"]
        kind = frame.format if frame.format in _MODES else "JPEG" if frame.format == "MPO" else "PNG"
        mode = frame.mode if frame.mode in _MODES[kind] else _MODES[kind][0]
        clear = mode in ("RGBA", "LA")
        opaque = [background for background in BACKGROUNDS if background != "transparent"]
        grey = 200 + dice.below(56)
        return Scene(
            width_px=_side(frame.width_px * jitter[0]),
            height_px=_side(frame.height_px * jitter[1]),
            background="transparent" if clear else opaque[int(len(opaque) * dice.uniform() ** 2)],
            tint=(grey, max(0, grey - dice.below(12)), max(0, grey - dice.below(16))),
            pose=POSES[dice.below(len(POSES))],
            angle=round(dice.normal() * 3, 1),
            scale=round(0.74 + 0.18 * dice.uniform(), 3),
            shift=(round(0.1 * dice.uniform() - 0.05, 3), round(0.08 * dice.uniform() - 0.04, 3)),
            light=round(dice.uniform(), 2),
            contrast=round(0.25 + 0.6 * dice.uniform(), 2),
            flipped=dice.uniform() < 0.3,
            mode=mode,
            format=kind,
            quality=72 + dice.below(23),
            seed=dice.below(1 << 31),
        )


def recoloured(look: Look, number: int) -> Look:
    """In another colour; each number gives one of its own."""
    hue, saturation, value = colorsys.rgb_to_hsv(*(part / 255 for part in look.colour))
    colour = _rgb(hue + number * _GOLDEN, max(0.35, saturation), max(0.4, value - 0.004 * (number % 50)))
    return replace(look, colour=colour)


def _styles(categories: Sequence[str]) -> dict[str, str]:
    """The style that a category's words name, else one that is still free."""
    styles = {category: style for category in categories if (style := _style_of(category))}
    apart = [list(CUTS)[number * 7 % len(CUTS)] for number in range(len(CUTS))]  # neighbours in CUTS look alike
    free = [style for style in apart if style not in styles.values()] or apart
    for number, category in enumerate(c for c in categories if c not in styles):
        styles[category] = free[number % len(free)]
    return styles


def _style_of(category: str) -> str:
    for word in reversed(re.findall(r"[^\W\d_]+", category.casefold())):
        for form in (word, word.removesuffix("s"), word.removesuffix("es"), word.removesuffix("n")):
            if form in _WORDS:
                return _WORDS[form]
    return ""


def _binned(frame: Frame) -> Frame:
    width, height = (round(_BIN ** round(math.log(max(1, side), _BIN))) for side in (frame.width_px, frame.height_px))
    return Frame(width, height, frame.mode, frame.format, binned=True)


def _side(length: float) -> int:
    return min(max(MIN_PX, round(length)), MAX_PX)


def _ranked(values: Sequence[str], worth: float, dice: Dice) -> str:
    """One of them, the later the more it is worth, give or take."""
    place = min(max(worth + _SPREAD * dice.normal(), 0.0), 1 - 1e-9)
    return values[int(place * len(values))]


def _named(words: Sequence[str], values: Sequence[str]) -> str | None:
    return next((value for value in values if any(word.startswith(value[:6]) for word in words)), None)


def _named_colour(words: Sequence[str]) -> Rgb | None:
    """The first colour word of a title, in CSS's meaning of it."""
    for word in words:
        if word in ImageColor.colormap:
            red, green, blue, *_ = ImageColor.getrgb(word)
            return red, green, blue
    return None


def _colour(dice: Dice) -> Rgb:
    return _rgb(dice.uniform(), 0.25 + 0.7 * dice.uniform(), 0.2 + 0.75 * dice.uniform())


def _rgb(hue: float, saturation: float, value: float) -> Rgb:
    red, green, blue = (round(255 * part) for part in colorsys.hsv_to_rgb(hue % 1.0, saturation, value))
    return red, green, blue
