"""The words and signs around prices, in the languages that shops write them in."""

__all__ = [
    "CURRENCY_CODES",
    "CURRENCY_SIGNS",
    "FREE_WORDS",
    "HIGHEST_WORDS",
    "LOOKALIKES",
    "LOWEST_WORDS",
    "MISSING_WORDS",
    "NOISE_WORDS",
    "SHARED_SIGNS",
]

_CODES = (
    "AED ARS AUD BGN BHD BRL CAD CHF CLP CNY COP CZK DKK EGP EUR GBP HKD HRK HUF IDR ILS INR ISK JOD JPY KES KRW KWD "
    "KZT LKR MAD MXN MYR NGN NOK NZD OMR PEN PHP PKR PLN QAR RON RSD RUB SAR SEK SGD THB TND TRY TWD UAH USD UYU VND "
    "ZAR"
)
CURRENCY_CODES = frozenset(_CODES.split())
"""ISO 4217 codes."""

CURRENCY_SIGNS = {
    **{"US$": "USD", "$US": "USD", "C$": "CAD", "CA$": "CAD", "$CA": "CAD", "A$": "AUD", "AU$": "AUD", "NZ$": "NZD"},
    **{"HK$": "HKD", "S$": "SGD", "NT$": "TWD", "R$": "BRL", "MX$": "MXN", "€": "EUR", "EURO": "EUR", "EUROS": "EUR"},
    **{"CN¥": "CNY", "RMB": "CNY", "元": "CNY", "円": "JPY", "JP¥": "JPY", "ZŁ": "PLN", "KČ": "CZK", "FT": "HUF"},
    **{"₹": "INR", "₽": "RUB", "РУБ": "RUB", "₩": "KRW", "₺": "TRY", "TL": "TRY", "₫": "VND", "฿": "THB", "₪": "ILS"},
    **{"₴": "UAH", "LEI": "RON", "ЛВ": "BGN", "SFR": "CHF", "FR": "CHF", "₱": "PHP", "₦": "NGN", "₸": "KZT"},
}
"""The code by sign, in capitals."""

SHARED_SIGNS = {"$": "USD", "¥": "JPY", "£": "GBP", "RS": "INR", "KR": ""}
"""The code that is mostly meant by a sign of several currencies; none for kr. A code written beside it decides."""

MISSING_WORDS = frozenset(
    (
        *("n/a", "na", "#n/a", "none", "null", "nil", "nan", "tba", "tbd", "unknown", "x", "k.a.", "poa", "p.o.a."),
        *("on request", "price on request", "auf anfrage", "preis auf anfrage", "sur demande"),
        *("consultar", "su richiesta"),
    )
)
"""Texts that say that there is no price."""

FREE_WORDS = frozenset(("free", "gratis", "gratuit", "kostenlos", "gratuito", "for free"))
"""Texts that mean a price of zero."""

LOWEST_WORDS = r"from|starting (?:at|from)|starts at|ab|à partir de|dès|desde|a partir de|a partire da|da|vanaf|od"
"""Pattern of the words before the lowest of several prices."""

HIGHEST_WORDS = r"up to|until|bis(?: zu)?|jusqu'à|hasta|fino a"
"""Pattern of the words before the highest of several prices."""

NOISE_WORDS = (
    r"price|prix|preis|precio|prezzo|rrp|msrp|uvp|only|nur|just|now|each|ttc|incl\. vat|inc\. vat|inkl\. mwst\.?|ca\."
)
"""Pattern of the words around a price that do not change it."""

LOOKALIKES = str.maketrans(
    {**dict.fromkeys("‐‑‒–—―−", "-"), **dict.fromkeys("’‘′`´ʼ", "'"), "٫": ".", "٬": ",", "،": ","}
)
"""The ASCII characters that stand for dashes, apostrophes and separators of other scripts."""
