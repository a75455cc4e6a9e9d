"""Tests of rendered pages and of the charts on them."""

import re
from pathlib import Path
from typing import Any

import jinja2
import pytest

from etalage.html.charts import Cell, Frame, Line, Point, Series, histogram, plot
from etalage.html.page import write_page

FRAME = Frame(440, 250, left=60, right=420, top=20, bottom=200)
EVIL = '"><script>alert(1)</script>'


@pytest.fixture
def render(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Return a function that renders the body of a page."""

    def render(body: str, **variables: Any) -> str:
        template = (
            '{% extends "html/page.html.jinja" %}'
            '{% from "html/charts.html.jinja" import captioned, histogram, plot %}'
            "{% block title %}A page{% endblock %}{% block body %}" + body + "{% endblock %}"
        )
        own = jinja2.DictLoader({"page": template})
        package = jinja2.PackageLoader("etalage", "")
        monkeypatch.setattr("etalage.html.page.PackageLoader", lambda *_: jinja2.ChoiceLoader([own, package]))
        write_page(tmp_path / "page.html", "page", **variables)
        return (tmp_path / "page.html").read_text(encoding="utf-8")

    return render


def test_variables_are_escaped(render) -> None:
    page = render("<p title='{{ text }}'>{{ text }}</p>", text=EVIL + "'")
    assert "<script" not in page
    assert page.count("&lt;script&gt;") == 2


def test_a_missing_variable_is_an_error_and_leaves_no_page(render, tmp_path: Path) -> None:
    with pytest.raises(jinja2.UndefinedError, match="'text' is undefined"):
        render("{{ text }}")
    assert list(tmp_path.iterdir()) == []


def test_filters(render) -> None:
    page = render("{{ 1234 | count }}|{{ 5 | percent }}|{{ 'a_b' | heading }}|{{ 'a\0' | visible_text }}|")
    assert "1,234|5 %|A b|a[U+0000]|" in page


def test_a_page_loads_nothing(render) -> None:
    page = render("<p>text</p>")
    assert "default-src 'none'" in page
    assert not re.search(r"https?://|url\(|@import|<link|<script", page)


def test_every_colour_has_a_value_for_light_and_dark(render) -> None:
    page = render("")
    light, dark = re.findall(r":root \{(.*?)\}", page, re.DOTALL)
    colours = set(re.findall(r"(--\w+): #", light))
    assert set(re.findall(r"(--\w+): #", dark)) == colours - {"--photo"}
    assert set(re.findall(r"var\((--\w+)\)", page)) <= colours | {"--test"}


def test_a_histogram_is_drawn_with_its_ticks_titles_and_mark(render) -> None:
    chart = histogram(
        [0, 1, 2],
        [Series("original", [1, 2], [EVIL, "two"]), Series("sample", [2, None])],
        x=FRAME.x_axis(0, 2),
        frame=FRAME,
        x_label=EVIL,
        y_label="rows",
        x_ticks=[(1, "one")],
        mark=(0.5, EVIL),
        description=EVIL,
    )
    page = render("{{ captioned(histogram(chart), chart.description) }}", chart=chart)
    assert "<script" not in page
    assert page.count('<rect class="original"') == 2
    assert page.count('<rect class="sample"') == 1
    assert page.count("<title>") == 3, "that of the page and those of two bars"
    assert '<text x="240.0" y="218" text-anchor="middle">one</text>' in page
    assert page.count('class="mark"') == 1
    assert page.count("<figcaption>") == 1


def test_a_histogram_without_axes_has_a_base_line(render) -> None:
    chart = histogram([0, 1], [Series("bar", [1])], x=FRAME.x_axis(0, 1), frame=FRAME, description="")
    page = render("{{ histogram(chart) }}", chart=chart)
    assert page.count('class="base"') == 1
    assert "<text" not in page


def test_a_plot_is_drawn_with_points_lines_and_cells(render) -> None:
    chart = plot(
        x=FRAME.x_axis(0, 10),
        y=FRAME.y_axis(0, 10),
        frame=FRAME,
        description="",
        x_label="x",
        y_label="y",
        points=[Point(5, 5, EVIL)],
        lines=[Line("even", [(0, 0), (10, 10)])],
        cells=[Cell(0, 1, 0, 1, 0.25, "c")],
    )
    page = render("{{ plot(chart) }}", chart=chart)
    assert "<script" not in page
    assert '<polyline class="even" points="60.0,200.0 420.0,20.0"/>' in page
    assert '<rect class="cell" x="60.0" y="182.0" width="36.0" height="18.0" fill-opacity="0.25">' in page
    assert '<circle class="point" cx="240.0" cy="110.0"' in page
