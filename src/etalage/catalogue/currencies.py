"""Currencies: their ISO 4217 codes and decimals, and the signs that shops write for them."""

import re
from collections.abc import Iterable, Mapping

from etalage.errors import EtalageError

__all__ = [
    "CURRENCY_CODES",
    "CURRENCY_PATTERN",
    "CURRENCY_SIGNS",
    "SHARED_SIGNS",
    "check_currency",
    "find_currency_column",
    "find_header_currency",
    "is_compatible",
    "num_decimals",
    "parse_currency",
    "parse_currency_cell",
]

_CODES = (
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF "
    "CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HRK "
    "HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL "
    "MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON "
    "RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH "
    "UGX USD UYU UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG"
)
CURRENCY_CODES = frozenset(_CODES.split())
"""The codes of ISO 4217, list one, without funds and metals, and with HRK, ANG and BGN, which old tables have."""

_THREE_DECIMALS = "BHD IQD JOD KWD LYD OMR TND"
_NO_DECIMALS = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"
_DECIMALS: Mapping[str, int] = {
    **dict.fromkeys(_THREE_DECIMALS.split(), 3),
    **dict.fromkeys(_NO_DECIMALS.split(), 0),
}
"""Minor units of ISO 4217 (https://www.six-group.com/dam/download/financial-information/data-center/iso-currrency/
lists/list-one.xml) where there are not two."""

CURRENCY_SIGNS: Mapping[str, str] = {
    **{"US $": "USD", "C $": "CAD", "CA $": "CAD", "AU $": "AUD", "NZ $": "NZD", "HK $": "HKD", "S $": "SGD"},  # eBay
    **{"US$": "USD", "$US": "USD", "C$": "CAD", "CA$": "CAD", "$CA": "CAD", "A$": "AUD", "AU$": "AUD", "NZ$": "NZD"},
    **{"HK$": "HKD", "S$": "SGD", "NT$": "TWD", "R$": "BRL", "MX$": "MXN", "AR$": "ARS", "COL$": "COP", "$U": "UYU"},
    **{"€": "EUR", "EURO": "EUR", "EUROS": "EUR", "ЕВРО": "EUR", "SFR": "CHF", "STUTZ": "CHF"},
    **{"CN¥": "CNY", "RMB": "CNY", "JP¥": "JPY", "円": "JPY", "YEN": "JPY", "₩": "KRW", "원": "KRW"},
    **{"ZŁ": "PLN", "ZL": "PLN", "KČ": "CZK", "KČS": "CZK", "FT": "HUF", "KN": "HRK", "KM": "BAM", "DIN": "RSD"},
    **{"LEI": "RON", "ЛВ": "BGN", "ДИН": "RSD", "ДЕН": "MKD", "₺": "TRY", "TL": "TRY", "₪": "ILS", "NIS": "ILS"},
    **{
        "₽": "RUB",
        "RUR": "RUB",
        "РУБ": "RUB",
        "РУБЛЕЙ": "RUB",
        "Р": "RUB",
        "₴": "UAH",
        "ГРН": "UAH",
        "₸": "KZT",
        "ТГ": "KZT",
    },
    **{
        "₹": "INR",
        "৳": "BDT",
        "฿": "THB",
        "บาท": "THB",
        "₫": "VND",
        "VNĐ": "VND",
        "Đ": "VND",
        "RP": "IDR",
        "RM": "MYR",
    },
    **{
        "RM": "MYR",
        "₱": "PHP",
        "₦": "NGN",
        "₵": "GHS",
        "R": "ZAR",
        "KSH": "KES",
        "KSHS": "KES",
        "LE": "EGP",
        "L.E": "EGP",
    },
    **{"KD": "KWD", "K.D": "KWD", "BD": "BHD", "JD": "JOD", "DT": "TND", "SR": "SAR", "QR": "QAR", "DA": "DZD"},
    **{"د.ك": "KWD", "د.ب": "BHD", "ر.ع": "OMR", "د.ا": "JOD", "د.ت": "TND", "ل.د": "LYD", "د.ع": "IQD", "د.ج": "DZD"},
    **{
        "ر.س": "SAR",
        "د.إ": "AED",
        "ج.م": "EGP",
        "ر.ق": "QAR",
        "د.م": "MAD",
        "S/": "PEN",
        "S/.": "PEN",
        "₡": "CRC",
        "₲": "PYG",
    },
    **{"₼": "AZN", "₾": "GEL", "֏": "AMD", "៛": "KHR", "₭": "LAK", "₮": "MNT", "BS": "BOB"},
}
"""The code by sign, in capitals."""

_DOLLARS = ("USD", "CAD", "AUD", "NZD", "HKD", "SGD", "TWD", "MXN", "ARS", "CLP", "COP", "UYU", "BRL", "JMD", "TTD")
_RUPEES = ("INR", "PKR", "LKR", "NPR", "MUR", "SCR")
SHARED_SIGNS: Mapping[str, tuple[str, ...]] = {
    "$": (*_DOLLARS, "BBD", "BSD", "BZD", "BND", "FJD", "XCD", "DOP", "CUP", "NAD", "LRD", "GYD", "SRD", "BMD", "KYD"),
    **dict.fromkeys(("DOLLAR", "DOLLARS"), _DOLLARS),
    **dict.fromkeys(("¥",), ("JPY", "CNY")),
    **dict.fromkeys(("元", "圓"), ("CNY", "TWD", "HKD")),
    "£": ("GBP", "EGP", "LBP", "GIP", "FKP", "SHP", "SYP", "SDG", "SSP"),
    **dict.fromkeys(("RS", "RUPEES"), _RUPEES),
    **dict.fromkeys(("KR", "KRONER", "KRONOR"), ("", "SEK", "NOK", "DKK", "ISK")),
    "FR": ("CHF", "XOF", "XAF", "XPF"),
    **dict.fromkeys(("FCFA", "F CFA", "CFA"), ("XOF", "XAF")),
    **dict.fromkeys(("DH", "DHS"), ("", "AED", "MAD")),
    **dict.fromkeys(("ریال", "ريال", "RIYAL"), ("", "SAR", "IRR", "QAR", "OMR", "YER")),
}
"""The codes that a sign may mean, the usual one first; an empty one where none is usual."""

# These codes are words, too: in a header they count only in brackets or after "in".
_WORD_CODES = frozenset(
    ["ALL", "AMD", "BAM", "BOB", "CAD", "COP", "CUP", "GEL", "LAK", "MAD", "MOP", "PEN", "RON", "SOS", "TOP", "TRY"]
)

_COLUMN_NAME = re.compile(
    r"(?:price|offers?|product|variant|item)*"
    r"(?:currency|währung|waehrung|wahrung|devise|monnaie|moneda|divisa|moeda|valuta|munteenheid|waluta|měna|mena|валюта|"
    r"通貨|货币|parabirimi)(?:s?code|iso|id|symbol)*|isocurrency"
)
"""The letters of the name of a column of currencies, such as `currency_code`, and `offers.priceCurrency` in JSON."""

# Longest first, since the first alternative that fits is taken: $CA would be read as $, which mostly means USD.
CURRENCY_PATTERN = "|".join(
    re.escape(mark) for mark in sorted([*CURRENCY_CODES, *CURRENCY_SIGNS, *SHARED_SIGNS], key=len, reverse=True)
)
"""Pattern of any code or sign, to be used without regard to case."""


def num_decimals(currency: str) -> int:
    """Return how many decimals amounts of a currency have: 3 of KWD, none of JPY, 2 of most and of unknown ones.

    Args:
        currency: A code, a sign of `SHARED_SIGNS`, or an empty text.
    """
    # A sign of several currencies proves three decimals, or none, only if all of them agree.
    found = {_DECIMALS.get(code, 2) for code in SHARED_SIGNS.get(currency, (currency,))}
    return found.pop() if len(found) == 1 else 2


def parse_currency(marks: str) -> str | None:
    """Return the currency that codes and signs name, even if twice; a code goes before a shared sign.

    Args:
        marks: The texts before and after an amount.

    Returns:
        A code, or a sign of `SHARED_SIGNS`; empty if there is no currency, None if there are several.
    """
    found = set(re.findall(CURRENCY_PATTERN, marks.upper()))
    shared = {mark for mark in found if mark in SHARED_SIGNS}
    certain = {CURRENCY_SIGNS.get(mark, mark) for mark in found - shared}
    named = certain or shared
    return None if len(named) > 1 else named.pop() if named else ""


def parse_currency_cell(text: str) -> str:
    """Return the currency that a whole cell names; empty if it names none.

    Args:
        text: A cell of a column of currencies, such as "EUR", "€" or "EUR (€)".
    """
    if not text:
        return ""
    marks = rf"(?:{CURRENCY_PATTERN})\.?"
    is_currency = re.fullmatch(rf"{marks}(?: ?[(/-]? ?{marks}\)?)?", text.strip(), re.IGNORECASE)
    return (parse_currency(text) or "") if is_currency else ""


def find_currency_column(names: Iterable[str]) -> str | None:
    """Return the column that states the currency of each row, if there is one.

    Args:
        names: The columns of a table.
    """
    return next((name for name in names if _COLUMN_NAME.fullmatch("".join(filter(str.isalnum, name.casefold())))), None)


def is_compatible(currency: str, code: str) -> bool:
    """Return whether a price in this currency may be one in the currency of a code: `$` may be CAD.

    Args:
        currency: A code, or a sign of `SHARED_SIGNS`.
        code: A code.
    """
    return code in SHARED_SIGNS.get(currency, (currency,))


def find_header_currency(header: str) -> str:
    """Return the currency that a column's name states, as in "Price (KWD)", "Preis in EUR", price_jpy and "UVP €".

    Args:
        header: The column's name.

    Returns:
        A code, or a sign of `SHARED_SIGNS`; empty if none or several are stated.
    """
    found = set(re.findall(r"[^\w\s.,:;/()\[\]{}#%*+-]", header)) & (CURRENCY_SIGNS.keys() | SHARED_SIGNS.keys())
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", header)
    for match in re.finditer(r"[^\W\d_]+", spaced):
        word = match[0].upper()
        before = spaced[: match.start()].rstrip()
        is_marked = before.endswith(("(", "[", "/")) or before.casefold().endswith((" in", " en", " em"))
        if (word in CURRENCY_CODES and (is_marked or word not in _WORD_CODES)) or (
            word in {*CURRENCY_SIGNS, *SHARED_SIGNS} and (is_marked or len(word) > 3 or not word[-1].isascii())
        ):
            found.add(word)
    return parse_currency(" ".join(found)) or ""


def check_currency(code: str, option: str) -> str:
    """Return a currency's code in capitals.

    Args:
        code: What the user gave.
        option: The name of the option, for the message.

    Raises:
        EtalageError: It is no code of ISO 4217.
    """
    if code.strip().upper() not in CURRENCY_CODES:
        raise EtalageError(f"{option} {code!r} is no currency code; give one of ISO 4217 such as EUR, USD or JPY")
    return code.strip().upper()
