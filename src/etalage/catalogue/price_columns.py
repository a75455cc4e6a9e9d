"""How the prices of a whole column are read: their currency, their decimal mark, and what is only guessed of both.

`1.299` can be read in two ways. All prices of a column are read before the first row is checked, so that what any of
them proves holds for all, and a contradiction is counted instead of lost.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import Any

from etalage.catalogue.currencies import (
    CURRENCY_CODES,
    SHARED_SIGNS,
    check_currency,
    find_header_currency,
    is_compatible,
    parse_currency_cell,
)
from etalage.catalogue.exchange_rates import read_rates
from etalage.catalogue.missing import is_missing
from etalage.catalogue.price_evidence import PriceEvidence, decide_mark
from etalage.catalogue.price_numbers import choose_value
from etalage.catalogue.prices import Amount, BadPrice, check_number, parse_amount, round_price
from etalage.catalogue.readers.raw_table import UnreadableRow
from etalage.catalogue.table import Cell, Table, number_text
from etalage.config import DecimalMark, PrepareConfig, PriceRange
from etalage.errors import EtalageError
from etalage.task import Field
from etalage.wording import count

__all__ = ["PriceColumn", "read_price_columns"]

RowTracker = Callable[[Iterable[Any]], Iterable[Any]]

# Shops have few prices, and each of them is read twice: when the column is decided, and when its row is checked.
_parse_amount = lru_cache(65_536)(parse_amount)
_MAX_SHOWN_CHARS = 60


@dataclass(frozen=True)
class PriceColumn:
    """The currency and the decimal marks by which the prices of one column are read."""

    name: str
    """The column's name."""
    currency: str = ""
    """The code of the catalogue's prices; empty if it is not known."""
    stated: str = ""
    """The currency in the column's name, of prices that name none: a code or a shared sign."""
    marks: Mapping[str, DecimalMark] = field(default_factory=dict)
    """The decimal mark by currency."""
    rates: Mapping[str, float] = field(default_factory=dict)
    """What one unit of another currency is in the catalogue's."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """The number of prices by currency as it is written; empty stands for none."""
    notes: tuple[str, ...] = ()
    """What was decided or only guessed, as sentences for the user."""

    def read(self, cell: Cell, row_currency: str, price_range: PriceRange) -> float:
        """Return a price in the catalogue's currency, with two decimals.

        A number has no marks to interpret, so it never goes through its text.

        Args:
            cell: The cell of the table.
            row_currency: What the table's column of currencies says; empty if it has none.
            price_range: How to read a price such as 100 - 250.

        Raises:
            BadPrice: The cell is no price, or one in another currency that has no rate.
        """
        shown = repr(number_text(cell)[:_MAX_SHOWN_CHARS])
        written = self.stated or parse_currency_cell(row_currency)
        if isinstance(cell, str):
            amount = _parse_amount(cell.strip(), price_range=price_range, currency=written)
            written = _written(amount, written)
            currency = _group(written, self.currency, self.rates)
            value = amount.value
            if amount.readings:
                value = choose_value(amount.readings, self.marks.get(currency, "auto"), currency)
        else:
            value, currency = _to_float(cell), _group(written, self.currency, self.rates)
            check_number(value, shown)
        if currency == self.currency:
            return round_price(value)
        if currency not in self.rates:
            raise BadPrice("price_other_currency", f"{shown} is in {currency}, and --currency is {self.currency}")
        check_number(value * self.rates[currency], shown)
        return round_price(value * self.rates[currency])

    @property
    def record(self) -> dict[str, Any]:
        """The part of catalogue.json that describes the column."""
        return {
            "column": self.name,
            "currency": self.currency,
            "counts": dict(self.counts),
            "rates": {code: self.rates[code] for code in self.marks if code in self.rates and code != self.currency},
            "notes": list(self.notes),
        }


@dataclass
class _Prices:
    """What was found in the prices of a column, by currency as it is written."""

    evidence: dict[str, PriceEvidence] = field(default_factory=dict)
    examples: dict[str, str] = field(default_factory=dict)
    num_unknown: int = 0
    """Rows whose column of currencies says what is none."""
    unknown: str = ""

    def add(self, cell: Cell, text: str, written: str, value: float, readings: Mapping[str, float]) -> None:
        """Count a price."""
        if written not in self.evidence:
            self.evidence[written], self.examples[written] = PriceEvidence(), text[:_MAX_SHOWN_CHARS]
        if isinstance(cell, str):
            self.evidence[written].add(text[:_MAX_SHOWN_CHARS], value, readings)
        else:
            self.evidence[written].add_number(text[:_MAX_SHOWN_CHARS], value)

    @property
    def counts(self) -> dict[str, int]:
        """The number of prices by currency, the most frequent first."""
        found = {written: evidence.num_prices for written, evidence in self.evidence.items()}
        return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


def read_price_columns(
    table: Table, fields: Sequence[Field], config: PrepareConfig, track: RowTracker = iter
) -> dict[str, PriceColumn]:
    """Read all prices of a table, and decide how those of each column are read.

    Args:
        table: The table.
        fields: The task's fields, of which those of prices count.
        config: `decimal`, `currency` and `rates` decide what the column does not prove.
        track: Counts the rows for a progress bar while they are read.

    Returns:
        The columns by field.

    Raises:
        EtalageError: The prices of a column are in several currencies, or an option is wrong.
    """
    currency = check_currency(config.currency, "--currency") if config.currency else ""
    if config.rates and not currency:
        raise EtalageError("--rates needs --currency, the currency that prices are converted to, such as EUR")
    rates = read_rates(config.rates, currency) if config.rates else {}
    names = {field.name: table.columns[field.name] for field in fields if field.kind == "price"}
    if not names:
        if config.currency or config.decimal != "auto":
            raise EtalageError("--currency and --decimal are about prices, and the answer has none; leave them out")
        return {}
    found = {name: _Prices() for name in names}
    stated = {name: find_header_currency(column) for name, column in names.items()}
    for name, cell, row_currency in _price_cells(table, names, track):
        default = stated[name] or parse_currency_cell(row_currency)
        if row_currency and not default:
            found[name].num_unknown += 1
            found[name].unknown = row_currency[:_MAX_SHOWN_CHARS]
        if not isinstance(cell, str):
            found[name].add(cell, number_text(cell), default, _to_float(cell), {})
            continue
        text = cell.strip()
        try:
            amount = _parse_amount(text, price_range=config.price_range, currency=default)
        except BadPrice:
            continue
        found[name].add(cell, text, _written(amount, default), amount.value, amount.readings)
    return {
        name: _decide(column, stated[name], found[name], config, currency, rates, table.source.name)
        for name, column in names.items()
    }


def _price_cells(table: Table, names: Mapping[str, str], track: RowTracker) -> Iterator[tuple[str, Cell, str]]:
    """Yield the field, the cell and the row's currency of each price in the table that is not missing."""
    currency_column = table.columns.get("currency")
    columns = [*names.values(), *([currency_column] if currency_column else [])]
    for row in track(table.source.read_rows(list(dict.fromkeys(columns)))):
        if isinstance(row, UnreadableRow):
            continue
        cells = dict(zip(dict.fromkeys(columns), row, strict=True))
        row_currency = cells[currency_column] if currency_column else ""
        if not isinstance(row_currency, str) or is_missing(row_currency):
            row_currency = ""
        for name, column in names.items():
            cell = cells[column]
            is_number = isinstance(cell, int | float | Decimal) and not isinstance(cell, bool) and cell == cell
            if is_number or (isinstance(cell, str) and not is_missing(cell)):
                yield name, cell, row_currency


def _to_float(number: int | float | Decimal) -> float:
    try:
        return float(number)
    except OverflowError:  # an integer of hundreds of digits
        return math.inf


def _written(amount: Amount, stated: str) -> str:
    """Return the currency of a price: what the row or the header states, if the sign beside it may mean that."""
    sign = amount.sign or amount.currency
    return stated if stated in CURRENCY_CODES and is_compatible(sign, stated) else sign


def _group(written: str, currency: str, rates: Mapping[str, float]) -> str:
    """Return the catalogue's currency for a price that may be in it, else the code that is meant."""
    if not written or not currency or is_compatible(written, currency):
        return currency
    codes = SHARED_SIGNS.get(written, (written,))
    known = [code for code in codes if code in rates]
    return known[0] if len(known) == 1 or codes[0] in known else codes[0] or written


def _decide(
    column: str,
    stated: str,
    prices: _Prices,
    config: PrepareConfig,
    asked: str,
    rates: Mapping[str, float],
    source: str,
) -> PriceColumn:
    counts = prices.counts
    currency = asked or _find_currency(column, counts, prices.examples, source)
    notes = list(_explain_currency(counts, currency, asked, stated))
    if prices.num_unknown:
        notes.append(
            f"{count(prices.num_unknown, 'price')} beside words that are no currency, such as {prices.unknown!r}; "
            "the words are ignored"
        )
    groups: dict[str, PriceEvidence] = {}
    examples: dict[str, str] = {}
    for written in counts:
        group = _group(written, currency, rates)
        groups.setdefault(group, PriceEvidence()).merge(prices.evidence[written])
        examples.setdefault(group, prices.examples[written])
    others = [group for group in groups if group != currency]
    if rates and (missing := [group for group in others if group not in rates]):
        raise EtalageError(
            f"--rates {config.rates} has no rate for {' and '.join(missing)}, in which {source} has prices such as "
            f"{examples[missing[0]]!r}; add a line such as {missing[0]},RATE"
        )
    if others and not rates and len(others) == len(groups):
        raise EtalageError(
            f"{source}: no price of column {column!r} is in --currency {currency}; found "
            f"{_list_currencies(counts, prices.examples)}; give that currency, or convert with --rates FILE"
        )
    if others:
        found = ", ".join(
            f"{count(groups[group].num_prices, 'price')} in {group} such as {examples[group]!r}"
            + (f" at {rates[group]:g}" if rates else "")
            for group in others
        )
        done = (
            f"converted to {currency}"
            if rates
            else f"left out, as --currency is {currency}; --rates FILE converts them"
        )
        notes.append(f"{found} {done}")
    marks = {}
    for group, evidence in groups.items():
        decision = decide_mark(group, evidence, config.decimal)
        marks[group] = decision.mark
        # How prices that are left out would be read is of no interest.
        notes += decision.notes if group == currency or rates else ()
    return PriceColumn(column, currency, stated, marks, rates, counts, tuple(notes))


def _find_currency(column: str, counts: Mapping[str, int], examples: Mapping[str, str], source: str) -> str:
    """Return the one currency of a column; empty if none is known.

    Raises:
        EtalageError: There are several.
    """
    named = [written for written in counts if written]
    codes = [written for written in named if written not in SHARED_SIGNS]
    if not named:
        return ""
    # ¥ mostly is the yen, but not beside 元.
    meanings = [SHARED_SIGNS.get(written, (written,)) for written in [*codes, *named]]
    usual = [meaning[0] for meaning in meanings]
    if common := [code for code in usual if all(code in meaning for meaning in meanings)]:
        return common[0]
    choices = dict.fromkeys(_code(written) for written in named)
    best = max(choices, key=lambda code: sum(counts[written] for written in named if is_compatible(written, code)))
    other = next(_group(written, best, {}) for written in named if not is_compatible(written, best))
    way_out = f"--currency {best}"
    raise EtalageError(
        f"{source}: column {column!r} has prices in several currencies: {_list_currencies(counts, examples)}; keep "
        f"those in one with {way_out}, or convert the others with {way_out} --rates FILE, which has lines such as "
        f"{other},RATE: what one {other} is in {best}"
    )


def _explain_currency(counts: Mapping[str, int], currency: str, asked: str, stated: str) -> Iterator[str]:
    """Yield what was assumed of the currency."""
    signs = [written for written in counts if written in SHARED_SIGNS]
    if signs and not asked and all(written in SHARED_SIGNS for written in counts if written):
        names = ", ".join(code for code in SHARED_SIGNS[signs[0]][:4] if code)
        taken = f"is taken for {currency}, which is a guess" if currency else "may be one of several currencies"
        yield f"{_shown(signs[0])!r} {taken}; --currency says which it is ({names}, ...)"
    if counts.get("") and currency and not asked and not stated:
        unmarked = count(counts[""], "price")
        yield f"{unmarked} without a currency taken for {currency}, like the others"


def _list_currencies(counts: Mapping[str, int], examples: Mapping[str, str]) -> str:
    return ", ".join(
        f"{number:,} {_shown(written) or 'without a currency'} (such as {examples[written]!r})"
        for written, number in counts.items()
    )


def _shown(written: str) -> str:
    return written if written in CURRENCY_CODES else written.lower()


def _code(written: str) -> str:
    """Return a currency as `--currency` takes it."""
    return next((code for code in SHARED_SIGNS.get(written, (written,)) if code), written)
