"""From a prepared catalogue to the laws of its columns (`fillers`), of its families and of its pictures."""

import random
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property
from statistics import fmean
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from etalage.sample.mimic.appearances import Looks, read_frame
from etalage.sample.mimic.effects import balanced, learn_effects
from etalage.sample.mimic.families import Layout, agreement, family_sizes
from etalage.sample.mimic.fillers import (
    CODE_MARK,
    TITLE_MARK,
    WORD_MARKS,
    Branch,
    Choice,
    Code,
    Computed,
    Constant,
    Decided,
    Effects,
    Filler,
    Flag,
    Gappy,
    Lowered,
    Mention,
    Number,
    Place,
    Slug,
    Title,
    contexts,
    nearest,
)
from etalage.sample.mimic.keyed_rng import Dice
from etalage.sample.mimic.marginals import Grain, Marginal, Mixture, correlated, normal_scores
from etalage.sample.mimic.original import LINK, Column, Original, Text
from etalage.sample.mimic.phrases import SIGNS, Build, Guard, Phrases
from etalage.sample.mimic.rules import Flagged, Ratio, Reduced, amount_rules, flagged, follows
from etalage.sample.mimic.suppressed_counts import Cells, K
from etalage.sample.mimic.tree import grow
from etalage.sample.mimic.writing import NumberStyle

__all__ = ["Learner"]

_MOST_TEXTS, _MOST_PICTURES = 5_000, 5_000
"""Long texts and pictures' headers that are learned from."""
_OWN_MARGINAL = 50
"""Rows from which on a category has a marginal of its own: ten ranges of K."""
_LEAST_OWN = 5 * K
"""Rows that a wider category's marginal is learned from, where narrower ones have taken theirs away."""
_NUM_TRIAL_TITLES = 1_000
_COUNT = NumberStyle("", "", "", ".", 0, 0, leading_zero=True, plain=True, reading=".")
_CASES: tuple[Literal["lower", "upper", "as it is"], ...] = ("lower", "upper", "as it is")
_CORE = re.compile(r"[^\W_]+")


class Learner:
    """Learns part by part; each part is asked for once.

    Args:
        everything: All rows, for what must not be made again.
        known: The rows to learn from.
        rows: To be made.
    """

    def __init__(self, everything: Original, known: Original, seed: int, rows: int) -> None:
        self.known = known
        self.seed = seed
        self.tree = grow(known)
        self.columns = {column.name: column for column in known.columns}
        self._everything = everything
        self._rows = rows
        self._families = [
            f"row {row}" if placeholder else f"{group} {path}"
            for row, (group, path, placeholder) in enumerate(
                zip(known.groups, self.tree.paths, known.placeholders, strict=True)
            )
        ]
        self._amounts = {
            column.name: [column.read(text) for text in known.texts[column.name]]
            for column in known.columns
            if column.kind in ("number", "date")
        }
        for name in self._of_kind("text"):
            self._amounts[_length_of(name)] = [float(len(text.split())) if text else None for text in known.texts[name]]
            self.columns[_length_of(name)] = Column(_length_of(name), "number", number=_COUNT)
        prices = {
            n: a
            for n, a in self._amounts.items()
            if n in known.texts and self.columns[n].kind == "number" and _has_values(a)
        }
        self._rules = amount_rules(prices, {name: self._decimals(name) for name in prices})

    # What is to be made of how many

    @cached_property
    def layout(self) -> Layout:
        sizes = {path: self._sizes(path) for path in self.tree.shares}
        return Layout.plan(self._rows, self.tree.shares, sizes, self.seed)

    def _sizes(self, path: Place) -> dict[int, float]:
        """Of families: the category's own, or those of the widest one that it is in."""
        for start in (path[:end] for end in range(len(path), -1, -1)):
            groups = [self._families[row] for row in self._rows_under(start)]
            if len(set(groups)) >= 2 * K and len(groups) >= _OWN_MARGINAL:
                return family_sizes(groups)
        return family_sizes(self._families)

    def _rows_under(self, start: Place) -> list[int]:
        return [row for row, path in enumerate(self.tree.paths) if path[: len(start)] == start]

    def sharing(self) -> dict[str, float]:
        """By column, and by what else rows draw, how probably a row has its family's."""
        texts: dict[str, Sequence[object]] = {**self.known.texts, **self._amounts}
        texts[self.known.roles["image"]] = self.known.pictures
        for name, rule in self._rules.items():
            if isinstance(rule, Reduced):
                texts[name] = [factor and round(factor, 3) for factor in self._factors(name, rule.source)]
        shared = {name: round(agreement(values, self._families), 3) for name, values in texts.items()}
        gaps = {gap: agreement(self._missing(gap), self._families) for gap in self._gaps.values()}
        return shared | {f"gap {name}": round(share, 3) for name, share in gaps.items()}

    @cached_property
    def placeholder_share(self) -> float:
        """Of rows whose picture stands for none."""
        count = sum(self.known.placeholders)
        return count / len(self.known) if count >= K else 0.0

    # Columns

    def fillers(self) -> dict[str, Filler]:
        """By column, what is followed before what follows."""
        found: dict[str, Filler] = {}
        for names in (self._of_kind("empty", "constant", "picture"), self.tree.columns, self._choices):
            found |= {name: self._simple(name, found) for name in names}
        found |= {name: self._title(name) for name in self._of_kind("title")}
        found |= {
            name: self._number(name) for name in (*self.numbers, *self._rules, *self._amounts) if name not in found
        }
        found |= {name: self._simple(name, found) for name in self._of_kind("category") if name not in found}
        found |= {name: self._code(name) for name in self._of_kind("code")}
        found |= {name: self._mention(name) for name in self._of_kind("words", "text", "link")}
        return {name: self._with_gaps(name, filler) for name, filler in found.items()}

    def _of_kind(self, *kinds: str) -> list[str]:
        return [name for name, column in self.columns.items() if column.kind in kinds]

    @cached_property
    def _choices(self) -> list[str]:
        """Categories outside the tree that no price decides."""
        return [name for name in self._of_kind("category") if name not in self.tree.columns and not self._flag(name)]

    def _flag(self, name: str) -> Flagged | None:
        return flagged(self.known.texts[name], self._amounts, self._rules)

    def _simple(self, name: str, found: Mapping[str, Filler]) -> Filler:
        column = self.columns[name]
        if column.kind in ("empty", "picture"):
            return Constant(None)
        if column.kind == "constant":
            return Constant(next(text for text in self.known.texts[name] if text is not None))
        if name in self.tree.columns:
            return Branch(self.tree.columns.index(name))
        if flag := self._flag(name):
            return Flag(flag.price, flag.source, flag.reduced, flag.whole)
        sources = [*reversed(self.tree.columns), *(n for n in self._choices if n in found)]
        if rule := follows(self._renamed, name, sources):
            return Decided(rule.source, rule.values)
        texts = [text or "" for text in self.known.texts[name]]
        return Choice(name, self._by_category(texts, fallback=""))

    @cached_property
    def _renamed(self) -> dict[str, Sequence[Text]]:
        """Texts, those of the tree as they are to be made."""
        levels = dict(zip(self.tree.columns, zip(*self.tree.paths, strict=True), strict=True))
        return {**self.known.texts, **levels}

    def _by_category(self, values: Sequence[Any], fallback: Any) -> Cells[Any]:
        seen = [
            (contexts(path), value, row)
            for row, (path, value) in enumerate(zip(self.tree.paths, values, strict=True))
            if value is not None
        ]
        return Cells.learn(seen, fallback)

    # Numbers

    @cached_property
    def numbers(self) -> tuple[str, ...]:
        """Columns of numbers and dates that follow from no other."""
        return tuple(
            name for name, amounts in self._amounts.items() if name not in self._rules and _has_values(amounts)
        )

    @property
    def price(self) -> str:
        """The number that the price is, or that it follows from."""
        name = self.known.roles.get("price", "")
        while name in self._rules:
            name = self._rules[name].source
        return name if name in self.numbers else ""

    def _decimals(self, name: str) -> int:
        column = self.columns[name]
        if column.number is not None:
            return column.number.most_decimals
        return 0 if column.date is None or column.date.whole_days else 5

    def _grain(self, name: str, amounts: Sequence[float]) -> Grain:
        if self.columns[name].kind == "date" or not amounts:
            return Grain(self._decimals(name), Cells.learn([], 0))
        return Grain.learn(amounts, self._decimals(name))

    def _number(self, name: str) -> Filler:
        column = self.columns[name]
        if not _has_values(self._amounts[name]):
            return Constant(None)
        rule = self._rules.get(name)
        style = column.number or column.date
        assert style is not None
        if rule is None:
            given = [amount for amount in self._amounts[name] if amount is not None]
            marginals = {start: pair for start, (pair, _) in self._marginals(name).items()}
            return Number(name, style, marginals, self._grain(name, given))
        assert column.number is not None
        if isinstance(rule, Ratio):
            return Computed(name, rule.source, rule.factor, column.number)
        return self._lowered(name, rule, column)

    def _lowered(self, name: str, rule: Reduced, column: Column) -> Lowered:
        assert column.number is not None
        factors = self._factors(name, rule.source)
        is_reduced = self._by_category([factor and factor != 1 for factor in factors], fallback=False)
        changed = [round(factor, 4) for factor in factors if factor and factor != 1]
        reduced = [a for a, f in zip(self._amounts[name], factors, strict=True) if a is not None and f and f != 1]
        marginal = Marginal.learn(changed) if len(changed) >= K else None
        return Lowered(
            name, rule.source, is_reduced, marginal, self._grain(name, reduced), column.number, rule.downwards
        )

    def _factors(self, name: str, source: str) -> list[float | None]:
        pairs = zip(self._amounts[name], self._amounts[source], strict=True)
        return [None if a is None or not b else a / b for a, b in pairs]

    def _marginals(self, name: str) -> dict[Place, tuple[tuple[Marginal, Mixture], NDArray[np.float64]]]:
        """By the beginning of a place, the marginal and the mixture there, and the residuals of its rows."""
        amounts = self._amounts[name]
        given = [row for row, amount in enumerate(amounts) if amount is not None]
        counts = Counter(self.tree.paths[row][:end] for row in given for end in range(len(self.tree.columns) + 1))
        starts: dict[Place, None] = {
            start: None for start, count in counts.items() if count >= _OWN_MARGINAL or not start
        }
        found = {}
        for start in starts:
            own = [row for row in given if nearest(self.tree.paths[row], starts) == start]
            chosen = own if len(own) >= _LEAST_OWN else [r for r in given if self.tree.paths[r][: len(start)] == start]
            values = np.array([amounts[row] for row in chosen], np.float64)
            scores = normal_scores(values)
            by_path: dict[Place, list[float]] = {}
            for row, score in zip(chosen, scores.tolist(), strict=True):
                by_path.setdefault(self.tree.paths[row], []).append(score)
            shares = {p: share for p, share in self.tree.shares.items() if nearest(p, starts) == start}
            mixture = Mixture.learn(by_path, shares)
            residuals = np.full(len(self.known), np.nan)
            owned = set(own)
            for row, score in zip(chosen, scores.tolist(), strict=True):
                if row in owned:
                    residuals[row] = mixture.residual(self.tree.paths[row], score)
            found[start] = ((Marginal.learn(values.tolist()), mixture), residuals)
        return found

    @cached_property
    def _residuals(self) -> NDArray[np.float64]:
        """(N, C) float64, of the columns `numbers`; NaN where one is missing."""
        found = np.full((len(self.known), len(self.numbers)), np.nan)
        for place, name in enumerate(self.numbers):
            for _, residuals in self._marginals(name).values():
                known = ~np.isnan(residuals)
                found[known, place] = residuals[known]
        return found

    @cached_property
    def _titles(self) -> list[str]:
        return [text or "" for text in self.known.texts[self.known.roles["title"]]]

    @cached_property
    def _effects(self) -> Effects:
        """By ridge regression of the residuals on the words that at least K titles have, and on their number."""
        return learn_effects(self._titles, self.tree.paths, self.numbers, self._residuals)

    @cached_property
    def _unexplained(self) -> NDArray[np.float64]:
        """(N, C) float64: the residuals without what titles say about them."""
        rows = zip(self._titles, self.tree.paths, strict=True)
        told = [self._effects.told(title.split(" "), path) for title, path in rows]
        return self._residuals - np.array(told).reshape(self._residuals.shape)

    def factor(self) -> tuple[tuple[float, ...], ...]:
        return correlated(self._unexplained) if self.numbers else ()

    def kinship(self) -> tuple[float, ...]:
        """By number, the share between families of the variance that neither category nor title explain."""
        return tuple(_between(column, self._families) for column in self._unexplained.T)

    # Texts

    @cached_property
    def _guard(self) -> Guard:
        """Against all words of the original."""
        texts = [text for name in self.known.texts for text in self._everything.texts[name] if text is not None]
        return Guard.over({core for text in texts for core in _CORE.findall(text)})

    def _title(self, name: str) -> Filler:
        phrases = Phrases.learn(self._titles, self.tree.paths, "title", owners=[t.casefold() for t in self._titles])
        guard = Guard.over({text or "" for text in self._everything.texts[name]})
        dice = Dice(self.seed, "titles to be made")
        places = [self.layout.family(dice.below(self._rows)).path for _ in range(_NUM_TRIAL_TITLES)]
        made = [[word.text for word in phrases.draw(dice, place)] for place in places]
        return Title(name, phrases, guard, self._guard, balanced(self._effects, made, places))

    def _code(self, name: str) -> Code:
        codes = [text or "" for text in self.known.texts[name]]
        marked, slug = self._with_title_marked(codes, range(len(codes)))
        split = _prefixes(marked)
        tails = Phrases.learn([tail for _, tail in split], self.tree.paths, "path", owners=codes, keep_words=False)
        guard = Guard.over({text or "" for text in self._everything.texts[name]})
        num_characters = len(str(Code.NUM_TRIES * self._rows))
        prefixes = self._by_category([prefix for prefix, _ in split], "")
        return Code(name, prefixes, tails, guard, num_characters, slug)

    def _with_title_marked(self, texts: Sequence[str], rows: Sequence[int]) -> tuple[list[str], Slug | None]:
        """Titles, as links write them, replaced by a mark, if most texts hold theirs; and how they write them."""
        for between in ("-", "_", "+", "%20", " ", ""):
            for case in _CASES:
                slug = Slug(self.known.roles["title"], between, case)
                written = [slug.write(self._titles[row]) for row in rows]
                marked = [_marked(text, title, TITLE_MARK) for text, title in zip(texts, written, strict=True)]
                if _mostly(marked, TITLE_MARK):
                    return marked, slug
        return list(texts), None

    def _with_words_marked(self, texts: Sequence[str], rows: Sequence[int]) -> tuple[list[str], Slug]:
        """Words of the titles replaced by marks, in the case in which texts hold most of them."""
        found: dict[Slug, list[str]] = {}
        for case in _CASES:
            slug = Slug(self.known.roles["title"], "", case)
            words = [slug.words(self._titles[row]) for row in rows]
            found[slug] = [_words_marked(text, title) for text, title in zip(texts, words, strict=True)]
        slug = max(found, key=lambda slug: sum(text != marked for text, marked in zip(texts, found[slug], strict=True)))
        return found[slug], slug

    def _mention(self, name: str) -> Mention:
        column = self.columns[name]
        rows = [row for row, text in enumerate(self.known.texts[name]) if text is not None]
        if len(rows) > _MOST_TEXTS:
            rows = sorted(random.Random(self.seed).sample(rows, _MOST_TEXTS))
        texts = owners = [self.known.texts[name][row] or "" for row in rows]
        if column.kind == "link":
            texts = [LINK.sub("", text, count=1) for text in texts]
        slug = Slug(self.known.roles["title"], "", "as it is")
        if column.kind != "text":
            texts, whole = self._with_title_marked(texts, rows)
            texts, slug = (texts, whole) if whole is not None else self._with_words_marked(texts, rows)
        code = self.known.roles.get("product_code")
        if code is not None:
            codes = self.known.texts[code]
            marked = [_marked(text, codes[row], CODE_MARK) for row, text in zip(rows, texts, strict=True)]
            texts, code = (marked, code) if _mostly(marked, CODE_MARK) else (texts, None)
        build: Build = (
            "text" if column.kind == "text" else "path" if column.kind == "link" or _is_path(texts) else "title"
        )
        hints = [0 if build == "text" else len(slug.words(self._titles[row])) for row in rows]
        places = [self.tree.paths[row] for row in rows]
        phrases = Phrases.learn(texts, places, build, owners=owners, hints=hints)
        length = _length_of(name) if _length_of(name) in self.numbers else None
        return Mention(name, phrases, self._guard, column.kind == "link", slug, code, length)

    # Gaps

    @cached_property
    def _gaps(self) -> dict[str, str]:
        """By column with gaps, the first column that has the same ones."""
        first: dict[tuple[bool, ...], str] = {}
        found = {}
        for name, column in self.columns.items():
            if name in self.known.texts and column.kind in ("number", "date", "words", "text", "link", "constant"):
                missing = tuple(self._missing(name))
                if sum(missing) >= K:
                    found[name] = first.setdefault(missing, name)
        return found

    def _missing(self, name: str) -> list[bool]:
        amounts = self._amounts.get(name)
        return [value is None for value in (self.known.texts[name] if amounts is None else amounts)]

    def _with_gaps(self, name: str, filler: Filler) -> Filler:
        if name not in self._gaps:
            return filler
        gap = self._gaps[name]
        return Gappy(filler, f"gap {gap}", self._by_category(self._missing(gap), fallback=False))

    # Pictures

    def looks(self) -> Looks:
        rows = list(range(len(self.known)))
        if len(rows) > _MOST_PICTURES:
            rows = sorted(random.Random(self.seed).sample(rows, _MOST_PICTURES))
        frames = [read_frame(self.known.folder / self.known.pictures[row]) for row in rows]
        shares: Counter[str] = Counter()
        for path, share in self.tree.shares.items():
            shares[path[self.tree.shown]] += share  # type: ignore[assignment]
        ranked = [name for name, _ in shares.most_common()]
        return Looks.learn(frames, [self.tree.paths[row] for row in rows], ranked)

    # For others

    def type_of(self, name: str) -> type:
        """int or float where every text is just what Python would write for one."""
        texts = [text for text in self.known.texts[name] if text is not None]
        for kind, pattern in ((int, r"0|-?[1-9]\d{0,17}"), (float, r"-?\d{1,15}\.\d{1,8}")):
            if texts and all(re.fullmatch(pattern, text) and str(kind(text)) == text for text in texts):
                return kind
        return str

    def facts(self, fillers: Mapping[str, Filler]) -> dict[str, Any]:
        """For manifest.json: what was learned, in short."""
        return {
            "k": K,
            "num_learned_from": len(self.known),
            "num_suppressed": self.tree.num_suppressed + sum(map(_num_suppressed, fillers.values())),
            "columns": {name: self.columns[name].kind for name in self.known.texts},
            "rules": {name: str(rule) for name, rule in self._rules.items()},
            "categories": {" / ".join(path): round(share, 4) for path, share in self.tree.shares.items()},
        }


def _length_of(name: str) -> str:
    """What the number of words of a long text is called, among a row's numbers."""
    return f"words of {name}"


def _has_values(amounts: Sequence[float | None]) -> bool:
    return sum(amount is not None for amount in amounts) >= 2 * K


def _between(residuals: NDArray[np.float64], groups: Sequence[str]) -> float:
    """One-way analysis of variance: the share that is between groups; 0 where fewer than K have two members or more."""
    members: dict[str, list[float]] = {}
    for value, group in zip(residuals.tolist(), groups, strict=True):
        if value == value:
            members.setdefault(group, []).append(value)
    several = [values for values in members.values() if len(values) > 1]
    if len(several) < K:
        return 0.0
    within = fmean(float(np.var(values, ddof=1)) for values in several)
    total = float(np.nanvar(residuals))
    return min(max(1 - within / total, 0.0), 0.999) if total > 0 else 0.0


def _prefixes(codes: Sequence[str]) -> list[tuple[str, str]]:
    """What at least K codes begin with, up to a sign (or, of numbers, what all do), and the rest of each."""
    if all(code.isdecimal() for code in codes):
        shared = _num_shared(codes)
        return [(code[:shared], code[shared:]) for code in codes]
    ends = [[found.end() for found in SIGNS.finditer(code)] for code in codes]
    counts = Counter(code[:end] for code, found in zip(codes, ends, strict=True) for end in found)
    kept = [
        max((end for end in found if counts[code[:end]] >= K and end < len(code)), default=0)
        for code, found in zip(codes, ends, strict=True)
    ]
    return [(code[:end], code[end:]) for code, end in zip(codes, kept, strict=True)]


def _num_shared(codes: Sequence[str]) -> int:
    """Characters that all of them begin with."""
    first, last = min(codes), max(codes)
    return next((place for place, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))


def _marked(text: str, mentioned: Text, mark: str) -> str:
    return text.replace(mentioned, mark, 1) if mentioned and len(mentioned) > 1 else text


def _words_marked(text: str, title: Sequence[str]) -> str:
    marks = dict(zip(title[::-1], WORD_MARKS[: len(title)][::-1], strict=False))  # of equal words the first one counts
    return re.sub(r"[A-Za-z0-9]+", lambda found: marks.get(found[0], found[0]), text)


def _mostly(texts: Sequence[str], mark: str) -> bool:
    return sum(mark in text for text in texts) * 2 > len(texts)


def _is_path(texts: Sequence[str]) -> bool:
    return fmean("/" in text or "_" in text for text in texts) > 0.5


def _num_suppressed(filler: Filler) -> int:
    held = [value for value in vars(filler).values() if hasattr(value, "num_suppressed")]
    inner = [value for value in vars(filler).values() if hasattr(value, "fill")]
    return sum(value.num_suppressed for value in held) + sum(map(_num_suppressed, inner))
