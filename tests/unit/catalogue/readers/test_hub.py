"""Datasets on the hub are streamed, from a small server that speaks the hub's protocol."""

import io
import json
import os
import pkgutil
import re
import subprocess
import sys
import threading
import urllib.parse
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from etalage.catalogue.readers.hub import PRIVATE_DATASETS_NAMES
from etalage.catalogue.table import Row
from etalage.errors import EtalageError

ROWS = [{"title": "A", "category": "X", "price": 990.0, "image": "a.png"}]


BURBERRY = "DBQ/Burberry.Product.prices.United.States"


READ_BURBERRY = f"""
import json, pathlib
from etalage.catalogue.sources import open_source
from etalage.catalogue.table import read_table
from etalage.config import PrepareConfig, TaskConfig
from etalage.task import Task
config = PrepareConfig("{BURBERRY}", pathlib.Path("unused"))
source = open_source(config.source, config)
table = read_table(source, Task(TaskConfig()).fields, config)
print(json.dumps([source.name, source.kind, source.folder, table.columns, list(table)]))
"""


class Hub(BaseHTTPRequestHandler):
    """As much of the hub's protocol as it takes to stream one dataset."""

    files: ClassVar[dict[str, bytes]] = {}

    def log_message(self, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        _, _, path = urllib.parse.unquote(self.path.partition("?")[0]).partition(BURBERRY)
        resolved = re.fullmatch("/resolve/[^/]+/(.+)", path)
        tree = re.fullmatch("/tree/[^/]+/?(.*)", path)
        if resolved:
            return self.answer(self.files.get(resolved[1]))
        if tree and tree[1]:
            return self.answer(
                [
                    {"type": "file", "oid": "0" * 40, "path": name, "size": len(data)}
                    for name, data in self.files.items()
                ]
            )
        if tree:
            return self.answer([{"type": "directory", "oid": "0" * 40, "path": "data"}])
        facts = {"id": BURBERRY, "sha": "1" * 40, "siblings": [{"rfilename": name} for name in self.files]}
        self.answer(facts if re.fullmatch("(/revision/[^/]+)?", path) else None)

    do_HEAD = do_GET

    def answer(self, what: Any) -> None:
        data = what if isinstance(what, bytes) else json.dumps(what or {}).encode()
        status = 404 if what is None else 200
        asked = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        if asked and status == 200 and self.command == "GET":
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {asked[1]}-{asked[2]}/{len(data)}")
            data = data[int(asked[1]) : int(asked[2]) + 1]
        else:
            self.send_response(status)
        for name, value in {"Content-Length": len(data), "ETag": '"0"', "X-Repo-Commit": "1" * 40}.items():
            self.send_header(name, str(value))
        if what is None:
            self.send_header("X-Error-Code", "EntryNotFound")
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(data)


def test_reads_the_burberry_dataset_without_options(tmp_path: Path) -> None:
    pytest.importorskip("datasets")
    texts = ("website_name", "competence_date", "country_code", "currency_code", "brand", "category1_code")
    columns: dict[str, list[Any]] = {
        **{name: ["X", "Y"] for name in (*texts, "category2_code", "category3_code")},
        **{"product_code": [80123, 80124], "title": ["A", "B"], "itemurl": ["i", "i"], "imageurl": ["u", "v"]},
        **{"full_price": [990.0, 1290.5], "price": [1.0, 2.0], "full_price_eur": [3.0, 4.0], "price_eur": [5.0, 6.0]},
        "flg_discount": [0, 1],
    }
    stored = io.BytesIO()
    pq.write_table(pa.table(columns), stored)
    Hub.files = {"data/train-00000-of-00001.parquet": stored.getvalue()}
    with ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        place = {"HF_ENDPOINT": f"http://127.0.0.1:{server.server_port}", "HF_HOME": str(tmp_path), "NO_PROXY": "*"}
        command = [sys.executable, "-c", READ_BURBERRY]
        done = subprocess.run(
            command, env={**os.environ, **place, "HF_HUB_OFFLINE": "0"}, capture_output=True, text=True, timeout=100
        )
        server.shutdown()
    assert done.returncode == 0, done.stderr
    name, kind, folder, found, read_rows = json.loads(done.stdout)
    assert (name, kind, folder) == (BURBERRY, "hub", None)
    columns = ["title", "category3_code", "full_price", "imageurl", "product_code"]
    assert list(found.values())[: len(columns)] == columns
    assert [row[2] for row in read_rows] == ["80123", "80124"]
    images, cells = read_rows[1][3:5]
    assert (images, [cells[field] for field in ("title", "category", "price")]) == (["v"], ["B", "Y", 1290.5])


def test_files_on_the_hub_become_urls(write_file: Callable, read_rows: Callable) -> None:
    record = {**ROWS[0], "image": {"bytes": None, "path": "hf://datasets/owner/name@0a1b/train/a b.png"}}
    path = write_file(json.dumps(record), "t.jsonl")
    assert read_rows(path)[0].images == ("https://huggingface.co/datasets/owner/name/resolve/0a1b/train/a%20b.png",)


def test_reads_a_folder_laid_out_as_a_dataset_on_the_hub(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    read_rows: Callable,
    open_table: Callable,
) -> None:
    pytest.importorskip("datasets")
    burberry = {"title": ["A"], "category3_code": ["X"], "full_price": [990.0], "price": [1.0], "imageurl": ["u"]}
    for split in ("train", "test"):
        folder = tmp_path / "repository" / "data"
        folder.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table({**burberry, "product_code": [80123]}), folder / f"{split}-00000-of-00001.parquet")
    source, table = open_table(tmp_path / "repository", format="hub", split_column="split")
    texts = {"title": "A", "category": "X", "price": 990.0}
    assert list(table) == [
        Row(1, "row 1", "80123", ("u",), texts, "train"),
        Row(2, "row 2", "80123", ("u",), texts, "test"),
    ]
    assert (source.name, source.kind) == ("repository", "hub")
    assert [row.cells for row in read_rows(tmp_path / "repository")] == [texts, texts]  # as Parquet; test goes first
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(EtalageError, match=r"owner/name: .*pip install etalage\[hub\]"):
        open_table("owner/name")


@pytest.mark.parametrize("name", PRIVATE_DATASETS_NAMES)
def test_private_names_of_datasets_still_exist(name: str) -> None:
    pytest.importorskip("datasets")
    assert callable(pkgutil.resolve_name(name))


def test_the_builder_of_parquet_still_takes_another_table_generator(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    pq.write_table(pa.table({"a": [1]}), tmp_path / "train.parquet")
    builder = datasets.load_dataset_builder(str(tmp_path))
    assert builder.name == "parquet"
    builder._generate_tables = lambda files, **_: iter([((0, 0), pa.table({"a": [7]}))])
    assert list(builder.as_streaming_dataset()["train"]) == [{"a": 7}]


def test_a_folder_that_is_no_dataset_is_refused_by_its_name(tmp_path: Path, open_table: Callable) -> None:
    pytest.importorskip("datasets")
    (tmp_path / "nothing").mkdir()
    with pytest.raises(EtalageError, match=r"^nothing cannot be loaded as a dataset on the hub"):
        open_table(tmp_path / "nothing", format="hub")
