"""Frequencies are exact over all contexts, and each one that is kept has at least K owners."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etalage.sample.mimic.suppressed_counts import K, SuppressedCounts


def count(pairs: Sequence[tuple[str, str]], fallback: str = "none", **options: Any) -> SuppressedCounts[str]:
    """Count values in a place and everywhere; each pair has an owner of its own."""
    observations = [((place, ()), value, owner) for owner, (place, value) in enumerate(pairs)]
    return SuppressedCounts.learn(observations, fallback, **options)


def draw_evenly(counts: SuppressedCounts[str], place: str, n: int = 1000) -> Counter[str]:
    """Draw at evenly spread quantiles."""
    return Counter(counts.draw((place, ()), (i + 0.5) / n) for i in range(n))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 9)), min_size=1, max_size=120), st.floats(0, 0.999))
def test_only_what_k_owners_have_is_kept(pairs: list[tuple[int, int]], uniform: float) -> None:
    counts = SuppressedCounts.learn([((place, ()), value, owner) for owner, (place, value) in enumerate(pairs)], -1)
    frequencies = Counter(pairs)
    for place, shares in counts.tables[0].items():
        assert all(frequencies[(int(str(place)), value)] >= K for value in shares.values)
        left_out = sum(n for (at, value), n in frequencies.items() if at == place and value not in shares.values)
        assert left_out == 0 or left_out >= K or len(shares.values) == 0
    drawn = counts.draw((0, ()), uniform)
    assert drawn == -1 or Counter(value for _, value in pairs)[drawn] >= K
    assert sum(counts.shares((0, ())).values()) == pytest.approx(1)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xyz")), min_size=1, max_size=60))
def test_draws_at_even_quantiles_have_the_announced_shares(pairs: list[tuple[str, str]]) -> None:
    counts = count(pairs)
    for place in "abc":
        drawn = draw_evenly(counts, place)
        shares = counts.shares((place, ()))
        assert all(drawn[value] / 1000 == pytest.approx(share, abs=0.004) for value, share in shares.items())
        assert set(drawn) <= set(shares)


def test_an_owner_counts_once_however_often_it_is_observed() -> None:
    often = [(((),), "often", "one shop")] * 50
    rare = [(((),), f"rare {n}", f"shop {n}") for n in range(K)]
    common = [(((),), "common", f"shop {n}") for n in range(K)] * 3
    counts = SuppressedCounts.learn(often + rare + common, "none")
    assert counts.overall.values == ("common",)
    assert "often" not in counts.shares(((),))


def test_rare_values_of_a_context_are_counted_in_the_wider_one() -> None:
    counts = count([("a", "x")] * 20 + [("a", "y")] * 3 + [("b", "x")] * 20 + [("b", "y")] * 3)
    assert counts.tables[0] == {}
    assert counts.shares(("a", ())) == counts.shares(("b", ())) == {"x": 40 / 46, "y": pytest.approx(6 / 46)}


def test_overall_frequencies_survive_suppression() -> None:
    pairs = [(place, value) for place in "ab" for value in "x" * 14 + "y" * 3 + "z" * 3]
    counts = count(pairs)
    total: Counter[str] = Counter()
    for place, size in Counter(place for place, _ in pairs).items():
        for value, share in counts.shares((place, ())).items():
            total[value] += share * size  # type: ignore[assignment]
    assert total == pytest.approx(Counter(value for _, value in pairs))


def test_a_kept_value_goes_too_where_it_would_reveal_the_few_others() -> None:
    counts = count([("a", "x")] * 20 + [("a", "y")] * 8 + [("a", "z")] * 2)
    assert counts.tables[0]["a"].values == ("x",)
    assert "z" not in counts.shares(("a", ()))


def test_unseen_contexts_get_the_overall_shares() -> None:
    counts = count([("a", "x")] * 30 + [("b", "y")] * 10)
    assert counts.shares(("nowhere", "at all")) == {"x": 0.75, "y": 0.25}
    assert counts.draw(("nowhere", "at all"), 0.99) == "y"


def test_nothing_frequent_gives_the_fallback() -> None:
    assert count([]).draw(("a", ()), 0.5) == "none"
    assert count([("a", str(n)) for n in range(40)]).draw(("a", ()), 0.5) == "none"
    assert count([]).shares(("a", ())) == {"none": 1.0}


def test_rare_values_go_on_in_a_coarser_form() -> None:
    pairs = [("a", "x1")] * 12 + [("a", f"y{n}") for n in range(12)]
    counts = count(pairs, coarsen=lambda value: value[0], num_fine_contexts=1)
    assert counts.shares(("a", ())) == {"x1": 0.5, "y": 0.5}
    assert counts.overall.values == ("x", "y")


def test_suppressed_combinations_are_counted() -> None:
    assert count([("a", "x")] * 20).num_suppressed == 0
    assert count([("a", "x")] * 20 + [("a", str(n)) for n in range(6)]).num_suppressed == 12


def test_ties_do_not_depend_on_the_order_of_observations() -> None:
    pairs = [("a", "x"), ("a", "y")] * 10
    assert count(pairs).tables[0]["a"].values == count(pairs[::-1]).tables[0]["a"].values
