"""Picture files are read from the catalogue's folder, and placeholders are counted."""

from pathlib import Path

from PIL import Image

from etalage.sample.mimic.learners.analysis import Analysis
from etalage.sample.mimic.learners.pictures import learn_appearances, learn_placeholder_share
from etalage.sample.mimic.original import read_original
from etalage.sample.mimic.picture_headers import PictureHeader
from etalage.sample.mimic.suppressed_counts import K
from tests.unit.sample.mimic.shop import analysis_of, prepare_folder, shop_columns


def test_headers_are_those_of_the_files(tmp_path: Path) -> None:
    original = read_original(prepare_folder(tmp_path, shop_columns(60)))
    for row in range(0, 40, 2):
        Image.new("L", (33, 44)).save(tmp_path / f"images/aa/{row}.png")
    appearances = learn_appearances(Analysis(original, original, seed=0, num_rows=10))
    assert set(appearances.headers.overall.values) == {
        PictureHeader(60, 80, "RGBA", "PNG"),
        PictureHeader(33, 44, "L", "PNG"),
    }


def test_categories_at_the_level_of_pictures_have_styles() -> None:
    appearances = learn_appearances(analysis_of(shop_columns(120)))
    assert appearances.styles == {"TOTE": "tote bag", "CLUTCH": "shoulder bag", "BOOTS": "boots", "PUMPS": "pumps"}


def test_placeholders_of_at_least_k_rows_are_made_again() -> None:
    for count, share in ((0, 0.0), (K - 1, 0.0), (K, K / 60), (30, 0.5)):
        analysis = analysis_of(shop_columns(60), placeholders=[row < count for row in range(60)])
        assert learn_placeholder_share(analysis) == share
