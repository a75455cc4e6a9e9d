"""A picture as an SVG document: background, shadows, fabric, seams and items, from the back to the front."""

import math
import random
from collections.abc import Iterator

from etalage.sample.appearance import Appearance, Scene
from etalage.sample.colour import adjust_tone
from etalage.sample.fabric import bar_shapes, light_stops, print_tile, texture_tile
from etalage.sample.paint import METALS, gradient_stops, make_paints
from etalage.sample.scenery import backdrop
from etalage.sample.silhouettes import Item, sketch_product
from etalage.sample.silhouettes.path import format_number

__all__ = ["svg_document"]

Matrix = tuple[float, float, float, float, float, float]
"""SVG's matrix(a b c d e f): x becomes a x + c y + e, y becomes b x + d y + f."""


def svg_document(appearance: Appearance, scene: Scene) -> str:
    """Return the picture as an SVG document.

    Args:
        appearance: The product.
        scene: Everything else; decides the document's size in pixels.

    Returns:
        The document's source.
    """
    return _Drawing(appearance, scene).document()


class _Drawing:
    """One picture in progress, with the values that all of its parts share.

    All parts draw from one random stream, so the order in which `document` asks for them decides the picture.
    """

    def __init__(self, appearance: Appearance, scene: Scene) -> None:
        self.appearance, self.scene = appearance, scene
        self.rng = random.Random(f"{scene.seed} {appearance.style} {appearance.cut}")
        self.sketch = sketch_product(appearance.style, appearance.cut, scene.pose)
        # Clothes take the pose in their sketch, other products by how they are placed.
        self.px_per_unit, self.matrix = self._place("flat" if self.sketch.hanger is not None else scene.pose)
        self.transform = f"matrix({' '.join(f'{part:.4f}' for part in self.matrix)})"
        self.paints = make_paints(appearance)
        self.texture = texture_tile(appearance.material, self.px_per_unit)

    def document(self) -> str:
        width, height = self.scene.width_px, self.scene.height_px
        group = f'<g transform="{self.transform}" stroke-linejoin="round">'
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}">'
            f"<defs>{self._definitions()}</defs>{backdrop(self.scene, self.rng)}"
            f"{group}{''.join(self._back_layers())}</g>{self._fabric()}{group}{''.join(self._front_layers())}</g></svg>"
        )

    def _place(self, pose: str) -> tuple[float, Matrix]:
        """Return pixels per unit, and the matrix from the product's coordinates to pixels."""
        scene = self.scene
        left, top, right, bottom = self.sketch.box
        angle = math.radians(scene.angle - (16 if pose == "hanging" else 0))
        stretch = self.rng.uniform(0.95, 1.05) * (0.8 if pose == "worn" else 1) * (-1 if scene.flipped else 1)
        shear = 0.1 if pose == "worn" else 0
        cos, sin = math.cos(angle), math.sin(angle)
        # Rotation times a stretch in x; the shear makes a worn piece look turned away.
        a, b, c, d = stretch * cos - shear * sin, stretch * sin + shear * cos, -sin, cos
        width, height = right - left, bottom - top
        # The rotated and sheared box has to fit, not the upright one: hence the sums of both sides' parts.
        px_per_unit = scene.scale * min(
            scene.width_px / (abs(a) * width + abs(c) * height), scene.height_px / (abs(b) * width + abs(d) * height)
        )
        a, b, c, d = (part * px_per_unit for part in (a, b, c, d))
        # The offsets e and f move the middle of the box to the middle of the picture, plus the shift.
        x, y = (left + right) / 2, (top + bottom) / 2
        middle_x, middle_y = scene.width_px * (0.5 + scene.shift[0]), scene.height_px * (0.5 + scene.shift[1])
        return px_per_unit, (a, b, c, d, middle_x - a * x - c * y, middle_y - b * x - d * y)

    def _definitions(self) -> str:
        """Return gradients, the texture, and the fabric's outline, once to fill and once to clip with."""
        metal, stone = METALS[self.appearance.hardware], self.appearance.colour
        tones = gradient_stops(
            (0, adjust_tone(metal, -0.38)), (0.4, metal), (0.75, adjust_tone(metal, 0.6)), (1, metal)
        )
        parts = [
            # In the product's units, since SVG paints no gradient of a box's own on lines without width or height;
            # reflected, so that small buttons and long chains have bands of one size.
            '<linearGradient id="metal" gradientUnits="userSpaceOnUse" x2="13" y2="17" spreadMethod="reflect">'
            f"{tones}</linearGradient>"
        ]
        if self.sketch.fabric:
            # The whole fabric, so that light falls alike on a product that the picture crops.
            left, _, right, _ = self._fabric_frame_px(cropped=False)
            light = light_stops(self.appearance.material, self.scene.light, self.scene.contrast)
            parts.append(
                # The rim is used inside the product's group; the sheet is in pixels, so its outline brings the
                # transform along.
                f'<path id="rim" d="{self.sketch.rim}"/>'
                f'<clipPath id="outline"><path d="{self.sketch.fabric}" transform="{self.transform}"/></clipPath>'
                f'<linearGradient id="light" gradientUnits="userSpaceOnUse" x1="{left}" x2="{right}">'
                f"{light}</linearGradient>{self.texture}"
            )
        else:
            tones = gradient_stops((0, adjust_tone(stone, 0.45)), (0.45, stone), (1, adjust_tone(stone, -0.45)))
            parts.append(f'<linearGradient id="stone" x2=".7" y2="1">{tones}</linearGradient>')
        return "".join(parts)

    def _back_layers(self) -> Iterator[str]:
        """Yield shadows, the items behind the fabric, and the fabric's dark edge."""
        yield from self._shadows()
        for item in self.sketch.back:
            yield self._item(item)
        if self.sketch.fabric:
            yield f'<use href="#rim" fill="{self.paints["colour"][1]}"/>'

    def _shadows(self) -> Iterator[str]:
        """Yield the shadow on the floor, for products that stand on one, and the shadow on the background."""
        scene, product = self.scene, self.sketch
        if scene.background == "transparent":
            return
        if product.stands or (product.hanger is not None and scene.pose == "worn"):
            left, _, right, bottom = product.box
            middle, half = format_number((left + right) / 2), format_number((right - left) * 0.54)
            yield (
                f'<radialGradient id="shadow"><stop stop-opacity="{format_number(0.3 + 0.35 * scene.contrast)}"/>'
                '<stop offset=".6" stop-opacity=".15"/><stop offset="1" stop-opacity="0"/></radialGradient>'
            )
            yield f'<ellipse cx="{middle}" cy="{format_number(bottom - 2)}" rx="{half}" ry="11" fill="url(#shadow)"/>'
            # A plain floor has no second surface that a shadow could fall on.
            if scene.background != "wall":
                return
        reach = 13 if scene.background == "wall" else 6 if scene.pose == "hanging" else 3.5
        # The group is flipped with the product, its shadow must not be.
        x = (0.5 - scene.light) * 2 * reach * (-1 if scene.flipped else 1)
        opacity = format_number(0.16 + 0.2 * scene.contrast)
        yield f'<g transform="translate({format_number(x)} {format_number(reach * 0.8)})">'
        if product.fabric:
            yield f'<use href="#rim" fill-opacity="{opacity}"/>'
        for item in product.shadow_casters:
            line = f'stroke-width="{format_number(item.stroke_width)}" stroke-opacity="{opacity}"'
            paint = f'fill="none" stroke="#000" {line}' if item.stroke_width else f'fill-opacity="{opacity}"'
            yield f'<path d="{item.path}" {paint}/>'
        yield "</g>"

    def _fabric(self) -> str:
        """Return colour, pattern, texture, folds and light as one sheet from which the outline is cut.

        One sheet rather than a clip per shape: cairo intersects a clip with every path under it, edge by edge.
        """
        sketch, contrast = self.sketch, self.scene.contrast
        if not sketch.fabric:
            return ""
        left, top, right, bottom = self._fabric_frame_px(cropped=True)
        if left >= right or top >= bottom:  # shifted out of the picture
            return ""
        size = f'x="{left}" y="{top}" width="{right - left}" height="{bottom - top}"'
        # A pattern's content starts at the pattern's own corner: shifted back, it lies where the fabric is.
        sheet = [f'<g transform="translate({-left} {-top})"><rect {size} fill="{self.paints["colour"][0]}"/>']
        if tile := print_tile(self.appearance, self.px_per_unit, self.rng):
            sheet.append(f'{tile}<rect {size} fill="url(#print)"/>')
        sheet.append(f'<g transform="{self.transform}">')
        sheet.extend(bar_shapes(self.appearance, sketch.fabric_box, self.rng))
        if sketch.drapes:
            dark, bright = self._creases()
            sheet.append(f'<path d="{dark}" fill-opacity="{format_number(0.06 + 0.1 * contrast)}"/>')
            sheet.append(f'<path d="{bright}" fill="#fff" fill-opacity="{format_number(0.05 + 0.1 * contrast)}"/>')
        if sketch.folds:
            sheet.append(f'<path d="{sketch.folds}" fill-opacity="{format_number(0.1 + 0.14 * contrast)}"/>')
        if sketch.highlights:
            opacity = format_number(0.1 + 0.16 * contrast)
            sheet.append(f'<path d="{sketch.highlights}" fill="#fff" fill-opacity="{opacity}"/>')
        sheet.append("</g>")
        if self.texture:
            sheet.append(f'<rect {size} fill="url(#texture)"/>')
        # Light comes last, over the texture, so that both darken together at the edges.
        sheet.append(f'<rect {size} fill="url(#light)"/></g>')
        return (
            f'<pattern id="sheet" {size} patternUnits="userSpaceOnUse">{"".join(sheet)}</pattern>'
            f'<rect {size} fill="url(#sheet)" clip-path="url(#outline)"/>'
        )

    def _fabric_frame_px(self, *, cropped: bool) -> tuple[int, int, int, int]:
        """Return left, top, right, bottom of the fabric in whole pixels, or of its part inside the picture."""
        left, top, right, bottom = self.sketch.fabric_box
        a, b, c, d, e, f = self.matrix
        xs = [a * x + c * y + e for x in (left, right) for y in (top, bottom)]
        ys = [b * x + d * y + f for x in (left, right) for y in (top, bottom)]
        # Whole pixels: a sheet between pixels would be resampled.
        box = math.floor(min(xs)), math.floor(min(ys)), math.ceil(max(xs)), math.ceil(max(ys))
        if not cropped:
            return box
        return max(0, box[0]), max(0, box[1]), min(self.scene.width_px, box[2]), min(self.scene.height_px, box[3])

    def _front_layers(self) -> Iterator[str]:
        """Yield seams, stitches, and the items in front of the fabric."""
        sketch, seam, stitch = self.sketch, self.paints["seam"][0], self.paints["stitch"][0]
        if sketch.sunken:
            yield f'<path d="{sketch.sunken}" fill-opacity=".4"/>'
        if sketch.raised:
            opacity = format_number(0.12 + 0.16 * self.scene.contrast)
            yield f'<path d="{sketch.raised}" transform="translate(1.2 2.2)" fill-opacity="{opacity}"/>'
        if sketch.raised or sketch.seams:
            yield f'<path d="{sketch.raised}{sketch.seams}" fill="none" stroke="{seam}" stroke-width="1.3"/>'
        if sketch.stitches:
            thread = f'stroke="{stitch}" stroke-width="1.1" stroke-dasharray="3.4 2.2"'
            yield f'<path d="{sketch.stitches}" fill="none" {thread}/>'
        for item in sketch.front:  # last, since buttons lie on seams
            yield self._item(item)

    def _creases(self) -> tuple[str, str]:
        """Return dark and bright creases: long soft leaves, more or less vertical, in random places."""
        left, top, right, bottom = self.sketch.box
        dark: list[str] = []
        bright: list[str] = []
        for _ in range(4):
            # Kept off the edges: the clip would cut a crease there in two.
            x, y = self.rng.uniform(left * 0.7, right * 0.7), self.rng.uniform(top * 0.6, bottom * 0.5)
            length, lean, width = self.rng.uniform(30, 80), self.rng.uniform(-22, 22), self.rng.uniform(4, 9)
            # A bright crease beside each dark one looks like a fold with two sides.
            for paths, shift in ((dark, 0.0), (bright, width * 0.8)):
                paths.append(
                    f"M{x + shift:.1f} {y:.1f}q{lean / 2 - width:.1f} {length / 2:.1f} {lean:.1f} {length:.1f}"
                    f"q{-lean / 2 + width:.1f} {-length / 2:.1f} {-lean:.1f} {-length:.1f}z"
                )
        return "".join(dark), "".join(bright)

    def _item(self, item: Item) -> str:
        fill, edge = self.paints[item.paint]
        if not item.stroke_width:
            rim = "" if edge == "none" else f' stroke="{edge}" stroke-width=".9"'
            return f'<path d="{item.path}" fill="{fill}"{rim}/>'
        line, width = f'<path d="{item.path}" fill="none"', format_number(item.stroke_width)
        if item.paint == "chain":
            # Round caps on dashes of almost no length make a string of beads.
            beads = f'stroke-linecap="round" stroke-dasharray=".1 {format_number(item.stroke_width * 1.15)}"'
            thread = f'{line} stroke="{edge}" stroke-width="{format_number(item.stroke_width * 0.4)}"/>'
            return f'{thread}{line} stroke="{fill}" stroke-width="{width}" {beads}/>'
        # A stroke cannot have an edge: a wider one in the edge's colour lies under it.
        rim = (
            ""
            if edge == "none"
            else f'{line} stroke="{edge}" stroke-width="{format_number(item.stroke_width + 1.6)}"/>'
        )
        return f'{rim}{line} stroke="{fill}" stroke-width="{width}"/>'
