"""Samples made on the command line: faults are planted, served and accounted for, and a catalogue is mimicked."""

import json
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from etalage.catalogue.store import Catalogue
from etalage.cli import main


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sample")


@pytest.fixture(scope="module")
def bad(folder: Path) -> Path:
    """A sample with every kind of fault that files can have, and the catalogue prepared from it."""
    main(["sample", str(folder / "bad"), "--rows", "400", "--faults", "0.3", "--picture-px", "96"])
    main(["prepare", str(folder / "bad/catalogue.csv"), "--out", str(folder / "catalogue")])
    return folder / "bad"


def test_planted_faults_are_accounted_for(bad: Path, folder: Path, capsys: pytest.CaptureFixture) -> None:
    capsys.readouterr()
    main(["sample", "check", str(bad), str(folder / "catalogue")])
    planted = json.loads((bad / "manifest.json").read_text())["num_faults"]
    assert f"all {sum(planted.values())} planted faults are accounted for" in capsys.readouterr().out
    assert len(planted) == 12


def test_a_fault_treated_differently_is_reported(bad: Path, folder: Path, capsys: pytest.CaptureFixture) -> None:
    manifest = json.loads((bad / "manifest.json").read_text())
    (folder / "other").mkdir()
    for fault in manifest["faults"][:3]:
        fault["expect"] = "dropped: image_too_ugly"
    (folder / "other/manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(SystemExit) as ended:
        main(["sample", "check", str(folder / "other"), str(folder / "catalogue")])
    assert ended.value.code == 2
    output = capsys.readouterr().err
    assert "3 planted faults are not accounted for" in output
    assert "expected dropped: image_too_ugly, found" in output


def test_a_mimicked_catalogue_can_be_prepared(bad: Path, folder: Path, capsys: pytest.CaptureFixture) -> None:
    main(["sample", str(folder / "like"), "--like", str(folder / "catalogue"), "--rows", "300"])
    assert "0 rows, titles or codes are the original's" in capsys.readouterr().out
    figures = json.loads((folder / "like/fidelity.json").read_text())
    assert figures["column_fidelity"] > 0.9
    assert "<script" not in (folder / "like/fidelity.html").read_text()
    main(["prepare", str(folder / "like/catalogue.csv"), "--out", str(folder / "like-catalogue")])
    original, mimicked = Catalogue.load(folder / "catalogue"), Catalogue.load(folder / "like-catalogue")
    assert sum(mimicked.facts["splits"].values()) == 300
    assert mimicked.facts["columns"] == original.facts["columns"]
    titles = {product.values["title"] for split in original.products.values() for product in split}
    assert not titles & {product.values["title"] for split in mimicked.products.values() for product in split}


def test_pictures_of_a_bad_server_are_fetched_or_accounted_for(folder: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}/"
    main(["sample", str(folder / "shop"), "--rows", "60", "--faults", "0.4", "--image-url", url, "--picture-px", "64"])
    serve = ["sample", "serve", str(folder / "shop"), "--port", str(port), "--latency-ms", "5", "--error-rate", "0.1"]
    server = subprocess.Popen([sys.executable, "-m", "etalage", *serve], stdout=subprocess.PIPE, text=True)
    try:
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert server.poll() is None
                time.sleep(0.05)
        table, out = str(folder / "shop/catalogue.csv"), str(folder / "shop-catalogue")
        main(["prepare", table, "--out", out, "--allow-private"])
    finally:
        server.send_signal(signal.SIGINT)
        output, _ = server.communicate(timeout=20)
    assert server.returncode == 0
    assert "requests answered" in output
    main(["sample", "check", str(folder / "shop"), out])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--faults", "flaky=0.1"], "only a server can do"),
        (["--faults", "hug=0.1"], "did you mean huge"),
        (["--like", "nowhere"], "nowhere"),
        (["--rows", "0"], "must be at least 1"),
        (["--format", "parquet", "--image-url", "http://x/"], "needs --format csv"),
        (["--picture-px", "9"], "must be at least 24"),
    ],
)
def test_impossible_options_are_refused(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["sample", str(tmp_path / "out"), *arguments])
    assert ended.value.code == 2
    assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
