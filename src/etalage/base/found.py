"""Pack found pictures for `pretrain`: `python -m etalage.base.found FOLDER found.parquet`

FOLDER holds a folder per Debian package of PACKAGES, unpacked: `dpkg-deb -x NAME_*.deb FOLDER/NAME`.
"""

import hashlib
import io
import random
import sys
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

__all__ = ["PACKAGES", "pack"]

PACKAGES: Mapping[str, int] = {
    "openclipart-png": 8200,
    "oxygen-icon-theme": 1300,
    "naev-data": 1300,
    "tuxpaint-stamps-default": 1100,
    "freeorion-data": 1400,
    "wesnoth-1.16-data": 4000,
    "unknown-horizons": 1500,
    "games-thumbnails": 600,
    "flare-game": 300,
}
"""Pictures of each at most. Their licences stand in the small model's card."""

SIDE_PX, LEAST_PX = 96, 28
_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")


def pack(folder: Path, out: Path) -> None:
    """Write a row per picture: package, path, and the picture as WEBP of at most 96 pixels a side, no two alike."""
    rows = [row for package, most in PACKAGES.items() for row in _some(folder / package, package, most)]
    pq.write_table(pa.Table.from_pylist(rows), out, compression="zstd")


def _some(folder: Path, package: str, most: int) -> Iterator[dict[str, object]]:
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in _SUFFIXES and not path.is_symlink())
    random.Random(0).shuffle(paths)
    seen: set[bytes] = set()
    for path in paths:
        if len(seen) == most:
            return
        if (image := _open(path)) is None:
            continue
        digest = hashlib.sha256(image.tobytes()).digest()
        if digest in seen:
            continue
        seen.add(digest)
        image.thumbnail((SIDE_PX, SIDE_PX))
        image.save(file := io.BytesIO(), "WEBP", quality=45, alpha_quality=40)
        yield {"package": package, "path": path.relative_to(folder).as_posix(), "image": file.getvalue()}


def _open(path: Path) -> Image.Image | None:
    """None for what is no picture, too small to show anything, or all transparent."""
    try:
        with (
            warnings.catch_warnings(action="error", category=Image.DecompressionBombWarning),
            Image.open(path) as image,
        ):
            upright = image.convert("RGBA")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombWarning, Image.DecompressionBombError):
        return None
    nothing = upright.getchannel("A").getextrema()[1] == 0
    return None if nothing or min(upright.size) < LEAST_PX else upright


if __name__ == "__main__":
    pack(Path(sys.argv[1]), Path(sys.argv[2]))
