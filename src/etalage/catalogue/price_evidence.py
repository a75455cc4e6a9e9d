"""What the prices of a column prove of its decimal mark: `12,50` needs the comma, `1.299` may have either."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

from etalage.catalogue.currencies import num_decimals
from etalage.catalogue.price_numbers import Readings, choose_value, is_ambiguous
from etalage.config import DecimalMark
from etalage.wording import count

__all__ = ["Decision", "PriceEvidence", "decide_mark"]

_MARKS: tuple[DecimalMark, DecimalMark] = (".", ",")
_MARK_NAMES = {".": "point", ",": "comma"}
_NUM_EXAMPLES = 2
_GUESS = "which is a guess"
_MAJORITY = 9
"""One mark decides against the other if it is needed this many times as often."""
_ABSURD_GAP = 100
"""Between the prices with and those without thousands, no shop has so wide a gap."""
_FEW = 4
"""With fewer prices below the gap than one in so many, they may be mistakes."""
_WITH_DECIMAL_COMMA = ("TND", "LYD")


@dataclass
class PriceEvidence:
    """The prices of a column in one currency."""

    num_prices: int = 0
    needing: dict[DecimalMark, list[str]] = field(default_factory=lambda: {mark: [] for mark in _MARKS})
    """The first prices that can be read with this decimal mark only."""
    num_needing: dict[DecimalMark, int] = field(default_factory=lambda: dict.fromkeys(_MARKS, 0))
    ambiguous: list[tuple[str, Readings]] = field(default_factory=list)
    """The first prices that can be read in two ways."""
    num_ambiguous: dict[DecimalMark, int] = field(default_factory=lambda: dict.fromkeys(_MARKS, 0))
    """The number of prices that can be read in two ways, by the separator that they have."""
    lowest_ambiguous: float = float("inf")
    """The lowest of them, with the separator as a decimal mark."""
    end_round: bool = True
    """Whether all of them end in 0 or 5."""
    num_plain: int = 0
    """The number of prices without any separator."""
    highest_plain: float = 0.0
    """The highest price without any separator."""
    num_precise: dict[DecimalMark, int] = field(default_factory=lambda: dict.fromkeys(("auto", *_MARKS), 0))
    """The number of prices with more than two decimals: under a mark, those that have them only with this mark."""
    precise: dict[DecimalMark, str] = field(default_factory=dict)
    """An example of each of them."""

    def add(self, text: str, value: float, readings: Readings) -> None:
        """Count a price.

        Args:
            text: The price as the table has it.
            value: Its amount.
            readings: The values that it may have.
        """
        self.num_prices += 1
        self._note_precision("auto", text, value if len(readings) < 2 else 1)
        if not readings:
            self.num_plain += 1
            self.highest_plain = max(self.highest_plain, value)
        elif is_ambiguous(readings):
            mark: DecimalMark = "." if readings["."] < readings[","] else ","
            self.num_ambiguous[mark] += 1
            self.lowest_ambiguous = min(self.lowest_ambiguous, readings[mark])
            self._note_precision(mark, text, readings[mark])
            self.end_round &= round(1000 * readings[mark]) % 5 == 0
            # The second example is another price than the first.
            if len(self.ambiguous) < _NUM_EXAMPLES and text not in [found for found, _ in self.ambiguous]:
                self.ambiguous.append((text, readings))
        elif len(readings) == 1:
            needed: DecimalMark = "." if "." in readings else ","
            self.num_needing[needed] += 1
            if len(self.needing[needed]) < _NUM_EXAMPLES and text not in self.needing[needed]:
                self.needing[needed].append(text)

    def add_number(self, text: str, value: float) -> None:
        """Count a price that is a number in the table.

        Args:
            text: The number as text.
            value: The number.
        """
        self.num_prices += 1
        self._note_precision("auto", text, value)

    def count_rounded(self, mark: DecimalMark, currency: str) -> tuple[int, str]:
        """Return how many prices have more decimals than an answer writes, and one of them.

        Args:
            mark: The decimal mark that was decided.
            currency: The currency that was decided.
        """
        marks = ["auto", *(m for m in _MARKS if m == mark or (mark == "auto" and num_decimals(currency) == 3))]
        return sum(self.num_precise[m] for m in marks), next((self.precise[m] for m in marks if m in self.precise), "")

    def _note_precision(self, mark: DecimalMark, text: str, value: float) -> None:
        # Floats such as 19.990000000000002 have no third decimal.
        if abs(value - round(value, 2)) > 1e-6 * max(1.0, abs(value)):
            self.num_precise[mark] += 1
            self.precise.setdefault(mark, text)

    def merge(self, other: Self) -> None:
        """Add what another one counted."""
        self.num_prices += other.num_prices
        for mark in _MARKS:
            self.num_needing[mark] += other.num_needing[mark]
            self.num_ambiguous[mark] += other.num_ambiguous[mark]
            self.needing[mark] = (self.needing[mark] + other.needing[mark])[:_NUM_EXAMPLES]
        self.ambiguous = (self.ambiguous + other.ambiguous)[:_NUM_EXAMPLES]
        self.lowest_ambiguous = min(self.lowest_ambiguous, other.lowest_ambiguous)
        self.end_round &= other.end_round
        self.num_plain += other.num_plain
        self.highest_plain = max(self.highest_plain, other.highest_plain)
        self.num_precise = {mark: number + other.num_precise[mark] for mark, number in self.num_precise.items()}
        self.precise = {**other.precise, **self.precise}


@dataclass(frozen=True)
class Decision:
    """The decimal mark of a column's prices in one currency."""

    mark: DecimalMark
    """The decimal mark; auto where a separator before three digits stands for thousands, whichever it is."""
    notes: tuple[str, ...] = ()
    """What was decided, with examples, and whether it is a guess."""


def decide_mark(currency: str, evidence: PriceEvidence, asked: DecimalMark) -> Decision:
    """Decide how prices that can be read in two ways are read.

    Args:
        currency: The code or the shared sign of the prices; empty if it is not known.
        evidence: The prices.
        asked: The mark that the user states; "auto" if none.
    """
    mark, why = _choose_mark(currency, evidence, asked)
    notes = []
    if all(evidence.num_needing.values()) and asked == "auto":
        said = " and ".join(
            f"{count(evidence.num_needing[m], 'price')} with a decimal {_MARK_NAMES[m]} ({_quote(evidence.needing[m])})"
            for m in _MARKS
        )
        notes.append(f"{said}; each is read as it is written")
    if evidence.ambiguous:
        notes.append(_explain(currency, evidence, mark, why))
    num_rounded, example = evidence.count_rounded(mark, currency)
    if num_rounded:
        notes.append(
            f"{count(num_rounded, 'price')} with more than two decimals, such as {example!r}, "
            "rounded to two, as answers have"
        )
    return Decision(mark, tuple(notes))


def _choose_mark(currency: str, evidence: PriceEvidence, asked: DecimalMark) -> tuple[DecimalMark, str]:
    """Return the mark and the reason, which says so if it is a guess."""
    if not num_decimals(currency):
        return asked, f"as {currency} has no decimals"
    if asked != "auto":
        return asked, f"as --decimal is {asked}"
    least, most = sorted(_MARKS, key=lambda mark: evidence.num_needing[mark])
    if evidence.num_needing[most] and not evidence.num_needing[least]:
        return most, f"as {_quote(evidence.needing[most][:1])} has a decimal {_MARK_NAMES[most]}"
    if evidence.num_needing[most]:
        if evidence.num_needing[most] >= _MAJORITY * evidence.num_needing[least]:
            return most, f"{_GUESS}, as most prices have a decimal {_MARK_NAMES[most]}"
        return "auto", f"{_GUESS}, as both marks are decimal ones elsewhere in the column"
    separators = [mark for mark in _MARKS if evidence.num_ambiguous[mark]]
    if num_decimals(currency) == 3:
        if len(separators) == 1:
            return separators[0], f"as {currency} has three decimals"
        return ("," if currency in _WITH_DECIMAL_COMMA else "."), f"{_GUESS}, as {currency} has three decimals"
    # 4.250 beside 12: with thousands, nothing would be between 12 and 4250. But 1.299 is as shops end their prices.
    gap = 1000 * evidence.lowest_ambiguous / evidence.highest_plain if evidence.highest_plain else 0
    are_some = evidence.num_plain * _FEW >= sum(evidence.num_ambiguous.values())
    if len(separators) == 1 and evidence.end_round and are_some and gap > _ABSURD_GAP:
        return separators[0], f"{_GUESS}, as the other prices are so much lower than 1000"
    return "auto", f"{_GUESS}, as nothing in the column proves it"


def _explain(currency: str, evidence: PriceEvidence, mark: DecimalMark, why: str) -> str:
    texts = [text for text, _ in evidence.ambiguous]
    values = [choose_value(readings, mark, currency) for _, readings in evidence.ambiguous]
    total = count(sum(evidence.num_ambiguous.values()), "price")
    sentence = f"{total} such as {_quote(texts)} {'is' if total == '1 price' else 'are'} read as "
    sentence += " and ".join(f"{value:.2f}" for value in values)
    if not why.startswith(_GUESS):
        return f"{sentence}, {why}"
    text, readings = evidence.ambiguous[0]
    other = next(m for m in _MARKS if readings[m] != values[0])
    return f"{sentence}, {why}; --decimal {other} reads {text!r} as {readings[other]:g}"


def _quote(texts: Sequence[str]) -> str:
    return " and ".join(map(repr, texts))
