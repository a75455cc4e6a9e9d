"""A picture is found under the names that other systems give it, and never outside its folder."""

import os
import unicodedata
from pathlib import Path

import pytest

from etalage.catalogue.pictures import BadPicture, PictureFolder
from etalage.catalogue.pictures import folder as folder_module

NFC, NFD = (unicodedata.normalize(form, "café-1.png") for form in ("NFC", "NFD"))
LATIN = "caf\udce9-1.png"


def make(root: Path, *names: str) -> PictureFolder:
    root = root.resolve() / "pictures"
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(os.fsencode(name))
    return PictureFolder(root)


@pytest.mark.parametrize(
    ("text", "on_disk", "found_by"),
    [
        ("img/a.png", "img/a.png", ""),
        ("./img//a.png", "img/a.png", ""),
        ("/c/d/a.png", "c/d/a.png", "leading slash"),
        ("//c/d/a.png", "c/d/a.png", "leading slash"),
        ("img\\sub\\a.png", "img/sub/a.png", "backslashes"),
        (".\\img\\a.png", "img/a.png", "backslashes"),
        ("\\img\\a.png", "img/a.png", "leading slash"),
        ("a%20b%2B.png", "a b+.png", "percent-encoding"),
        ("caf%C3%A9-1.png", NFC, "percent-encoding"),
        ("caf%E9-1.png", LATIN, "percent-encoding"),
        ("%2Fimg%2Fa.png", "img/a.png", "leading slash"),
        ("file:///img/a%20b.png", "img/a b.png", "leading slash"),
        ("a &amp; b.png", "a & b.png", "HTML entities"),
        ("img/a.jpg?v=12#top", "img/a.jpg", "query string"),
        (NFC, NFD, "letters in another encoding"),
        (NFD, NFC, "letters in another encoding"),
        (NFC, LATIN, "letters in another encoding"),
        (f"{NFC}/{NFC}", f"{NFD}/{NFD}", "letters in another encoding"),
        ("\u212b.png", "\u00c5.png", "letters in another encoding"),  # the sign for angstrom
        ("IMG/A.PNG", "img/a.png", "upper or lower case"),
        ("STRASSE.png", "straße.png", "upper or lower case"),
        (NFC.upper(), NFD, "upper or lower case"),
        ("shoe-1", "shoe-1.jpg", "other suffix"),
        ("shoe.v2", "shoe.v2.webp", "other suffix"),
        ("shoe-1.jpg", "shoe-1.jpeg", "other suffix"),
        ("shoe-1.jpg", "shoe-1.JPG", "upper or lower case"),
        ("SHOE-1.PNG", "shoe-1.tif", "other suffix"),
        ("\\IMG\\Shoe-1", "img/shoe-1.png", "other suffix"),
    ],
)
def test_other_spellings_are_found(tmp_path: Path, text: str, on_disk: str, found_by: str) -> None:
    folder = make(tmp_path, on_disk, "b.png")
    assert folder.find(text) == (folder.folder / on_disk, found_by)


def test_a_file_url_of_this_machine_is_found(tmp_path: Path) -> None:
    folder = make(tmp_path, "a b.png")
    url = (folder.folder / "a b.png").as_uri()
    assert folder.find(url) == (folder.folder / "a b.png", "file:// URL")
    assert folder.find(str(folder.folder / "A b.PNG")) == (folder.folder / "a b.png", "upper or lower case")


@pytest.mark.parametrize(
    ("text", "names", "found"),
    [
        ("a.jpg", ["a.jpg", "a.png", "A.jpg"], "a.jpg"),
        ("a.jpg", ["A.JPG", "a.png"], "A.JPG"),
        ("a", ["a.pdf", "a.txt", "a.png"], "a.png"),
        ("a%20b.png", ["a%20b.png", "a b.png"], "a%20b.png"),
        ("/a.png", ["a.png", "A.png"], "a.png"),
        ("Img/a.png", ["img/a.png", "IMG/b.png"], "img/a.png"),
    ],
)
def test_the_nearest_name_is_taken(tmp_path: Path, text: str, names: list[str], found: str) -> None:
    folder = make(tmp_path, *names)
    assert folder.find(text).path == folder.folder / found


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a", ["a.jpg", "a.png"]),
        ("a.gif", ["a.jpg", "a.png"]),
        ("aB.png", ["Ab.png", "ab.png"]),
        (NFC, [NFD, LATIN]),
        ("IMG/a.png", ["img/a.png", "Img/a.png"]),
    ],
)
def test_what_several_files_may_be_is_refused(tmp_path: Path, text: str, names: list[str]) -> None:
    with pytest.raises(BadPicture, match="may be any of 2 files") as caught:
        make(tmp_path, *names).find(text)
    assert caught.value.reason == "image_ambiguous"


@pytest.mark.parametrize(
    ("text", "reason", "words"),
    [
        ("b.png", "image_not_found", "is not there"),
        ("a", "image_not_found", "is not there"),
        ("a#1.png", "image_not_found", "is not there"),
        ("cdn.shop.example/a.png", "image_not_found", "if it is a URL, write https:// before it"),
        ("C:\\pics\\x.png", "image_not_found", "names a drive"),
        ("sub", "image_not_found", "is not a file"),
        ("x" * 300 + ".png", "image_not_found", "cannot be read: File name too long"),
        ("x" * 300 + ".example/a.png", "image_not_found", "if it is a URL, write https://"),
        ("x" * 5000, "image_path_invalid", "5000 characters"),
        ("a\0.png", "image_path_invalid", "NUL"),
        ("/etc/passwd", "image_outside_folder", "leads out of the folder"),
        ("file:///etc/passwd", "image_outside_folder", "leads out of the folder"),
        ("..\\secret.png", "image_outside_folder", "leads out of the folder"),
        ("%2e%2e/secret.png", "image_outside_folder", "leads out of the folder"),
        ("..%2fsecret.png", "image_outside_folder", "leads out of the folder"),
        ("&#46;&#46;/secret.png", "image_outside_folder", "leads out of the folder"),
        ("/../secret.png", "image_outside_folder", "leads out of the folder"),
        ("sub/../../SECRET", "image_outside_folder", "leads out of the folder"),
        ("LINK/secret.png", "image_not_found", "is not there"),
        ("link/SECRET.png", "image_outside_folder", "leads out of the folder"),
        ("LEAK.png", "image_not_found", "is not there"),
        ("leak", "image_not_found", "is not there"),
        ("loop/a.png", "image_path_invalid", "loop"),
        ("\ud800.png", "image_path_invalid", "surrogates not allowed"),
        ("pipe.png", "image_not_found", "is not a file"),
        ("PIPE.png", "image_not_found", "is not there"),
    ],
)
def test_what_may_not_be_read_stays_refused(tmp_path: Path, text: str, reason: str, words: str) -> None:
    folder = make(tmp_path, "a.pdf", "sub/c.png")
    (tmp_path / "secret.png").write_bytes(b"secret")
    (folder.folder / "link").symlink_to(tmp_path)
    (folder.folder / "leak.png").symlink_to(tmp_path / "secret.png")
    (folder.folder / "loop").symlink_to("loop")
    os.mkfifo(folder.folder / "pipe.png")
    with pytest.raises(BadPicture, match=words) as caught:
        folder.find(text)
    assert caught.value.reason == reason


def test_a_link_inside_the_folder_is_followed(tmp_path: Path) -> None:
    folder = make(tmp_path, "a.png")
    (folder.folder / "b.png").symlink_to("a.png")
    assert folder.find("B.PNG") == (folder.folder / "a.png", "upper or lower case")
    (folder.folder / "b.jpg").symlink_to("a.png")
    assert folder.find("b").path == folder.folder / "a.png", "both names are of one file"


def test_a_folder_is_listed_once_and_only_where_a_name_is_not_exact(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make(tmp_path, *(f"img/{number}.png" for number in range(20)))
    listed: list[str] = []
    scan = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: listed.append(Path(path).name) or scan(path))
    for number in range(20):
        folder.find(f"img/{number}.png")
    assert listed == []
    for number in range(20):
        assert folder.find(f"img/{number}.PNG").found_by == "upper or lower case"
    with pytest.raises(BadPicture):
        folder.find("img/none.png")
    assert listed == ["pictures", "img"]


def test_listings_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make(tmp_path, *(f"{part}/{number}.png" for part in "abc" for number in range(4)))
    monkeypatch.setattr(folder_module, "MAX_LISTED_FILES", 8)
    for part in "abcabc":
        assert folder.find(f"{part}/1.PNG").path == folder.folder / part / "1.png"
        assert folder._num_listed <= 8
    monkeypatch.setattr(folder_module, "MAX_LISTED_FILES", 3)
    with pytest.raises(BadPicture, match=r"by exactly this name, and its folder has more than 3 names"):
        PictureFolder(folder.folder / "a").find("1.PNG")
