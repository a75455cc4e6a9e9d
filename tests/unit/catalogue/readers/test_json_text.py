"""Numbers keep all the digits that are written."""

from decimal import Decimal

from etalage.catalogue.readers.json_text import EXACT_DECODER


def test_numbers_keep_their_type_and_their_digits() -> None:
    text = "[990.0, 1e5, -0, 12345678901234567890, NaN, Infinity, -Infinity, true, null]"
    numbers = [Decimal("990.0"), Decimal("1e5"), 0, 12345678901234567890, None, "Infinity", "-Infinity", True, None]
    assert EXACT_DECODER.decode(text) == numbers
    assert [type(number) for number in EXACT_DECODER.decode(text)[:4]] == [Decimal, Decimal, int, int]
    assert str(EXACT_DECODER.decode("1.299")) == "1.299"
    assert EXACT_DECODER.decode("1e99999999999999999999") == "1e99999999999999999999"
    assert EXACT_DECODER.decode("9" * 5000) == "9" * 5000, "Python reads no number of so many digits"
