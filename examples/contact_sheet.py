"""Pictures of drawn catalogues on one sheet: `python examples/contact_sheet.py docs/images/sample.png`."""

import io
import sys
from pathlib import Path

from PIL import Image

from etalage.sample.drawn import DrawnRows

COLUMNS, LINES, CELL_PX = 10, 6, 150


def sheet(num_brands: int = LINES) -> Image.Image:
    """Draw a line per brand."""
    paper = Image.new("RGB", (COLUMNS * CELL_PX, num_brands * CELL_PX), "white")
    for line in range(num_brands):
        rows = DrawnRows(seed=1, brands=[line], picture_px=2 * CELL_PX)
        for column in range(COLUMNS):
            picture = rows.make(column * 16).picture
            assert picture is not None
            assert picture.content is not None
            with Image.open(io.BytesIO(picture.content)) as image:
                small = image.convert("RGBA")
            small.thumbnail((CELL_PX - 6, CELL_PX - 6))
            place = (column * CELL_PX + (CELL_PX - small.width) // 2, line * CELL_PX + (CELL_PX - small.height) // 2)
            paper.paste(small, place, small)
    return paper


if __name__ == "__main__":
    sheet().quantize(255).save(Path(sys.argv[1]), optimize=True)
