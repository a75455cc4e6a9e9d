"""Pictures of products, and the sample catalogue that they stand in.

A product is drawn as polygons in its own coordinates (x from -1 to 1, y from -1.25 to 1.25, y downwards), at twice the
size and then reduced. Colour and pattern fill the cloth; tint of the background, place, size, tilt and light vary
without meaning.
"""

import csv
import json
import math
import random
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from statistics import median

from PIL import Image, ImageChops, ImageDraw

from etalage.aside import written_aside
from etalage.progress import Progress
from etalage.sample.world import COLOURS, KINDS, NOISE, PATTERNS, Item, draw_item

__all__ = ["COLUMNS", "VERSION", "draw_picture", "write_sample"]

VERSION = 1
"""Same seed and version, same bytes (with the same Pillow, which encodes them)."""

WIDTH_PX, HEIGHT_PX = 160, 208

COLUMNS = (
    *("website_name", "competence_date", "country_code", "currency_code", "brand"),
    *("category1_code", "category2_code", "category3_code", "product_code", "title", "itemurl", "imageurl"),
    *("full_price", "price", "full_price_eur", "price_eur", "flg_discount"),
)
"""Of DBQ/Burberry.Product.prices.United.States and its sister tables, in their order."""

EUR_PER_USD = 0.92

Point = tuple[float, float]
Colour = tuple[int, int, int]

_TINTS: Sequence[Colour] = ((206, 214, 224), (222, 212, 200), (204, 220, 208), (216, 206, 222), (212, 212, 212))
_LEATHER, _METAL, _INK = (104, 66, 38), (150, 150, 156), (24, 22, 26)


def write_sample(out: Path, rows: int, seed: int, progress: Progress | None = None) -> None:
    """Write OUT/catalogue.csv, a picture per row under OUT/images, and OUT/manifest.json with the laws behind them.

    Raises:
        ValueError: `out` already holds something.
    """
    with written_aside(out) as folder:
        (folder / "images").mkdir()
        items = []
        with (folder / "catalogue.csv").open("w", encoding="utf-8", newline="") as file:
            table = csv.DictWriter(file, COLUMNS, lineterminator="\n")
            table.writeheader()
            for row in range(1, rows + 1):
                rng = random.Random(f"{seed} {row}")  # each row of its own, so that rows can be drawn in any order
                item = draw_item(rng)
                image = f"images/{row:06d}.jpg"
                table.writerow(_record(item, row, image, rng))
                draw_picture(item, rng).save(folder / image, quality=90)
                items.append(item)
                if progress is not None:
                    progress(row, rows)
        manifest = json.dumps(_manifest(items, seed), indent=2) + "\n"
        (folder / "manifest.json").write_text(manifest, encoding="utf-8")


def draw_picture(item: Item, rng: random.Random) -> Image.Image:
    """Draw an item, 160 x 208, RGB. The same state of `rng` gives the same pixels."""
    canvas = _Canvas(item, rng)
    _SILHOUETTES[item.kind.noun](canvas)
    return canvas.finish()


def _record(item: Item, row: int, image: str, rng: random.Random) -> dict[str, object]:
    code = 8_000_000 + row * 37 + rng.randrange(37)
    discounted = rng.random() < 0.15
    price = item.full_price * (rng.choice((0.9, 0.8, 0.7)) if discounted else 1)
    slug = item.title.lower().replace(" ", "-")
    category1, category2, category3 = item.kind.categories
    return {
        "website_name": "Maison Etalage",
        "competence_date": "2024-03-01",
        "country_code": "USA",
        "currency_code": "USD",
        "brand": "Maison Etalage",
        "category1_code": category1,
        "category2_code": category2,
        "category3_code": category3,
        "product_code": code,
        "title": item.title,
        "itemurl": f"https://maison-etalage.example/us/{slug}-p{code}",
        "imageurl": image,
        "full_price": item.full_price,
        "price": round(price, 2),
        "full_price_eur": round(item.full_price * EUR_PER_USD, 2),
        "price_eur": round(price * EUR_PER_USD, 2),
        "flg_discount": int(discounted),
    }


def _manifest(items: Sequence[Item], seed: int) -> dict[str, object]:
    errors = [abs(math.log(item.law_price / item.full_price)) for item in items]
    return {
        "version": VERSION,
        "seed": seed,
        "rows": len(items),
        "price_law": "base[category3] x colour x pattern x noise, rounded to tens",
        "base": {kind.categories[-1]: kind.base for kind in KINDS},
        "colour": {colour.name: colour.factor for colour in COLOURS},
        "pattern": {pattern.name: pattern.factor for pattern in PATTERNS},
        "noise": {"kind": "lognormal", "sigma": NOISE},
        "oracle": {"median_factor_error": round(math.exp(median(errors)), 6)},
    }


class _Canvas:
    """What silhouettes draw on: keeps where the item stands and what its cloth looks like."""

    def __init__(self, item: Item, rng: random.Random) -> None:
        self.size = (2 * WIDTH_PX, 2 * HEIGHT_PX)
        self.unit = 2 * 74 * rng.uniform(0.86, 1.0)
        self.centre = (WIDTH_PX + rng.uniform(-9, 9), HEIGHT_PX + rng.uniform(-11, 11))
        tilt = math.radians(rng.uniform(-7, 7))
        self.cos, self.sin = math.cos(tilt), math.sin(tilt)
        self.tint = rng.choice(_TINTS)
        self.light = rng.uniform(0.94, 1.04)
        self.colour = item.colour.rgb
        self.dark = _scaled(self.colour, 0.62)
        self.image = Image.new("RGB", self.size, _scaled(self.tint, self.light))
        self.pen = ImageDraw.Draw(self.image)
        self.outline = _scaled(self.colour, 0.4)
        self._floor()
        self.cloth = None if item.pattern.name == "plain" else self._weave(item.pattern.name, rng)

    def at(self, points: Sequence[Point]) -> list[Point]:
        """From the item's coordinates to pixels."""
        return [
            (
                self.centre[0] + self.unit * (x * self.cos - y * self.sin),
                self.centre[1] + self.unit * (x * self.sin + y * self.cos),
            )
            for x, y in points
        ]

    def fill(self, points: Sequence[Point], colour: Colour | None = None) -> None:
        """A shape of cloth, or of one colour, with an outline."""
        corners = self.at(points)
        if colour is None and self.cloth is not None:
            left, top = (int(min(sides)) for sides in zip(*corners, strict=True))
            right, bottom = (int(max(sides)) + 1 for sides in zip(*corners, strict=True))
            mask = Image.new("L", (right - left, bottom - top))
            ImageDraw.Draw(mask).polygon([(x - left, y - top) for x, y in corners], fill=255)
            self.image.paste(self.cloth.crop((left, top, right, bottom)), (left, top), mask)
        else:
            self.pen.polygon(corners, fill=colour or self.colour)
        self.pen.line([*corners, *corners[:2]], fill=self.outline, width=5, joint="curve")

    def line(self, points: Sequence[Point], width: float = 0.03, colour: Colour | None = None) -> None:
        """A seam, a strap, a pole."""
        width_px = max(2, round(width * self.unit))
        self.pen.line(self.at(points), fill=colour or self.outline, width=width_px, joint="curve")

    def finish(self) -> Image.Image:
        """The picture, reduced and lit."""
        return ImageChops.multiply(self.image.reduce(2), _light())

    def _floor(self) -> None:
        left, top = self.centre[0] - 0.85 * self.unit, self.centre[1] + 1.16 * self.unit
        self.pen.ellipse((left, top, left + 1.7 * self.unit, top + 0.2 * self.unit), fill=_scaled(self.tint, 0.82))

    def _weave(self, pattern: str, rng: random.Random) -> Image.Image:
        cloth = Image.new("RGB", self.size, self.colour)
        pen = ImageDraw.Draw(cloth)
        pale = (250, 246, 236) if sum(self.colour) < 560 else (74, 60, 58)
        pitch, shift = 0.42, rng.uniform(0, 0.42)
        places = [shift + pitch * step for step in range(-5, 5)]
        thick = round(self.unit * (0.13 if pattern == "striped" else 0.1))
        if pattern == "dotted":
            radius = 0.1 * self.unit
            for number, y in enumerate(places):
                for x, y_px in self.at([(x + pitch / 2 * (number % 2), y * 0.85) for x in places]):
                    pen.ellipse((x - radius, y_px - radius, x + radius, y_px + radius), fill=pale)
            return cloth
        if pattern == "checked":
            for x in places:
                pen.line(self.at([(x, -2), (x, 2)]), fill=pale, width=thick)
        for y in places:
            pen.line(self.at([(-2, y), (2, y)]), fill=pale, width=thick)
        return cloth


@cache
def _light() -> Image.Image:
    """Brighter from the upper left."""
    size, ramp = (WIDTH_PX, HEIGHT_PX), Image.linear_gradient("L")
    sideways = ramp.rotate(90).resize(size)
    both = Image.blend(ramp.resize(size), sideways, 0.5)
    return both.point([255 - value * 52 // 255 for value in range(256)]).convert("RGB")


def _scaled(colour: Colour, factor: float) -> Colour:
    red, green, blue = (min(255, round(part * factor)) for part in colour)
    return red, green, blue


def _arc(x: float, y: float, rx: float, ry: float, start: float, end: float, steps: int = 24) -> list[Point]:
    """Points on an ellipse, in degrees clockwise from the right."""
    angles = [math.radians(start + (end - start) * step / steps) for step in range(steps + 1)]
    return [(x + rx * math.cos(angle), y + ry * math.sin(angle)) for angle in angles]


def _mirrored(points: Sequence[Point]) -> list[Point]:
    """A right half, from top to bottom, with its left half."""
    return [*points, *((-x, y) for x, y in reversed(points))]


def _shirt(on: _Canvas) -> None:
    sleeve = [(0.4, -1.0), (0.66, -0.86), (0.98, 0.62), (0.72, 0.7), (0.46, -0.3)]
    for side in (1, -1):
        on.fill([(side * x, y) for x, y in sleeve])
        on.fill([(side * x, y) for x, y in [(0.985, 0.56), (1.0, 0.74), (0.74, 0.82), (0.705, 0.64)]], on.dark)
    on.fill(_mirrored([(0.18, -1.08), (0.5, -0.96), (0.54, -0.4), (0.52, 0.98), (0.3, 1.08)]))
    on.line([(0, -0.86), (0, 1.06)])
    for side in (1, -1):
        on.fill([(side * x, y) for x, y in [(0.0, -0.84), (0.26, -1.2), (0.34, -0.86), (0.2, -0.66)]], on.dark)
    for step in range(5):
        on.line(_arc(0.07, -0.5 + 0.34 * step, 0.018, 0.018, 0, 360, 8), 0.03, _METAL)


def _dress(on: _Canvas) -> None:
    for side in (1, -1):
        on.line([(side * 0.28, -0.8), (side * 0.22, -1.2)], 0.07, on.dark)
    neck = [(0.38, -0.86), (0.3, -0.62), (0.26, -0.2), (0.6, 0.5)]
    hem = _arc(0, 1.08, 0.92, 0.12, 0, 180)
    on.fill([*neck, *hem, *((-x, y) for x, y in reversed(neck)), (0, -0.7)])
    on.fill([(0.275, -0.25), (0.3, -0.1), (-0.3, -0.1), (-0.275, -0.25)], on.dark)
    for x in (-0.5, 0, 0.5):
        on.line([(x * 0.4, 0.0), (x, 1.12)], 0.02)


def _trousers(on: _Canvas) -> None:
    on.fill(_mirrored([(0.44, -1.1), (0.6, 0.0), (0.66, 1.16), (0.22, 1.16), (0.04, -0.28)]))
    on.fill(_mirrored([(0.43, -1.18), (0.46, -1.0)]), on.dark)
    on.line([(0, -1.0), (0, -0.3)])
    for side in (1, -1):
        on.line([(side * 0.46, -0.86), (side * 0.28, -0.66), (side * 0.24, -0.98)])
        on.line([(side * 0.36, -0.3), (side * 0.44, 1.14)], 0.02)


def _tote(on: _Canvas) -> None:
    on.line(_arc(0, -0.38, 0.42, 0.78, 180, 360), 0.1, _scaled(_LEATHER, 0.7))
    on.fill(_mirrored([(0.78, -0.42), (0.94, 0.94), (0.86, 1.04)]))
    on.fill(_mirrored([(0.78, -0.46), (0.8, -0.26)]), _LEATHER)
    on.line(_arc(0, -0.3, 0.34, 0.7, 180, 360), 0.1, _LEATHER)
    for side in (1, -1):
        on.fill([(side * x, y) for x, y in [(0.26, -0.36), (0.42, -0.36), (0.42, -0.04), (0.26, -0.04)]], _LEATHER)
        on.line(_arc(side * 0.34, -0.14, 0.03, 0.03, 0, 360, 8), 0.04, _METAL)


def _scarf(on: _Canvas) -> None:
    for side, length in ((-1, 0.98), (1, 0.74)):
        tail = [(0.06, -0.5), (0.42, -0.66), (0.66, length - 0.06), (0.22, length)]
        for step in range(6):
            x = 0.26 + 0.072 * step
            on.line([(side * x, length - 0.06), (side * (x + 0.02), length + 0.18)], 0.035, on.dark)
        on.fill([(side * x, y) for x, y in tail])
    ring = _arc(0, -0.66, 0.66, 0.44, 0, 360)
    on.fill(ring)
    on.fill(_arc(0, -0.78, 0.4, 0.2, 0, 360), _scaled(on.tint, 0.62))
    on.line([(-0.4, -0.5), (-0.1, -0.32), (0.3, -0.38)], 0.025)
    on.line([(-0.52, -0.42), (-0.1, -0.26), (0.5, -0.48)], 0.025)


def _boots(on: _Canvas) -> None:
    for shift, raised in ((0.14, -0.14), (-0.2, 0.06)):

        def moved(points: Sequence[Point], shift: float = shift, raised: float = raised) -> list[Point]:
            return [(x + shift, y + raised) for x, y in points]

        on.fill(
            moved([(-0.6, 0.94), (-0.6, 1.12), (-0.26, 1.12), (-0.22, 0.98), (0.1, 1.06), (0.8, 1.06), (0.8, 0.94)]),
            _INK,
        )
        toe = _arc(0.5, 0.9, 0.3, 0.3, -70, 10, 8)
        on.fill(
            moved([(-0.56, -1.1), (0.08, -1.1), (0.06, 0.2), (0.2, 0.5), *toe, (0.8, 0.98), (-0.6, 0.98), (-0.52, 0.1)])
        )
        on.fill(moved([(-0.58, -1.14), (0.1, -1.14), (0.1, -0.94), (-0.575, -0.94)]), on.dark)
        on.line(moved([(-0.54, 0.34), (0.12, 0.34)]), 0.07, _LEATHER)
        on.line(moved(_arc(-0.1, 0.34, 0.06, 0.06, 0, 360, 10)), 0.03, _METAL)


def _cap(on: _Canvas) -> None:
    on.fill([*_arc(-0.12, 0.22, 0.74, 0.92, 180, 360), (0.62, 0.34), (-0.86, 0.34)])
    on.fill([(-0.2, 0.3), (0.62, 0.22), *_arc(0.62, 0.42, 0.36, 0.18, -60, 90, 10), (0.2, 0.5), (-0.3, 0.44)], on.dark)
    on.line(_arc(-0.12, 0.3, 0.34, 0.98, 180, 270, 12), 0.02)
    on.line(_arc(-0.12, 0.3, 0.3, 0.98, 270, 345, 12), 0.02)
    on.fill(_arc(-0.12, -0.71, 0.09, 0.05, 0, 360, 12), on.dark)


def _umbrella(on: _Canvas) -> None:
    on.line([(0, -1.16), (0, 0.86)], 0.05, _METAL)
    on.line([(0, 0.56), (0, 0.9), *_arc(0.15, 0.92, 0.15, 0.18, 180, 0, 12)], 0.09, _LEATHER)
    scallops = [point for x in (0.75, 0.25, -0.25, -0.75) for point in _arc(x, 0.06, 0.25, 0.14, 0, -180, 8)]
    on.fill([*_arc(0, 0.06, 1.0, 1.12, 180, 360), *scallops])
    for x in (-0.5, 0.0, 0.5):
        on.line([(0, -1.06), (x * 0.8, -0.6), (x, 0.04)], 0.02)


_SILHOUETTES: dict[str, Callable[[_Canvas], None]] = {
    "Shirt": _shirt,
    "Dress": _dress,
    "Trousers": _trousers,
    "Tote Bag": _tote,
    "Scarf": _scarf,
    "Boots": _boots,
    "Cap": _cap,
    "Umbrella": _umbrella,
}
