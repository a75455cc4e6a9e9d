"""Pictures show what title, category and price say, in the original's sizes and formats."""

from collections import Counter
from pathlib import Path

import pytest
from PIL import Image

from etalage.sample.appearance import CUTS, HARDWARE, MATERIALS, PATTERNS, Appearance
from etalage.sample.mimic.appearances import MAX_PX, MIN_PX, Appearances, recolour
from etalage.sample.mimic.keyed_rng import KeyedRng
from etalage.sample.mimic.picture_headers import PictureHeader, learn_headers, read_header
from etalage.sample.mimic.suppressed_counts import K

JPEG = PictureHeader(300, 400, "RGB", "JPEG")


def appearances_of(*headers: PictureHeader | None, categories: tuple[str, ...] = ("BAGS",)) -> Appearances:
    """Learn from pictures of one category."""
    return Appearances.learn(headers, [("BAGS",)] * len(headers), categories)


def show(title: str, rank: float = 0.5, category: str = "BAGS", number: int = 0) -> Appearance:
    """Return a bag's appearance."""
    appearances = appearances_of(JPEG, categories=("BAGS", "SHOES"))
    return appearances.appearance(category, title, rank, KeyedRng("shared", number), KeyedRng("own", number))


def test_titles_name_colour_material_pattern_and_hardware() -> None:
    shown = show("Crimson striped leather bag with gold buckle")
    assert shown.colour == (220, 20, 60)
    assert (shown.material, shown.pattern, shown.hardware) == ("leather", "striped", "gold")


def test_otherwise_the_price_decides() -> None:
    cheap, dear = ([show("", rank, number=n) for n in range(200)] for rank in (0.02, 0.98))
    assert Counter(one.material for one in cheap).most_common(1)[0][0] == "cotton"
    assert Counter(one.material for one in dear).most_common(1)[0][0] == "metal"
    assert Counter(one.hardware for one in dear).most_common(1)[0][0] == "gold"


def test_all_values_can_be_drawn() -> None:
    shown = [show("", (n % 100) / 100, number=n) for n in range(600)]
    for name, values in (("material", MATERIALS), ("pattern", PATTERNS), ("hardware", HARDWARE)):
        assert {getattr(one, name) for one in shown} == set(values)
    assert all(one.cut in CUTS[one.style] for one in shown)


@pytest.mark.parametrize(
    ("category", "style"),
    [
        ("WOMEN BAGS", "shoulder bag"),
        ("Boots", "boots"),
        ("ROBES", "dress"),
        ("Sac", "shoulder bag"),
        ("Taschen", "shoulder bag"),
    ],
)
def test_categories_that_name_a_style_have_it(category: str, style: str) -> None:
    assert appearances_of(JPEG, categories=(category,)).styles == {category: style}


def test_other_categories_get_styles_of_their_own() -> None:
    names = ("BAGS", *(f"Q{n}x" for n in range(len(CUTS) - 1)))
    styles = appearances_of(JPEG, categories=names).styles
    assert len(set(styles.values())) == len(names)
    many = appearances_of(JPEG, categories=tuple(f"Q{'x' * n}" for n in range(1, 90))).styles
    assert set(many.values()) == set(CUTS)


def test_variants_differ_by_their_own_numbers_only() -> None:
    appearances = appearances_of(JPEG)
    one, other = (appearances.appearance("BAGS", "", 0.5, KeyedRng("same"), KeyedRng(n)) for n in (1, 2))
    assert (one.cut, one.material, one.pattern) == (other.cut, other.material, other.pattern)
    assert one.colour != other.colour


def test_recolouring_changes_the_colour_only() -> None:
    shown = show("black bag")
    colours = {recolour(shown, number).colour for number in range(1, 60)}
    assert len(colours) == 59
    assert recolour(shown, 3).material == shown.material
    assert recolour(shown, 3).accent == shown.accent


def test_frequent_sizes_are_kept_exactly() -> None:
    appearances = appearances_of(*[JPEG] * 30, *[PictureHeader(64, 64, "L", "PNG")] * 10)
    scenes = [appearances.scene(("BAGS",), KeyedRng(n)) for n in range(400)]
    counts = Counter((scene.width_px, scene.height_px, scene.mode, scene.format) for scene in scenes)
    assert set(counts) == {(300, 400, "RGB", "JPEG"), (64, 64, "L", "PNG")}
    assert counts[(64, 64, "L", "PNG")] / 400 == pytest.approx(0.25, abs=0.06)


def test_rare_sizes_are_blurred() -> None:
    headers = [PictureHeader(500 + n, 700 + n, "RGB", "JPEG") for n in range(20)]
    appearances = appearances_of(*headers)
    assert all(header.is_binned for header in appearances.headers.overall.values)
    sizes = {appearances.scene(("BAGS",), KeyedRng(n)).width_px for n in range(100)}
    assert len(sizes) > 20
    assert all(400 < width < 700 for width in sizes)


def test_a_size_of_fewer_than_k_rows_is_not_kept() -> None:
    learned = learn_headers([JPEG] * 30 + [PictureHeader(4321, 1234, "RGB", "JPEG")] * (K - 1), [()] * (30 + K - 1))
    assert "4321" not in repr(learned)


def test_huge_and_tiny_pictures_are_clipped() -> None:
    for side, clipped in ((30_000, MAX_PX), (1, MIN_PX)):
        scene = appearances_of(*[PictureHeader(side, side, "RGB", "JPEG")] * 9).scene((), KeyedRng("x"))
        assert (scene.width_px, scene.height_px) == (clipped, clipped)


@pytest.mark.parametrize(
    ("header", "written"),
    [
        (("I;16", "PNG"), ("RGB", "PNG")),
        (("RGB", "TIFF"), ("RGB", "PNG")),
        (("RGB", "MPO"), ("RGB", "JPEG")),
        (("P", "GIF"), ("P", "GIF")),
    ],
)
def test_formats_that_cannot_be_written_become_others(header: tuple[str, str], written: tuple[str, str]) -> None:
    scene = appearances_of(*[PictureHeader(90, 90, *header)] * 9).scene((), KeyedRng("x"))
    assert (scene.mode, scene.format) == written


def test_only_pictures_with_alpha_have_a_transparent_background() -> None:
    for mode, is_clear in (("RGBA", True), ("RGB", False)):
        appearances = appearances_of(*[PictureHeader(90, 90, mode, "PNG")] * 9)
        scenes = [appearances.scene((), KeyedRng(n)) for n in range(50)]
        assert all((scene.background == "transparent") == is_clear for scene in scenes)


def test_unreadable_pictures_leave_a_usual_size() -> None:
    scene = appearances_of(None, None).scene(("BAGS",), KeyedRng("x"))
    assert 250 < scene.width_px < 450
    assert scene.format == "JPEG"


def test_headers_are_read_without_trusting_the_suffix(tmp_path: Path) -> None:
    Image.new("CMYK", (30, 40)).save(tmp_path / "a.png", format="JPEG")
    assert read_header(tmp_path / "a.png") == PictureHeader(30, 40, "CMYK", "JPEG")
    (tmp_path / "b.png").write_bytes(b"no picture")
    assert read_header(tmp_path / "b.png") is None
    assert read_header(tmp_path / "missing.png") is None
    assert read_header(tmp_path) is None
