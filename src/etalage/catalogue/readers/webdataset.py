"""WebDataset tars. A name from a tar is text, and never a path to write to."""

import tarfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any

from etalage.catalogue.readers.image_folder import IMAGE_SUFFIXES, printable
from etalage.catalogue.readers.json_text import EXACT_DECODER, json_reason
from etalage.catalogue.readers.raw_table import RawTable
from etalage.errors import EtalageError
from etalage.flatten import flatten

__all__ = ["TAR_SUFFIXES", "open_webdataset"]

TAR_SUFFIXES = (".tar", ".tar.gz", ".tgz")

NUM_HEADER_SAMPLES = 200
"""How many samples are read to name the columns; reading all of a tar for that would read every picture twice."""

_TEXT_COLUMNS = {".txt": "title", ".cls": "category"}
_OWN_COLUMNS = ("image", "__key__")


def open_webdataset(paths: Sequence[Path], max_member_bytes: int) -> RawTable:
    """Open tars in WebDataset's layout.

    The members of a sample follow one another and share their name up to its first dot. Pictures become `image`, the
    fields of .json columns, .txt `title`, .cls `category`, and the shared name `__key__`.

    Args:
        paths: The tars, in the order in which they are read.
        max_member_bytes: The largest member that is read. A larger picture is cut one byte beyond it, by which it is
            recognised as too large later.

    Raises:
        EtalageError: There are no samples. While reading: a tar is damaged, or a text is larger than that.
    """
    column_names: dict[str, None] = dict.fromkeys(_OWN_COLUMNS)
    samples = list(islice(_read_samples(paths, max_member_bytes, with_pictures=False), NUM_HEADER_SAMPLES))
    if not samples:
        raise EtalageError(f"{paths[0].name} is empty: no samples in it")
    for sample in samples:
        column_names.update(dict.fromkeys(sample))

    def read_rows(columns: Sequence[str]) -> Iterator[list[Any]]:
        samples = _read_samples(paths, max_member_bytes, with_pictures="image" in columns)
        return ([sample.get(column) for column in columns] for sample in samples)

    return RawTable(list(column_names), read_rows)


def _read_samples(paths: Sequence[Path], max_member_bytes: int, *, with_pictures: bool) -> Iterator[dict[str, Any]]:
    for path in paths:
        key = ""
        sample: dict[str, Any] = {}
        for name, member, tar in _read_members(path):
            stem, _, extension = PurePosixPath(name).name.partition(".")
            suffix = "." + extension.rpartition(".")[2].lower()
            own_key = printable(name[: len(name) - len(extension) - 1] if extension else name)
            # macOS adds hidden files, such as ._a.jpg, that are not pictures in spite of their suffix.
            if not stem or not extension:  # a hidden file, or one without an extension
                continue
            if own_key != key and sample:
                yield {"__key__": key, **sample}
                sample = {}
            key = own_key
            if suffix in IMAGE_SUFFIXES:
                # One byte more than allowed tells a picture of just the allowed size from a larger one.
                picture = _read_data(tar, member, max_member_bytes + 1, path) if with_pictures else b""
                sample.setdefault("image", picture)
            elif suffix == ".json" or suffix in _TEXT_COLUMNS:
                if member.size > max_member_bytes:
                    raise EtalageError(
                        f"{path.name}, {own_key}{suffix}: {member.size} bytes, at most {max_member_bytes} are read"
                    )
                text = _read_data(tar, member, max_member_bytes, path).decode("utf-8-sig", "replace")
                _add_text(sample, suffix, text, f"{path.name}, {own_key}.{extension}")
        if sample:
            yield {"__key__": key, **sample}


def _read_members(path: Path) -> Iterator[tuple[str, tarfile.TarInfo, tarfile.TarFile]]:
    """Yield the regular files of a tar, never links or devices."""
    with _damage_reported(path), tarfile.open(path, "r|*", errors="surrogateescape") as tar:
        for member in tar:
            # TarFile remembers every member it has seen, and a tar may have millions.
            tar.members = []  # type: ignore[attr-defined]
            if member.isreg():
                yield member.name, member, tar


def _read_data(tar: tarfile.TarFile, member: tarfile.TarInfo, num_bytes: int, path: Path) -> bytes:
    file = tar.extractfile(member)
    assert file is not None, "only regular members are read"
    with _damage_reported(path):
        data = file.read(num_bytes)
    if len(data) < min(num_bytes, member.size):
        raise EtalageError(f"{path.name} is cut short: it says {member.size} bytes of {printable(member.name)}")
    return data


@contextmanager
def _damage_reported(path: Path) -> Iterator[None]:
    try:
        yield
    except (tarfile.TarError, OSError, EOFError, zlib.error, ValueError, TypeError) as error:
        # The last two come from tarfile's own parsing of damaged headers.
        raise EtalageError(f"{path.name} cannot be read as tar: {error}") from error


def _add_text(sample: dict[str, Any], suffix: str, text: str, place: str) -> None:
    """Add a text member to a sample: the fields of .json by their dotted names, others as one text."""
    if suffix != ".json":
        sample.setdefault(_TEXT_COLUMNS[suffix], text.strip())
        return
    try:
        fields = EXACT_DECODER.decode(text)
        flat = list(flatten(fields)) if isinstance(fields, dict) else []
    except (ValueError, RecursionError) as error:
        raise EtalageError(f"{place} is not JSON: {json_reason(error)}") from error
    if not isinstance(fields, dict):
        raise EtalageError(f"{place} holds a {type(fields).__name__}; write an object")
    sample.update({name: value for name, value in flat if name not in _OWN_COLUMNS})
