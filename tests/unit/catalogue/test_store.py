"""What `prepare` wrote is loaded as it was; anything else is refused by name."""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from etalage.catalogue.store import Catalogue
from etalage.config import PrepareConfig, TaskConfig
from etalage.errors import EtalageError

from .conftest import prepare


def test_a_catalogue_is_loaded_as_it_was_written(prepare_config: PrepareConfig) -> None:
    catalogue = prepare(prepare_config)
    products = [product for split in ("train", "validation", "test") for product in catalogue.split(split)]
    assert len(products) == 12
    first = next(product for product in products if product.product_code == "../../x000")
    assert first.values == {"title": "Scarf A0", "category": "A", "price": 100.5}
    assert first.group == next(product.group for product in products if product.product_code == "../../x001")
    assert catalogue.open(first).size == (11, 12)
    assert catalogue.facts["drops"] == {"price_unparsable": 1}
    assert catalogue.facts["splits"] == {name: len(catalogue.split(name)) for name in catalogue.products}
    assert catalogue.facts["num_groups"] == 11
    assert catalogue.facts["duplicates"]["exact"] == 2
    (dropped,) = pq.read_table(prepare_config.out / "drops.parquet").to_pylist()
    assert (dropped["source_row"], dropped["product_code"], dropped["reason"]) == (13, "007", "price_unparsable")
    names = {path.name for path in (prepare_config.out / "images").glob("*/*")}
    assert len(names) == 11
    assert all(len(name) == 64 + 4 for name in names)
    with pytest.raises(EtalageError, match="no split 'dev'; there are train, validation, test"):
        catalogue.split("dev")
    assert {path.name for path in prepare_config.out.iterdir()} == {
        "catalogue.json", "metadata.parquet", "drops.parquet", "leaks.parquet", "table.parquet", "profile.html",
        "images",
    }  # fmt: skip


def test_other_and_damaged_folders_are_refused(prepare_config: PrepareConfig, tmp_path: Path) -> None:
    with pytest.raises(EtalageError, match=r"is no catalogue: catalogue\.json is not there"):
        Catalogue.load(tmp_path)
    prepare(prepare_config)
    path = prepare_config.out / "catalogue.json"
    facts = json.loads(path.read_text())
    for damage, complaint in (
        ("{", "is damaged"),
        (json.dumps({**facts, "task": None}), "is damaged"),
        ("[]", "is of version None"),
        (json.dumps({**facts, "version": 99}), "is of version 99, but this etalage reads version 2"),
        (json.dumps({**facts, "task": {"question": "?", "answer": "{colour}"}}), "is damaged"),
    ):
        path.write_text(damage)
        with pytest.raises(EtalageError, match=complaint):
            Catalogue.load(prepare_config.out)
    path.write_text(json.dumps(facts))
    table = pq.read_table(prepare_config.out / "metadata.parquet")
    rows = [{**row, "file_name": "images/../../t.csv"} for row in table.to_pylist()]
    pq.write_table(table.from_pylist(rows, table.schema), prepare_config.out / "metadata.parquet")
    with pytest.raises(EtalageError, match="is damaged: row"):
        Catalogue.load(prepare_config.out)
    (prepare_config.out / "metadata.parquet").unlink()
    with pytest.raises(EtalageError, match="is damaged"):
        Catalogue.load(prepare_config.out)


def test_a_run_records_the_task_the_limits_and_the_digest_of_the_products(prepare_config: PrepareConfig) -> None:
    catalogue = prepare(prepare_config)
    assert catalogue.digest == hashlib.sha256((prepare_config.out / "metadata.parquet").read_bytes()).hexdigest()
    assert catalogue.record == {
        "task": asdict(TaskConfig()),
        "limits": {"max_image_px": 64_000_000, "max_image_bytes": 50_000_000, "background": "white"},
        "catalogue_digest": catalogue.digest,
    }


def test_pictures_are_opened_under_the_limits_of_the_catalogue(prepare_config: PrepareConfig) -> None:
    catalogue = prepare(prepare_config)
    path = prepare_config.out / "catalogue.json"
    facts = json.loads(path.read_text())
    path.write_text(json.dumps({**facts, "limits": {**facts["limits"], "max_image_px": 10}}))
    product = catalogue.split("train")[0]
    assert catalogue.open(product).mode == "RGB"
    with pytest.raises(EtalageError, match="image_too_many_pixels"):
        Catalogue.load(prepare_config.out).open(product)


def test_a_picture_that_was_removed_since_is_one_message(prepare_config: PrepareConfig) -> None:
    prepare(prepare_config)
    catalogue = Catalogue.load(prepare_config.out)
    product = catalogue.split("train")[0]
    product.image.unlink()
    message = rf"product {product.product_code}: its picture .* has changed since etalage prepare .*; restore it, or"
    with pytest.raises(EtalageError, match=message):
        catalogue.open(product)
