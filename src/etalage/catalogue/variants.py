"""Rows of a shop's export -> rows that stand for themselves: a variant takes what it lacks from its product."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from etalage.catalogue.columns import VariantLayout, columns_like
from etalage.catalogue.missing import is_empty_cell
from etalage.catalogue.readers.raw_table import UnreadableRow

__all__ = ["JoinedRow", "VariantJoiner"]

MAX_BLOCK_ROWS = 10_000
"""The most rows of a product that are held until its last one is read."""


_RawRow = dict[str, Any] | UnreadableRow


class JoinedRow(NamedTuple):
    """A row with what it takes from its product."""

    cells: dict[str, Any]
    """The cells by role, without `image`."""
    images: list[Any]
    """The cells with pictures, the best first."""
    group: str
    """The name that the variants of a product share."""


@dataclass
class _Product:
    """What variants take from the row of their product."""

    cells: dict[str, Any]
    group: str
    shared_images: list[Any] = field(default_factory=list)


class VariantJoiner:
    """Joins the rows of one product, as a shop system lays them out.

    It keeps the row of each product that others may refer to, so it takes memory for each product of the table. Where a
    product's rows are no block, its own row may come after its variants, so that `learn` reads the table first.

    Args:
        layout: How the rows belong together.
        names: The table's column names.
        columns: The column by role.
        images: The columns with pictures, the best first.
    """

    def __init__(
        self, layout: VariantLayout, names: Sequence[str], columns: Mapping[str, str], images: Sequence[str]
    ) -> None:
        self._layout, self._columns, self._images = layout, columns, images
        self._parent = next(iter(columns_like(names, layout.parent)), "") if layout.parent else ""
        self._kind = next(iter(columns_like(names, layout.kind)), "") if layout.kind else ""
        self._own_names = [
            (name, prefix) for pattern, prefix in layout.own_names.items() for name in columns_like(names, pattern)
        ]
        self._evidence = [name for pattern in layout.evidence for name in columns_like(names, pattern)]
        self._shared = {*columns_like(names, layout.shared_images)} if layout.shared_images else set(images)
        self._products: dict[str, _Product] = {}
        wanted = [*columns.values(), *images, self._parent, self._kind, *self._evidence]
        self.group_column = self._parent or next((name for name, _ in self._own_names), "")
        """The column behind `JoinedRow.group`; empty if there is none."""
        self.columns: list[str] = list(dict.fromkeys(filter(None, [*wanted, *(name for name, _ in self._own_names)])))
        """The columns to read."""

    def learn(self, rows: Iterator[list[Any] | UnreadableRow]) -> None:
        """Keep the products of a table whose rows stand in any order.

        Args:
            rows: The cells of `columns`.
        """
        for cells in rows if self._parent and not self._layout.is_block else ():
            if not isinstance(cells, UnreadableRow):
                self._register(dict(zip(self.columns, cells, strict=True)))

    def join(self, rows: Iterator[list[Any] | UnreadableRow]) -> Iterator[JoinedRow | UnreadableRow]:
        """Yield a row for each row, in the same order.

        Args:
            rows: The cells of `columns`.
        """
        block: list[_RawRow] = []
        for cells in rows:
            row = cells if isinstance(cells, UnreadableRow) else dict(zip(self.columns, cells, strict=True))
            if block and (len(block) >= MAX_BLOCK_ROWS or self._starts_block(block, row)):
                yield from self._finish(block)
                block = []
            block.append(row)
        yield from self._finish(block)

    def _starts_block(self, block: Sequence[_RawRow], row: _RawRow) -> bool:
        first = block[0]
        if not self._layout.is_block or isinstance(row, UnreadableRow) or isinstance(first, UnreadableRow):
            return True
        if self._kind:
            return _text(row[self._kind]).casefold() == "product"
        return _text(row[self._parent]) != _text(first[self._parent])

    def _finish(self, block: Sequence[_RawRow]) -> Iterator[JoinedRow | UnreadableRow]:
        """Yield the rows of a block; its first row is the product's, and its rows of pictures add to that."""
        known = [row for row in block if not isinstance(row, UnreadableRow)]
        product = self._register(known[0]) if known else None
        if product is not None and self._layout.is_block:
            pictures = [row[name] for row in known[1:] if self._refused(row) for name in self._images]
            product.shared_images += filter(_has_value, pictures)
        for row in block:
            if isinstance(row, UnreadableRow):
                yield row
            elif problem := self._refused(row):
                yield problem
            elif self._layout.is_block:
                yield self._join_row(row, product)
            else:
                yield self._join_row(row, self._products.get(_text(row[self._parent])) if self._parent else None)

    def _register(self, row: Mapping[str, Any]) -> _Product:
        """Keep a row for its variants; a later row of the same name takes what it lacks from the first."""
        keys = [prefix + _text(row[name]) for name, prefix in self._own_names if _has_value(row[name])]
        if known := next((self._products[key] for key in keys if key in self._products), None):
            return known
        cells = {role: row[name] for role, name in self._columns.items() if role in self._layout.inherited}
        images = [row[name] for name in self._images if name in self._shared and _has_value(row[name])]
        product = _Product(cells, keys[0] if keys else "", images)
        self._products.update(dict.fromkeys(keys, product))
        return product

    def _join_row(self, row: Mapping[str, Any], product: _Product | None) -> JoinedRow:
        cells = {role: row[name] for role, name in self._columns.items() if role != "image"}
        images = [row[name] for name in self._images if name not in self._shared]
        own_shared = [row[name] for name in self._images if name in self._shared]
        parent = _text(row[self._parent]) if self._parent else ""
        if product is None:
            own = next((prefix + _text(row[name]) for name, prefix in self._own_names if _has_value(row[name])), "")
            return JoinedRow(cells, [*images, *own_shared], parent or own)
        for role, cell in product.cells.items():
            if role in cells and not _has_value(cells[role]):
                cells[role] = cell
        # With columns of their own, variants show these first, then the product's; without, those of their row.
        is_split = bool(self._layout.shared_images)
        shared = [*product.shared_images, *own_shared] if is_split else [*own_shared, *product.shared_images]
        for cell in shared:
            if cell not in images:
                images.append(cell)
        return JoinedRow(cells, images, product.group or parent)

    def _refused(self, row: Mapping[str, Any]) -> UnreadableRow | None:
        """Return why a row is no product; None if it is one."""
        layout, kind = self._layout, _text(row[self._kind]).casefold() if self._kind else ""
        if kind in layout.picture_kinds or (
            self._evidence and not any(_has_value(row[name]) for name in self._evidence)
        ):
            return UnreadableRow("row_only_picture", "the row only adds a picture or a text to the product above it")
        if kind in layout.other_kinds:
            return UnreadableRow("row_no_product", f"the row is a {kind}, no product")
        price = self._columns.get("price")
        if kind in layout.parent_kinds and price and not _has_value(row[price]):
            return UnreadableRow("row_joins_variants", f"the row is {kind}: it joins variants and has no price itself")
        return None


def _has_value(cell: Any) -> bool:
    return not is_empty_cell(cell)


def _text(cell: Any) -> str:
    return "" if not _has_value(cell) else str(cell).strip()
