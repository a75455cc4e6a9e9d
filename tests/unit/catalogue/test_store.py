"""The catalogue folder: whole or not there, the same bytes each time, nothing in it named by the table."""

import json
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from PIL import Image

from etalage.aside import written_aside
from etalage.catalogue.checks import check_rows
from etalage.catalogue.duplicates import group_products
from etalage.catalogue.sources import read_table
from etalage.catalogue.splits import assign_splits
from etalage.catalogue.store import Catalogue, write_catalogue
from etalage.config import PrepareConfig
from etalage.task import Task

ENDLESS_SKY = Path(__file__).parents[3].parent / "shared" / "catalogues" / "endless_sky" / "catalog.csv"


def prepare(config: PrepareConfig) -> Catalogue:
    task = Task(config.task)
    table = read_table(config.source, [field.name for field in task.fields], config.columns)
    products, drops = check_rows(table, task, config)
    groups = group_products(products)
    categories = [str(product.values["category"]) for product in products]
    splits = assign_splits(groups, categories, config.validation_fraction, config.test_fraction, config.seed)
    with written_aside(config.out) as folder:
        write_catalogue(folder, table, task, config, products, drops, groups, splits)
    return Catalogue.load(config.out)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def config(tmp_path: Path) -> PrepareConfig:
    """Twelve good rows on eleven pictures, and a bad one; codes that would be paths."""
    lines = ["product_code,title,category,price,image"]
    for n in range(12):
        Image.new("RGB", (10 + n, 12), (20 * n, 0, 0)).save(tmp_path / f"{n}.png")
        lines.append(f"../../x{n:03d},Scarf {n},{'AB'[n % 2]},{100 + n}.5,{max(n, 1)}.png")
    lines.append("007,Cap,A,free,1.png")
    (tmp_path / "t.csv").write_text("\n".join(lines))
    return PrepareConfig(tmp_path / "t.csv", tmp_path / "out" / "catalogue")


def test_what_is_written_is_loaded(config: PrepareConfig) -> None:
    catalogue = prepare(config)
    products = [product for split in ("train", "validation", "test") for product in catalogue.split(split)]
    assert len(products) == 12
    first = next(product for product in products if product.product_code == "../../x000")
    assert first.values == {"title": "Scarf 0", "category": "A", "price": 100.5}
    assert first.group == next(product.group for product in products if product.product_code == "../../x001")
    assert catalogue.open(first).size == (11, 12)
    assert catalogue.facts["drops"] == {"price_unparsable": 1}
    assert catalogue.facts["splits"] == {name: len(catalogue.split(name)) for name in catalogue.products}
    assert catalogue.facts["num_groups"] == 11
    assert pq.read_table(config.out / "drops.parquet").to_pylist() == [
        {
            "source_row": 13,
            "product_code": "007",
            "reason": "price_unparsable",
            "detail": "'free' is no number; write digits and a decimal point alone",
        }
    ]
    names = {path.name for path in (config.out / "images").glob("*/*")}
    assert len(names) == 11
    assert all(len(name) == 64 + 4 for name in names)
    with pytest.raises(ValueError, match="no split 'dev'; there are train, validation, test"):
        catalogue.split("dev")


def test_equal_input_gives_equal_bytes(config: PrepareConfig) -> None:
    again = replace(config, out=config.out.with_name("again"))
    prepare(config)
    prepare(again)
    assert contents(config.out) == contents(again.out)
    other = replace(config, out=config.out.with_name("other"), seed=1)
    prepare(other)
    assert contents(config.out)["products.parquet"] != contents(other.out)["products.parquet"]


def test_what_is_not_a_catalogue_is_refused(config: PrepareConfig, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"is no catalogue: catalogue\.json is not there"):
        Catalogue.load(tmp_path)
    prepare(config)
    path = config.out / "catalogue.json"
    facts = json.loads(path.read_text())
    for damage, complaint in (
        ("{", "is damaged"),
        (json.dumps({**facts, "task": None}), "is damaged"),
        ("[]", "is of version None"),
        (json.dumps({**facts, "version": 99}), "is of version 99, this etalage reads 1"),
        (json.dumps({**facts, "task": {"question": "?", "answer": "{colour}"}}), "is damaged"),
    ):
        path.write_text(damage)
        with pytest.raises(ValueError, match=complaint):
            Catalogue.load(config.out)
    path.write_text(json.dumps(facts))
    table = pq.read_table(config.out / "products.parquet")
    rows = [{**row, "image": "images/../../t.csv"} for row in table.to_pylist()]
    pq.write_table(table.from_pylist(rows, table.schema), config.out / "products.parquet")
    with pytest.raises(ValueError, match="is damaged: row"):
        Catalogue.load(config.out)
    (config.out / "products.parquet").unlink()
    with pytest.raises(ValueError, match="is damaged"):
        Catalogue.load(config.out)


def test_a_picture_that_changes_meanwhile_leaves_nothing_behind(config: PrepareConfig) -> None:
    task = Task(config.task)
    table = read_table(config.source, [field.name for field in task.fields])
    products, drops = check_rows(table, task, config)
    products[3].picture.path.write_bytes(b"another")
    with pytest.raises(ValueError, match="changed while it was prepared"), written_aside(config.out) as folder:
        write_catalogue(folder, table, task, config, products, drops, ["g"] * 12, ["train"] * 12)
    assert list(config.out.parent.iterdir()) == []


def test_what_stands_there_already_is_kept(config: PrepareConfig) -> None:
    config.out.mkdir(parents=True)
    prepare(config)  # an empty folder may be taken
    with pytest.raises(ValueError, match="already holds something"):
        prepare(config)
    with pytest.raises(ValueError, match="is a file"):
        prepare(replace(config, out=config.source))


def test_a_killed_run_leaves_no_catalogue_and_the_next_one_clears_up(config: PrepareConfig) -> None:
    script = (
        "import sys, time; from pathlib import Path; from etalage.aside import written_aside\n"
        "with written_aside(Path(sys.argv[1])) as folder:\n"
        "    (folder / 'products.parquet').touch(); print('writing', flush=True); time.sleep(60)"
    )
    run = subprocess.Popen([sys.executable, "-c", script, config.out], stdout=subprocess.PIPE)
    with run:
        assert run.stdout is not None
        assert run.stdout.readline() == b"writing\n"
        left = config.out.with_name(f"catalogue.partial-{run.pid}")
        assert left.is_dir()
        with written_aside(config.out.with_name("catalogue2")):
            assert left.is_dir()
        run.send_signal(signal.SIGKILL)
    assert left.is_dir()
    assert not config.out.exists()
    prepare(config)
    assert sorted(path.name for path in config.out.parent.iterdir()) == ["catalogue", "catalogue2"]


def test_endless_sky(tmp_path: Path) -> None:
    if not ENDLESS_SKY.exists():
        pytest.skip(f"the real catalogue is not beside this checkout: {ENDLESS_SKY}")
    catalogue = prepare(PrepareConfig(ENDLESS_SKY, tmp_path / "catalogue"))
    assert catalogue.facts["drops"] == {}
    assert sum(catalogue.facts["splits"].values()) == 446
    groups = pq.read_table(catalogue.folder / "products.parquet", columns=["group", "split"]).to_pylist()
    assert max(Counter(row["group"] for row in groups).values()) == 22  # the "?" placeholder
    assert len({(row["group"], row["split"]) for row in groups}) == catalogue.facts["num_groups"]
    assert catalogue.facts["splits"] == {"train": 312, "validation": 45, "test": 89}
