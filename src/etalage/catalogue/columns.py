"""Which column of a table is what: by its name, and where names do not tell, by what its cells look like."""

import difflib
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import Any

from etalage.catalogue.prices import BadPrice, decimal_mark, parse_amount
from etalage.errors import EtalageError
from etalage.task import Field

__all__ = ["KNOWN_COLUMNS", "RESERVED", "Match", "match_columns"]

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
"""Names by which a column is recognised, the preferred one first; case, accents, spaces and signs do not matter. Any
other field is looked for under its own name."""

RESERVED = frozenset(
    (
        *("source_row", "product_code", "file_name", "image", "split", "group", "placeholder", "question"),
        *("image_sha256", "image_width", "image_height"),
    )
)
"""Columns that a catalogue has or may have beside its fields (store.py), hence no names for fields."""

_PICTURE = re.compile(r"data:image/.*|.*\.(jpe?g|png|webp|gif|bmp|tiff?|avif)(\?.*)?", re.IGNORECASE | re.DOTALL)
_LINK = re.compile(r"[a-z][a-z0-9+.-]*://|www\.", re.IGNORECASE)
_DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}\b.*")
_CODE = re.compile(r"(?=\S*\d)[\w./-]{3,32}")

Sample = Callable[[], list[list[Any]]]
"""Reads the first records of a table, all columns of them."""


@dataclass(frozen=True)
class Match:
    """Which column holds what."""

    columns: dict[str, str]
    guessed: frozenset[str]
    """Those of its keys that the cells told, not the name."""


def match_columns(
    names: Sequence[str],
    fields: Sequence[Field],
    overrides: str = "",
    *,
    split_column: str = "",
    sample: Sample = lambda: [],
) -> Match:
    """Which column holds which field, the picture, the code and, if asked for, the split; none holds two.

    Args:
        overrides: title=name,image=photo
        split_column: As the user calls it.
        sample: Asked for only where names do not tell.
    Raises:
        EtalageError: an override that fits nothing, or a field or the picture without a column or with several; suggests
            near names.
    """
    roles = [*(field.name for field in fields), "image", "product_code"]
    columns = _overridden(names, roles, overrides)
    if split_column:
        columns["split"] = _named(names, split_column, "--split-column")
    if twice := [name for name in columns.values() if list(columns.values()).count(name) > 1]:
        both = " and ".join(role for role, name in columns.items() if name == twice[0])
        raise EtalageError(f"column {twice[0]!r} is to be {both}; name another one for either")
    # a field's own name goes before other fields' many names; those go by preference
    for role in sorted(set(roles) - set(columns), key=lambda role: (role in KNOWN_COLUMNS, roles.index(role))):
        if found := _by_name(names, role, columns.values()):
            columns[role] = found
    kinds = {field.name: "price" if field.kind == "price" else field.name for field in fields}
    kinds |= {"image": "image", "product_code": "product_code"}
    guessed = _guess(names, {role: kinds[role] for role in roles if role not in columns}, columns, sample)
    columns |= guessed
    for role in roles:
        if role not in columns and role != "product_code":
            wanted = KNOWN_COLUMNS.get(role, (role,))
            raise EtalageError(
                f"no column for {role}: looked for {_listed(wanted)}{_nearest(wanted, names)}; "
                f"found {', '.join(names)}; say which with --columns {role}=COLUMN"
            )
    ordered = {role: columns[role] for role in [*roles, "split"] if role in columns}
    return Match(ordered, frozenset(guessed))


def _overridden(names: Sequence[str], roles: Sequence[str], overrides: str) -> dict[str, str]:
    columns = {}
    for part in filter(None, (part.strip() for part in overrides.split(","))):
        role, equals, column = (word.strip() for word in part.partition("="))
        if not equals:
            raise EtalageError(f"--columns has {part!r}; write {roles[0]}=COLUMN, with commas between")
        if role not in roles:
            raise EtalageError(
                f"--columns names {role!r}, which is none of {', '.join(roles)}{_nearest([role], roles)}"
            )
        columns[role] = _named(names, column, "--columns")
    return columns


def _named(names: Sequence[str], column: str, option: str) -> str:
    if column not in names:
        raise EtalageError(f"{option}: no column {column!r}{_nearest([column], names)}; found {', '.join(names)}")
    return column


def _by_name(names: Sequence[str], role: str, taken: Iterable[str]) -> str | None:
    taken = set(taken)
    for wanted in KNOWN_COLUMNS.get(role, (role,)):
        found = [name for name in names if _key(name) == _key(wanted) and name not in taken]
        exact = [name for name in found if name == wanted]
        if len(found) > 1 and not exact:
            raise EtalageError(
                f"several columns may be {role}: {', '.join(map(repr, found))}; say which with --columns {role}=COLUMN"
            )
        if found:
            return (exact or found)[0]
    return None


def _key(name: str) -> str:
    """Letters and digits alone: imageUrl, Image URL and image-url are one; é is e."""
    text = unicodedata.normalize("NFKD", name).casefold()
    return "".join(c for c in text if c.isalnum()) or name


def _nearest(wanted: Iterable[str], names: Iterable[str]) -> str:
    by_key = {_key(name): name for name in names}
    near = [by_key[key] for want in wanted for key in difflib.get_close_matches(_key(want), by_key, 1, 0.75)]
    return f" (did you mean {near[0]!r}?)" if near else ""


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")


# By content


@dataclass(frozen=True)
class _Looks:
    """What a column's cells look like."""

    name: str
    cells: list[Any]
    """Those that hold something."""

    @property
    def texts(self) -> list[str]:
        return [cell.strip() for cell in self.cells if isinstance(cell, str)]

    def share(self, test: Callable[[str], object]) -> float:
        """Of the cells, how many are texts that pass."""
        return sum(bool(test(text)) for text in self.texts) / max(1, len(self.cells))


def _guess(
    names: Sequence[str], missing: Mapping[str, str], columns: Mapping[str, str], sample: Sample
) -> dict[str, str]:
    """By role, in an order in which the sure ones go first."""
    tests = {
        "image": _images,
        "price": _prices,
        "title": _titles,
        "category": _categories,
        "product_code": _codes,
    }
    wanted = sorted((role for role in missing if missing[role] in tests), key=lambda r: list(tests).index(missing[r]))
    known = {_key(name) for listed in KNOWN_COLUMNS.values() for name in listed}
    open_names = [name for name in names if name and name not in columns.values() and _key(name) not in known]
    if not wanted or not open_names:
        return {}
    places = [(name, names.index(name)) for name in open_names]
    rows = sample()
    free = [_Looks(name, [row[at] for row in rows if row[at] not in (None, "", [], {})]) for name, at in places]
    guessed: dict[str, str] = {}
    for role in wanted:
        left = [looks for looks in free if looks.cells and looks.name not in guessed.values()]
        found = [looks.name for looks in tests[missing[role]](left)]
        if len(found) > 1 and role != "product_code":
            raise EtalageError(
                f"no column is called {role}, and several look like it: {', '.join(map(repr, found))}; "
                f"say which with --columns {role}=COLUMN"
            )
        if len(found) == 1:
            guessed[role] = found[0]
    return guessed


def _images(free: Sequence[_Looks]) -> list[_Looks]:
    return [looks for looks in free if fmean(map(_is_image, looks.cells)) >= 0.8]


def _is_image(cell: Any) -> bool:
    if isinstance(cell, list):
        return bool(cell) and _is_image(cell[0])
    if isinstance(cell, dict):
        return bool(cell.get("bytes") or cell.get("path"))
    return isinstance(cell, bytes) or (isinstance(cell, str) and bool(_PICTURE.fullmatch(cell.strip())))


def _prices(free: Sequence[_Looks]) -> list[_Looks]:
    """Those with cents or a currency, if there are any, else whole numbers that are neither codes nor years."""
    found = [(looks, amounts) for looks in free if (amounts := _amounts(looks.texts))]
    sure = [
        looks
        for looks, (values, currencies) in found
        if currencies or (len(set(values)) > 1 and any(value % 1 for value in values))
    ]
    whole = [looks for looks, (values, _) in found if not _are_codes(looks.texts) and len(set(values)) > 2]
    return sure or whole


def _amounts(texts: Sequence[str]) -> tuple[list[float], set[str]] | None:
    decimal = decimal_mark(texts)
    values, currencies = [], set()
    for text in texts:
        try:
            amount = parse_amount(text, price_range="low", decimal=decimal)
        except BadPrice as bad:
            if bad.reason == "price_negative":
                return None
            continue
        values.append(amount.value)
        currencies |= {amount.currency} - {""}
    return (values, currencies) if len(values) >= 0.8 * len(texts) > 0 else None


def _are_codes(texts: Sequence[str]) -> bool:
    """Whole numbers that are years, all of one length of 5 digits or more, or counted up from one."""
    digits = [text for text in texts if text.isdecimal()]
    if len(digits) < len(texts):
        return False
    years = all(1900 <= int(text[:9]) <= 2100 for text in digits)
    one_length = len({len(text) for text in digits}) == 1 and len(digits[0]) >= 5 and len(set(digits)) == len(digits)
    counted = len(digits) > 2 and [int(text[:18]) - int(digits[0][:18]) for text in digits] == list(range(len(digits)))
    return years or one_length or counted


def _titles(free: Sequence[_Looks]) -> list[_Looks]:
    """The longest of those that are mostly a few words and mostly different."""
    found = []
    for looks in free:
        texts = _wordy(looks)
        if texts and len(set(texts)) >= 0.7 * len(texts) and 1.5 <= fmean(len(text.split()) for text in texts) <= 20:
            found.append((fmean(map(len, texts)), looks))
    longest = max((length for length, _ in found), default=0)
    return [looks for length, looks in found if length >= 0.7 * longest]


def _categories(free: Sequence[_Looks]) -> list[_Looks]:
    found = []
    for looks in free:
        texts = _wordy(looks)
        if texts and 2 <= len(set(texts)) <= max(2, len(texts) // 3) and median(map(len, texts)) <= 60:
            found.append(looks)
    return found


def _codes(free: Sequence[_Looks]) -> list[_Looks]:
    return [
        looks
        for looks in free
        if len(set(looks.texts)) == len(looks.cells)
        and looks.share(_CODE.fullmatch) >= 0.95
        and not looks.share(_DATE.fullmatch) > 0.5
    ]


def _wordy(looks: _Looks) -> list[str]:
    """Its texts, if they are words rather than numbers, dates or addresses."""
    odd = looks.share(lambda t: not any(c.isalpha() for c in t) or _LINK.match(t) or _PICTURE.fullmatch(t))
    words = len(looks.texts) == len(looks.cells) and odd <= 0.2 and looks.share(_DATE.fullmatch) <= 0.2
    return looks.texts if words and not _amounts(looks.texts) else []
