"""The paints of a product: fills and edge colours by the names that silhouettes use."""

from collections.abc import Mapping
from types import MappingProxyType

from etalage.sample.appearance import Appearance, Rgb
from etalage.sample.colour import adjust_tone, luminance, to_hex

__all__ = ["METALS", "Paint", "gradient_stops", "make_paints"]

Paint = tuple[str, str]
"""The SVG fill, and the colour of the edge or `none`."""

METALS: Mapping[str, Rgb] = MappingProxyType({"gold": (214, 168, 70), "silver": (190, 194, 200), "black": (44, 44, 48)})
"""Colours by the names of HARDWARE."""

_FIXED: Mapping[str, Paint] = MappingProxyType(
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
"""Paints that are the same for every product."""


def make_paints(appearance: Appearance) -> dict[str, Paint]:
    """Return all paints by name.

    The paints `metal`, `chain` and `stone` refer to the gradients with the ids "metal" and "stone".
    """
    colour, metal = appearance.colour, METALS[appearance.hardware]
    # Lines on dark fabric are brighter than it: a darker seam could not be seen.
    dark = luminance(colour) < 70
    seam = to_hex(adjust_tone(colour, 0.3 if dark else -0.45))
    edge = to_hex(adjust_tone(colour, -0.5))
    metal_edge = to_hex(adjust_tone(metal, -0.6))
    # Denim is sewn with orange thread.
    stitch = "#d8964a" if appearance.material == "denim" else to_hex(adjust_tone(colour, 0.5 if dark else 0.62))
    return {
        "colour": (to_hex(colour), edge),
        "dark": (to_hex(adjust_tone(colour, -0.3)), "none"),
        "lining": (to_hex(adjust_tone(colour, -0.55)), "none"),
        "fringe": (to_hex(adjust_tone(colour, -0.2)), "none"),
        "seam": (seam, "none"),
        "stitch": (stitch, "none"),
        # The same paint twice: the name `chain` makes `svg` draw the line as a string of beads.
        "metal": ("url(#metal)", metal_edge),
        "chain": ("url(#metal)", metal_edge),
        "stone": ("url(#stone)", edge),
        # Hands and hours of a watch have to be read on any dial.
        "mark": ("#f4f1ea" if luminance(colour) < 140 else "#26262a", "none"),
        **_FIXED,
    }


def gradient_stops(*stops: tuple[float, Rgb]) -> str:
    """Return the stops of an SVG gradient, each given as an offset from 0 to 1 and a colour."""
    return "".join(f'<stop offset="{offset}" stop-color="{to_hex(tone)}"/>' for offset, tone in stops)
