"""Path data is parsed, serialized and split into subpaths."""

import pytest

from etalage.sample.silhouettes.path import format_number, parse_path, serialize_path, split_subpaths


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (-0.0, "0"), (-0.001, "0"), (3, "3"), (3.10, "3.1"), (3.456, "3.46"), (-2.5, "-2.5"), (100, "100")],
)
def test_numbers_are_short(value: float, text: str) -> None:
    assert format_number(value) == text


def test_every_command_is_parsed_with_its_points() -> None:
    assert parse_path("M1 2L3 4Q5 6 7 8C1 1 2 2 3 -3.5Z") == [
        ("M", [(1, 2)]),
        ("L", [(3, 4)]),
        ("Q", [(5, 6), (7, 8)]),
        ("C", [(1, 1), (2, 2), (3, -3.5)]),
        ("Z", []),
    ]


def test_a_command_with_more_points_is_repeated() -> None:
    assert parse_path("M0 0L1 1 2 2") == [("M", [(0, 0)]), ("L", [(1, 1)]), ("L", [(2, 2)])]


def test_half_a_point_is_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        parse_path("M0 0L1")


@pytest.mark.parametrize("outline", ["M0 0L10 0L10 10Z", "M-1.5 2Q3 4 5 6C1 2 3 4 5 6", "M0 0L1 1M2 2L3 3Z", ""])
def test_serializing_undoes_parsing(outline: str) -> None:
    assert serialize_path(parse_path(outline)) == outline


def test_subpaths_begin_with_their_own_m() -> None:
    subpaths = list(split_subpaths("M0 0L1 0ZM5 5L6 6M7 7"))
    assert [serialize_path(subpath) for subpath in subpaths] == ["M0 0L1 0Z", "M5 5L6 6", "M7 7"]
    assert list(split_subpaths("")) == []
