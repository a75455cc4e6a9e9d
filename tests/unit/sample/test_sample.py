"""The sample catalogue follows its laws, and the same seed gives the same bytes."""

import csv
import json
import math
import random
from collections import Counter
from pathlib import Path
from statistics import median

import numpy as np
import pytest
from PIL import Image, ImageChops, ImageStat

from etalage.catalogue.columns import match_columns
from etalage.config import TaskConfig
from etalage.sample.draw import COLUMNS, draw_picture, write_sample
from etalage.sample.world import COLOURS, KINDS, NOISE, PATTERNS, Item, draw_item
from etalage.task import Task


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("sample") / "drawn"
    write_sample(out, rows=40, seed=7)
    return out


def test_the_table_has_the_burberry_schema(sample: Path) -> None:
    with (sample / "catalogue.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 40
    assert tuple(rows[0]) == COLUMNS
    assert match_columns(COLUMNS, Task(TaskConfig()).fields).columns["image"] == "imageurl"
    assert len({int(row["product_code"]) for row in rows}) == 40
    for row in rows:
        full, price = float(row["full_price"]), float(row["price"])
        assert full % 10 == 0
        assert (price < full) == (row["flg_discount"] == "1")
        with Image.open(sample / row["imageurl"]) as image:
            assert (image.mode, image.size) == ("RGB", (160, 208))


def test_same_seed_same_bytes(sample: Path, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    write_sample(tmp_path / "again", 40, 7, lambda *n: seen.append(n))
    files = sorted(path.relative_to(sample) for path in sample.rglob("*") if path.is_file())
    assert len(files) == 42
    assert all((sample / name).read_bytes() == (tmp_path / "again" / name).read_bytes() for name in files)
    assert seen[-1] == (40, 40)
    write_sample(tmp_path / "other", 2, 8)
    assert (tmp_path / "other/images/000001.jpg").read_bytes() != (sample / "images/000001.jpg").read_bytes()


def test_a_folder_in_use_is_refused(sample: Path) -> None:
    with pytest.raises(ValueError, match="already holds something"):
        write_sample(sample, 1, 0)


def test_the_manifest_states_the_best_reachable_error(sample: Path) -> None:
    manifest = json.loads((sample / "manifest.json").read_text())
    assert (manifest["rows"], manifest["seed"], manifest["noise"]["sigma"]) == (40, 7, NOISE)
    bases, colours, patterns = manifest["base"], manifest["colour"], manifest["pattern"]
    words = {"": "plain", "Check": "checked", "Striped": "striped", "Polka Dot": "dotted"}
    errors = []
    with (sample / "catalogue.csv").open(newline="") as file:
        for row in csv.DictReader(file):  # the law, read off title and category alone
            colour, _, rest = row["title"].partition(" ")
            word = next(word for word in sorted(words, reverse=True) if rest.startswith(word))
            law = bases[row["category3_code"]] * colours[colour] * patterns[words[word]]
            errors.append(abs(math.log(round(law / 10) * 10 / float(row["full_price"]))))
    assert manifest["oracle"]["median_factor_error"] == pytest.approx(math.exp(median(errors)), abs=1e-6)


def test_attributes_are_long_tailed_and_prices_keep_to_the_law() -> None:
    rng = random.Random(0)
    items = [draw_item(rng) for _ in range(4000)]
    for values, of in ((KINDS, "kind"), (COLOURS, "colour"), (PATTERNS, "pattern")):
        counts = Counter(getattr(item, of) for item in items)
        assert [value for value, _ in counts.most_common(2)] == list(values[:2])
        assert counts[values[0]] > 2 * counts[values[-1]] > 0
    errors = [math.log(item.full_price / item.law_price) for item in items if item.law_price > 500]
    assert np.std(errors) == pytest.approx(NOISE, rel=0.1)
    assert len({item.title for item in items}) > 200
    assert {item.title for item in items} >= {"Navy Check Scarf", "Black Shirt", "Red Polka Dot Dress"}


def test_what_decides_the_price_can_be_seen() -> None:
    """Silhouette, colour and pattern each change many pixels when all else is the same."""

    def picture(kind: int = 0, colour: int = 0, pattern: int = 0) -> Image.Image:
        return draw_picture(Item(KINDS[kind], COLOURS[colour], PATTERNS[pattern], 100.0), random.Random(1))

    def difference(one: Image.Image, other: Image.Image) -> float:
        return sum(ImageStat.Stat(ImageChops.difference(one, other)).mean)

    assert difference(picture(), picture()) == 0
    for attribute, values in (("kind", KINDS), ("colour", COLOURS), ("pattern", PATTERNS)):
        drawn = [picture(**{attribute: n}) for n in range(len(values))]
        pairs = [(a, b) for n, a in enumerate(drawn) for b in drawn[:n]]
        assert min(difference(a, b) for a, b in pairs) > 10
