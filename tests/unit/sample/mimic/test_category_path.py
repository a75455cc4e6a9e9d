"""Paths fall back to shorter ones, the most specific first."""

import pytest

from etalage.sample.mimic.category_path import longest_known_prefix, partial_paths, path_contexts


def test_partial_paths_go_from_specific_to_general() -> None:
    whole, without_end, end, start = partial_paths(("Women", "Bags", "Totes"))
    assert (whole, without_end) == (("Women", "Bags", "Totes"), ("Women", "Bags"))
    assert (end, start) == (("…", "Totes"), ("Women",))


def test_the_end_alone_is_no_start() -> None:
    assert len(set(partial_paths(("Bags",)))) == 3
    assert ("…", "Bags") in partial_paths(("Bags",))


def test_the_widest_context_is_the_empty_path() -> None:
    assert path_contexts(("Women", "Bags")) == (*partial_paths(("Women", "Bags")), ())
    assert path_contexts(())[-1] == ()


@pytest.mark.parametrize(
    ("path", "prefix"), [(("a", "b", "c"), ("a", "b")), (("a", "x"), ("a",)), (("x", "b"), ()), ((), ())]
)
def test_the_longest_known_prefix_is_found(path: tuple[str, ...], prefix: tuple[str, ...]) -> None:
    assert longest_known_prefix(path, {(): 0, ("a",): 0, ("a", "b"): 0, ("b",): 0}) == prefix
