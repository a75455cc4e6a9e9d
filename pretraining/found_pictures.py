"""Collect the pictures of free packages: `python -m pretraining.found_pictures FOLDER found.parquet`.

FOLDER holds an unpacked folder per package of PACKAGES: `dpkg-deb -x NAME_*.deb FOLDER/NAME` for Debian's, `tar -xf` or
`unzip` for those with another origin in their comment. Archives in them are read as they are.
"""

import io
import math
import random
import re
import struct
import sys
import unicodedata
import warnings
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import islice
from operator import itemgetter
from pathlib import Path

import imagehash
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pyvips
from PIL import Image

__all__ = ["PACKAGES", "pack"]

PACKAGES: Mapping[str, int] = {
    "openclipart-png": 7000,  # public domain
    "tuxpaint-stamps-default": 1100,  # GPL-2
    "sweethome3d-furniture": 1000,  # CC-BY-3.0, CC0
    "gcompris-qt-data": 2300,  # GPL-3+, CC-BY, CC-BY-SA, CC0, GFDL
    "pysiogame": 1200,  # GPL-3+, CC-BY-3.0
    "games-thumbnails": 600,  # each game's own
    "oxygen-icon-theme": 1500,  # LGPL-3+
    "naev-data": 1300,  # GPL-2+, GPL-3+, CC-BY-3.0, CC-BY-SA-3.0
    "freeorion-data": 1500,  # GPL-2, LGPL-2.1+, CC-BY-SA-3.0
    "flare-game": 300,  # CC-BY-SA-3.0+, GPL-3+
    "unknown-horizons": 2500,  # GPL-2+, CC-BY-SA-3.0
    "lobehub-fluent-emoji-3d": 1500,  # MIT; of npm: @lobehub/fluent-emoji-3d
    "emoji-datasource-google": 1500,  # Apache-2.0, MIT; of npm
    "openmoji": 2500,  # CC-BY-SA-4.0; of npm
    "fluentui-emoji": 1500,  # MIT; of npm
    "crawl": 3500,  # CC0, GPL-2+; Debian's source package
    "arcade": 400,  # CC0, MIT; of PyPI
    "fritzing-parts": 1300,  # CC-BY-SA-3.0
    "freedroidrpg-data": 1200,  # GPL-2+, GPL-3, CC0
    "widelands-data": 1500,  # GPL-2+, CC-BY-SA-3.0
    "hedgewars-data": 800,  # GPL-2, CC-BY-SA-3.0, GFDL-1.3
    "warmux-data": 400,  # GPL-2+
    "fillets-ng-data": 1200,  # GPL
    "supertuxkart-data": 500,  # CC-BY-SA-3.0/4.0, CC-BY-3.0, CC0, GPL
    "supertux-data": 1300,  # GPL-2+, GPL-3+
    "megaglest-data": 500,  # CC-BY-SA-3.0, GPL-2+
    "lincity-ng-data": 400,  # GPL-2+, CC-BY-SA-2.0
    "freeciv-data": 250,  # GPL-2+, CC0
    "ardentryst": 400,  # GPL-3+, CC-BY-SA-3.0
    "boswars-data": 300,  # GPL-2+
    "glob2-data": 300,  # GPL-3+
    "tuxmath-data": 300,  # GPL-3+, CC-BY-SA-3.0
    "tuxtype-data": 200,  # GPL-2
    "brainparty-data": 250,  # GPL-3+, CC-BY-SA-3.0
    "pingus-data": 600,  # GPL-2+
    "faenza-icon-theme": 600,  # GPL-3+
    "mate-icon-theme": 500,  # LGPL-3+, CC-BY-SA
    "gnome-icon-theme": 200,  # GPL-2+, GPL-3+
    "elementary-xfce-icon-theme": 500,  # GPL-2+, CC-BY-SA-2.0
    "tango-icon-theme": 200,  # public domain
    "moka-icon-theme": 800,  # CC-BY-SA-4.0, GPL-3+
    "wesnoth-1.16-data": 4500,  # GPL-2+
    "papirus-icon-theme": 3000,  # GPL-3
}
"""The most pictures of each package, and the licences that it names. Of two alike, the earlier package's stays."""

SIDE_PX, LEAST_PX = 144, 28
MAX_FRAMES = 8
"""The most pictures whose names differ in numbers only, such as frames of an animation."""
MAX_PARTS = 4
"""The most parts that empty rows and columns may divide a picture into; sheets of frames have more."""
FAINT = 32
"""The opacity, of 255, up to which nothing is visible."""
ALIKE_BITS, ALIKE_COLOURS = 16, 10
"""The largest difference of near copies: in bits of 128, and on average in colour values of 255."""

_ARCHIVES = {".rcc", ".sh3f"}
_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".svg", ".svgz")
_UNREADABLE = (
    *(OSError, ValueError, SyntaxError, pyvips.Error),
    *(Image.DecompressionBombWarning, Image.DecompressionBombError),
)
_NOT_A_PRODUCT = re.compile(
    r"""(?:^|[/_-])(?:
        actions?|animations?|arrows?|blast|blood|buttons?|cards|cursors?|dark(?:er|est)?|emblems?|explosions?|flags?
        |floor|fonts?|geo-country|glow|gui|halo|high-contrast|html|mask|menta|mouse_buttons|numbers|obsolete|panel
        |particles|patches|patterns|pcb|schematic|shadows?|skins?|status|stock|symbolic|terrain|textures?|toolbar
        |tracks|ui|walk(?:load)?|wall|water|widgets
    )[s0-9]*(?=[/_.-])
    |icons/.*/(?:8|16|22|24|32|48|96)(?:x\d+)?/|icons/(?!Papirus/).*/64(?:x64)?/|@2x
    |-(?:light|medium|dark)\.svg|1f3f[b-f]|1f1[ef].-|package/(?:black|src)/|/flat(?:-theme)?/
    |[.]sh3f/[^/]+/[^/]+/|Papirus.*/places/|endless.?sky
    |/ship/(?!.*_comm)|droids/.*_\d+\.|tux_motion|light_radius|_pc\.|onscreen_controls|input_prompt
    """,
    re.VERBOSE | re.IGNORECASE,
)
"""Paths of user interface elements, textures, sheets of frames, and one emoji in many styles; and of Endless Sky, on
whose pictures the small model is tested."""
_CODES = re.compile(r"(?=.*\d)[0-9a-f]{4,5}(?:-[0-9a-f]{4,5})*", re.IGNORECASE)


def pack(folder: Path, out: Path) -> None:
    """Write a Parquet file with a row per picture: package, path, and the picture as WEBP of at most 144 pixels a side.

    No two pictures are alike.

    Args:
        folder: Holds an unpacked folder per package.
        out: The Parquet file.
    """
    seen = _Seen()
    rows = [row for package, most in PACKAGES.items() for row in islice(_unique_pictures(folder / package, seen), most)]
    pq.write_table(pa.Table.from_pylist(rows), out, compression="zstd")


def _unique_pictures(folder: Path, seen: "_Seen") -> Iterator[dict[str, object]]:
    # Disks list files in any order: sorting before the shuffle makes the choice the same everywhere.
    files = sorted(
        ((path, read) for path, read in _files(folder) if not _NOT_A_PRODUCT.search(path)), key=itemgetter(0)
    )
    random.Random(0).shuffle(files)
    frames: Counter[str] = Counter()
    for path, read in files:
        name = _name_of(path)
        frame_of = re.sub(r"\d", "", name)
        if frames[frame_of] == MAX_FRAMES or (image := _open(read(), path)) is None or not seen.add(image):
            continue
        frames[frame_of] += 1
        image.save(file := io.BytesIO(), "WEBP", quality=55, alpha_quality=30)
        yield {"package": folder.name, "path": name, "image": file.getvalue()}


def _files(folder: Path) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """Path and reader of each file that may be a picture, including those in archives."""
    for file in folder.rglob("*"):
        path = file.relative_to(folder).as_posix()
        if file.is_symlink() or not file.is_file():
            continue
        if path.lower().endswith(_SUFFIXES):
            yield path, file.read_bytes
        elif file.suffix in _ARCHIVES:
            packed = _zip_members(file) if file.suffix == ".sh3f" else _resources(file.read_bytes())
            yield from ((f"{path}/{name}", read) for name, read in packed if name.lower().endswith(_SUFFIXES))


def _zip_members(file: Path) -> Iterator[tuple[str, Callable[[], bytes]]]:
    archive = zipfile.ZipFile(file)
    for name in archive.namelist():
        yield name, partial(archive.read, name)


def _resources(file: bytes) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """Files in a Qt resource: nodes of 22 bytes, each of a folder (its children) or of a file (its data)."""
    nodes, contents, names = struct.unpack_from(">3I", file, 8)
    walk = [(0, "")]
    # The list grows while it is walked.
    for node, path in walk:
        _, flags, count, start = struct.unpack_from(">IHII", file, nodes + 22 * node)
        if flags & 2:
            for child in range(start, start + count):
                (at,) = struct.unpack_from(">I", file, nodes + 22 * child)
                (length,) = struct.unpack_from(">H", file, names + at)
                # A name follows its length and a hash, 2 and 4 bytes.
                name = file[names + at + 6 :][: 2 * length].decode("utf-16-be")
                walk.append((child, f"{path}/{name}"))
        else:
            (length,) = struct.unpack_from(">I", file, contents + start)
            content = file[contents + start + 4 :][:length]
            # Qt writes the uncompressed size in front, 4 bytes that zlib does not expect.
            yield path.strip("/"), partial(zlib.decompress, content[4:]) if flags & 1 else partial(bytes, content)


def _name_of(path: str) -> str:
    """Return the path without parts that are only numbers, and with an emoji's name instead of its code."""
    *folders, name = path.split("/")
    stem, dot, suffix = name.partition(".")
    if _CODES.fullmatch(stem):
        names = [unicodedata.name(chr(int(code, 16)), "") for code in stem.split("-")]
        stem = " ".join(name.lower() for name in names if not name.endswith(("JOINER", "SELECTOR-16"))) or stem
    parts = [part for part in (*folders, stem) if re.search("[a-zA-Z]", part)]
    return "/".join(parts) + dot + suffix


def _open(file: bytes, path: str) -> Image.Image | None:
    """Return the visible part of a picture; None if it is not one, too small, or a sheet of several pictures."""
    try:
        # Pillow only warns of pictures up to twice its limit.
        with warnings.catch_warnings(action="error", category=Image.DecompressionBombWarning):
            if path.lower().endswith((".svg", ".svgz")):
                image = Image.fromarray(pyvips.Image.thumbnail_buffer(file, 2 * SIDE_PX).numpy())
            else:
                image = Image.open(io.BytesIO(file))
            whole = image.convert("RGBA")
    except _UNREADABLE:
        return None
    # What is too faint to be seen must not widen the box around the picture.
    alpha = whole.getchannel("A").point([255 * (opacity > FAINT) for opacity in range(256)])
    least, most = sorted(whole.size)
    if least < LEAST_PX or most > 4 * least or not (box := alpha.getbbox()) or _num_parts(alpha) > MAX_PARTS:
        return None
    seen = whole.crop(box)
    seen.thumbnail((SIDE_PX, SIDE_PX))
    return seen if max(seen.size) >= LEAST_PX else None


def _num_parts(alpha: Image.Image) -> int:
    """Return the number of parts that cutting along empty rows and columns would give."""
    shows = np.asarray(alpha) > 0
    return math.prod(1 + int((np.diff(np.flatnonzero(shows.any(axis))) > 1).sum()) for axis in (0, 1))


class _Seen:
    """Pictures seen so far, by the gradients of lightness and opacity (dHash) and by the colours of 8 × 8 places."""

    def __init__(self) -> None:
        num = sum(PACKAGES.values())
        self._bits, self._colours = np.empty((num, 2), np.uint64), np.empty((num, 8, 8, 3), np.uint8)
        self._num = 0

    def add(self, image: Image.Image) -> bool:
        """Remember a picture, and tell whether none before was like it."""
        on_white = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
        hashes = [imagehash.dhash(plane).hash for plane in (on_white, image.getchannel("A"))]
        # Signed, so that differences do not wrap around.
        bits, colours = np.packbits(hashes).view(np.uint64), np.asarray(on_white.resize((8, 8)), np.int16)
        near = np.flatnonzero(np.bitwise_count(self._bits[: self._num] ^ bits).sum(1) <= ALIKE_BITS)
        if (np.abs(self._colours[near] - colours).mean((1, 2, 3)) <= ALIKE_COLOURS).any():
            return False
        self._bits[self._num], self._colours[self._num] = bits, colours
        self._num += 1
        return True


if __name__ == "__main__":
    pack(Path(sys.argv[1]), Path(sys.argv[2]))
