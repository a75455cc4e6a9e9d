"""The page: whole, safe, and about what happened."""

import base64
import io
import re
from html.parser import HTMLParser

import pytest
from PIL import Image

from etalage.evaluate.charts import loss_curve, price_scatter
from etalage.evaluate.predictions import Prediction
from etalage.evaluate.report import THUMBNAIL_PX, write_report
from etalage.evaluate.verdict import build_metrics
from etalage.task import Field

FIELDS = [Field("title", "text"), Field("category", "category"), Field("price", "price")]
EVIL = '<script>alert("1")</script>'


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
    said = [None if i % 20 == 1 else {**t, "price": t["price"] * 1.1} for i, t in enumerate(targets)]
    metrics = build_metrics(
        "test", FIELDS, targets, said, before=[None] * 60, majority=targets[0], blank=[None] * 60, shuffled=said
    )
    images = [tmp_path / ("gone.png" if i == 1 else "p.png") for i in range(60)]
    rows = zip(images, targets, said, strict=True)
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
        limits={},
    )
    return (tmp_path / "report.html").read_text(encoding="utf-8")


def test_nothing_hostile_gets_through(page: str) -> None:
    assert EVIL not in page
    assert "&lt;script&gt;" in page
    parsed = Page(page)
    assert not {"script", "iframe", "link", "object"} & set(parsed.tags)
    assert not [name for name, _ in parsed.attributes if name.startswith("on")]


def test_nothing_is_fetched(page: str) -> None:
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


def test_charts_of_little_are_left_out_or_drawn() -> None:
    assert price_scatter([]) is None
    assert loss_curve([{"step": 1, "loss": 2.0}]) is None
    one = price_scatter([(10.0, 10.0, "a")])
    assert one is not None
    assert one.points[0][:2] == (247.0, 150.0)
    assert len(one.x_ticks) >= 2
    assert loss_curve([{"step": s, "loss": 1.0} for s in (1, 2)]) is not None
    many = price_scatter([(1.0 + i, 2.0 + i * i, "a") for i in range(4000)])
    assert many is not None
    assert len(many.points) <= 1500
    assert len(many.x_ticks) <= 7
