"""Which column of a table holds what: recognised by its name, else by its cells (column_content.py)."""

import difflib
import shlex
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from etalage.catalogue.column_content import ColumnProfile, match_by_content
from etalage.errors import EtalageError
from etalage.task import Field, plain_answer

__all__ = ["KNOWN_COLUMNS", "RESERVED_COLUMNS", "ColumnMatch", "match_columns"]

# `category3_code`, `full_price` and `imageurl` are the Burberry dataset's, which needs no options; `__key__` is what
# WebDataset calls the name that the files of a sample share.
KNOWN_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "title": (
        *("title", "name", "product_name", "product_title", "product", "item_name"),
        *("titre", "nom", "nom_produit", "libelle", "designation"),
        *("titel", "bezeichnung", "produktname", "artikelname", "produktbezeichnung", "artikelbezeichnung"),
        *("titulo", "nombre", "nombre_producto", "titolo", "nome", "nome_prodotto", "denominazione"),
    ),
    "category": (
        *("category3_code", "category", "product_type", "type", "product_category", "google_product_category"),
        *("categorie", "categorie_produit", "kategorie", "produktkategorie", "warengruppe", "produkttyp", "typ"),
        *("categoria", "categoria_producto", "categoria_prodotto", "tipo", "label"),
    ),
    "price": (
        *("full_price", "price", "amount", "list_price", "retail_price", "unit_price"),
        *("prix", "prix_ttc", "montant", "tarif", "preis", "verkaufspreis", "listenpreis", "bruttopreis"),
        *("precio", "precio_venta", "importe", "prezzo", "prezzo_vendita", "importo"),
    ),
    "image": (
        *("image", "image_path", "image_file", "picture", "file_name", "imageurl", "image_url", "image_link"),
        *("main_image", "image_src", "picture_url", "photo", "photo_url", "img", "img_url", "img_path"),
        *("images", "image_urls", "pictures", "photos", "url_image", "lien_image", "image_principale"),
        *("bild", "bilder", "bild_url", "bilddatei", "bildpfad", "bildlink", "produktbild", "foto", "foto_url"),
        *("imagen", "url_imagen", "enlace_imagen", "immagine", "url_immagine", "link_immagine"),
    ),
    "product_code": (
        *("product_code", "sku", "code", "id", "product_id", "item_id", "ean", "gtin", "upc", "asin", "barcode"),
        *("article_number", "uniq_id", "reference", "ref", "code_produit", "code_article"),
        *("artikelnummer", "artikelnr", "produktnummer", "bestellnummer", "codigo", "codigo_producto"),
        *("referencia", "codice", "codice_prodotto", "codice_articolo", "riferimento", "__key__"),
    ),
}
"""The names by which a column is recognised, the preferred one first. Case, accents, spaces and punctuation do not
matter. Fields that are not listed here are looked for under their own name."""

RESERVED_COLUMNS = frozenset(
    (
        *("source_row", "product_code", "file_name", "image", "split", "group", "placeholder", "question"),
        *("image_sha256", "image_width", "image_height"),
    )
)
"""The columns that a catalogue has or may have besides its fields (store.py), so that no field may have these names."""

_MAX_NAMES_SHOWN = 8
_MIN_SIMILARITY = 0.75

SampleReader = Callable[[], list[list[Any]]]
"""Reads the first rows of a table, with all columns."""


@dataclass(frozen=True)
class ColumnMatch:
    """The columns that were found for the fields, the picture, the code and the split."""

    columns: dict[str, str]
    """The column by role: a field's name, `image`, `product_code` or `split`."""
    guessed: frozenset[str]
    """The roles whose column was recognised by its cells, not by its name."""


def match_columns(
    names: Sequence[str],
    fields: Sequence[Field],
    overrides: str = "",
    *,
    split_column: str = "",
    read_sample: SampleReader = list,
) -> ColumnMatch:
    """Find the column of each field, of the picture, of the code and, if asked for, of the split; all are different.

    Args:
        names: The table's column names.
        fields: The task's fields.
        overrides: Columns that the user states, as in "title=name,image=photo".
        split_column: The column that the user gives for the split; empty for none.
        read_sample: Reads rows; called only if names do not suffice.

    Raises:
        EtalageError: An override names an unknown field or column, or a field or the picture has no column or may have
            several. The message suggests similar names.
    """
    roles = [*(field.name for field in fields), "image", "product_code"]
    columns = _parse_overrides(names, roles, overrides)
    if split_column:
        columns["split"] = _require_column(names, split_column, "--split-column")
    if repeated := [name for name in columns.values() if list(columns.values()).count(name) > 1]:
        users = " and ".join(role for role, name in columns.items() if name == repeated[0])
        raise EtalageError(f"column {repeated[0]!r} is to be {users}; name another one for either")
    # Fields that have only their own name choose first, as they have no other choice; then those with many names. Both
    # go in the order of the answer.
    for role in sorted(set(roles) - set(columns), key=lambda role: (role in KNOWN_COLUMNS, roles.index(role))):
        if found := _find_by_name(names, role, columns.values()):
            columns[role] = found
    guessed = _find_by_content(names, fields, columns, read_sample)
    columns |= guessed
    for role in roles:
        # Without a code, rows are known by their number.
        if role not in columns and role != "product_code":
            candidates = KNOWN_COLUMNS.get(role, (role,))
            raise EtalageError(
                f"no column for {role}: looked for {_join_names(candidates)}{_suggest(candidates, names)}; "
                f"found {', '.join(names)}; say which with --columns {role}=COLUMN"
                f"{_suggest_answer(role, [field for field in fields if field.name in columns])}"
            )
    ordered = {role: columns[role] for role in [*roles, "split"] if role in columns}
    return ColumnMatch(ordered, frozenset(guessed))


def _suggest_answer(role: str, found: Sequence[Field]) -> str:
    """Return how to do without a field that the table lacks: an answer of those that it has."""
    if role == "image" or not found:
        return ""
    return f", or do without it: --answer {shlex.quote(plain_answer(found))}"


def _parse_overrides(names: Sequence[str], roles: Sequence[str], overrides: str) -> dict[str, str]:
    columns = {}
    for part in filter(None, (part.strip() for part in overrides.split(","))):
        role, equals, column = (word.strip() for word in part.partition("="))
        if not equals:
            raise EtalageError(f"--columns has {part!r}; write {roles[0]}=COLUMN, with commas between")
        if role not in roles:
            raise EtalageError(
                f"--columns names {role!r}, which is none of {', '.join(roles)}{_suggest([role], roles)}"
            )
        columns[role] = _require_column(names, column, "--columns")
    return columns


def _require_column(names: Sequence[str], column: str, option: str) -> str:
    if column not in names:
        raise EtalageError(f"{option}: no column {column!r}{_suggest([column], names)}; found {', '.join(names)}")
    return column


def _find_by_name(names: Sequence[str], role: str, taken: Iterable[str]) -> str | None:
    taken = set(taken)
    for candidate in KNOWN_COLUMNS.get(role, (role,)):
        found = [name for name in names if _normalize(name) == _normalize(candidate) and name not in taken]
        # Where both `Title` and `title` exist, the one spelt exactly as the candidate is meant.
        exact = [name for name in found if name == candidate]
        if len(found) > 1 and not exact:
            raise EtalageError(
                f"several columns may be {role}: {', '.join(map(repr, found))}; say which with --columns {role}=COLUMN"
            )
        if found:
            return (exact or found)[0]
    return None


def _find_by_content(
    names: Sequence[str], fields: Sequence[Field], columns: Mapping[str, str], read_sample: SampleReader
) -> dict[str, str]:
    """Return the columns of the roles that are not in `columns` yet, as far as the cells tell."""
    kinds = {field.name: "price" if field.kind == "price" else field.name for field in fields}
    kinds |= {"image": "image", "product_code": "product_code"}
    missing = {role: kind for role, kind in kinds.items() if role not in columns}
    # A column with a known name is what its name says, so its cells are not considered.
    known = {_normalize(name) for candidates in KNOWN_COLUMNS.values() for name in candidates}
    taken = set(columns.values())
    free = [name for name in names if name and name not in taken and _normalize(name) not in known]

    def read_profiles() -> list[ColumnProfile]:
        rows = read_sample()
        positions = [(name, names.index(name)) for name in free]
        return [ColumnProfile.of(name, [row[position] for row in rows]) for name, position in positions]

    return match_by_content(missing, read_profiles) if free else {}


def _normalize(name: str) -> str:
    """Return the letters and digits of a name: imageUrl, Image URL and image-url become one, and é becomes e."""
    text = unicodedata.normalize("NFKD", name).casefold()
    # A name of signs alone stays as it is, or all such names would be one.
    return "".join(c for c in text if c.isalnum()) or name


def _suggest(candidates: Iterable[str], names: Iterable[str]) -> str:
    """Return a hint at the name that is most like a candidate, or an empty text."""
    originals = {_normalize(name): name for name in names}
    for candidate in candidates:
        if similar := difflib.get_close_matches(_normalize(candidate), originals, 1, _MIN_SIMILARITY):
            return f" (did you mean {originals[similar[0]]!r}?)"
    return ""


def _join_names(names: Sequence[str]) -> str:
    return ", ".join(names[:_MAX_NAMES_SHOWN]) + (", ..." if len(names) > _MAX_NAMES_SHOWN else "")
