"""`etalage prepare` on a table of URLs: killed at any moment, it continues and ends with the same bytes."""

import csv
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from PIL import Image

from etalage.sample.faults import MANIFEST
from etalage.sample.server import Server, run_server

NUM_PICTURES = 120
ODD_CODES = ["../../x", "a\0b", "c" * 300, "手提包‮", "=HYPERLINK()", "CON", "-1", ""]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Serve pictures, each after 30 ms. Every tenth does not exist, and one is a web page."""
    folder = tmp_path_factory.mktemp("shop")
    (folder / "images").mkdir()
    (folder / MANIFEST).write_text("{}")
    for number in range(NUM_PICTURES):
        rng = random.Random(number)
        path = folder / f"images/{number}.jpg"
        coarse = Image.frombytes("RGB", (6, 6), rng.randbytes(108))
        if number == 7:
            path.write_text("<html>gone</html>")
        elif number % 10 != 3:
            coarse.resize((80, 100), Image.Resampling.BICUBIC).save(path)
    with run_server(folder, latency_ms=30) as server:
        yield server


@pytest.fixture(scope="module")
def table(shop: Server, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("table") / "shop.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["product_code", "title", "category3_code", "full_price", "imageurl"])
        for number in range(NUM_PICTURES):
            title = f"Model {number}x Bag" if number else "<script>alert(1)</script> Bag"
            url = f"{shop.url}images/{number}.jpg"
            rows.writerow([ODD_CODES[number % len(ODD_CODES)], title, "BAGS", f"$1,{number:03d}.00", url])
    return path


def command(table: Path, out: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "etalage", "prepare", str(table), "--out", str(out), *more]


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_private_addresses_are_refused_by_default(table: Path, tmp_path: Path) -> None:
    finished = subprocess.run(command(table, tmp_path / "out"), capture_output=True, text=True, check=False)
    assert finished.returncode == 2
    assert "fetch_address_refused" in finished.stderr
    assert not (tmp_path / "out").exists()


def test_a_run_killed_five_times_ends_like_an_uninterrupted_one(shop: Server, table: Path, tmp_path: Path) -> None:
    slow = ["--allow-private", "--num-connections", "2"]
    uninterrupted = tmp_path / "uninterrupted"
    start = time.perf_counter()
    subprocess.run(command(table, uninterrupted, *slow), check=True, stdout=subprocess.DEVNULL)
    duration_s = time.perf_counter() - start
    shop.requests.clear()
    killed = tmp_path / "killed"
    rng = random.Random(0)
    for _ in range(5):
        process = subprocess.Popen(command(table, killed, *slow), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(duration_s * rng.uniform(0.3, 0.8))
        process.kill()
        process.wait()
        if killed.exists():  # it was finished before the kill
            break
    else:
        subprocess.run(command(table, killed, *slow), check=True, stdout=subprocess.DEVNULL)
    assert contents(killed) == contents(uninterrupted)
    assert {path.name for path in tmp_path.iterdir()} == {
        "killed", "killed.downloads", "uninterrupted", "uninterrupted.downloads",
    }  # fmt: skip
    requested_again = [path for path, times in shop.requests.items() if times > 2]
    assert len(requested_again) < NUM_PICTURES / 2, "pictures that had arrived were not requested again"


def test_every_row_is_in_the_catalogue_or_among_the_drops(table: Path, tmp_path: Path) -> None:
    subprocess.run(command(table, tmp_path / "out", "--allow-private"), check=True, stdout=subprocess.DEVNULL)
    drops = Counter(pq.read_table(tmp_path / "out/drops.parquet")["reason"].to_pylist())
    assert drops == {"fetch_not_found": NUM_PICTURES // 10, "fetch_not_a_picture": 1}
    products = pq.read_table(tmp_path / "out/metadata.parquet").to_pylist()
    assert len(products) == NUM_PICTURES - drops.total()
    assert products[1]["price"] == 1001.0
    names = {path.name for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert all(name.partition(".")[0].isalnum() for name in names)
    assert "<script" not in (tmp_path / "out/profile.html").read_text()


def spellings(url: str) -> list[str]:
    """Return ways in which people, spreadsheets and shop systems write links to one host's pictures 10 to 21."""
    host = url.removeprefix("http://").rstrip("/")
    return [
        f"HTTP://{host}/images/10.jpg", f"hTtP://{host}/images/11.jpg ", f"http://{host}/images/12.jpg#top",
        f" http://{host}/images/%31%34.jpg", f"http://{host}/images/15.jpg?w=300,h=300", f"http:/{host}/images/16.jpg",
        f"http://{host}/images/17.jpg?a=1&amp;b=2", f'"http://{host}/images/18.jpg"', f"http://{host}/images/19.jpg,",
        f"http://{host}/images/13.jpg, HTTP://{host}/images/20.jpg", f'["http://{host}/images/21.jpg"]',
    ]  # fmt: skip


def test_links_in_any_spelling_are_fetched_and_every_row_is_accounted_for(shop: Server, tmp_path: Path) -> None:
    cells = [
        *spellings(shop.url),
        "HTTP://",
        "http:///a.jpg",
        "ftp://x.example/a.jpg",
        "http://[::1",
        "HTTPS://\ud800/",
    ]
    with (tmp_path / "t.csv").open("w", newline="", encoding="utf-8", errors="backslashreplace") as file:
        rows = csv.writer(file)
        rows.writerow(["sku", "title", "category", "price", "image"])
        rows.writerows([f"P{n}", f"Model {chr(65 + n)}x Bag", "BAGS", 10 + n, cell] for n, cell in enumerate(cells))
    run = command(tmp_path / "t.csv", tmp_path / "out", "--allow-private")
    finished = subprocess.run(run, check=True, capture_output=True, text=True)
    kept = pq.read_table(tmp_path / "out/metadata.parquet")["product_code"].to_pylist()
    drops = pq.read_table(tmp_path / "out/drops.parquet").to_pylist()
    assert kept == [f"P{n}" for n in range(len(spellings("")))]
    assert [drop["place"] for drop in drops] == [f"row {n + 2}" for n in range(len(kept), len(cells))]
    assert "1 row shows a later picture, as the first failed (1 fetch_not_found)" in finished.stdout
    assert finished.stdout.rstrip().splitlines()[-1].startswith("  What to do: ")


def test_a_table_of_which_every_link_is_odd_is_refused_with_the_reasons(shop: Server, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(
        "title,category,price,image\n" + "".join(f"Bag {n}x,BAGS,5,HTTP://{n}.invalid:0/a.jpg\n" for n in "abc")
    )
    run = command(tmp_path / "t.csv", tmp_path / "out", "--allow-private")
    finished = subprocess.run(run, check=False, capture_output=True, text=True)
    assert finished.returncode == 2
    assert "none of its rows can be used (3 fetch_" in finished.stderr
    assert "Traceback" not in finished.stderr
