"""Rates come from CSV or JSON files and are checked."""

from pathlib import Path

import pytest

from etalage.catalogue.exchange_rates import read_rates
from etalage.errors import EtalageError


@pytest.mark.parametrize(
    "text",
    [
        "USD,0.92\nCHF,1.05\n",
        "currency,rate\nusd,0.92\nchf,1.05\n",
        "\ufeffWährung;Kurs\r\nUSD;0,92\r\nCHF;1,05\r\n",
        "USD\t0.92\n\nCHF\t1.05\n",
        '{"USD": 0.92, "CHF": "1.05"}',
    ],
)
def test_reads_rates(tmp_path: Path, text: str) -> None:
    path = tmp_path / "rates"
    path.write_text(text, encoding="utf-8")
    assert read_rates(path, "EUR") == {"USD": 0.92, "CHF": 1.05, "EUR": 1.0}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "each line needs a code and a rate"),
        ("USD,0.92,EUR\n", "each line needs a code and a rate"),
        ("USD,0\n", "'USD', '0' is no currency code with a rate"),
        ("USD,-1\n", "'USD', '-1' is no currency code with a rate"),
        ("USD,inf\n", "'USD', 'inf' is no currency code with a rate"),
        ("Dollar,1\nUSD,0.92\n", "'DOLLAR', '1' is no currency code with a rate"),
        ("USD,0.92\nUSD,0.93\n", "has two rates for USD: 0.92 and 0.93"),
        ("EUR,1.08\n", "gives EUR the rate 1.08, but it is --currency, so its rate is 1"),
        ('{"base": "EUR", "rates": {"USD": 1.08}}', "is no object of rates by code"),
        ('{"USD": true}', "'USD', True is no currency code with a rate"),
        ('{"USD": ', "cannot be read"),
        ("[" * 100_000, "cannot be read"),
        ("1" * 2_000_000, "is larger than"),
    ],
)
def test_refuses_what_is_no_table_of_rates(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "rates"
    path.write_text(text)
    with pytest.raises(EtalageError) as caught:
        read_rates(path, "EUR")
    assert message in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(EtalageError, match="No such file or directory; check the path"):
        read_rates(tmp_path / "none.csv", "EUR")
