"""Rates of faults are parsed, and impossible ones are refused."""

import pytest

from etalage.sample.faults import KINDS, LINK_KINDS, parse_rates


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
