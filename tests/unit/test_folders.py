"""Files are read from inside a folder alone, and a changed one is found."""

import os
from pathlib import Path

import pytest

from etalage.errors import EtalageError
from etalage.folders import SUMS, file_digest, file_in, model_folder, optional_file_in, verify_sums, write_sums


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(b"weights")
    (folder / "README.md").write_text("A card.")
    (tmp_path / "secret.json").write_text("{}")
    return folder


def test_files_of_the_folder_are_found(folder: Path) -> None:
    (folder / "link.json").symlink_to("config.json")
    for name in ("config.json", "link.json"):
        assert file_in(folder, name, "mend it") == folder / name
    assert optional_file_in(folder, "gone.json", "mend it") is None
    with pytest.raises(EtalageError, match=r"gone\.json' cannot be read \(No such file or directory\); mend it"):
        file_in(folder, "gone.json", "mend it")


@pytest.mark.parametrize("name", ["../secret.json", "/etc/passwd", "a/b.json", "a\0.json", "", ".", ".."])
def test_names_that_lead_out_are_refused(folder: Path, name: str) -> None:
    with pytest.raises(EtalageError, match="not inside the folder; mend it"):
        file_in(folder, name, "mend it")


@pytest.mark.parametrize("optional", [True, False])
@pytest.mark.parametrize("target", ["../secret.json", "/dev/zero", "/etc/passwd", "gone", "link.json", "pipe"])
def test_links_lead_nowhere_else(folder: Path, target: str, optional: bool) -> None:
    os.mkfifo(folder / "pipe")
    (folder / "link.json").symlink_to(target)
    with pytest.raises(EtalageError, match=r"link\.json is (a link (to .*, outside|that leads nowhere)|not a regular)"):
        (optional_file_in if optional else file_in)(folder, "link.json", "mend it")


def test_pipes_and_folders_are_refused(folder: Path) -> None:
    os.mkfifo(folder / "pipe.json")
    (folder / "sub.json").mkdir()
    for name in ("pipe.json", "sub.json"):
        with pytest.raises(EtalageError, match=f"{name} is not a regular file; mend it"):
            file_in(folder, name, "mend it")


def test_the_hub_s_cache_is_full_of_links(tmp_path: Path) -> None:
    blobs, revision = tmp_path / "models--a--b/blobs", tmp_path / "models--a--b/snapshots/0123"
    blobs.mkdir(parents=True)
    revision.mkdir(parents=True)
    (blobs / "45").write_text("{}")
    (revision / "config.json").symlink_to("../../blobs/45")
    assert file_in(revision, "config.json", "mend it") == revision / "config.json"
    (tmp_path / "secret.json").write_text("{}")
    (revision / "other.json").symlink_to("../../../secret.json")
    with pytest.raises(EtalageError, match="outside the folder"):
        file_in(revision, "other.json", "mend it")


def test_the_digest_is_that_of_the_bytes(folder: Path) -> None:
    # As the command `xxhsum -H2` prints it.
    assert file_digest(folder / "config.json") == "dc7048f8f8747f561349cde127705c16"
    (folder / "large").write_bytes(bytes(3_000_000))
    first = file_digest(folder / "large")
    (folder / "large").write_bytes(bytes(2_999_999) + b"\1")
    assert file_digest(folder / "large") != first


def test_a_change_is_found(folder: Path) -> None:
    write_sums(folder)
    sums = (folder / SUMS).read_text()
    assert [line.split("  ")[1] for line in sums.splitlines()] == ["config.json", "model.safetensors"]
    (folder / "README.md").write_text("Another card.")
    verify_sums(folder, sums, "mend it")
    (folder / "model.safetensors").write_bytes(b"weighty")
    with pytest.raises(EtalageError, match=r"model\.safetensors has changed since it was written .*; mend it"):
        verify_sums(folder, sums, "mend it")
    (folder / "model.safetensors").unlink()
    with pytest.raises(EtalageError, match=r"model\.safetensors' cannot be read"):
        verify_sums(folder, sums, "mend it")


def test_one_more_file_is_found(folder: Path) -> None:
    write_sums(folder)
    (folder / "model.safetensors.index.json").write_text("{}")
    with pytest.raises(EtalageError, match=r"model\.safetensors\.index\.json is not among the files"):
        verify_sums(folder, (folder / SUMS).read_text(), "mend it")


@pytest.mark.parametrize("line", ["", "0123  config.json", "0" * 32 + "  ../secret.json", "0" * 32 + " config.json"])
def test_damaged_sums_are_named(folder: Path, line: str) -> None:
    with pytest.raises(EtalageError, match=rf"{SUMS} line 1 is damaged; mend it"):
        verify_sums(folder, f"{line}\n", "mend it")


@pytest.mark.parametrize("model", ["", ".", "/nowhere", "./nowhere", "nowhere", "a/b/c", "~/model"])
def test_a_model_that_is_a_path_without_a_folder_is_refused(tmp_path: Path, monkeypatch, model: str) -> None:
    monkeypatch.chdir(tmp_path)
    if model == ".":
        assert model_folder(model) == Path()
    else:
        with pytest.raises(EtalageError, match=r"is no folder; give --model a folder"):
            model_folder(model)
    assert model_folder("microsoft/Phi-3-vision-128k-instruct") is None
