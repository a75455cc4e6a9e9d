"""The price that is asked is told from former prices, taxes, discounts, and prices of a weight."""

import pytest

from etalage.catalogue.price_phrases import normalize_price, split_former_price, strip_notes
from etalage.catalogue.prices import BadPrice, parse_amount


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("19,99 EUR/Stk", 19.99),
        ("19,99 €/Stk.", 19.99),
        ("von 12,99 bis 19,99", 12.99),
        ("von 12,99 bis 19,99 €", 12.99),
        ("statt 99 nur 79", 79),
        ("statt 99,00 € nur 79,00 €", 79),
        ("UVP 99,- jetzt 79,-", 79),
        ("Was $99 Now $79", 79),
        ("au lieu de 99 € 79 €", 79),
        ("79 € au lieu de 99 €", 79),
        ("antes 99 ahora 79", 79),
        ("1´299", 1299),
        ("1´299.50", 1299.5),
        ("1’299.-", 1299),
        ("CHF 1`299.00", 1299),
        ("De R$ 99,90 por R$ 79,90", 79.9),
        ("van 99,- voor 79,-", 79),
        ("van 12 tot 19", 12),
        ("79,00 (UVP 99,00)", 79),
        ("Regular price $99.00 Sale price $79.00", 79),
        ("RRP £99.00 £79.00", 79),
        ("£79.00 RRP £99.00", 79),
        ("Was $99.00, Now $79.00 (Save 20%)", 79),
        ("was $100 now $80 - 20% off", 80),
        ("12,50 € (25,00 €/kg)", 12.5),
        ("12,50 € (1 kg = 25,00 €)", 12.5),
        ("19,99 € inkl. 19 % MwSt.", 19.99),
        ("19,99 € (inkl. MwSt.)", 19.99),
        ("inkl. MwSt. 19,99 €", 19.99),
        ("1.990 ₽/шт", 1990),
        ("от 1 299 руб.", 1299),
        ("1 299,00 р.", 1299),
        ("¥1,200(税込)", 1200),
        ("1,980円(税込)", 1980),
        ("1,000円〜", 1000),
        ("12 990 Ft", 12990),
        ("99:-", 99),
        ("1 299:-", 1299),
        ("kr. 1.299,00", 1299),
        ("₹ 1,29,900/-", 129900),
        ("Rs. 499/-", 499),
        ("12€50", 12.5),
        ("S/ 129.90", 129.9),
        ("Rp 1.250.000", 1250000),
        ("RM 99.90", 99.9),
        ("R 1 299,00", 1299),
        ("4.250 KWD", 4.25),
        ("KD 12.500", 12.5),
        ("12,900 DT", 12.9),
        ("4.250 د.ك", 4.25),
        ("1.250,500 TND", 1250.5),
        ("¥1,299", 1299),
        ("1.299 JPY", 1299),
        ("₩12,900", 12900),
        ("12.900 CLP", 12900),
        ("5.5 KWD - 7.250 KWD", 5.5),
        ("4.250-5.500 KWD", 4.25),
        ("99,00 €¹", 99),
        ("99,00 € ²)", 99),
        ("€ 99 p.p.", 99),
        ("79 € (-20%)", 79),
        ("price: 99 to 250", 99),
        ("from $99 to $250", 99),
        ("zwischen 10 und 20 €", 10),
        ("entre 10 et 20 €", 10),
        ("de 10 à 20 €", 10),
        ("desde 10 hasta 20 €", 10),
        ("€ 3,99 per stuk", 3.99),
        ("10 zł za szt.", 10),
        ("2,50 € pro Stück", 2.5),
        ("reduced from $99 to $79", 79),
        ("prima 99 € ora 79 €", 79),
        ("定価 1,980円 特価 1,480円", 1480),
        ("原价 ¥99 现价 ¥79", 79),
        ("1299,- Kč", 1299),
        ("1 299 Kč s DPH", 1299),
        ("99,99 zł brutto", 99.99),
        ("99,99 zł z VAT", 99.99),
        ("12,99 – 19,99 €", 12.99),
        ("USD 12.99 each", 12.99),
        ("ca. 99 €", 99),
        ("99,90 €*", 99.9),
        ("12.99 USD / pair", 12.99),
        ("de 99 por 79", 79),
        ("1.299,00 € zzgl. Versand", 1299),
        ("99€ TTC", 99),
        ("99,00 EUR TVA incl.", 99),
        ("ab 49,-", 49),
        ("nur 49,-", 49),
        ("jetzt nur noch 49,-", 49),
        ("jetzt ab 49 €", 49),
        ("€1.299", 1299),
    ],
)
def test_reads_the_price_that_is_asked(text: str, value: float) -> None:
    assert parse_amount(text, price_range="low").value == value


@pytest.mark.parametrize(
    ("reason", "texts"),
    [
        ("price_per_quantity", ["12,50 € / 100 g", "99 €/kg", "99 €/m²", "$9.99/month", "€ 3,99 per kg"]),
        (
            "price_unparsable",
            [
                "3 voor 10",
                "2 por 5",
                "2 für 5,00 €",
                "3 for 99",
                "99-",
                "99 € 79",
                "-20% 39,99 €",
                "statt 99",
                "前 99",
                "1.5M",
                "50万円",
                "$1.2k",
                "$99.00 $79.00",
                "99 € HT",
                "1.299.00",
                "1,299,00",
            ],
        ),
        ("price_missing", ["Preis auf Anfrage"]),
        ("price_is_range", ["bis 99 €", "max 5"]),
    ],
)
def test_refuses_what_is_not_the_price_of_one_product(reason: str, texts: list[str]) -> None:
    for text in texts:
        with pytest.raises(BadPrice) as caught:
            parse_amount(text, price_range="low")
        assert (text, caught.value.reason) == (text, reason)


def test_says_what_quantity_a_price_is_for() -> None:
    with pytest.raises(BadPrice, match=r"price_per_quantity: '12,50 € / 100 g', a price / 100 g, not of the product"):
        parse_amount("12,50 € / 100 g", price_range="low")


def test_a_former_range_and_a_present_one_are_told_apart() -> None:
    for end, value in (("low", 79), ("high", 99)):
        amount = parse_amount("Was $99 - $120 Now $79 - $99", price_range=end)  # type: ignore[arg-type]
        assert (amount.value, amount.is_range) == (value, True)
    with pytest.raises(BadPrice, match="price_is_range"):
        parse_amount("Was $99 - $120 Now $79 - $99", price_range="drop")


def test_normalizes_digits_accents_and_invisible_marks() -> None:
    assert normalize_price("１´２９９‚００") == "1'299‚00"
    assert normalize_price("\u200e١٢٫٥٠\u00a0€\ufeff") == "12.50 €"
    assert normalize_price("12⁹⁹") == "?"
    assert normalize_price("9" * 201) == "?"


def test_strips_notes_on_both_sides() -> None:
    assert strip_notes("Preis: 99 €/Stk. inkl. 19 % MwSt.") == ("99 €", "")
    assert strip_notes("99 € / 100 g") == ("99 €", "/ 100 g")
    assert list(split_former_price("99 €")) == []
