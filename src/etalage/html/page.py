"""Self-contained HTML pages: no network, no script, style and pictures inlined, everything escaped.

A page is a template that extends page.html.jinja, which brings the head and the style that all pages share; it fills
the blocks `title`, `style` (its own rules) and `body`.
"""

import base64
import io
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from PIL import Image

from etalage.atomic import atomic_write_text

__all__ = ["thumbnail", "words", "write_page"]


def write_page(path: Path, template: str, /, **facts: Any) -> None:
    """Write a page.

    Args:
        template: Its path from here, such as "evaluate/report.html.jinja".
        facts: What the template speaks of; naming one that is not there is an error. Its filters are `words`, `count`
            (1,234), `percent` (of 100) and `heading`.
    """
    environment = Environment(
        loader=PackageLoader("etalage", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"words": words, "count": "{:,}".format, "percent": _percent, "heading": _heading}
    atomic_write_text(path, environment.get_template(template).render(facts))


def thumbnail(picture: Image.Image, max_side_px: int) -> str:
    """An RGB picture as a data URI, made smaller if a side is longer than this."""
    small = picture.copy()
    small.thumbnail((max_side_px, max_side_px))
    small.save(file := io.BytesIO(), "JPEG", quality=80)
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()


def words(text: object, most: int = 80) -> str:
    """A text from a table, cut to so many characters, with what would be unseen or turn the line around written out."""
    text = "" if text is None else str(text)
    cut = text if len(text) <= most else text[: most - 1].rstrip() + "…"
    return "".join(f"[U+{ord(c):04X}]" if _is_unseen(c) else c for c in cut)


def _is_unseen(character: str) -> bool:
    """Control characters, surrogates, and the marks that set the direction of writing."""
    n = ord(character)
    return (
        n < 0x20
        or 0x7F <= n < 0xA0
        or 0xD800 <= n < 0xE000
        or n in (0x61C, 0xFEFF)
        or (0x200B <= n <= 0x200F and n != 0x200D)  # which joins emoji
        or 0x2028 <= n <= 0x202E
        or 0x2066 <= n <= 0x2069
    )  # fmt: skip


def _percent(share: float) -> str:
    """Of 100; never rounded to none or to all."""
    if 0 < share < 0.1:
        return "< 0.1 %"
    return f"{min(share, 99.9) if share < 100 else 100:.1f} %".replace(".0 %", " %")


def _heading(name: str) -> str:
    spaced = name.replace("_", " ")
    return spaced[:1].upper() + spaced[1:]
