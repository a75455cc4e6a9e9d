"""Nothing outside the folder of pictures is reached, and data URIs are decoded within a limit."""

import base64
from pathlib import Path

import pytest
from PIL import Image

from etalage.catalogue.pictures import BadPicture, decode_base64, decode_data_uri, open_picture, resolve_picture

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


JPEG = encode(Image.effect_noise((40, 40), 50).convert("RGB"), "JPEG")


@pytest.mark.parametrize("line_chars", [60, 76])
@pytest.mark.parametrize("end", ["\n", "\r\n", " ", "\n\t"])
def test_wrapped_base64_is_joined(line_chars: int, end: str) -> None:
    text = base64.b64encode(JPEG).decode()
    wrapped = end.join(text[i : i + line_chars] for i in range(0, len(text), line_chars))
    assert decode_data_uri(f"data:image/jpeg;base64,{wrapped}", 10_000) == JPEG
    assert decode_data_uri(f"data:image/jpeg; charset=x; BASE64,{end}{wrapped}{end}", 10_000) == JPEG
    assert decode_base64(wrapped, 10_000) == JPEG
    assert decode_base64(wrapped.translate(str.maketrans("+/", "-_")), 10_000) in (JPEG, None)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF"])
def test_base64_without_a_prefix_is_known_by_its_first_bytes(kind: str) -> None:
    data = encode(Image.effect_noise((40, 40), 50).convert("RGB"), kind)
    assert decode_base64(base64.b64encode(data).decode(), 10_000) == data
    assert decode_base64(base64.b64encode(data).decode().rstrip("="), 10_000) == data


@pytest.mark.parametrize("text", ["/9j/a.jpg", "/9j/" + "abc/" * 40 + "a.jpg", "x" * 100, "Qk" + "x" * 100, ""])
def test_paths_are_not_taken_for_base64(text: str) -> None:
    assert decode_base64(text, 100) is None


@pytest.mark.parametrize(("num_chars", "program"), [(32_767, "Excel"), (65_535, "MySQL")])
def test_base64_that_a_program_has_cut_says_so(num_chars: int, program: str) -> None:
    text = ("iVBORw0KGgo" + "A" * 100_000)[:num_chars]
    for read in (
        lambda: decode_base64(text, 100_000),
        lambda: decode_data_uri(f"data:;base64,{text}"[:num_chars], 100_000),
    ):
        with pytest.raises(
            BadPicture, match=f"cut off after {num_chars} characters, the longest text in {program}"
        ) as caught:
            read()
        assert caught.value.reason == "image_data_uri_invalid"


def test_base64_is_decoded_within_the_limit() -> None:
    with pytest.raises(BadPicture) as caught:
        decode_base64("iVBORw0KGgo" + "A" * 1000, 100)
    assert caught.value.reason == "image_too_many_bytes"


def test_a_path_is_relative_to_the_folder_and_need_not_exist(tmp_path: Path) -> None:
    folder = tmp_path.resolve()
    assert resolve_picture(folder, "img/./88.jpg") == folder / "img/88.jpg"


def test_a_link_that_stays_inside_the_folder_is_followed(tmp_path: Path) -> None:
    folder = tmp_path.resolve()
    (folder / "a.png").write_bytes(encode(Image.new("RGB", (9, 9))))
    (folder / "b.png").symlink_to("a.png")
    assert resolve_picture(folder, "b.png") == folder / "a.png"
