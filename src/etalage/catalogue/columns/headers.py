"""A column's header -> what its words say: the roles that it may have, how well it fits them, and what it is not."""

import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from etalage.catalogue.columns.words import CURRENCIES, HEADS, SHORT_WORDS, WORDS, Tag, fold

__all__ = [
    "KNOWN_COLUMNS",
    "Header",
    "Rank",
    "is_certain",
    "leaves_tax_open",
    "normalize",
    "rank",
    "read_header",
    "says_with_tax",
    "speaks_against",
]

# `category3_code`, `full_price` and `imageurl` are the Burberry dataset's, which needs no options; `__key__` is what
# WebDataset calls the name that the files of a sample share.
KNOWN_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "title": (
        *("title", "name", "product_name", "product_title", "product", "item_name"),
        *("titre", "nom", "nom_produit", "libelle", "designation"),
        *("titel", "bezeichnung", "produktname", "artikelname", "produktbezeichnung", "artikelbezeichnung"),
        *("titulo", "nombre", "nombre_producto", "titolo", "nome", "nome_prodotto", "denominazione"),
        *("naam", "productnaam", "nazwa", "nazwa_produktu"),
    ),
    "category": (
        *("category3_code", "category", "categories", "product_category", "categorie", "categorie_produit"),
        *("kategorie", "kategorien", "produktkategorie", "warengruppe", "categoria", "categorias"),
        *("categoria_producto", "categoria_prodotto", "kategoria"),
        *("product_type", "type", "produkttyp", "typ", "tipo", "label", "google_product_category"),
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
    "price": ("full_price", "regular_price", "price", "selling_price", "list_price", "retail_price", "unit_price"),
}
"""The names by which a column is recognised first, the preferred one first. Other headers are read word by word. Case,
accents, spaces and punctuation do not matter. Fields that are not listed here are looked for under their own name."""

_MAX_HEADER_CHARS = 200
_XYZ = re.compile(r"\(x, ?y, ?z[^)]*\)")  # PrestaShop's note that a cell is a list

# What may stand beside the words of a role without speaking against it.
_NEUTRAL: frozenset[Tag] = frozenset({"neutral", "product"})
_BESIDE: Mapping[str, frozenset[Tag]] = {
    "title": _NEUTRAL | {"title", "name", "main"},
    "category": _NEUTRAL | {"category", "kind", "main", "sub", "title", "name", "place", "link"},
    "price": _NEUTRAL
    | {"price", "amount", "rrp", "regular", "selling", "retail", "list", "unit", "sale"}
    | {"gross", "net", "tax", "incl", "excl", "main", "discount", "place"},
    "image": _NEUTRAL | {"image", "main", "further", "thumb", "link", "name"},
    "product_code": _NEUTRAL | {"code", "unit", "main"},
}
_ESSENTIAL: Mapping[str, frozenset[Tag]] = {
    "title": frozenset({"title", "name"}),
    "category": frozenset({"category", "kind"}),
    "price": frozenset({"price", "amount", "rrp"}),
    "image": frozenset({"image"}),
    "product_code": frozenset({"code"}),
}
_WITH_TAX: frozenset[Tag] = frozenset({"gross", "incl"})
_WITHOUT_TAX: frozenset[Tag] = frozenset({"net", "excl"})
_PRICE_KINDS: tuple[Tag, ...] = ("regular", "price", "selling", "retail", "list", "unit", "rrp", "amount")

Rank = tuple[int, ...]


@dataclass(frozen=True)
class Header:
    """The words of a column's name."""

    name: str
    tags: tuple[Tag, ...]
    """What the known words say, in their order."""
    num_unknown: int
    """How many words are unknown."""
    num_currencies: int
    """How many words are currencies."""
    number: int
    """The last number in it, as in "Bild 2"; 0 if there is none."""


def normalize(name: str) -> str:
    """Return the letters and digits of a name: imageUrl, Image URL and image-url become one, and é becomes e.

    Args:
        name: A column's name. A name of signs alone stays as it is, or all such names would be one.
    """
    return "".join(c for c in fold(name) if c.isalnum()) or name


@lru_cache(4096)
def read_header(name: str) -> Header:
    """Read a column's name word by word.

    >>> read_header("Verkaufspreis (brutto)").tags
    ('selling', 'price', 'gross')

    Args:
        name: The name, in any case; HTML, units, stars and pictographs in it do not matter.
    """
    text = html.unescape(re.sub(r"<[^<>]*>", " ", name[:_MAX_HEADER_CHARS])).strip()
    text = _XYZ.sub("", text.removeprefix("g:"))  # Google's namespace
    words = [word for part in re.findall(r"[^\W_]+", text) for word in _divide(part)]
    tags: list[Tag] = []
    num_unknown = num_currencies = number = 0
    for position, word in enumerate(words, 1):
        tag = WORDS.get(word)
        # "de" joins words or is a language: at the end, as in "Name DE", it says which of several columns this is.
        is_last = position == len(words) > 1
        if word.isdecimal():
            number = int(word[-9:])
        elif word in CURRENCIES:
            num_currencies += 1
        elif tag is None or (is_last and (tag == "neutral" or _is_letter(word))):
            num_unknown += is_last or not _is_letter(word)
        else:
            tags.append(tag)
    return Header(name, tuple(tags), num_unknown, num_currencies, number)


def rank(header: Header, role: str) -> Rank | None:
    """Return how well a header fits a role by its words, lower is better; None if it is no name for it.

    Args:
        header: The header.
        role: "title", "category", "price", "image" or "product_code".

    Returns:
        Numbers to compare. Headers of equal rank cannot be told apart by their names.
    """
    known = _KNOWN[role].get(normalize(header.name))
    if known is not None and role != "price":
        is_weak = role == "category" and known >= KNOWN_COLUMNS[role].index("product_type")
        return (2 if is_weak else 0, known)
    tags = set(header.tags)
    # In many shops' tables "Artikel" is the name of the article.
    if role == "title" and "product" in tags and tags <= _NEUTRAL and not header.num_unknown:
        return (3,)
    if not tags & _ESSENTIAL[role] or tags - _BESIDE[role]:
        return None
    num_unknown = header.num_unknown + header.num_currencies + header.tags.count("place")
    if role == "price":
        is_certain = header.num_unknown == 0 and not leaves_tax_open(header)
        return _rank_price(header.tags, num_unknown, is_certain=is_certain)
    if role == "category":
        return (1 if "category" in tags else 3, num_unknown + ("link" in tags))
    if role == "image":
        # A number says which picture of several it is, so it decides here and nowhere else.
        return (1, "thumb" in tags, num_unknown, "further" in tags, header.number)
    return (1, num_unknown, role == "title" and "title" not in tags)


def is_certain(header: Header, role: str) -> bool:
    """Return whether all words of a header are known to fit a role; if not, cells should confirm what it says.

    Args:
        header: The header.
        role: A role for which it has a rank.
    """
    if normalize(header.name) in _KNOWN[role]:
        return True
    tags = set(header.tags)
    if role == "category" and "link" in tags:  # "Category path" is one, "Category URL" is not
        return False
    # The amount of a unit may be in cents, and that of sales is no price.
    if role == "price" and (leaves_tax_open(header) or tags.isdisjoint({"price", "rrp"})):
        return False
    return not (header.num_unknown or tags <= _NEUTRAL | {"kind", "amount", "place"} or "discount" in tags)


def says_with_tax(header: Header) -> bool:
    """Return whether the header of a price says that tax is in it.

    Args:
        header: The header.
    """
    return not _WITH_TAX.isdisjoint(header.tags)


def leaves_tax_open(header: Header) -> bool:
    """Return whether the header of a price names a tax, but no word in it says whether that is in the price.

    Args:
        header: The header, such as "Price VAT", or one whose word for "with" is not known.
    """
    return "tax" in header.tags and (_WITH_TAX | _WITHOUT_TAX).isdisjoint(header.tags)


def speaks_against(header: Header, role: str) -> bool:
    """Return whether a word of a header says that the column holds something else than a role.

    Args:
        header: The header.
        role: A role as for `rank`; for any other one, nothing speaks against it.
    """
    if role not in _BESIDE:
        return False
    tags = set(header.tags)
    if tags & _ESSENTIAL[role]:
        return rank(header, role) is None
    # Without a word of the role itself, "Name", "Item" or "Tax" is the name of something else.
    beside = _BESIDE[role] - {"title", "name", "discount", "place", "tax", "list"}
    return bool(tags - (beside if role in ("title", "product_code") else beside - {"product"}))


def _rank_price(tags: tuple[Tag, ...], num_unknown: int, *, is_certain: bool) -> Rank | None:
    """Rank regular before reduced prices, those with tax before those without, then by what they are called."""
    is_price_list = len(tags) > 1 and tags[-1] == "list"
    is_tax = "tax" in tags and "price" not in tags and (_WITH_TAX | _WITHOUT_TAX).isdisjoint(tags)
    if is_price_list or is_tax:
        return None
    if "net" in tags or ("tax" in tags and "excl" in tags):
        tax = 2
    elif "gross" in tags or "tax" in tags:
        tax = 0
    else:
        tax = 1
    kind = next((i for i, kind in enumerate(_PRICE_KINDS) if kind in tags and kind != "price"), 1)
    # The price of a unit such as 100 g, or what a maker recommends, is not what the product costs.
    is_other = kind >= _PRICE_KINDS.index("unit")
    return ("sale" in tags or "discount" in tags, is_other, not is_certain, tax, num_unknown, kind)


def _divide(part: str) -> Iterator[str]:
    """Yield the words of a part of a name that has neither spaces nor punctuation."""
    folded = fold(part)
    if folded in WORDS or folded in CURRENCIES or folded.isdecimal():
        yield folded
        return
    pieces = _split_case(part) if not part.isupper() else re.findall(r"\d+|\D+", part)
    for piece in map(fold, pieces):
        if piece in WORDS or piece.isdecimal():
            yield piece
        else:
            yield from _segment(piece) or _split_head(piece)


def _split_case(part: str) -> list[str]:
    """Return the words of a name such as imageURL2."""
    starts = [0]
    for i in range(1, len(part)):
        before, here, after = part[i - 1], part[i], part[i + 1 : i + 2]
        if (
            here.isupper() and (before.islower() or (before.isupper() and after.islower()))
        ) or here.isdecimal() != before.isdecimal():
            starts.append(i)
    return [part[start:end] for start, end in zip(starts, [*starts[1:], len(part)], strict=True)]


@lru_cache(4096)
def _segment(word: str) -> tuple[str, ...]:
    """Return the known words that a word is written together of, as in verkaufspreis; none if it is not."""
    best: list[tuple[str, ...] | None] = [(), *[None] * len(word)]
    for end in range(1, len(word) + 1):
        for start in range(max(0, end - 20), end):
            before, piece = best[start], word[start:end]
            if before is None:
                continue
            is_long = len(piece) >= (4 if piece.isascii() else 2)
            if (is_long or piece in SHORT_WORDS) and piece in WORDS:
                found: tuple[str, ...] = (*before, piece)
            elif before and piece in ("s", "n", "en", "e"):  # as German joins words
                found = before
            else:
                continue
            current = best[end]
            if current is None or len(found) < len(current):
                best[end] = found
    return best[-1] or ()


def _split_head(word: str) -> tuple[str, ...]:
    for head in HEADS:
        if word.endswith(head) and len(word) > len(head) + 1:
            prefix = word[: -len(head)]
            return (*(_segment(prefix) or (prefix,)), head)
    return (word,)


def _is_letter(word: str) -> bool:
    return len(word) == 1 and word.isascii()


_KNOWN: Mapping[str, Mapping[str, int]] = {
    role: {normalize(name): index for index, name in reversed(list(enumerate(names)))}
    for role, names in KNOWN_COLUMNS.items()
}
