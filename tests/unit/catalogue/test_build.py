"""From a table to a catalogue: groups stay whole, leaks are reported, and the folder is complete or absent."""

import json
import shutil
import signal
import subprocess
import sys
from collections import Counter, defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from etalage.atomic import atomic_directory
from etalage.config import PrepareConfig, TaskConfig
from etalage.errors import EtalageError

from .conftest import prepare

ENDLESS_SKY = Path(__file__).parents[3].parent / "shared" / "catalogues" / "endless_sky" / "catalog.csv"


def test_a_table_without_a_usable_row_is_an_error_and_leaves_no_file(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("title,category,price,image\nScarf,SCARVES,990.0,no.png\n")
    with pytest.raises(
        EtalageError,
        match=r"t\.csv: none of its rows can be used \(1 image_not_found\); row 2 \(code 1\) was dropped because of "
        "image_not_found",
    ):
        prepare(PrepareConfig(str(tmp_path / "t.csv"), tmp_path / "out"))
    assert [path.name for path in tmp_path.iterdir()] == ["t.csv"]


def test_a_split_column_is_used_and_its_leaks_are_reported(
    prepare_config: PrepareConfig, capsys: pytest.CaptureFixture
) -> None:
    lines = Path(prepare_config.source).read_text().splitlines()
    parts = ["part", "train", "test", *["train", "test", "dev"] * 3, "train", "train"]
    Path(prepare_config.source).write_text("\n".join(f"{line},{part}" for line, part in zip(lines, parts, strict=True)))
    catalogue = prepare(replace(prepare_config, split_column="part"))
    assert catalogue.facts["splits"] == {"train": 5, "validation": 3, "test": 4}
    assert catalogue.facts["leaks"]["num_leaked"] == 1  # rows 1 and 2 show one picture
    assert (
        "LEAK: of 7 products that column 'part' holds out, 1 (1 same pixels) belong to a product in train"
        in capsys.readouterr().out
    )
    assert pq.read_table(prepare_config.out / "leaks.parquet").to_pylist() == [
        {
            "source_row": 2,
            "product_code": "../../x001",
            "split": "test",
            "group": catalogue.split("test")[0].group,
            "copy_of_row": 1,
            "why": "same pixels",
        }
    ]


def test_splitting_by_row_would_leak_what_groups_keep_together(tmp_path: Path) -> None:
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
    assert {leak["why"] for leak in leaks["examples"]} == {"name and price"}
    assert leaks["reasons"] == {"name and price": leaks["num_leaked"]}


def test_a_group_column_replaces_guesses_and_says_what_it_does(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    """Titles and prices make one product of all; the column makes ten; equal and near pictures are named."""
    rng = np.random.default_rng(0)
    lines = ["title,category,price,image,style"]
    for n in range(20):
        Image.fromarray(rng.integers(0, 256, (24, 24, 3), dtype=np.uint8)).resize((96, 96)).save(tmp_path / f"{n}.png")
        lines.append(f"Wool Scarf in {('Navy', 'Red')[n % 2]},A,100,{n}.png,S{n // 2}")
    Image.open(tmp_path / "0.png").resize((80, 80)).save(tmp_path / "19.png")
    shutil.copyfile(tmp_path / "2.png", tmp_path / "17.png")
    (tmp_path / "t.csv").write_text("\n".join(lines))
    config = PrepareConfig(str(tmp_path / "t.csv"), tmp_path / "out")
    with pytest.raises(EtalageError, match=r"20 products in 1 group cannot fill .* --group-by COLUMN names what"):
        prepare(config)
    with pytest.raises(
        EtalageError, match=r"Largest groups: 20 products on \d+ pictures \(group column.*'Wool Sc[^;]*$"
    ):
        prepare(replace(config, group_by="category"))
    catalogue = prepare(replace(config, group_by="style"))
    groups = defaultdict(set)
    for product in (p for products in catalogue.products.values() for p in products):
        groups[product.group].add((int(product.product_code) - 1) // 2)
    assert sorted(map(sorted, groups.values())) == [[0], [1, 8], [2], [3], [4], [5], [6], [7], [9]]
    printed = capsys.readouterr().out
    assert "group of 4 products on 3 pictures (group column, same pixels): 'Wool Scarf in Navy', " in printed
    assert "2 products of different 'style' show equal pictures, and stay in one group for that" in printed
    assert "2 pictures of different 'style' look alike; check that they are no copies" in printed
    assert catalogue.facts["group_column"] == "style"


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
        catalogue.task.build_prompt(products["c3"].question)
        == "<|user|>\n<|image_1|>What colour is it?<|end|><|assistant|>\n"
    )
    assert catalogue.task.format_answer(products["c3"].values) == "A thing of kind 3.<|end|>"
    assert catalogue.facts["drops"] == {"conversation_unsupported": 1}


def write_prices(folder: Path, header: str, prices: list[str]) -> PrepareConfig:
    lines = [f"title;category;{header};image"]
    for n, price in enumerate(prices):
        Image.new("RGB", (10 + n, 12), (9 * n, 0, 0)).save(folder / f"{n}.png")
        lines.append(f"Bag {'ABCDEFGHIJKL'[n]} Two;B;{price};{n}.png")
    (folder / "t.csv").write_text("\n".join(lines), encoding="utf-8")
    return PrepareConfig(str(folder / "t.csv"), folder / "out")


def test_the_currency_is_kept_and_guesses_are_printed(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    config = write_prices(tmp_path, "Price (KWD)", [f"{n}.{250 + 10 * n}" for n in range(1, 9)])
    catalogue = prepare(config)
    table = pq.read_table(config.out / "metadata.parquet").to_pydict()
    assert table["price"][:2] == [1.26, 2.27]
    assert set(table["currency"]) == {"KWD"}
    assert catalogue.facts["currency"] == "KWD"
    assert catalogue.facts["prices"]["price"]["counts"] == {"KWD": 8}
    printed = capsys.readouterr().out
    assert (
        "prices in column 'Price (KWD)': 8 prices such as '1.260' and '2.270' are read as 1.26 and 2.27, as" in printed
    )
    assert pq.read_table(config.out / "train.parquet").column_names == list(table)


def test_without_a_currency_there_is_no_column_of_it(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    config = write_prices(tmp_path, "price", ["1.299", "2.499", "850", "12", "99"])
    catalogue = prepare(config)
    assert "currency" not in pq.read_table(config.out / "metadata.parquet").column_names
    assert catalogue.facts["currency"] == ""
    assert "which is a guess, as nothing in the column proves it; --decimal . reads '1.299'" in capsys.readouterr().out


def test_a_currency_may_be_a_field_of_the_answer(tmp_path: Path) -> None:
    config = write_prices(tmp_path, "currency;price", ["EUR;1,5", "EUR;2,5", "EUR;3,5", "EUR;4,5", "EUR;5,5"])
    task = TaskConfig(answer="{title} for {price} {currency:category}")
    catalogue = prepare(replace(config, task=task))
    assert catalogue.split("train")[0].values["currency"] == "EUR"
    assert catalogue.facts["currency"] == "EUR"


def test_prices_in_several_currencies_leave_no_folder(tmp_path: Path) -> None:
    config = write_prices(tmp_path, "price", ["1 EUR", "2 USD", "3 EUR", "4 EUR", "5 EUR", "6 EUR"])
    with pytest.raises(EtalageError, match=r"several currencies: 5 EUR \(such as '1 EUR'\), 1 USD .* --currency EUR"):
        prepare(config)
    assert not config.out.exists()
    assert prepare(replace(config, currency="EUR")).facts["drops"] == {"price_other_currency": 1}


def test_options_for_prices_need_prices(tmp_path: Path) -> None:
    config = replace(write_prices(tmp_path, "price", ["1"] * 5), task=TaskConfig(answer="{title}"))
    for options in ({"currency": "EUR"}, {"decimal": "."}):
        with pytest.raises(EtalageError, match="--currency and --decimal are about prices, and the answer has none"):
            prepare(replace(config, **options))


def test_existing_files_are_not_overwritten(prepare_config: PrepareConfig) -> None:
    prepare_config.out.mkdir(parents=True)
    prepare(prepare_config)  # an empty folder may be used
    with pytest.raises(EtalageError, match="already holds something"):
        prepare(prepare_config)
    with pytest.raises(EtalageError, match="is a file"):
        prepare(replace(prepare_config, out=Path(prepare_config.source)))


def test_a_killed_run_leaves_no_catalogue_and_the_next_run_cleans_up(prepare_config: PrepareConfig) -> None:
    script = (
        "import sys, time; from pathlib import Path; from etalage.atomic import atomic_directory\n"
        "with atomic_directory(Path(sys.argv[1])) as folder:\n"
        "    (folder / 'metadata.parquet').touch(); print('writing', flush=True); time.sleep(60)"
    )
    run = subprocess.Popen([sys.executable, "-c", script, prepare_config.out], stdout=subprocess.PIPE)
    with run:
        assert run.stdout is not None
        assert run.stdout.readline() == b"writing\n"
        left = prepare_config.out.with_name(f"catalogue.partial-{run.pid}")
        assert left.is_dir()
        with atomic_directory(prepare_config.out.with_name("catalogue2")):
            assert left.is_dir()
        run.send_signal(signal.SIGKILL)
    assert left.is_dir()
    assert not prepare_config.out.exists()
    prepare(prepare_config)
    assert sorted(path.name for path in prepare_config.out.parent.iterdir()) == ["catalogue", "catalogue2"]


def test_a_real_catalogue_of_a_game(tmp_path: Path) -> None:
    if not ENDLESS_SKY.exists():
        pytest.skip(f"the real catalogue is not next to this checkout: {ENDLESS_SKY}")
    catalogue = prepare(PrepareConfig(str(ENDLESS_SKY), tmp_path / "catalogue"))
    assert catalogue.facts["drops"] == {}
    assert sum(catalogue.facts["splits"].values()) == 446
    groups = pq.read_table(catalogue.folder / "metadata.parquet", columns=["group", "split"]).to_pylist()
    assert max(Counter(row["group"] for row in groups).values()) == 22  # the "?" placeholder
    assert len({(row["group"], row["split"]) for row in groups}) == catalogue.facts["num_groups"]
    assert [(found["num_products"], found["num_titles"]) for found in catalogue.facts["placeholders"]] == [(22, 22)]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"test_fraction": float("nan")}, "--test-fraction is nan; it must be at least 0 and below 1"),
        ({"validation_fraction": -0.1}, "--validation-fraction is -0.1; it must be at least 0 and below 1"),
        ({"validation_fraction": 0.5, "test_fraction": 0.5}, "leave nothing to train on"),
        ({"max_price": float("nan")}, "--max-price is nan; it must be positive"),
        ({"first_byte_timeout_s": 0.0}, "--first-byte-timeout-s is 0.0; it must be positive"),
        ({"max_image_px": 0}, "--max-image-px is 0; it must be at least 1"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings: dict[str, float], message: str) -> None:
    with pytest.raises(EtalageError, match=message):
        PrepareConfig("t.csv", Path("out"), **settings)  # type: ignore[arg-type]
