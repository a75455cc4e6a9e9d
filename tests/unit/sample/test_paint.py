"""Paints follow from the product's colour, material and metal."""

from dataclasses import replace

import pytest

from etalage.sample.appearance import HARDWARE, Appearance
from etalage.sample.colour import luminance
from etalage.sample.paint import METALS, gradient_stops, make_paints

RED = Appearance("shirt", "long-sleeve", (180, 30, 40), (250, 250, 250), "plain", "cotton", "gold")


def rgb(text: str) -> tuple[int, int, int]:
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)


def test_every_metal_has_a_colour() -> None:
    assert set(METALS) == set(HARDWARE)


@pytest.mark.parametrize("colour", [(10, 10, 14), (60, 60, 60), (130, 130, 130), (250, 250, 245)])
def test_seams_and_marks_can_be_told_from_the_fabric(colour: tuple[int, int, int]) -> None:
    paints = make_paints(replace(RED, colour=colour))
    for name in ("seam", "mark"):
        assert abs(luminance(rgb(paints[name][0])) - luminance(colour)) > 25, name


def test_linings_are_darker_than_the_fabric() -> None:
    paints = make_paints(RED)
    tones = [luminance(rgb(paints[name][0])) for name in ("lining", "dark", "fringe", "colour")]
    assert tones == sorted(tones)


def test_denim_is_sewn_with_orange_thread() -> None:
    assert make_paints(replace(RED, material="denim"))["stitch"] == ("#d8964a", "none")
    assert make_paints(RED)["stitch"][0] != "#d8964a"


def test_only_the_metal_decides_the_edge_of_metal() -> None:
    gold, silver = make_paints(RED), make_paints(replace(RED, hardware="silver"))
    assert gold["metal"] != silver["metal"]
    assert {name for name in gold if gold[name] != silver[name]} == {"metal", "chain"}


def test_the_accent_is_in_no_paint() -> None:
    assert make_paints(RED) == make_paints(replace(RED, accent=(1, 2, 3)))


def test_stops_are_written_in_order() -> None:
    stops = gradient_stops((0, (0, 0, 0)), (0.5, (255, 0, 0)))
    assert stops == '<stop offset="0" stop-color="#000000"/><stop offset="0.5" stop-color="#ff0000"/>'
