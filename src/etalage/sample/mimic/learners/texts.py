"""Learn titles, codes, and texts that may mention them."""

import random
from collections.abc import Sequence
from functools import cached_property
from statistics import fmean

from etalage.sample.mimic.effects import Effects
from etalage.sample.mimic.families import Layout
from etalage.sample.mimic.fillers.codes import Code
from etalage.sample.mimic.fillers.texts import CODE_MARK, FreeText, Slug, Title
from etalage.sample.mimic.forbidden import ForbiddenTexts
from etalage.sample.mimic.keyed_rng import KeyedRng
from etalage.sample.mimic.learners.analysis import Analysis, length_name
from etalage.sample.mimic.learners.marks import mark, mark_title_words, mark_titles, mentions_mark, split_prefixes
from etalage.sample.mimic.original import LINK
from etalage.sample.mimic.phrases import Build, Phrases
from etalage.sample.mimic.words import WORD_CORE

__all__ = ["TextLearner"]

_MAX_TEXTS = 5_000
"""Texts of a column that are learned from."""
_NUM_TRIAL_TITLES = 1_000


class TextLearner:
    """Learns the columns of texts.

    Args:
        analysis: The original's rows.
        layout: The rows to make.
        effects: What titles say about numbers.
    """

    def __init__(self, analysis: Analysis, layout: Layout, effects: Effects) -> None:
        self._analysis = analysis
        self._layout = layout
        self._effects = effects
        self._title_column = analysis.known.roles["title"]

    def title(self, name: str) -> Title:
        """Return the filler of the title's column."""
        titles = self._analysis.titles
        # Titles that differ in case only are one owner: K spellings of one title must not make its words common.
        phrases = Phrases.learn(titles, self._analysis.tree.paths, "title", owners=[t.casefold() for t in titles])
        rng = KeyedRng(self._analysis.seed, "titles to be made")
        paths = [self._layout.family_of(rng.randbelow(self._analysis.num_rows)).path for _ in range(_NUM_TRIAL_TITLES)]
        # Shapes need not be spelled here: a word that was invented has no effect that is known.
        trial = [[word.text for word in phrases.draw(rng, path)] for path in paths]
        # New titles have other words than the original's, so their mean effect is measured on a sample of them.
        effects = self._effects.standardize(trial, paths)
        return Title(name, phrases, self._forbid_texts_of(name), self._forbidden_words, effects)

    def code(self, name: str) -> Code:
        """Return the filler of a column of codes."""
        codes = [text or "" for text in self._analysis.known.texts[name]]
        marked, slug = mark_titles(codes, self._analysis.titles, self._title_column)
        split = split_prefixes(marked)
        # Of a code only signs and shapes are kept: a part of it may be a serial number that identifies a product.
        tails = Phrases.learn(
            [tail for _, tail in split], self._analysis.tree.paths, "path", owners=codes, keep_words=False
        )
        return Code(
            name=name,
            prefixes=self._analysis.count_by_category([prefix for prefix, _ in split], ""),
            tails=tails,
            codes=self._forbid_texts_of(name),
            num_characters=len(str(Code.NUM_TRIES * self._analysis.num_rows)),
            slug=slug,
        )

    def free_text(self, name: str) -> FreeText:
        """Return the filler of a column of links, paths, descriptions or other words."""
        analysis = self._analysis
        kind = analysis.columns[name].kind
        rows = self._rows_with_text(name)
        titles = [analysis.titles[row] for row in rows]
        # Owners are the unmarked texts, since texts become alike once their titles are marks.
        texts = owners = [analysis.known.texts[name][row] or "" for row in rows]
        if kind == "link":
            texts = [LINK.sub("", text, count=1) for text in texts]
        texts, slug = self._mark_title(texts, titles, kind)
        texts, code = self._mark_code(texts, rows)
        build: Build = "text" if kind == "text" else "path" if kind == "link" or _are_paths(texts) else "title"
        phrases = Phrases.learn(
            texts,
            [analysis.tree.paths[row] for row in rows],
            build,
            owners=owners,
            # Paths that hold the title's words have as many words more.
            num_title_words=[0 if build == "text" else len(slug.words(title)) for title in titles],
        )
        length = length_name(name) if length_name(name) in analysis.numbers else None
        return FreeText(name, phrases, self._forbidden_words, kind == "link", slug, code, length)

    @cached_property
    def _forbidden_words(self) -> ForbiddenTexts:
        """All words of the original, those of the test split included."""
        columns = [self._analysis.everything.texts[name] for name in self._analysis.known.texts]
        texts = [text for column in columns for text in column if text is not None]
        return ForbiddenTexts.from_texts({core for text in texts for core in WORD_CORE.findall(text)})

    def _forbid_texts_of(self, name: str) -> ForbiddenTexts:
        return ForbiddenTexts.from_texts({text or "" for text in self._analysis.everything.texts[name]})

    def _rows_with_text(self, name: str) -> list[int]:
        rows = [row for row, text in enumerate(self._analysis.known.texts[name]) if text is not None]
        if len(rows) > _MAX_TEXTS:
            rows = sorted(random.Random(self._analysis.seed).sample(rows, _MAX_TEXTS))
        return rows

    def _mark_title(self, texts: list[str], titles: Sequence[str], kind: str) -> tuple[list[str], Slug]:
        if kind == "text":  # descriptions mention a title's words by chance
            return texts, Slug(self._title_column, "", "unchanged")
        marked, slug = mark_titles(texts, titles, self._title_column)
        return (marked, slug) if slug is not None else mark_title_words(texts, titles, self._title_column)

    def _mark_code(self, texts: list[str], rows: Sequence[int]) -> tuple[list[str], str | None]:
        code = self._analysis.known.roles.get("product_code")
        if code is None:
            return texts, None
        codes = self._analysis.known.texts[code]
        marked = [mark(text, codes[row], CODE_MARK) for row, text in zip(rows, texts, strict=True)]
        return (marked, code) if mentions_mark(marked, CODE_MARK) else (texts, None)


def _are_paths(texts: Sequence[str]) -> bool:
    return fmean("/" in text or "_" in text for text in texts) > 0.5
