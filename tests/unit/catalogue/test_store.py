"""The catalogue folder: whole or not there, the same bytes each time, nothing in it named by the table."""

import json
import signal
import subprocess
import sys
from collections import Counter, defaultdict
from dataclasses import replace
from pathlib import Path

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from etalage.atomic import atomic_directory
from etalage.catalogue.store import Catalogue
from etalage.commands import prepare as command
from etalage.config import PrepareConfig, TaskConfig

ENDLESS_SKY = Path(__file__).parents[3].parent / "shared" / "catalogues" / "endless_sky" / "catalog.csv"


def prepare(config: PrepareConfig) -> Catalogue:
    command.prepare(config)
    return Catalogue.load(config.out)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def config(tmp_path: Path) -> PrepareConfig:
    """Twelve good rows on eleven pictures, and a bad one; codes that would be paths."""
    lines = ["product_code,title,category,price,image"]
    for n in range(12):
        Image.new("RGB", (10 + n, 12), (20 * n, 0, 0)).save(tmp_path / f"{n}.png")
        lines.append(f"../../x{n:03d},Scarf {chr(65 + n)}{n},{'AB'[n % 2]},{100 + n}.5,{max(n, 1)}.png")
    lines.append("007,Cap,A,dear,1.png")
    (tmp_path / "t.csv").write_text("\n".join(lines))
    return PrepareConfig(str(tmp_path / "t.csv"), tmp_path / "out" / "catalogue")


def test_what_is_written_is_loaded(config: PrepareConfig) -> None:
    catalogue = prepare(config)
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
    (dropped,) = pq.read_table(config.out / "drops.parquet").to_pylist()
    assert (dropped["source_row"], dropped["product_code"], dropped["reason"]) == (13, "007", "price_unparsable")
    names = {path.name for path in (config.out / "images").glob("*/*")}
    assert len(names) == 11
    assert all(len(name) == 64 + 4 for name in names)
    with pytest.raises(ValueError, match="no split 'dev'; there are train, validation, test"):
        catalogue.split("dev")
    assert {path.name for path in config.out.iterdir()} == {
        "catalogue.json", "metadata.parquet", "drops.parquet", "leaks.parquet", "table.parquet", "profile.html",
        "images",
    }  # fmt: skip


def test_the_kept_rows_are_left_as_they_came(config: PrepareConfig) -> None:
    """Every column, beside the products made from them; what was dropped is not there."""
    lines = Path(config.source).read_text().splitlines()
    texts = [" 7 %", "", "x" * 20_000, *["blue"] * 10]
    Path(config.source).write_text("\n".join([f"tax,,{lines[0]}", *map("{},?,{}".format, texts, lines[1:])]))
    prepare(config)
    kept = pq.read_table(config.out / "table.parquet").to_pylist()
    assert [row["price"] for row in kept] == [f"{100 + n}.5" for n in range(12)]
    assert [row["tax"] for row in kept] == [" 7 %", None, "x" * 10_000, *["blue"] * 9]
    assert list(kept[0]) == ["tax", "product_code", "title", "category", "price", "image"]
    assert [row["product_code"] for row in kept] == pq.read_table(config.out / "metadata.parquet")[
        "product_code"
    ].to_pylist()


def test_pictures_inside_the_table_are_not_left_twice(config: PrepareConfig, tmp_path: Path) -> None:
    rows = [
        {"title": f"Scarf {n}", "category": "A", "price": 5.0, "size": n, "image": {"bytes": picture, "path": "x"}}
        for n, picture in enumerate(path.read_bytes() for path in sorted(tmp_path.glob("*.png")))
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "t.parquet")
    prepare(replace(config, source=str(tmp_path / "t.parquet")))
    kept = pq.read_table(config.out / "table.parquet").to_pylist()
    assert kept[3] == {"title": "Scarf 3", "category": "A", "price": "5.0", "size": "3"}


def test_datasets_opens_the_folder(config: PrepareConfig, tmp_path: Path) -> None:
    prepare(config)
    opened = datasets.load_dataset(str(config.out), split="train", cache_dir=str(tmp_path / "cache"))
    assert len(opened) == 12
    row = next(row for row in opened if row["title"] == "Scarf A0")
    assert (row["image"].size, row["price"], row["category"]) == ((11, 12), 100.5, "A")


def test_equal_input_gives_equal_bytes(config: PrepareConfig) -> None:
    again = replace(config, out=config.out.with_name("again"))
    prepare(config)
    prepare(again)
    assert contents(config.out) == contents(again.out)
    other = replace(config, out=config.out.with_name("other"), seed=1)
    prepare(other)
    assert contents(config.out)["metadata.parquet"] != contents(other.out)["metadata.parquet"]


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
        (json.dumps({**facts, "version": 99}), "is of version 99, this etalage reads 2"),
        (json.dumps({**facts, "task": {"question": "?", "answer": "{colour}"}}), "is damaged"),
    ):
        path.write_text(damage)
        with pytest.raises(ValueError, match=complaint):
            Catalogue.load(config.out)
    path.write_text(json.dumps(facts))
    table = pq.read_table(config.out / "metadata.parquet")
    rows = [{**row, "file_name": "images/../../t.csv"} for row in table.to_pylist()]
    pq.write_table(table.from_pylist(rows, table.schema), config.out / "metadata.parquet")
    with pytest.raises(ValueError, match="is damaged: row"):
        Catalogue.load(config.out)
    (config.out / "metadata.parquet").unlink()
    with pytest.raises(ValueError, match="is damaged"):
        Catalogue.load(config.out)


def test_a_table_of_which_nothing_is_left_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("title,category,price,image\nScarf,SCARVES,990.0,no.png\n")
    with pytest.raises(ValueError, match=r"t\.csv: nothing is left of its rows; row 1 .code 1.: image_not_found"):
        prepare(PrepareConfig(str(tmp_path / "t.csv"), tmp_path / "out"))
    assert [path.name for path in tmp_path.iterdir()] == ["t.csv"]


def test_a_split_column_is_honoured_and_its_leaks_are_told(
    config: PrepareConfig, capsys: pytest.CaptureFixture
) -> None:
    lines = Path(config.source).read_text().splitlines()
    parts = ["part", "train", "test", *["train", "test", "dev"] * 3, "train", "train"]
    Path(config.source).write_text("\n".join(f"{line},{part}" for line, part in zip(lines, parts, strict=True)))
    catalogue = prepare(replace(config, split_column="part"))
    assert catalogue.facts["splits"] == {"train": 5, "validation": 3, "test": 4}
    assert catalogue.facts["leaks"]["num_leaked"] == 1  # rows 1 and 2 show one picture
    assert "LEAK: of 7 products that column 'part' holds out, 1 have a copy" in capsys.readouterr().out
    assert pq.read_table(config.out / "leaks.parquet").to_pylist() == [
        {
            "source_row": 2,
            "product_code": "../../x001",
            "split": "test",
            "group": catalogue.split("test")[0].group,
            "copy_of_row": 1,
            "why": "same picture",
        }
    ]


def test_a_row_wise_split_would_have_leaked_what_ours_keeps_together(tmp_path: Path) -> None:
    lines = ["title,category,price,image"]
    for n in range(60):
        Image.new("RGB", (10 + n, 12), (4 * n, 0, 0)).save(tmp_path / f"{n}.png")
        lines.append(f"Check Model{chr(65 + n // 3)} Scarf in {('Navy', 'Red', 'Camel')[n % 3]},A,{100 + n},{n}.png")
    (tmp_path / "t.csv").write_text("\n".join(lines))
    catalogue = prepare(PrepareConfig(str(tmp_path / "t.csv"), tmp_path / "out"))
    assert catalogue.facts["num_groups"] == 20
    splits_of = defaultdict(set)
    for split, products in catalogue.products.items():
        for product in products:
            splits_of[product.group].add(split)
    assert all(len(splits) == 1 for splits in splits_of.values())
    leaks = catalogue.facts["leaks"]
    assert 0 < leaks["num_leaked"] <= leaks["num_held_out"] < 60
    assert {leak["why"] for leak in leaks["examples"]} == {"same title family"}


def test_placeholders_are_flagged_or_dropped(tmp_path: Path) -> None:
    Image.new("RGB", (30, 30), "grey").save(tmp_path / "none.png")
    lines = ["title,category,price,image"]
    for n in range(12):
        Image.new("RGB", (10 + n, 12), (20 * n, 0, 0)).save(tmp_path / f"{n}.png")
        lines.append(f"Thing {chr(65 + n)},A,{100 + n},{'none' if n < 6 else n}.png")
    (tmp_path / "t.csv").write_text("\n".join(lines))
    kept = prepare(PrepareConfig(str(tmp_path / "t.csv"), tmp_path / "kept"))
    (found,) = kept.facts["placeholders"]
    assert (found["num_products"], found["num_titles"]) == (6, 6)
    assert sum(pq.read_table(tmp_path / "kept/metadata.parquet")["placeholder"].to_pylist()) == 6
    dropped = prepare(PrepareConfig(str(tmp_path / "t.csv"), tmp_path / "dropped", placeholders="drop"))
    assert dropped.facts["drops"] == {"image_is_placeholder": 6}
    assert sum(dropped.facts["splits"].values()) == 6


def test_conversations_keep_their_own_questions(tmp_path: Path) -> None:
    rows = []
    for n in range(10):
        Image.new("RGB", (10 + n, 12), (20 * n, 0, 0)).save(tmp_path / f"{n}.png")
        question = "What colour is it?" if n == 3 else "What is it?"
        turns = [{"from": "human", "value": f"<image>\n{question}"}, {"from": "gpt", "value": f"A thing of kind {n}."}]
        rows.append({"id": f"c{n}", "image": f"{n}.png", "conversations": turns})
    rows.append({"id": "many", "image": "1.png", "conversations": turns * 2})
    (tmp_path / "talks.json").write_text(json.dumps(rows))
    catalogue = prepare(PrepareConfig(str(tmp_path / "talks.json"), tmp_path / "out"))
    assert catalogue.task.config == TaskConfig(question="What is it?", answer="{answer}")
    products = {p.product_code: p for split in catalogue.products.values() for p in split}
    assert (
        catalogue.task.build_prompt(products["c3"].question) == "<|user|>\n<|image_1|>What colour is it?<|end|><|assistant|>\n"
    )
    assert catalogue.task.format_answer(products["c3"].values) == "A thing of kind 3.<|end|>"
    assert catalogue.facts["drops"] == {"conversation_unsupported": 1}


def test_what_stands_there_already_is_kept(config: PrepareConfig) -> None:
    config.out.mkdir(parents=True)
    prepare(config)  # an empty folder may be taken
    with pytest.raises(ValueError, match="already holds something"):
        prepare(config)
    with pytest.raises(ValueError, match="is a file"):
        prepare(replace(config, out=Path(config.source)))


def test_a_killed_run_leaves_no_catalogue_and_the_next_one_clears_up(config: PrepareConfig) -> None:
    script = (
        "import sys, time; from pathlib import Path; from etalage.atomic import atomic_directory\n"
        "with atomic_directory(Path(sys.argv[1])) as folder:\n"
        "    (folder / 'metadata.parquet').touch(); print('writing', flush=True); time.sleep(60)"
    )
    run = subprocess.Popen([sys.executable, "-c", script, config.out], stdout=subprocess.PIPE)
    with run:
        assert run.stdout is not None
        assert run.stdout.readline() == b"writing\n"
        left = config.out.with_name(f"catalogue.partial-{run.pid}")
        assert left.is_dir()
        with atomic_directory(config.out.with_name("catalogue2")):
            assert left.is_dir()
        run.send_signal(signal.SIGKILL)
    assert left.is_dir()
    assert not config.out.exists()
    prepare(config)
    assert sorted(path.name for path in config.out.parent.iterdir()) == ["catalogue", "catalogue2"]


def test_endless_sky(tmp_path: Path) -> None:
    if not ENDLESS_SKY.exists():
        pytest.skip(f"the real catalogue is not beside this checkout: {ENDLESS_SKY}")
    catalogue = prepare(PrepareConfig(str(ENDLESS_SKY), tmp_path / "catalogue"))
    assert catalogue.facts["drops"] == {}
    assert sum(catalogue.facts["splits"].values()) == 446
    groups = pq.read_table(catalogue.folder / "metadata.parquet", columns=["group", "split"]).to_pylist()
    assert max(Counter(row["group"] for row in groups).values()) == 22  # the "?" placeholder
    assert len({(row["group"], row["split"]) for row in groups}) == catalogue.facts["num_groups"]
    assert [(found["num_products"], found["num_titles"]) for found in catalogue.facts["placeholders"]] == [(22, 22)]
