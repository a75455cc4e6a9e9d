"""Tests of similarities against the library that defines them, and at their limits."""

import numpy as np
import pytest

from etalage.sample.fidelity.similarity import correlation_similarity, ks_complement, tv_complement, without_host
from etalage.sample.mimic.original import Column


def test_similarities_equal_those_of_sdmetrics() -> None:
    pairs = pytest.importorskip("sdmetrics.column_pairs")
    single = pytest.importorskip("sdmetrics.single_column")
    import pandas as pd

    rng = np.random.default_rng(0)
    one, other = (rng.normal(shift, 1, (n, 2)) @ np.array([[1, 0.6], [0, 0.8]]) for shift, n in ((0, 300), (0.3, 450)))
    assert ks_complement(one[:, 0], other[:, 0]) == pytest.approx(
        single.KSComplement.compute(pd.Series(one[:, 0]), pd.Series(other[:, 0])), abs=1e-9
    )
    assert correlation_similarity(one, other) == pytest.approx(
        pairs.CorrelationSimilarity.compute(pd.DataFrame(one), pd.DataFrame(other)), abs=1e-9
    )
    names = [
        [tuple(row) for row in rng.choice(list("abcd"), (n, 2), p=p).tolist()]
        for n, p in ((200, (0.4, 0.3, 0.2, 0.1)), (310, (0.25,) * 4))
    ]
    assert tv_complement([a for a, _ in names[0]], [a for a, _ in names[1]]) == pytest.approx(
        single.TVComplement.compute(pd.Series([a for a, _ in names[0]]), pd.Series([a for a, _ in names[1]])), abs=1e-9
    )
    frames = [pd.DataFrame(rows, columns=["a", "b"]) for rows in names]
    assert tv_complement(*names) == pytest.approx(pairs.ContingencySimilarity.compute(*frames), abs=1e-9)


def test_equal_tables_are_perfectly_similar() -> None:
    numbers = np.array([1.0, 2, 2, 5])
    assert ks_complement(numbers, numbers[::-1]) == 1
    assert tv_complement(list("aab"), list("baa")) == 1
    pairs = np.column_stack([numbers, numbers**2])
    assert correlation_similarity(pairs, pairs) == 1


def test_tables_without_anything_in_common_are_not_similar() -> None:
    assert ks_complement(np.array([1.0, 2]), np.array([3.0, 4])) == 0
    assert tv_complement("aa", "bc") == 0
    rising = np.column_stack([np.arange(4.0), np.arange(4.0)])
    assert correlation_similarity(rising, rising * [1, -1]) == pytest.approx(0)


def test_a_number_that_never_varies_has_no_correlation() -> None:
    assert correlation_similarity(np.ones((5, 2)), np.random.default_rng(0).normal(size=(5, 2))) is None
    assert correlation_similarity(np.ones((1, 2)), np.ones((1, 2))) is None


def test_links_are_compared_without_their_host() -> None:
    assert without_host(Column("url", "link"), "https://shop.example/a/b?c=https://x") == "/a/b?c=https://x"
    assert without_host(Column("title", "title"), "https://shop.example/a") == "https://shop.example/a"
