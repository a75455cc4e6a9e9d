"""What `prepare` wrote is loaded as it was; anything else is refused by name."""

import hashlib
import json
import os
import random
import shutil
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from PIL import Image

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
        "catalogue.json", "metadata.parquet", "drops.parquet", "drops.csv", "leaks.parquet", "table.parquet",
        "profile.html", "images", "README.md", "train.parquet", "validation.parquet", "test.parquet",
    }  # fmt: skip


def test_other_and_damaged_folders_are_refused(prepare_config: PrepareConfig, tmp_path: Path) -> None:
    with pytest.raises(EtalageError, match=r"is no catalogue: catalogue\.json is not there"):
        Catalogue.load(tmp_path)
    prepare(prepare_config)
    path = prepare_config.out / "catalogue.json"
    facts = json.loads(path.read_text())
    without_limits = {key: value for key, value in facts.items() if key != "limits"}
    for damage, complaint in (
        ("{", r"catalogue\.json is damaged"),
        ("[]", "is damaged .found a list, not an object"),
        ("[" * 100_000, "is nested too deeply"),
        ("{}", "is of version None"),
        (json.dumps({**facts, "version": 99}), "is of version 99, but this etalage reads version 3"),
        (json.dumps({**facts, "version": True}), "is of version True, but this etalage reads version 3"),
        (json.dumps({**facts, "task": None}), "task is null; expected an object"),
        (json.dumps({**facts, "task": {"question": "?", "answer": "{colour}", "more": 1}}), "is damaged: task: .*more"),
        (
            json.dumps({**facts, "task": {"question": "?", "answer": "{colour}"}}),
            "is damaged: .*colour",
        ),
        (json.dumps({**facts, "task": {"question": "?", "answer": "no field"}}), "is damaged: task: "),
        (json.dumps(without_limits), "limits is missing; expected a value"),
        (json.dumps({**facts, "limits": {**facts["limits"], "max_image_px": "many"}}), 'limits.max_image_px is "many"'),
        (json.dumps({**facts, "limits": {**facts["limits"], "background": "whit"}}), "limits.background: .*'whit'"),
        (json.dumps({**facts, "splits": {**facts["splits"], "test": -1}}), "splits.test is -1"),
        (json.dumps({**facts, "splits": {**facts["splits"], "test": 500}}), r"metadata\.parquet has .* 'test': 500"),
        (json.dumps({**facts, "drops": [1]}), r"drops is \[1\]; expected an object"),
    ):
        path.write_text(damage)
        with pytest.raises(EtalageError, match=complaint):
            Catalogue.load(prepare_config.out)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(EtalageError, match="is a device, pipe or socket, not a file"):
        Catalogue.load(prepare_config.out)
    path.unlink()
    path.write_text(json.dumps(facts))
    path = prepare_config.out / "metadata.parquet"
    path.unlink()
    with pytest.raises(EtalageError, match=r"metadata\.parquet is not there"):
        Catalogue.load(prepare_config.out)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("file_name", "images/../../t.csv"),
        ("file_name", "/etc/passwd"),
        ("file_name", None),
        ("split", "dev"),
        ("image_sha256", "0" * 64),
        ("image_width", 0),
        ("image_height", None),
        ("product_code", None),
        ("group", ""),
        ("title", None),
        ("title", ""),
        ("price", None),
        ("price", float("nan")),
        ("price", -1.0),
    ],
)
def test_a_value_that_prepare_does_not_write_is_named(
    prepare_config: PrepareConfig, column: str, value: object
) -> None:
    prepare(prepare_config)
    path = prepare_config.out / "metadata.parquet"
    table = pq.read_table(path)
    rows = table.to_pylist()
    rows[4][column] = value
    pq.write_table(table.from_pylist(rows, table.schema), path)
    with pytest.raises(EtalageError, match=rf"metadata\.parquet is damaged: row 5: {column} is "):
        Catalogue.load(prepare_config.out)


def test_a_group_in_two_splits_is_refused(prepare_config: PrepareConfig) -> None:
    """A product moved by hand from test to train would be learned, and its copies scored as if unseen."""
    prepare(prepare_config)
    path = prepare_config.out / "metadata.parquet"
    table = pq.read_table(path)
    rows = table.to_pylist()
    train, test = (next(row for row in rows if row["split"] == split) for split in ("train", "test"))
    test["group"] = train["group"]
    pq.write_table(table.from_pylist(rows, table.schema), path)
    with pytest.raises(EtalageError, match=rf"damaged: group '{train['group']}' is in several splits; prepare"):
        Catalogue.load(prepare_config.out)
    facts = json.loads((prepare_config.out / "catalogue.json").read_text())
    (prepare_config.out / "catalogue.json").write_text(json.dumps({**facts, "split_column": "split"}))
    assert len(Catalogue.load(prepare_config.out).split("train")) == facts["splits"]["train"]


@pytest.mark.parametrize("name", ["catalogue.json", "metadata.parquet"])
def test_a_mutated_file_is_one_message_or_does_no_harm(prepare_config: PrepareConfig, name: str) -> None:
    """Bytes changed, cut, repeated or put in, a hundred times; what still loads has as many products as before."""
    prepare(prepare_config)
    path, rng = prepare_config.out / name, random.Random(0)
    whole, messages = path.read_bytes(), []
    for _ in range(100):
        data = bytearray(whole)
        start = rng.randrange(len(data))
        stop = min(len(data), start + rng.choice((1, 2, 8, 64)))
        kind = rng.randrange(5)
        if kind == 0:
            data[start] ^= 1 << rng.randrange(8)
        elif kind == 1:
            del data[start:]
        elif kind == 2:
            data[start:stop] = rng.randbytes(stop - start)
        elif kind == 3:
            data[start:start] = data[start:stop]
        else:
            data[start:stop] = rng.choice((b"null", b"-1", b"1e999", b"[]", b"\xff", b"\0" * 8, b'"\\ud800"'))
        path.write_bytes(data)
        try:
            catalogue = Catalogue.load(prepare_config.out)
        except EtalageError as error:
            messages.append(str(error))
        else:
            assert sum(map(len, catalogue.products.values())) == 12
            catalogue.record  # noqa: B018  # what the other verbs use
    assert len(messages) > 60
    assert not [message for message in messages if "\n" in message]


def run_of(catalogue: Catalogue, run: Path) -> dict[str, Any]:
    """Return what a run's config.json says of its catalogue."""
    return {**catalogue.record, "catalogue": str(catalogue.folder), "out": str(run)}


def test_the_catalogue_of_a_run_is_found_where_it_was(prepare_config: PrepareConfig, tmp_path: Path) -> None:
    catalogue = prepare(prepare_config)
    recorded = run_of(catalogue, tmp_path / "run")
    assert Catalogue.load_of_run(recorded, tmp_path / "run").folder == prepare_config.out


def test_a_catalogue_that_moved_is_found_beside_its_run_or_by_its_name(
    prepare_config: PrepareConfig, tmp_path: Path
) -> None:
    """Moved together with the run, it lies where it lay from there; else it has to be named."""
    recorded = run_of(prepare(prepare_config), tmp_path / "out" / "run")
    moved = (tmp_path / "out").rename(tmp_path / "elsewhere")
    assert Catalogue.load_of_run(recorded, moved / "run").folder == moved / "catalogue"
    (moved / "catalogue").rename(tmp_path / "alone")
    with pytest.raises(EtalageError, match=r"is not at .*out/catalogue any more; .* with --catalogue FOLDER"):
        Catalogue.load_of_run(recorded, moved / "run")
    assert Catalogue.load_of_run(recorded, moved / "run", tmp_path / "alone").folder == tmp_path / "alone"


def test_another_catalogue_is_refused_by_its_digest(prepare_config: PrepareConfig, tmp_path: Path) -> None:
    recorded = run_of(prepare(prepare_config), tmp_path / "run")
    other = prepare(replace(prepare_config, out=tmp_path / "other", seed=1))
    with pytest.raises(EtalageError, match=r"other is not the catalogue that .*run was trained on"):
        Catalogue.load_of_run(recorded, tmp_path / "run", other.folder)
    shutil.rmtree(prepare_config.out)
    other.folder.rename(prepare_config.out)
    with pytest.raises(EtalageError, match="was prepared again since"):
        Catalogue.load_of_run(recorded, tmp_path / "run")
    del recorded["catalogue_digest"]  # as version 0.1.0 left it
    assert Catalogue.load_of_run(recorded, tmp_path / "run").folder == prepare_config.out


def test_a_picture_is_opened_by_its_name_only_if_it_is_of_this_catalogue(
    prepare_config: PrepareConfig, tmp_path: Path
) -> None:
    """Whatever path a file of predictions names, the picture comes from the catalogue, whole and unchanged."""
    catalogue = prepare(prepare_config)
    product = catalogue.split("train")[0]
    elsewhere = catalogue.open_by_name(Path("/etc") / product.image.name)
    assert elsewhere is not None
    assert elsewhere.tobytes() == catalogue.open(product).tobytes()
    secret = tmp_path / "secret.png"
    Image.new("RGB", (9, 9)).save(secret)
    planted = secret.with_stem("0" * 64)
    shutil.copyfile(secret, planted)
    for path in (secret, planted, Path("/etc/passwd"), product.image / ".." / "../../../secret.png", Path("/")):
        assert catalogue.open_by_name(path) is None
    shutil.copyfile(secret, product.image)
    assert catalogue.open_by_name(product.image) is None


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


@pytest.mark.parametrize("is_link", [True, False])
def test_a_picture_that_was_replaced_since_is_refused(
    prepare_config: PrepareConfig, tmp_path: Path, is_link: bool
) -> None:
    """Also by a link to another file of the machine, which must not get onto a page."""
    catalogue = prepare(prepare_config)
    product = catalogue.split("train")[0]
    Image.new("RGB", (9, 9)).save(tmp_path / "secret.png")
    product.image.unlink()
    if is_link:
        product.image.symlink_to(tmp_path / "secret.png")
    else:
        shutil.copyfile(tmp_path / "secret.png", product.image)
    with pytest.raises(EtalageError, match=r"has changed since etalage prepare \(image_changed"):
        catalogue.open(product)


def test_a_picture_that_was_removed_since_is_one_message(prepare_config: PrepareConfig) -> None:
    prepare(prepare_config)
    catalogue = Catalogue.load(prepare_config.out)
    product = catalogue.split("train")[0]
    product.image.unlink()
    message = rf"product {product.product_code}: its picture .* has changed since etalage prepare .*; restore it, or"
    with pytest.raises(EtalageError, match=message):
        catalogue.open(product)
