"""What a row shows: the whole cell if it is a file, else the names in it, and only what can be used."""

import base64
import csv
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from etalage.catalogue import picture_candidates
from etalage.catalogue.picture_candidates import PictureLocator
from etalage.catalogue.pictures import BadPicture
from etalage.catalogue.prepare_rows import Candidate
from etalage.catalogue.table import Row

PNG = b"\x89PNG\r\n\x1a\n" + bytes(60)
BASE64 = base64.b64encode(PNG).decode()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path.resolve() / "pictures"
    folder.mkdir()
    for name in ("a.png", "b.png", "lamp, red; large.png", "x|y.png", "c.jpeg", "0.png", "1.png", "2.png"):
        (folder / name).write_bytes(name.encode())
    return folder


def locate(folder: Path | None, *images: str | bytes, all_images: bool = False) -> tuple[Candidate, ...]:
    inline = Path(folder or ".").parent / "inline"
    inline.mkdir(exist_ok=True)
    return PictureLocator(folder, inline, 1000, all_images=all_images).locate(images)


def names(candidates: tuple[Candidate, ...]) -> list[str]:
    return [one.url or (one.path.name if one.path else str(one.reason)) for one in candidates]


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        ("a.png", ["a.png"]),
        ("a.png, b.png", ["a.png", "b.png"]),
        ("lamp, red; large.png", ["lamp, red; large.png"]),
        ("lamp, red; large.png|a.png", ["lamp, red; large.png", "a.png"]),
        ("x|y.png,a.png", ["x|y.png", "a.png"]),
        ('["lamp, red; large.png", "b.png"]', ["lamp, red; large.png", "b.png"]),
        ("c.jpg\nA.PNG", ["c.jpeg", "a.png"]),
        ("/a.png;\\b.png", ["a.png", "b.png"]),
        ("none.png, b.png", ["image_not_found", "b.png"]),
        ("a.png, https://x.example/b.png", ["a.png", "https://x.example/b.png"]),
        ("a.png, a.png, ./a.png", ["a.png"]),
        ("HTTP://x.example/a.png, http://x.example/a.png", ["HTTP://x.example/a.png", "http://x.example/a.png"]),
        ("../a.png | b.png", ["image_outside_folder", "b.png"]),
    ],
)
def test_the_way_to_read_a_cell_follows_from_what_is_there(folder: Path, cell: str, found: list[str]) -> None:
    assert names(locate(folder, cell)) == found


def pictures_of(n: int) -> list[str]:
    return ["gone.png", "a.png", "lamp, red; large.png", f"{n}.png"]


@pytest.mark.parametrize(
    ("kind", "cell"),
    [
        ("csv", lambda n: "|".join(pictures_of(n))),
        ("csv", lambda n: json.dumps([{"src": name} for name in pictures_of(n)])),
        ("csv", lambda n: str(pictures_of(n))),
        ("json", pictures_of),
        ("json", lambda n: [{"url": name} for name in pictures_of(n)]),
        ("json", lambda n: "|".join(pictures_of(n))),
        ("parquet", pictures_of),
        ("parquet", lambda n: [{"bytes": None, "path": name} for name in pictures_of(n)]),
        ("parquet", lambda n: "\n".join(pictures_of(n))),
        ("xlsx", lambda n: "\n".join(pictures_of(n))),
        ("xlsx", lambda n: json.dumps(pictures_of(n))),
    ],
)
def test_cells_are_read_alike_in_every_format(
    folder: Path,
    write_workbook: Callable[..., Path],
    read_rows: Callable[..., list[Row]],
    kind: str,
    cell: Callable[[int], Any],
) -> None:
    table = folder / f"t.{kind}"
    columns = ["sku", "title", "category", "price", "image"]
    rows = [[f"S{n}", f"Model {chr(65 + n)}x Bag", "AB"[n % 2], float(10 + n), cell(n)] for n in range(3)]
    if kind == "csv":
        with table.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([columns, *rows])
    elif kind == "json":
        table.write_text(json.dumps([dict(zip(columns, row, strict=True)) for row in rows]))
    elif kind == "parquet":
        pq.write_table(pa.Table.from_pylist([dict(zip(columns, row, strict=True)) for row in rows]), table)
    else:
        cells = {f"{'ABCDE'[i]}{r}": value for r, row in enumerate([columns, *rows], 1) for i, value in enumerate(row)}
        write_workbook(table, cells)
    found = [names(locate(folder, *row.images)) for row in read_rows(table)]
    assert found == [["image_not_found", "a.png", "lamp, red; large.png", f"{n}.png"] for n in range(3)]


@pytest.mark.parametrize(
    ("images", "reason", "words"),
    [
        ([], "image_missing", "no picture given"),
        (["", " "], "image_missing", "no picture given"),
        (["", "[]", '{"alt": "x"}'], "image_missing", r"'\[\]' names no picture"),
        (["x.png;y.png"], "image_not_found", r"'x\.png;y\.png' is not there, nor is any of the 2 names in it"),
        (['["x.png"]'], "image_not_found", r"'x\.png' is not there$"),
        (['["x.png", "y.png"]'], "image_not_found", r"'x\.png' is not there; none of its 2 pictures can be used"),
        (["x.png", "../y.png"], "image_not_found", "is not there; none of its 2 pictures can be used"),
        (["s3://bucket/a.png"], "image_scheme_unsupported", "paths, http, https and data URIs are read"),
        (["blob:https://x.example/1"], "image_scheme_unsupported", "paths, http, https and data URIs are read"),
        (["data:image/png;base64,!"], "image_data_uri_invalid", "data:image/png"),
        ([base64.b64encode(PNG * 100).decode()], "image_too_many_bytes", "characters"),
        ([PNG * 100], "image_too_many_bytes", "at most 1000 are read"),
        (["www.x.example/a.png"], "image_not_found", "if it is a URL, write https:// before it"),
        ([",".join(f"{number}.png" for number in range(2000))], "image_too_many", "more than 1000 pictures"),
    ],
)
def test_a_row_without_a_usable_picture_says_why(folder: Path, images: list[Any], reason: str, words: str) -> None:
    if reason == "image_too_many":
        for number in range(2000):
            (folder / f"{number}.png").touch()
    with pytest.raises(BadPicture, match=words) as caught:
        locate(folder, *images)
    assert caught.value.reason == reason


def test_further_columns_give_further_candidates(folder: Path) -> None:
    assert names(locate(folder, "none.png", "a.png, b.png", "https://x.example/c.png")) == [
        "image_not_found", "a.png", "b.png", "https://x.example/c.png",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "cell",
    [
        PNG, BASE64, f"data:image/png;base64,{BASE64}", f"data:image/png;base64,{BASE64[:40]}\n {BASE64[40:]}",
        f'["data:image/png;base64,{BASE64}"]', f"[{{'bytes': {PNG!r}, 'path': 'x.png'}}]", f'{{"data": "{BASE64}"}}',
    ],
    ids=lambda cell: str(cell)[:20],
)  # fmt: skip
def test_pictures_inside_the_table_become_files_named_by_their_content(folder: Path, cell: str | bytes) -> None:
    (found,) = locate(folder, cell)
    assert found.path is not None
    assert found.path.read_bytes() == PNG
    assert found.path.parent == folder.parent / "inline"


def test_only_the_first_pictures_inside_a_row_are_written_unless_all_are_wanted(folder: Path) -> None:
    images = [bytes([number]) for number in range(9)]
    assert len(locate(folder, *images)) == picture_candidates.MAX_INLINE_PICTURES
    assert len(locate(folder, *images, all_images=True)) == 9


def test_a_source_without_a_folder_has_no_paths() -> None:
    with pytest.raises(BadPicture, match="this source has no folder; pass --image-folder"):
        PictureLocator(None, Path(), 1000, all_images=False).locate(["a.png"])


PARTS = [
    *(
        "a.png",
        "b",
        "c.jpg",
        "x|y.png",
        "lamp, red; large.png",
        "/",
        "//",
        ",",
        ";",
        "|",
        "\n",
        " ",
        "[",
        "]",
        "{",
        "}",
        "'",
    ),
    *(
        '"',
        "\\",
        "https://",
        "HTTP://x.example/",
        "?a=1,2",
        "&amp;",
        "%20",
        "%zz",
        "..",
        "\0",
        "\ud800",
        "\udce9",
        "é",
        ":",
    ),
    *(
        "data:image/png;base64,",
        "AAAA",
        "/9j/",
        "bytes",
        "None",
        "src",
        "<img src=",
        "file://",
        "\u200b",
        "#",
        "9" * 50,
    ),
]


def test_any_text_gives_pictures_or_a_reason(folder: Path) -> None:
    rng = random.Random(0)
    inline = folder.parent / "inline"
    inline.mkdir()
    locator = PictureLocator(folder, inline, 1000, all_images=True)
    reasons = set()
    for _ in range(2000):
        try:
            found = locator.locate(["".join(rng.choices(PARTS, k=rng.randint(1, 12)))])
            assert any(one.reason is None for one in found)
            assert all(one.path is None or one.path.parent in (folder, inline) for one in found)
        except BadPicture as bad:
            reasons.add(bad.reason)
            bad.detail.encode()
    assert {"image_not_found", "image_outside_folder", "image_path_invalid", "image_missing"} <= reasons


def test_how_a_file_was_found_is_kept_with_what_the_table_says(folder: Path) -> None:
    plain, other = locate(folder, "a.png|B.PNG")
    assert (plain.found_by, other.found_by, other.written) == ("", "upper or lower case", "'B.PNG'")
