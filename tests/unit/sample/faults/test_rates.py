"""Rates of faults are parsed, and impossible ones are refused."""

import pytest

from etalage.sample.faults import COPY_KINDS, KINDS, LINK_KINDS, parse_rates


def test_rates_are_parsed() -> None:
    assert parse_rates("", links=True) == {}
    assert parse_rates("huge=0.02, dead-link=0", links=False) == {"huge": 0.02}
    spread = parse_rates("0.1,huge=0.02,dead-link=0", links=False)
    assert spread["huge"] == 0.02
    assert "dead-link" not in spread
    assert not set(LINK_KINDS) & set(spread)
    assert sum(spread.values()) == pytest.approx(0.12)
    assert set(parse_rates("1", links=True)) == set(KINDS)
    assert list(parse_rates("flaky=.1,huge=.1", links=True)) == ["huge", "flaky"], "the same order however written"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hug=0.1", r"names 'hug' \(did you mean huge\?\); there are dead-link"),
        ("dead_link=0.1", "did you mean dead-link"),
        ("xyz=0.1", "names 'xyz'; there are"),
        ("huge", "write a share .* did you mean huge=RATE"),
        ("5%", "write a share of the rows as 0.1"),
        ("huge=-0.1", "gives huge the rate -0.1; it must be a share"),
        ("huge=nan", "rate nan"),
        ("huge=2", "from 0 to 1"),
        ("huge=0.7,sliver=0.7", "adds up to 1.4"),
        ("0.7,sliver=0.7", "adds up to 1.4"),
        ("huge=0.1,huge=0.2", "names huge twice"),
        ("0.1,0.2", "two rates without a kind, the second '0.2'"),
        ("flaky=0.1", "flaky, which only a server can do"),
        ("0.1," + ",".join(f"{kind}=0" for kind in KINDS), "names every kind"),
    ],
)
def test_impossible_rates_are_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_rates(text, links=False)


@pytest.mark.parametrize("text", ["", " ", ",", " , ,", "huge=0", "0"])
def test_no_rates_plant_nothing(text: str) -> None:
    assert parse_rates(text, links=False) == {}


@pytest.mark.parametrize("text", [" huge = 0.5 ", "huge=.5", "huge=5e-1,", "sliver=0, huge=0.50"])
def test_spaces_and_notations_do_not_matter(text: str) -> None:
    assert parse_rates(text, links=False) == {"huge": 0.5}


def test_all_rows_may_have_a_fault() -> None:
    thirds = parse_rates("huge=0.1,sliver=0.2,missing=0.7", links=False)
    assert sum(thirds.values()) == pytest.approx(1)
    assert sum(parse_rates("1", links=False).values()) == pytest.approx(1)


def test_a_server_kind_at_rate_0_needs_no_server() -> None:
    assert parse_rates("flaky=0,huge=0.1", links=False) == {"huge": 0.1}
    assert parse_rates("flaky=0.1", links=True) == {"flaky": 0.1}


def test_kinds_are_consistent() -> None:
    assert set(LINK_KINDS) | set(COPY_KINDS) < set(KINDS)
    assert not set(LINK_KINDS) & set(COPY_KINDS)
    assert all(text.endswith(".") and ": " in text for text in KINDS.values())
