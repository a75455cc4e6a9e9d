"""Workers read pictures in order, and a file that crashes one costs only itself."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from PIL import Image

from etalage.catalogue.pictures import BadPicture, read_pictures

from .conftest import LIMITS, encode


def test_results_are_in_order_and_bad_pictures_among_them(tmp_path: Path) -> None:
    paths = [tmp_path / f"{n}.png" for n in range(40)]
    for n, path in enumerate(paths):
        path.write_bytes(b"no picture" if n == 7 else encode(Image.new("RGB", (10 + n, 12))))
    found = list(read_pictures(paths, **LIMITS))
    assert [getattr(picture, "width", None) for picture in found] == [None if n == 7 else 10 + n for n in range(40)]
    assert isinstance(found[7], BadPicture)
    assert found[7].reason == "image_undecodable"


def test_pictures_of_a_killed_worker_are_read_again(tmp_path: Path) -> None:
    paths = [tmp_path / f"{n}.png" for n in range(200)]
    for n, path in enumerate(paths):
        path.write_bytes(encode(Image.new("RGB", (300 + n, 200))))
    pictures = read_pictures(paths, **LIMITS)
    first = next(pictures)
    for pid in pictures.gi_frame.f_locals["workers"]._pool._processes:
        os.kill(pid, signal.SIGKILL)
    assert [picture.width for picture in (first, *pictures)] == [300 + n for n in range(200)]


def test_a_script_without_a_main_guard_gets_an_error(tmp_path: Path) -> None:
    """No picture is blamed for that."""
    (tmp_path / "a.png").write_bytes(encode(Image.new("RGB", (30, 20))))
    (tmp_path / "script.py").write_text(
        "from pathlib import Path\n"
        "from etalage.catalogue.pictures import read_pictures\n"
        f"print(list(read_pictures([Path('a.png')], **{LIMITS})))\n"
    )
    run = subprocess.run([sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert "ChildProcessError: no process can be started" in run.stderr
    assert not run.stdout


class CrashingPath(type(Path())):  # type: ignore[misc]
    """A path that ends the process it is sent to, as a file that crashes its decoder does."""

    def __reduce__(self) -> tuple[object, tuple[int]]:
        return os._exit, (1,)


def test_a_picture_that_crashes_its_worker_is_named(tmp_path: Path) -> None:
    paths = [tmp_path / f"{n}.png" for n in range(5)]
    for path in paths:
        path.write_bytes(encode(Image.new("RGB", (30, 20))))
    paths[2] = CrashingPath(paths[2])
    found = list(read_pictures(paths, **LIMITS))
    assert [isinstance(picture, BadPicture) for picture in found] == [False, False, True, False, False]
    assert found[2].reason == "image_kills_decoder"
    assert found[2].detail == "2.png crashed the process that decoded it"


def test_no_pictures_give_no_results() -> None:
    assert list(read_pictures([], **LIMITS)) == []
