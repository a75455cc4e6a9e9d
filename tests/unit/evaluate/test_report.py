"""Tests of the report: complete, safe, and about what happened."""

import base64
import io
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from etalage.catalogue.pictures import open_picture
from etalage.evaluate.metrics import METRICS
from etalage.evaluate.predictions import Prediction
from etalage.evaluate.report import THUMBNAIL_PX, write_report
from etalage.evaluate.systems import build_metrics
from etalage.task import Field

FIELDS = [Field("title", "text"), Field("category", "category"), Field("price", "price")]
EVIL = '<script>alert("1")</script>'


def open_if_there(path: Path) -> Image.Image | None:
    """Open a picture of the test's own folder, which stands for a catalogue."""
    return open_picture(path) if path.exists() else None


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    tmp_path = tmp_path_factory.mktemp("report")
    Image.new("RGBA", (900, 300), (200, 0, 0, 90)).save(tmp_path / "p.png")
    targets = [{"title": f"{EVIL} {i}", "category": "a'\"b"[i % 4], "price": 10.0 + i} for i in range(60)]
    predicted = [None if i % 20 == 1 else {**t, "price": t["price"] * 1.1} for i, t in enumerate(targets)]
    metrics = build_metrics(
        "test",
        FIELDS,
        targets,
        predicted,
        before=[None] * 60,
        majority=targets[0],
        blank=[None] * 60,
        shuffled=predicted,
    )
    images = [tmp_path / ("gone.png" if i == 1 else "p.png") for i in range(60)]
    rows = zip(images, targets, predicted, strict=True)
    predictions = [
        Prediction(f"{EVIL}{i}", image, t, f"{EVIL} at first", f"{EVIL} garbage", v)
        for i, (image, t, v) in enumerate(rows)
    ]
    write_report(
        tmp_path / "report.html",
        title=EVIL,
        config={"task": {"question": EVIL}, "seed": 0},
        metrics=metrics,
        predictions=predictions,
        losses=[{"step": s, "loss": 5 / s, "validation_loss": None if s % 5 else 1.0} for s in range(1, 30)],
        counts={"train": 100, "dropped": {f"{EVIL}": 3, "no picture": 4}},
        open_image=open_if_there,
        currencies={},
    )
    return (tmp_path / "report.html").read_text(encoding="utf-8")


def test_hostile_text_is_escaped(page: str) -> None:
    assert EVIL not in page
    assert "&lt;script&gt;" in page
    parsed = Page(page)
    assert not {"script", "iframe", "link", "object"} & set(parsed.tags)
    assert not [name for name, _ in parsed.attributes if name.startswith("on")]


def test_nothing_is_loaded_from_anywhere(page: str) -> None:
    parsed = Page(page)
    sources = [value or "" for name, value in parsed.attributes if name in ("src", "href", "xlink:href")]
    assert sources
    assert all(source.startswith("data:image/jpeg;base64,") for source in sources)
    assert not re.search(r"url\(|@import|https?://", page)


def test_the_page_says_what_happened(page: str) -> None:
    assert "3 of its 60 answers could not be read." in page
    assert "task.question" in page
    assert re.search(r"dropped</th><td class=\"number\">7<", page)
    assert "could not be read: <q>" in page
    assert Page(page).tags.count("article") == 30  # three times nine, and the three that could not be read


def test_before_stands_beside_after(page: str) -> None:
    assert re.search(r">model</th><th scope=\"col\">before fine-tuning</th><th scope=\"col\">majority<", page)
    assert page.count(">before fine-tuning</text>") == len(FIELDS)
    assert len(re.findall(r"before fine-tuning: <q>[^<]+ at first</q>", page)) == 30, "in each card"


def test_thumbnails_are_small(page: str) -> None:
    found = re.findall(r"data:image/jpeg;base64,([^\"]+)", page)
    assert max(Image.open(io.BytesIO(base64.b64decode(found[0]))).size) == THUMBNAIL_PX


def test_a_missing_picture_leaves_a_gap(page: str) -> None:
    assert page.count("no picture</div>") == 1


def test_the_verdict_and_every_metric_are_shown(page: str) -> None:
    labels = [metric.label for metrics in METRICS.values() for metric in metrics.values()]
    assert len(labels) == 8
    assert all(f"</span> {label}</th>" in page for label in labels)
    assert page.count("<h3>A sample, evenly spaced") == page.count("<h3>Not readable") == 1


def write(path: Path, metrics: dict, predictions: list[Prediction], **facts: Any) -> str:
    given = {
        "title": "t",
        "config": {},
        "losses": [],
        "counts": {},
        "open_image": open_if_there,
        "currencies": {},
    } | facts
    write_report(path, metrics=metrics, predictions=predictions, **given)
    return path.read_text(encoding="utf-8")


def test_prices_are_shown_with_their_currency_if_it_is_known(tmp_path: Path) -> None:
    targets = [{"title": f"T{i}", "category": "a", "price": 12.5} for i in range(5)]
    metrics = build_metrics(
        *("test", FIELDS, targets, targets), before=targets, majority=targets[0], blank=targets, shuffled=targets
    )
    answers = [Prediction(f"P{i}", tmp_path / "gone.png", t, "", "", t) for i, t in enumerate(targets)]
    page = write(tmp_path / "report.html", metrics, answers, currencies={"price": "KWD"})
    assert "12.5 KWD" in page
    assert "mean error in KWD" in page
    assert "true price in KWD" in page
    assert "predicted price in KWD" in page
    assert " in <" not in write(tmp_path / "report.html", metrics, answers)


def test_a_small_split_is_shown_whole(tmp_path: Path) -> None:
    targets = [{"title": f"T{i}", "category": "a", "price": 1.0} for i in range(5)]
    metrics = build_metrics(
        *("test", FIELDS, targets, targets), before=targets, majority=targets[0], blank=targets, shuffled=targets
    )
    answers = [Prediction(f"P{i}", tmp_path / "gone.png", t, "", "", t) for i, t in enumerate(targets)]
    unknown = Prediction("no target", tmp_path / "gone.png", None, None, "", targets[0])
    page = write(tmp_path / "report.html", metrics, [*answers, unknown])
    assert page.count("<article") == 5
    assert "All products" in page
    assert "no target" not in page


def test_without_a_price_products_are_ranked_by_the_number_of_wrong_fields(tmp_path: Path) -> None:
    fields = FIELDS[:2]
    targets = [{"title": f"T{i}", "category": "a"} for i in range(60)]
    predicted = [{"title": t["title"] if i < 30 else "x", "category": "a"} for i, t in enumerate(targets)]
    metrics = build_metrics(
        *("test", fields, targets, predicted), before=targets, majority=targets[0], blank=targets, shuffled=targets
    )
    answers = [
        Prediction(f"P{i}", tmp_path / "gone.png", t, "", "", p)
        for i, (t, p) in enumerate(zip(targets, predicted, strict=True))
    ]
    page = write(tmp_path / "report.html", metrics, answers)
    best, worst = page.split("<h3>Best</h3>")[1].split("<h3>Worst</h3>")
    assert '"check right"' in best
    assert best.count('title="wrong"') == 0
    assert worst.count('title="wrong"') == 9
    assert "Prices and loss" not in page


def test_a_planted_path_gets_no_picture_onto_the_page(tmp_path: Path) -> None:
    """A file of predictions from elsewhere may name any file; only what the catalogue opens is shown."""
    Image.new("RGB", (30, 20), "red").save(tmp_path / "secret.png")
    target = {"title": "T", "category": "a", "price": 1.0}
    metrics = build_metrics(
        *("test", FIELDS, [target], [target]), before=[target], majority=target, blank=[target], shuffled=[target]
    )
    planted = [Prediction("P", tmp_path / "secret.png", target, "", "", target)]
    asked: list[Path] = []
    page = write(tmp_path / "report.html", metrics, planted, open_image=asked.append)
    assert asked == [tmp_path / "secret.png"]
    assert "data:image/jpeg" not in page
    assert "no picture</div>" in page


def test_a_cut_answer_is_called_cut_and_counted(tmp_path: Path) -> None:
    target = {"title": "T", "category": "a", "price": 24999.0}
    answers = [target, None, None]
    metrics = build_metrics(
        *("test", FIELDS, [target] * 3, answers),
        **{"before": [None] * 3, "majority": target, "blank": answers, "shuffled": None},
        num_cut={"model": 1, "before fine-tuning": 3},
    )
    texts = [("T for 24999.0", target, None), ("T for 2499", None, "cut"), ("so what", None, "unparsable")]
    given = [Prediction(f"P{i}", tmp_path / "gone.png", target, "", *found) for i, found in enumerate(texts)]
    page = " ".join(write(tmp_path / "report.html", metrics, given).split())
    assert "cut before its end: <q>T for 2499</q>" in page
    assert "could not be read: <q>so what</q>" in page
    assert "cut before their end</th><td>1</td><td>3</td><td>0</td><td>0</td></tr>" in page
    assert "complete, but not readable</th><td>1</td><td>0</td><td>0</td><td>2</td></tr>" in page
    assert "–, 0 of 3" in page
    assert "another product" not in page.split("<tbody>")[0].split("<thead>")[1]


def test_thousands_of_known_categories_are_not_all_shown(tmp_path: Path) -> None:
    target = {"title": "T", "category": "a", "price": 1.0}
    metrics = build_metrics(
        *("test", FIELDS, [target], [target]), before=[target], majority=target, blank=[target], shuffled=[target]
    )
    config = {"choices": {"colour": [f"colour {number}" for number in range(5000)]}}
    page = write(tmp_path / "report.html", metrics, [], config=config)
    assert "colour 0" in page
    assert "(5000 in all)" in page
    assert "colour 4000" not in page
