"""A shop's catalogue that is learned once, and rows that are made from it once."""

import pytest

from etalage.sample.mimic import Mimic, learn
from etalage.sample.rows import Row
from tests.unit.sample.mimic.shop import Columns, prepare_folder, shop_columns

NUM_ROWS = 600


@pytest.fixture(scope="session")
def learned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Columns, Mimic]:
    """Return the shop's table and what was learned from it."""
    columns = shop_columns()
    folder = prepare_folder(tmp_path_factory.mktemp("shop"), columns, families=20)
    return columns, learn(folder, seed=3, rows=NUM_ROWS)


@pytest.fixture
def without_drawing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give rows a description of their picture instead of the picture, which would take most of the time."""
    monkeypatch.setattr("etalage.sample.draw.draw", describe)


@pytest.fixture(scope="session")
def all_rows(learned: tuple[Columns, Mimic]) -> list[Row]:
    """Return the rows that were planned for, made once without drawing."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("etalage.sample.draw.draw", describe)
        return [learned[1].make(number) for number in range(NUM_ROWS)]


@pytest.fixture
def made(all_rows: list[Row], without_drawing: None) -> list[Row]:
    """Return the rows, for tests that make others to compare with them."""
    return all_rows


def describe(appearance: object, scene: object) -> bytes:
    """Return what a picture would show."""
    return repr((appearance, scene)).encode()
