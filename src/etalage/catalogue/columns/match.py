"""Which column of a table holds what: as the user says, by a known export's format, by headers, else by cells."""

import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from etalage.catalogue.columns.content import ColumnProfile, disagrees, find_by_content, looks_like
from etalage.catalogue.columns.exports import ShopExport, columns_like, find_export
from etalage.catalogue.columns.headers import (
    KNOWN_COLUMNS,
    is_certain,
    leaves_tax_open,
    normalize,
    rank,
    read_header,
    says_with_tax,
    speaks_against,
)
from etalage.catalogue.columns.options import join_names, parse_column_options, require_column, suggest
from etalage.catalogue.columns.questions import OpenRole, refusal
from etalage.errors import EtalageError
from etalage.task import Field, plain_answer

__all__ = ["RESERVED_COLUMNS", "ColumnMatch", "match_columns"]

RESERVED_COLUMNS = frozenset(
    (
        *(
            "source_row",
            "product_code",
            "file_name",
            "image",
            "split",
            "group",
            "group_reason",
            "placeholder",
            "question",
        ),
        *("image_sha256", "image_width", "image_height"),
    )
)
"""The columns that a catalogue has or may have besides its fields (store.py), so that no field may have these names."""

# What is recognised most surely by its cells leaves fewer columns for the rest.
_CONTENT_ORDER = ("image", "price", "title", "category")
_NUM_EXAMPLES = 2

SampleReader = Callable[[], list[list[Any]]]
"""Reads the first rows of a table, with all columns."""
Chooser = Callable[[Sequence[OpenRole]], Mapping[str, str]]
"""Asks somebody for the columns of roles."""


@dataclass(frozen=True)
class ColumnMatch:
    """The columns that were found for the fields, the picture, the code, the split and the group."""

    columns: dict[str, str]
    """The column by role: a field's name, `image`, `product_code`, `split` or `group`."""
    guessed: frozenset[str]
    """The roles whose column was recognised by its cells, or by a header of which only a part is understood."""
    image_fallbacks: tuple[str, ...] = ()
    """The columns to take pictures from where that of `image` has none, the best first."""
    export: ShopExport | None = None
    """The format of the table, if it is a known one."""
    examples: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Two cells of each guessed column."""


def match_columns(
    names: Sequence[str],
    fields: Sequence[Field],
    overrides: str = "",
    *,
    column: Iterable[str] = (),
    split_column: str = "",
    group_by: str = "",
    read_sample: SampleReader = list,
    choose: Chooser | None = None,
) -> ColumnMatch:
    """Find the column of each field, of the picture, of the code and, if there is one, of split and group.

    Args:
        names: The table's column names.
        fields: The task's fields.
        overrides: Columns that the user states, as in "title=name,image=photo".
        column: More of them, one each, as in "price=Preis, inkl. MwSt."; several of `image` are fallbacks.
        split_column: The column that the user gives for the split; empty for none.
        group_by: The column that the user gives for the group; empty for that of a known export's format.
        read_sample: Reads rows, by which headers are checked.
        choose: Asks which columns are meant where it is not certain; None where nobody can be asked.

    Raises:
        EtalageError: An override names an unknown field or column, or a field or the picture has no column for
            certain. The message names all such roles, and the options to give.
    """
    roles = [*(one.name for one in fields), "image", "product_code"]
    given = parse_column_options(names, roles, overrides, column)
    columns = {role: found[0] for role, found in given.items()}
    fallbacks = given.get("image", [])[1:]
    if split_column:
        columns["split"] = require_column(names, split_column, "--split-column")
    used = [*columns.values(), *fallbacks]
    if repeated := [name for name in used if used.count(name) > 1]:
        users = " and ".join(role for role, name in columns.items() if name == repeated[0])
        raise EtalageError(f"column {repeated[0]!r} is to be {users}; name another one for either")
    finder = _Finder(names, fields, read_sample, columns, fallbacks)
    finder.find_all()
    if finder.open_roles and choose is not None:
        finder.choose(choose)
    if finder.open_roles:
        raise EtalageError(refusal(list(finder.open_roles.values()), finder.way_out()))
    if group_by:
        finder.columns["group"] = require_column(names, group_by, "--group-by")
    ordered = {role: finder.columns[role] for role in [*roles, "split", "group"] if role in finder.columns}
    examples = {role: finder.profiles[ordered[role]].examples(_NUM_EXAMPLES) for role in finder.guessed}
    return ColumnMatch(ordered, frozenset(finder.guessed), tuple(finder.fallbacks), finder.export, examples)


class _Finder:
    """Finds the columns of all roles that the user does not state."""

    def __init__(
        self,
        names: Sequence[str],
        fields: Sequence[Field],
        read_sample: SampleReader,
        columns: dict[str, str],
        fallbacks: list[str],
    ) -> None:
        self.columns, self.fallbacks = columns, fallbacks
        self.guessed: set[str] = set()
        self.open_roles: dict[str, OpenRole] = {}
        self._problems: dict[str, tuple[str, Sequence[str]]] = {}
        self.export = find_export(names)
        self._names = [name for name in names if name]
        self._fields = {one.name: one for one in fields}
        self._roles = [*self._fields, "image", "product_code"]
        rows = read_sample()
        self._has_rows = bool(rows)
        self._cells = {name: [row[index] for row in rows] for index, name in enumerate(names) if name}
        self.profiles = {name: ColumnProfile.of(name, cells) for name, cells in self._cells.items()}

    def find_all(self) -> None:
        """Find the column of each role by the export's format, by headers, then by cells."""
        if self.export is not None:
            self._find_by_export(self.export)
        # Fields that have only their own name choose first, as they have no other choice.
        for role in sorted(self._missing(), key=lambda role: (role in KNOWN_COLUMNS, self._roles.index(role))):
            if role in KNOWN_COLUMNS:
                self._find_by_header(role)
            else:
                self._find_by_own_name(role)
        for kind in _CONTENT_ORDER:
            for role in self._missing():
                if self._kind(role) == kind:
                    self._find_by_cells(role, kind)
        for role in self._missing():
            if role != "product_code":
                looked_for = KNOWN_COLUMNS.get(role, (role,))
                hint = suggest(looked_for, self._free())
                self._open(role, f"no column is called that; looked for {join_names(looked_for)}{hint}")
        # Last, so that it takes no column that may be meant for a role that is open. Without it, rows go by number.
        if "product_code" in self._missing() and not self._problems:
            self._find_by_cells("product_code", "product_code")
        for role in self._roles:
            if role in self._problems:
                problem, first = self._problems[role]
                self.open_roles[role] = OpenRole(role, problem, self._candidates(role, first))

    def choose(self, choose: Chooser) -> None:
        """Ask for the columns of the roles that are open."""
        taken = self._taken()
        still_free = [
            OpenRole(one.role, one.problem, [profile for profile in one.candidates if profile.name not in taken])
            for one in self.open_roles.values()
        ]
        for role, name in choose(still_free).items():
            self.columns[role] = name
            del self.open_roles[role]

    def way_out(self) -> str:
        """Return what to do if the table has no column for a field that is open."""
        kept = [one for name, one in self._fields.items() if name not in self.open_roles]
        if not kept or len(kept) == len(self._fields):
            return ""
        return f"or do without it: --answer {shlex.quote(plain_answer(kept))}"

    def _find_by_export(self, export: ShopExport) -> None:
        for role, patterns in export.columns.items():
            if role in self.columns or (role not in self._roles and role != "group"):
                continue
            found = [name for pattern in patterns for name in columns_like(self._free(), pattern)]
            if role == "image" and found:
                self.columns[role], *self.fallbacks = found
            elif fitting := [name for name in found if self._fits(role, name)]:
                self.columns[role] = fitting[0]

    def _fits(self, role: str, name: str) -> bool:
        """Return whether a column of a known format is filled, and as it should be."""
        return role == "group" or (bool(self.profiles[name].cells) and not disagrees(role, self.profiles[name]))

    def _find_by_own_name(self, role: str) -> None:
        found = [name for name in self._free() if normalize(name) == normalize(role)]
        # Where both `Brand` and `brand` exist, the one spelt exactly as the field is meant.
        exact = [name for name in found if name == role]
        if len(found) > 1 and not exact:
            self._open(role, "several columns are called that", found)
        elif found:
            self.columns[role] = (exact or found)[0]

    def _find_by_header(self, role: str) -> None:
        ranks = {name: found for name in self._free() if (found := rank(read_header(name), role)) is not None}
        # An empty column is no choice where another one has cells.
        filled = {name for name in ranks if self.profiles[name].cells} or set(ranks)
        usable = sorted((name for name in ranks if name in filled), key=lambda name: ranks[name])
        contradicted = [name for name in usable if disagrees(role, self.profiles[name])]
        if role in ("image", "category"):
            # Flags, counts and words of a machine have the name, yet are never what is looked for.
            usable = [name for name in usable if name not in contradicted]
        if not usable:
            if contradicted:
                self._open_contradicted(role, contradicted)
            return
        if role == "image":
            # A second picture may be rare, and its column empty in the first rows.
            empty = sorted((name for name in ranks if name not in filled), key=lambda name: ranks[name])
            self._take_images([*usable, *empty])
            return
        best = [name for name in usable if ranks[name] == ranks[usable[0]]]
        if len(best) > 1:
            known = [name for name in best if name in KNOWN_COLUMNS[role]]
            if len(known) != 1 and not self._are_equal(best):
                if role != "product_code":
                    self._open(role, "several columns may be it", best)
                return
            best = known or best
        # Which price has the tax is not known where a word for "with" or "without" is not.
        unsure = [name for name in usable if role == "price" and leaves_tax_open(read_header(name))]
        if unsure and best[0] not in unsure and not says_with_tax(read_header(best[0])):
            self._open(role, "several columns may be it", [best[0], *unsure])
        elif best[0] in contradicted:
            self._open_contradicted(role, [best[0], *(name for name in usable if name != best[0])])
        elif is_certain(read_header(best[0]), role):
            self.columns[role] = best[0]
        elif looks_like(role, self.profiles[best[0]]) or not (self._has_rows or role == "product_code"):
            self.columns[role] = best[0]
            self.guessed.add(role)
        elif role != "product_code":
            self._open(role, f"{best[0]!r} may be it, but its cells do not look like it", [best[0]])

    def _take_images(self, usable: Sequence[str]) -> None:
        """Take the best image column, and those of further pictures of the product for fallbacks."""
        self.columns["image"] = usable[0]
        if not is_certain(read_header(usable[0]), "image"):
            self.guessed.add("image")
            return
        self.fallbacks = [name for name in usable[1:] if is_certain(read_header(name), "image")]

    def _find_by_cells(self, role: str, kind: str) -> None:
        silent = [self.profiles[name] for name in self._free() if not speaks_against(read_header(name), kind)]
        found = find_by_content(kind, silent)
        if len(found) == 1:
            self.columns[role] = found[0].name
            self.guessed.add(role)
        elif len(found) > 1 and role != "product_code":  # a wrong code only names rows, so it is left out
            self._open(role, "no column is called that, and several look like it", [one.name for one in found])

    def _open_contradicted(self, role: str, names: Sequence[str]) -> None:
        self._open(role, f"{names[0]!r} is called that, but its cells do not look like it", names)

    def _open(self, role: str, problem: str, first: Sequence[str] = ()) -> None:
        """Record that a role has no column for certain."""
        if role != "product_code":
            self._problems[role] = (problem, first)

    def _candidates(self, role: str, first: Sequence[str]) -> Sequence[ColumnProfile]:
        """Return the columns to offer for a role: those that may be it, else those that look like it, else all."""
        kind = self._kind(role)
        offered = [self.profiles[name] for name in first]
        if len(first) > 1:
            return offered
        others = [self.profiles[name] for name in self._free() if name not in first]
        alike = [profile for profile in others if looks_like(kind, profile)]
        found = [*offered, *(alike or others)]
        # A column of lists or objects cannot be read as anything but pictures.
        return [one for one in found if kind == "image" or not one.cells or not all(map(_is_nested, one.cells))]

    def _kind(self, role: str) -> str:
        """Return what the cells of a role are; the role itself if they have no look of their own."""
        is_price = role in self._fields and self._fields[role].kind == "price"
        return "price" if is_price else role

    def _missing(self) -> list[str]:
        return [role for role in self._roles if role not in self.columns and role not in self._problems]

    def _taken(self) -> set[str]:
        return {*(name for role, name in self.columns.items() if role != "group"), *self.fallbacks}

    def _free(self) -> list[str]:
        taken = self._taken()
        return [name for name in self._names if name not in taken]

    def _are_equal(self, names: Sequence[str]) -> bool:
        """Return whether columns have the same cells, so that it does not matter which one is taken."""
        first, *others = (self._cells[name] for name in names)
        return bool(first) and all(other == first for other in others)


def _is_nested(cell: Any) -> bool:
    return isinstance(cell, list | dict | bytes)
