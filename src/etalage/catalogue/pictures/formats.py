"""What a file is, told by its first bytes, so that a picture that cannot be read is refused by its name."""

import importlib.util
import re

from PIL import features

__all__ = ["AVIF_IS_READ", "describe_format", "is_heif"]

AVIF_IS_READ = bool(features.check("avif"))
"""Whether the installed Pillow reads AVIF: from 11.3 on, where its wheels do."""

_HEAD_BYTES = 4096
_EXPORT = "export it as PNG or JPEG"
_SIGNATURES: tuple[tuple[bytes, str, str], ...] = (
    (b"DDS ", "a DDS texture", _EXPORT),
    (b"8BPS", "a Photoshop document (PSD)", _EXPORT),
    (b"%PDF-", "a PDF document", "export its page as PNG or JPEG"),
    (b"%!PS", "a PostScript drawing (EPS)", "export it as PNG"),
    (b"\xc5\xd0\xd3\xc6", "a PostScript drawing (EPS)", "export it as PNG"),
    (b"gimp xcf", "a GIMP document (XCF)", _EXPORT),
    (b"\x00\x00\x00\x0cjP  ", "a JPEG 2000 picture", _EXPORT),
    (b"\xff\x4f\xff\x51", "a JPEG 2000 picture", _EXPORT),
    (b"\x00\x00\x00\x0cJXL ", "a JPEG XL picture", _EXPORT),
    (b"\xff\x0a", "a JPEG XL picture", _EXPORT),
    (b"II\xbc\x01", "a JPEG XR picture", _EXPORT),
    (b"\x00\x00\x01\x00", "a Windows icon (ICO)", "export its largest picture as PNG"),
    (b"icns", "an Apple icon (ICNS)", "export its largest picture as PNG"),
    (b"#?RADIANCE", "a Radiance HDR picture", _EXPORT),
    (b"\x76\x2f\x31\x01", "an OpenEXR picture", _EXPORT),
    (b"\x01\xda", "a Silicon Graphics picture (SGI)", _EXPORT),
    (b"\x0a\x05\x01", "a PCX picture", _EXPORT),
    (b"qoif", "a QOI picture", _EXPORT),
    (b"BPG\xfb", "a BPG picture", _EXPORT),
    (b"FLIF", "a FLIF picture", _EXPORT),
    (b"\xabKTX ", "a KTX texture", _EXPORT),
    (b"\xd7\xcd\xc6\x9a", "a Windows metafile (WMF)", "export it as PNG"),
    (b"FUJIFILMCCD-RAW", "a camera's raw picture", "develop it and export it as JPEG"),
    (b"\x1a\x45\xdf\xa3", "a Matroska or WebM video", "save one frame as PNG or JPEG"),
    (b"FLV\x01", "a Flash video", "save one frame as PNG or JPEG"),
    (b"PK\x03\x04", "a ZIP archive or an Office document", "unpack it, and name the pictures in it"),
    (b"\x1f\x8b", "a gzip archive (an SVGZ drawing is one too)", "unpack it, and name the pictures in it"),
    (b"Rar!", "a RAR archive", "unpack it, and name the pictures in it"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it, and name the pictures in it"),
)
_NETPBM = re.compile(rb"P[1-7FfH]\s")
_SVG = re.compile(rb"<(?:[a-z]+:)?svg[\s>]", re.IGNORECASE)
_HTML = re.compile(rb"^\s*(?:<!--.*?-->\s*)?<(?:!doctype\s+html|html|head|body)", re.IGNORECASE | re.DOTALL)
_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1", b"mif2"}
_AVIF_BRANDS = {b"avif", b"avis"}


def _brands(data: bytes) -> set[bytes]:
    """Return the brands of an ISO media file: AVIF, HEIC and MP4 are such files. Empty for any other."""
    if data[4:8] != b"ftyp":
        return set()
    end = min(int.from_bytes(data[:4]), _HEAD_BYTES)
    return {data[8:12], *(data[at : at + 4] for at in range(16, end - 3, 4))}


def is_heif(data: bytes) -> bool:
    """Return whether a file is a HEIC or HEIF picture, as phones take them.

    Args:
        data: The file's bytes, or the first of them.
    """
    brands = _brands(data)
    return bool(brands & _HEIC_BRANDS) and not brands & _AVIF_BRANDS


def describe_format(data: bytes) -> tuple[str, str] | None:
    """Return why a file that no decoder knows is refused, by the name of its format.

    Args:
        data: The file's bytes.

    Returns:
        A reason, image_format_unsupported or (where it is no picture at all) image_undecodable; and what the file is
        and what to do, such as "an SVG drawing; export it as PNG". None for a file that is not known.
    """
    if found := _describe_binary(data) or _describe_drawing(data):
        return "image_format_unsupported", f"it is {found}"
    if found := _describe_text(data):
        return "image_undecodable", f"it is {found}"
    return None


def _describe_binary(data: bytes) -> str | None:
    head = data[:_HEAD_BYTES]
    # it has no signature at its beginning, so the one at its end goes first
    if data.endswith(b"TRUEVISION-XFILE.\x00"):
        return f"a Targa picture (TGA); {_EXPORT}"
    for signature, name, advice in _SIGNATURES:
        if head.startswith(signature):
            return f"{name}; {advice}"
    if brands := _brands(head):
        return _describe_media(brands)
    if head.startswith(b"RIFF") and head[8:12] == b"AVI ":
        return "an AVI video; save one frame as PNG or JPEG"
    if _NETPBM.match(head):
        return f"a Netpbm picture (PPM); {_EXPORT}"
    return None


def _describe_media(brands: set[bytes]) -> str | None:
    if brands & _AVIF_BRANDS:
        return None if AVIF_IS_READ else f"an AVIF picture; install pillow>=11.3, which reads it, or {_EXPORT}"
    if brands & _HEIC_BRANDS:
        is_read = importlib.util.find_spec("pillow_heif") is not None
        return None if is_read else "a HEIC picture; install etalage[heif] to read it, or export it as JPEG"
    if b"crx " in brands:
        return "a camera's raw picture; develop it and export it as JPEG"
    return "a video; save one frame as PNG or JPEG"


def _text_of(data: bytes) -> bytes:
    """Return the beginning of a text in ASCII; one in UTF-16 loses its zero bytes."""
    head = data[:_HEAD_BYTES]
    text = head[2:].replace(b"\x00", b"") if head.startswith((b"\xff\xfe", b"\xfe\xff")) else head
    return text.removeprefix(b"\xef\xbb\xbf").lstrip()


def _describe_drawing(data: bytes) -> str | None:
    text = _text_of(data)
    is_svg = text.startswith(b"<") and not _HTML.match(text) and _SVG.search(text)
    return "an SVG drawing; export it as PNG" if is_svg else None


def _describe_text(data: bytes) -> str | None:
    text = _text_of(data)
    if _HTML.match(text):
        return "a web page (HTML), often an error or a login page; check its link"
    if text.startswith(b"<"):
        return "an XML text; check its link"
    if text.startswith((b"{", b"[")):
        return "a JSON text, often a server's error; check its link"
    if text.startswith(b"version https://git-lfs"):
        return "a pointer of Git LFS; run `git lfs pull` in its repository"
    return None
