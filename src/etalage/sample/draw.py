"""A look in a scene as a picture: built as SVG, rendered by librsvg (in libvips), encoded by Pillow."""

import io
import math
import random
from collections.abc import Iterator, Mapping
from types import MappingProxyType

import pyvips
from PIL import Image

from etalage.sample.appearance import Look, Rgb, Scene
from etalage.sample.fabric import bars, brightness, hexed, light, printed, texture, toned
from etalage.sample.scenery import backdrop
from etalage.sample.silhouettes import Item, sketch
from etalage.sample.silhouettes.outline import number

__all__ = ["SUFFIXES", "draw", "svg"]

pyvips.cache_set_max(0)  # each picture is drawn once: a cache of operations would only grow
pyvips.concurrency_set(1)  # rows are drawn in as many processes as there are cores

SUFFIXES: Mapping[str, str] = MappingProxyType({"JPEG": ".jpg", "PNG": ".png", "WEBP": ".webp", "GIF": ".gif"})

_METALS: Mapping[str, Rgb] = MappingProxyType(
    {"gold": (214, 168, 70), "silver": (190, 194, 200), "black": (44, 44, 48)}
)

_OPTIONS: Mapping[str, Mapping[str, int]] = MappingProxyType(
    {"JPEG": {}, "PNG": {"compress_level": 1}, "WEBP": {"method": 1}, "GIF": {}}
)


def draw(look: Look, scene: Scene) -> bytes:
    """The encoded picture. The same look and scene give the same bytes (with the same libraries)."""
    image = pyvips.Image.svgload_buffer(svg(look, scene).encode())
    if scene.format == "PNG" and scene.mode in ("RGB", "RGBA"):  # in a third of Pillow's time
        image = image if scene.mode == "RGBA" else image.extract_band(0, n=3)
        return image.pngsave_buffer(compression=1, filter="none", keep="none")
    size = (scene.width_px, scene.height_px)
    pixels = pyvips.Region.new(image).fetch(0, 0, *size)  # write_to_memory would start threads
    out = io.BytesIO()
    options = dict(_OPTIONS[scene.format])
    if scene.format in ("JPEG", "WEBP"):
        options["quality"] = scene.quality
    _image(pixels, size, scene).save(out, scene.format, **options)
    return out.getvalue()


def _image(pixels: bytes, size: tuple[int, int], scene: Scene) -> Image.Image:
    """In the scene's mode. JPEG's encoder takes RGBX as it is, and makes RGB of it."""
    if scene.mode in ("RGBA", "LA"):
        return Image.frombuffer("RGBA", size, pixels, "raw", "RGBA", 0, 1).convert(scene.mode)
    image = Image.frombuffer("RGBX", size, pixels, "raw", "RGBX", 0, 1)
    if scene.mode == "RGB" and scene.format == "JPEG":
        return image
    image = image.convert("RGB")
    if scene.mode == "P":
        return image.quantize(256, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    return image.convert(scene.mode)


def svg(look: Look, scene: Scene) -> str:
    """The picture as an SVG document of the scene's size, in pixels."""
    return _Drawing(look, scene).document()


Matrix = tuple[float, float, float, float, float, float]


class _Drawing:
    """One picture on its way: what all of its parts need to know."""

    def __init__(self, look: Look, scene: Scene) -> None:
        self.look, self.scene = look, scene
        self.rng = random.Random(f"{scene.seed} {look.style} {look.cut}")
        clothes = sketch(look.style, look.cut, "flat").hanger is not None
        self.sketch = sketch(look.style, look.cut, scene.pose if clothes else "flat")
        self.unit, self.matrix = self._placed(scene.pose if not clothes else "flat")
        self.place = f"matrix({' '.join(f'{part:.4f}' for part in self.matrix)})"
        self.paints = _paints(look)
        self.texture = texture(look.material, self.unit)

    def document(self) -> str:
        width, height = self.scene.width_px, self.scene.height_px
        group = f'<g transform="{self.place}" stroke-linejoin="round">'
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}">'
            f"<defs>{self._definitions()}</defs>{backdrop(self.scene, self.rng)}"
            f"{group}{''.join(self._below())}</g>{self._cloth()}{group}{''.join(self._above())}</g></svg>"
        )

    def _placed(self, pose: str) -> tuple[float, Matrix]:
        """Pixels per unit, and the transform from the product's coordinates to pixels."""
        scene = self.scene
        left, top, right, bottom = self.sketch.box
        angle = math.radians(scene.angle - (16 if pose == "hanging" else 0))
        wide = self.rng.uniform(0.95, 1.05) * (0.8 if pose == "worn" else 1) * (-1 if scene.flipped else 1)
        lean = 0.1 if pose == "worn" else 0
        cos, sin = math.cos(angle), math.sin(angle)
        a, b, c, d = wide * cos - lean * sin, wide * sin + lean * cos, -sin, cos
        across, down = right - left, bottom - top
        unit = scene.scale * min(
            scene.width_px / (abs(a) * across + abs(c) * down), scene.height_px / (abs(b) * across + abs(d) * down)
        )
        a, b, c, d = (part * unit for part in (a, b, c, d))
        x, y = (left + right) / 2, (top + bottom) / 2
        middle_x, middle_y = scene.width_px * (0.5 + scene.shift[0]), scene.height_px * (0.5 + scene.shift[1])
        return unit, (a, b, c, d, middle_x - a * x - c * y, middle_y - b * x - d * y)

    def _definitions(self) -> str:
        """Gradients, the texture, and the cloth's outline, to be filled and to clip with."""
        metal, stone, look, scene = _METALS[self.look.hardware], self.look.colour, self.look, self.scene
        parts = [
            '<linearGradient id="metal" gradientUnits="userSpaceOnUse" x2="13" y2="17" spreadMethod="reflect">'
            f"{_stops((0, toned(metal, -0.38)), (0.4, metal), (0.75, toned(metal, 0.6)), (1, metal))}</linearGradient>"
        ]
        if self.sketch.cloth:
            left, _, right, _ = self._frame(cropped=False)
            parts.append(
                f'<path id="rim" d="{self.sketch.rim}"/>'
                f'<clipPath id="outline"><path d="{self.sketch.cloth}" transform="{self.place}"/></clipPath>'
                f'<linearGradient id="light" gradientUnits="userSpaceOnUse" x1="{left}" x2="{right}">'
                f"{light(look.material, scene.light, scene.contrast)}</linearGradient>{self.texture}"
            )
        else:
            tones = _stops((0, toned(stone, 0.45)), (0.45, stone), (1, toned(stone, -0.45)))
            parts.append(f'<linearGradient id="stone" x2=".7" y2="1">{tones}</linearGradient>')
        return "".join(parts)

    def _below(self) -> Iterator[str]:
        """Shadows, what lies behind, the cloth and its pattern."""
        yield from self._shadows()
        for item in self.sketch.back:
            yield self._item(item)
        if self.sketch.cloth:
            yield f'<use href="#rim" fill="{self.paints["colour"][1]}"/>'

    def _shadows(self) -> Iterator[str]:
        """On the floor, where the product stands on one; and on what is behind it."""
        scene, product = self.scene, self.sketch
        if scene.background == "transparent":
            return
        if product.stands or (product.hanger is not None and scene.pose == "worn"):
            left, _, right, bottom = product.box
            middle, half = number((left + right) / 2), number((right - left) * 0.54)
            yield (
                f'<radialGradient id="shadow"><stop stop-opacity="{number(0.3 + 0.35 * scene.contrast)}"/>'
                '<stop offset=".6" stop-opacity=".15"/><stop offset="1" stop-opacity="0"/></radialGradient>'
            )
            yield f'<ellipse cx="{middle}" cy="{number(bottom - 2)}" rx="{half}" ry="11" fill="url(#shadow)"/>'
            if scene.background != "wall":
                return
        reach = 13 if scene.background == "wall" else 6 if scene.pose == "hanging" else 3.5
        x = (0.5 - scene.light) * 2 * reach * (-1 if scene.flipped else 1)
        share = number(0.16 + 0.2 * scene.contrast)
        yield f'<g transform="translate({number(x)} {number(reach * 0.8)})">'
        if product.cloth:
            yield f'<use href="#rim" fill-opacity="{share}"/>'
        for item in product.cast:
            line = f'stroke-width="{number(item.width)}" stroke-opacity="{share}"'
            paint = f'fill="none" stroke="#000" {line}' if item.width else f'fill-opacity="{share}"'
            yield f'<path d="{item.path}" {paint}/>'
        yield "</g>"

    def _cloth(self) -> str:
        """Colour, pattern, texture, folds and light, as one sheet that the outline is cut from.

        A sheet, not a clipped shape for each: cairo intersects a clip with every path under it, edge by edge.
        """
        s, contrast = self.sketch, self.scene.contrast
        if not s.cloth:
            return ""
        left, top, right, bottom = self._frame(cropped=True)
        if left >= right or top >= bottom:  # shifted out of the picture
            return ""
        size = f'x="{left}" y="{top}" width="{right - left}" height="{bottom - top}"'
        sheet = [f'<g transform="translate({-left} {-top})"><rect {size} fill="{self.paints["colour"][0]}"/>']
        if figure := printed(self.look, self.unit, self.rng):
            sheet.append(f'{figure}<rect {size} fill="url(#print)"/>')
        sheet.append(f'<g transform="{self.place}">')
        sheet.extend(bars(self.look, s.cloth_box, self.rng))
        if s.drapes:
            dark, bright = self._creases()
            sheet.append(f'<path d="{dark}" fill-opacity="{number(0.06 + 0.1 * contrast)}"/>')
            sheet.append(f'<path d="{bright}" fill="#fff" fill-opacity="{number(0.05 + 0.1 * contrast)}"/>')
        if s.folds:
            sheet.append(f'<path d="{s.folds}" fill-opacity="{number(0.1 + 0.14 * contrast)}"/>')
        if s.glow:
            sheet.append(f'<path d="{s.glow}" fill="#fff" fill-opacity="{number(0.1 + 0.16 * contrast)}"/>')
        sheet.append("</g>")
        if self.texture:
            sheet.append(f'<rect {size} fill="url(#texture)"/>')
        sheet.append(f'<rect {size} fill="url(#light)"/></g>')
        return (
            f'<pattern id="sheet" {size} patternUnits="userSpaceOnUse">{"".join(sheet)}</pattern>'
            f'<rect {size} fill="url(#sheet)" clip-path="url(#outline)"/>'
        )

    def _frame(self, *, cropped: bool) -> tuple[int, int, int, int]:
        """Left, top, right, bottom of the cloth, or of what can be seen of it, in whole pixels."""
        left, top, right, bottom = self.sketch.cloth_box
        a, b, c, d, e, f = self.matrix
        xs = [a * x + c * y + e for x in (left, right) for y in (top, bottom)]
        ys = [b * x + d * y + f for x in (left, right) for y in (top, bottom)]
        box = math.floor(min(xs)), math.floor(min(ys)), math.ceil(max(xs)), math.ceil(max(ys))
        if not cropped:
            return box
        return max(0, box[0]), max(0, box[1]), min(self.scene.width_px, box[2]), min(self.scene.height_px, box[3])

    def _above(self) -> Iterator[str]:
        """Seams, and what is sewn on."""
        s, seam, stitch = self.sketch, self.paints["seam"][0], self.paints["stitch"][0]
        if s.sunken:
            yield f'<path d="{s.sunken}" fill-opacity=".4"/>'
        if s.raised:
            share = number(0.12 + 0.16 * self.scene.contrast)
            yield f'<path d="{s.raised}" transform="translate(1.2 2.2)" fill-opacity="{share}"/>'
        if s.raised or s.seams:
            yield f'<path d="{s.raised}{s.seams}" fill="none" stroke="{seam}" stroke-width="1.3"/>'
        if s.stitches:
            thread = f'stroke="{stitch}" stroke-width="1.1" stroke-dasharray="3.4 2.2"'
            yield f'<path d="{s.stitches}" fill="none" {thread}/>'
        for item in s.front:
            yield self._item(item)

    def _creases(self) -> tuple[str, str]:
        """Dark and bright: long soft leaves, more or less upright."""
        left, top, right, bottom = self.sketch.box
        dark: list[str] = []
        bright: list[str] = []
        for _ in range(4):
            x, y = self.rng.uniform(left * 0.7, right * 0.7), self.rng.uniform(top * 0.6, bottom * 0.5)
            long, lean, wide = self.rng.uniform(30, 80), self.rng.uniform(-22, 22), self.rng.uniform(4, 9)
            for paths, shift in ((dark, 0.0), (bright, wide * 0.8)):
                paths.append(
                    f"M{x + shift:.1f} {y:.1f}q{lean / 2 - wide:.1f} {long / 2:.1f} {lean:.1f} {long:.1f}"
                    f"q{-lean / 2 + wide:.1f} {-long / 2:.1f} {-lean:.1f} {-long:.1f}z"
                )
        return "".join(dark), "".join(bright)

    def _item(self, item: Item) -> str:
        fill, edge = self.paints[item.paint]
        if not item.width:
            rim = "" if edge == "none" else f' stroke="{edge}" stroke-width=".9"'
            return f'<path d="{item.path}" fill="{fill}"{rim}/>'
        line, width = f'<path d="{item.path}" fill="none"', number(item.width)
        if item.paint == "chain":
            beads = f'stroke-linecap="round" stroke-dasharray=".1 {number(item.width * 1.15)}"'
            thread = f'{line} stroke="{edge}" stroke-width="{number(item.width * 0.4)}"/>'
            return f'{thread}{line} stroke="{fill}" stroke-width="{width}" {beads}/>'
        rim = "" if edge == "none" else f'{line} stroke="{edge}" stroke-width="{number(item.width + 1.6)}"/>'
        return f'{rim}{line} stroke="{fill}" stroke-width="{width}"/>'


def _stops(*stops: tuple[float, Rgb]) -> str:
    """Of a gradient: places from 0 to 1 and their tones."""
    return "".join(f'<stop offset="{place}" stop-color="{hexed(tone)}"/>' for place, tone in stops)


def _paints(look: Look) -> dict[str, tuple[str, str]]:
    """By name: the fill and the colour of its edge."""
    colour, metal = look.colour, _METALS[look.hardware]
    dim = brightness(colour) < 70
    seam = hexed(toned(colour, 0.3 if dim else -0.45))
    edge = hexed(toned(colour, -0.5))
    rim = hexed(toned(metal, -0.6))
    stitch = "#d8964a" if look.material == "denim" else hexed(toned(colour, 0.5 if dim else 0.62))
    return {
        "colour": (hexed(colour), edge),
        "dark": (hexed(toned(colour, -0.3)), "none"),
        "lining": (hexed(toned(colour, -0.55)), "none"),
        "fringe": (hexed(toned(colour, -0.2)), "none"),
        "seam": (seam, "none"),
        "stitch": (stitch, "none"),
        "metal": ("url(#metal)", rim),
        "chain": ("url(#metal)", rim),
        "stone": ("url(#stone)", edge),
        "mark": ("#f4f1ea" if brightness(colour) < 140 else "#26262a", "none"),
        **_FIXED,
    }


_FIXED: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "leather": ("#6b452b", "#3a2413"),
        "wood": ("#8a5a33", "#4d2f17"),
        "ink": ("#2a2726", "none"),
        "hole": ("#1c1a1a", "none"),
        "pearl": ("#efeae0", "#8d877b"),
        "ivory": ("#f6f2e8", "none"),
        "sole": ("#f3f0ea", "#9c968b"),
        "lace": ("#fbfaf6", "#8f8a80"),
        "linen": ("#d9c9ae", "#9b8768"),
        "steel": ("#b9bcc0", "#6d7075"),
        "glass": ("#eef3f4", "#9fb0b4"),
        "shine": ("#ffffff90", "none"),
        "shade": ("#00000040", "none"),
        "facet": ("#ffffff70", "none"),
    }
)
"""What does not follow from the look."""
