"""The rows of a catalogue that resembles another one."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

from etalage.sample.appearance import Rgb
from etalage.sample.mimic.appearances import Appearances, recolour
from etalage.sample.mimic.families import Family, Layout
from etalage.sample.mimic.fillers.draft import Draft, Filler
from etalage.sample.mimic.fillers.texts import FreeText
from etalage.sample.mimic.keyed_rng import KeyedRng
from etalage.sample.mimic.original import Text
from etalage.sample.rows import Picture, Row, Scalar

__all__ = ["VERSION", "Mimic"]

VERSION = 1
"""The same catalogue, seed and version give the same rows."""

_NORMAL = NormalDist()


@dataclass(frozen=True)
class Mimic:
    """Rows of a new catalogue that resembles the learned one. Implements `rows.Rows`."""

    seed: int
    roles: Mapping[str, str]
    column_order: tuple[str, ...]
    """The table's columns."""
    fillers: Mapping[str, Filler]
    """In an order in which each follows what it depends on."""
    column_types: Mapping[str, type]
    """By column, the type of its values: int, float or str."""
    layout: Layout
    sharing: Mapping[str, float]
    """By column, the probability that a row has its family's value."""
    numbers: tuple[str, ...]
    correlation_factor: tuple[tuple[float, ...], ...]
    """Correlates independent normal numbers as the columns `numbers` are correlated."""
    family_variance_shares: tuple[float, ...]
    """By number, the share of the variance within a category that is between families."""
    appearances: Appearances
    picture_level: int
    """The level of the category tree that pictures have to show."""
    placeholder_share: float
    price_number: str
    """The number that appearances follow from; empty if there is none."""
    learned: Mapping[str, Any]
    """A summary of what was learned, for the manifest."""

    @property
    def columns(self) -> Mapping[str, str]:
        """The table's column for each of a catalogue's roles."""
        return self.roles

    def make(self, number: int, *, code: int | None = None, recolour: int = 0) -> Row:
        """Make a row; the same arguments give the same row.

        Args:
            number: Number of the row, from 0.
            code: Number of the row whose product code this one gets; None for its own.
            recolour: If not 0, the same product in another colour and in a picture of its own.

        Returns:
            The row.
        """
        draft = self._draft(number)
        # The order of fillers is the order of dependence: each finds in the draft what it follows from.
        for name, filler in self.fillers.items():
            draft.texts[name] = filler.fill(draft)
        if code is not None and "product_code" in self.roles:
            self._replace_code(draft, self._draft(code))
        record = {name: self._typed(name, draft.texts[name]) for name in self.column_order}
        return Row(record, *self._picture(draft, recolour))

    def manifest(self) -> dict[str, Any]:
        """Return what manifest.json says about how the rows were made: version, seed, laws."""
        return {"kind": "mimic", "version": VERSION, "seed": self.seed, **self.learned}

    def _draft(self, row: int) -> Draft:
        family = self.layout.family_of(row)
        return Draft(self.seed, row, family, self.sharing, self._residuals(row, family))

    def _replace_code(self, draft: Draft, other: Draft) -> None:
        """Give a row another row's code, also in the texts that mention it."""
        name, title = self.roles["product_code"], self.roles["title"]
        # The code may mention the title, so that comes first.
        other.texts[title] = self.fillers[title].fill(other)
        draft.texts[name] = self.fillers[name].fill(other)
        for mentioning, filler in self.fillers.items():
            if isinstance(filler, FreeText) and filler.code == name:
                draft.texts[mentioning] = filler.fill(draft)

    def _residuals(self, row: int, family: Family) -> dict[str, float]:
        """Return, by number, a normal number; those of a family's rows are correlated or equal."""
        shared = self._correlated_normals(KeyedRng(self.seed, "numbers of family", family.number))
        if family.member == 0:
            return dict(zip(self.numbers, shared, strict=True))
        own = self._correlated_normals(KeyedRng(self.seed, "numbers of row", row))
        rng = KeyedRng(self.seed, "equal numbers", row)
        return {
            # Roots of the shares, so that the variance of the sum stays 1 and that between families is as learned.
            name: ours if rng.uniform() < self.sharing[name] else math.sqrt(share) * ours + math.sqrt(1 - share) * mine
            for name, ours, mine, share in zip(self.numbers, shared, own, self.family_variance_shares, strict=True)
        }

    def _correlated_normals(self, rng: KeyedRng) -> list[float]:
        independent = [rng.normal() for _ in self.numbers]
        return [sum(a * b for a, b in zip(row, independent, strict=True)) for row in self.correlation_factor]

    def _typed(self, name: str, text: Text) -> Scalar:
        return None if text is None or name == self.roles.get("image") else self.column_types[name](text)

    def _picture(self, draft: Draft, number: int) -> tuple[Picture, dict[str, Scalar]]:
        """Draw a row's picture, in another colour if the number is not 0; return its attributes, too."""
        from etalage.sample.draw import SUFFIXES, draw  # loads libvips, which learning does not need

        path, category = draft.path, draft.path[self.picture_level]
        # After the title has shifted the residuals, so that the picture follows from the price that is written.
        price_rank = _NORMAL.cdf(draft.residuals[self.price_number]) if self.price_number else 0.5
        title = " ".join(draft.title_words)
        rng = draft.rng(self.roles["image"])  # the family's, if the row shows the family's picture
        shared_rng = KeyedRng(self.seed, "looks", draft.family.number)
        # A recoloured variant is a product with a picture of its own, never a placeholder.
        is_placeholder = (
            number == 0 and KeyedRng(self.seed, "placeholder", draft.row).uniform() < self.placeholder_share
        )
        if is_placeholder:  # all placeholders are one picture
            path, category, price_rank, title = (), "", 0.5, ""
            rng, shared_rng = KeyedRng(self.seed, "placeholder"), KeyedRng(self.seed, "placeholder")
        # The appearance draws from the stream before the scene does: another order gives other pictures.
        appearance = self.appearances.appearance(category, title, price_rank, shared_rng, rng)
        scene = self.appearances.scene(path, rng)
        if number:
            appearance = recolour(appearance, number)
        attributes: dict[str, Scalar] = {
            "row": draft.row,
            "family": draft.family.number,
            "worth": round(price_rank, 4),
            "placeholder": is_placeholder,
        }
        attributes |= {name: value for name, value in vars(appearance).items() if isinstance(value, str)}
        attributes |= {"colour": _hex(appearance.colour), "accent": _hex(appearance.accent)}
        return Picture(draw(appearance, scene), SUFFIXES[scene.format]), attributes


def _hex(colour: Rgb) -> str:
    return "#" + bytes(colour).hex()
