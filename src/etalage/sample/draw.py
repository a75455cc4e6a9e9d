"""Draw a product in a scene: rendered from SVG by librsvg (in libvips), encoded by Pillow."""

import io
from collections.abc import Mapping
from types import MappingProxyType

import pyvips
from PIL import Image

from etalage.sample.appearance import Appearance, Scene
from etalage.sample.svg import svg_document

__all__ = ["SUFFIXES", "draw"]

pyvips.cache_set_max(0)  # each picture is drawn once: a cache of operations would only grow
pyvips.concurrency_set(1)  # rows are drawn in as many processes as there are cores

SUFFIXES: Mapping[str, str] = MappingProxyType({"JPEG": ".jpg", "PNG": ".png", "WEBP": ".webp", "GIF": ".gif"})
"""The suffix of each format's files."""

_SAVE_OPTIONS: Mapping[str, Mapping[str, int]] = MappingProxyType(
    {"JPEG": {}, "PNG": {"compress_level": 1}, "WEBP": {"method": 1}, "GIF": {}}
)


def draw(appearance: Appearance, scene: Scene) -> bytes:
    """Draw a product and encode the picture.

    Args:
        appearance: The product.
        scene: Everything else: size, background, pose, light, file format.

    Returns:
        The file's content. Equal arguments give equal bytes with the same versions of libvips and Pillow.
    """
    image = pyvips.Image.svgload_buffer(svg_document(appearance, scene).encode())
    if scene.format == "PNG" and scene.mode in ("RGB", "RGBA"):  # libvips takes a third of Pillow's time
        image = image if scene.mode == "RGBA" else image.extract_band(0, n=3)
        return image.pngsave_buffer(compression=1, filter="none", keep="none")
    size = (scene.width_px, scene.height_px)
    pixels = pyvips.Region.new(image).fetch(0, 0, *size)  # write_to_memory would start threads
    out = io.BytesIO()
    options = dict(_SAVE_OPTIONS[scene.format])
    if scene.format in ("JPEG", "WEBP"):
        options["quality"] = scene.quality
    _to_image(pixels, size, scene).save(out, scene.format, **options)
    return out.getvalue()


def _to_image(pixels: bytes, size: tuple[int, int], scene: Scene) -> Image.Image:
    """Return RGBA pixels as an image in the scene's mode."""
    if scene.mode in ("RGBA", "LA"):
        return Image.frombuffer("RGBA", size, pixels, "raw", "RGBA", 0, 1).convert(scene.mode)
    image = Image.frombuffer("RGBX", size, pixels, "raw", "RGBX", 0, 1)
    if scene.mode == "RGB" and scene.format == "JPEG":
        return image  # the encoder takes RGBX and writes RGB: a conversion would be a copy for nothing
    image = image.convert("RGB")
    if scene.mode == "P":
        # Dithering would turn flat colours into noise.
        return image.quantize(256, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    return image.convert(scene.mode)
