"""Text and numbers as pages show them."""

__all__ = ["format_number", "format_percent", "format_tick", "heading", "visible_text"]


def visible_text(text: object, max_chars: int = 80) -> str:
    r"""Cut a text from a table, and write out characters that are invisible or change the direction of writing.

    >>> visible_text("zero\u200bwidth")
    'zero[U+200B]width'

    Args:
        text: Anything that has a text; None has none.
        max_chars: Longer texts end in an ellipsis. Characters that are written out count as one.
    """
    text = "" if text is None else str(text)
    cut = text if len(text) <= max_chars else text[: max_chars - 1].rstrip() + "…"
    return "".join(f"[U+{ord(c):04X}]" if _is_invisible(c) else c for c in cut)


def _is_invisible(character: str) -> bool:
    """Recognize control characters, surrogates, and the marks that set the direction of writing."""
    # U+202E and its like could make a row of the table read as something else; NUL is not allowed in HTML at all.
    n = ord(character)
    return (
        n < 0x20
        or 0x7F <= n < 0xA0
        or 0xD800 <= n < 0xE000
        or n in (0x61C, 0xFEFF)
        or (0x200B <= n <= 0x200F and n != 0x200D)  # U+200D joins emoji
        or 0x2028 <= n <= 0x202E
        or 0x2066 <= n <= 0x2069
    )  # fmt: skip


def format_number(value: float) -> str:
    """Return a number with at most two decimals, and without an exponent where a person would write the digits.

    >>> format_number(1234.5), format_number(0.00123)
    ('1,234.5', '0.00123')
    """
    return f"{value:,.2f}".rstrip("0").rstrip(".") if 0.01 <= abs(value) < 1e12 else f"{value:.3g}"


def format_tick(value: float) -> str:
    """Return the label of a round number on an axis, in millions or billions where it is large.

    >>> format_tick(200000.0), format_tick(1500000.0)
    ('200,000', '1.5 M')
    """
    if value >= 1e12:
        return f"{value:g}"
    for unit, suffix in ((1e9, " bn"), (1e6, " M")):
        if value >= unit:
            return f"{value / unit:g}{suffix}"
    return f"{value:,.6g}"


def format_percent(percent: float) -> str:
    """Return a share with one decimal, never rounded down to nothing or up to everything.

    >>> format_percent(99.99), format_percent(0.01), format_percent(20)
    ('99.9 %', '< 0.1 %', '20 %')

    Args:
        percent: 0 to 100.
    """
    if 0 < percent < 0.1:
        return "< 0.1 %"
    return f"{min(percent, 99.9) if percent < 100 else 100:.1f} %".replace(".0 %", " %")


def heading(name: str) -> str:
    """Return a field's name as a heading.

    >>> heading("full_price")
    'Full price'
    """
    spaced = name.replace("_", " ")
    # Not capitalize(), which would write the SKU of `SKU_code` in small letters.
    return spaced[:1].upper() + spaced[1:]
