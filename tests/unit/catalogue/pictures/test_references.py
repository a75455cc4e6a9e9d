"""Nothing outside the folder of pictures is reached, and data URIs are decoded within a limit."""

from pathlib import Path

import pytest
from PIL import Image

from etalage.catalogue.pictures import BadPicture, decode_data_uri, open_picture, resolve_picture

from .conftest import encode, reason_of


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\0.png", "image_path_invalid"),
        ("/etc/passwd", "image_outside_folder"),
        ("../secret.png", "image_outside_folder"),
        ("images/../../secret.png", "image_outside_folder"),
        ("link/secret.png", "image_outside_folder"),
    ],
)
def test_nothing_outside_the_folder_is_reached(tmp_path: Path, text: str, expected: str) -> None:
    folder = (tmp_path / "table").resolve()
    (folder / "images").mkdir(parents=True)
    (tmp_path / "secret.png").write_bytes(encode(Image.new("RGB", (9, 9))))
    (folder / "link").symlink_to(tmp_path)
    with pytest.raises(BadPicture) as caught:
        resolve_picture(folder, text)
    assert caught.value.reason == expected


def test_odd_paths_inside_the_folder_are_kept(tmp_path: Path) -> None:
    folder = tmp_path.resolve()
    for text in ("a b#c?.png", "images/../a.png", str(folder / "a.png"), "ünï/‮x.png"):
        assert resolve_picture(folder, text).is_relative_to(folder)
    assert reason_of(resolve_picture(folder, "x" * 5000)) == "image_not_found"
    (folder / "loop").symlink_to(folder / "loop")
    with pytest.raises(BadPicture):
        open_picture(resolve_picture(folder, "loop/a.png"))


def test_data_uris_are_read_or_refused() -> None:
    assert decode_data_uri("data:image/png;base64,aGVsbG8", 100) == b"hello"
    assert decode_data_uri("data:,a%20b", 100) == b"a b"
    for uri, expected in (
        ("data:image/png;base64", "image_data_uri_invalid"),
        ("data:image/png;base64,????", "image_data_uri_invalid"),
        ("data:image/png;base64," + "A" * 500, "image_too_many_bytes"),
    ):
        with pytest.raises(BadPicture) as caught:
            decode_data_uri(uri, 100)
        assert caught.value.reason == expected


def test_a_path_is_relative_to_the_folder_and_need_not_exist(tmp_path: Path) -> None:
    folder = tmp_path.resolve()
    assert resolve_picture(folder, "img/./88.jpg") == folder / "img/88.jpg"


def test_a_link_that_stays_inside_the_folder_is_followed(tmp_path: Path) -> None:
    folder = tmp_path.resolve()
    (folder / "a.png").write_bytes(encode(Image.new("RGB", (9, 9))))
    (folder / "b.png").symlink_to("a.png")
    assert resolve_picture(folder, "b.png") == folder / "a.png"
