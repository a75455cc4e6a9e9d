"""The exports of shop systems, known by their headers: which column holds what, and how rows belong together.

Names are compared by their letters and digits alone, so `Variant Price`, `variant_price` and `variantPrice` are one.
`a|b` stands for either, and `*` for any letters.

Sources:
    The import templates and export formats that the makers document: Shopify's product CSV, WooCommerce's product CSV
    import suite, Magento 1 and 2 (import of products), PrestaShop's products_import.csv, BigCommerce's bulk edit and
    v3 templates, Shopware 5 and 6 (default export profiles), Google Merchant Center's product data specification,
    Amazon's inventory file templates, and DBQ's data sets on the hub.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from etalage.catalogue.columns.headers import normalize

__all__ = ["EXPORTS", "ShopExport", "VariantLayout", "columns_like", "find_export"]


@dataclass(frozen=True)
class VariantLayout:
    """The way in which the rows of one product belong together; names of columns are patterns, as in `ShopExport`."""

    parent: str = ""
    """The column by which a row names the product that it is a variant of."""
    own_names: Mapping[str, str] = field(default_factory=dict)
    """The columns by whose cells other rows name this one, each with what these put before the cell."""
    inherited: tuple[str, ...] = ("title", "category", "image")
    """The roles that a variant takes from its parent where it has no value of its own."""
    shared_images: str = ""
    """Image columns whose pictures belong to the product, not to the row; the parent's go first."""
    kind: str = ""
    """The column that says what a row is."""
    picture_kinds: frozenset[str] = frozenset()
    """Rows that only carry a picture of the product above them; without `kind`, rows without any of `evidence`."""
    other_kinds: frozenset[str] = frozenset()
    """Rows that are no products and carry nothing that is used."""
    parent_kinds: frozenset[str] = frozenset()
    """Rows that join variants, and are no products of their own where they have no price."""
    evidence: tuple[str, ...] = ()
    """The columns of which a row that is a product fills at least one."""
    is_block: bool = False
    """Whether the rows of a product follow one another, its own row first."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns to read besides those with a role."""
        return (*filter(None, (self.parent, self.kind)), *self.own_names, *self.evidence)


@dataclass(frozen=True)
class ShopExport:
    """A format in which a shop system writes its products."""

    name: str
    signature: tuple[str, ...]
    """Columns that a table of this format has, all of them."""
    columns: Mapping[str, tuple[str, ...]]
    """The columns by role, the best first. All columns of `image` are used, the later ones as fallbacks."""
    layout: VariantLayout | None = None


def columns_like(names: Sequence[str], pattern: str) -> list[str]:
    """Return the columns that a pattern stands for, in the order of its alternatives and then of the table.

    Args:
        names: The table's column names.
        pattern: Names with `|` between.
    """
    normalized = [(name, normalize(name.removeprefix("g:"))) for name in names if name]
    found: dict[str, None] = {}
    for alternative in pattern.split("|"):
        found.update({name: None for name, letters in normalized if fnmatchcase(letters, alternative)})
    return list(found)


def find_export(names: Sequence[str]) -> ShopExport | None:
    """Return the format that a table has by its headers; None if it is none of those known.

    Args:
        names: The table's column names.
    """
    return next(
        (export for export in EXPORTS if all(columns_like(names, pattern) for pattern in export.signature)), None
    )


_SHOPIFY = VariantLayout(
    parent="handle|urlhandle",
    own_names={"handle|urlhandle": ""},
    shared_images="imagesrc|productimageurl",
    evidence=("title", "variantprice|price", "variantsku|sku", "option1value"),
    is_block=True,
)

_WOO_PARENT = (
    "parent|ubergeordnetesprodukt|ubergeordnet|elternprodukt|parente|superior|padre|genitore|ascendente|hoofdproduct"
)
_WOO_TYPE = "type|typ|tipo|soort|rodzaj"
_WOO_CODE = "sku|artikelnummer|ugs|codigo|cod|kodproduktu"
_WOO_PRICE = (
    "regularprice|regularerpreis|regulaererpreis|tarifregulier|prixregulier|precionormal|precioregular|prezzodilistino|"
    "precopadrao|preconormal|normaleprijs|regulareprijs|cenaregularna|cenapodstawowa"
)
_WOO_CATEGORY = "categories|kategorien|categorias|categorie|categorieen|kategorie"
_WOO_IMAGES = "images|bilder|imagenes|immagini|imagens|afbeeldingen|obrazki|obrazy|zdjecia"
_WOO_TITLE = "name|nom|nombre|nome|naam|nazwa"

EXPORTS: tuple[ShopExport, ...] = (
    ShopExport(
        "DBQ's product prices",
        ("websitename", "competencedate", "category3code", "fullprice", "imageurl"),
        {
            **{"title": ("title",), "category": ("category3code",), "price": ("fullprice",), "image": ("imageurl",)},
            "product_code": ("productcode",),
        },
    ),
    ShopExport(
        "Shopify product export",
        ("handle|urlhandle", "title", "variantprice|price", "imagesrc|productimageurl|variantimage|variantimageurl"),
        {
            "title": ("title",),
            "category": (
                *("productcategory", "type|customproducttype|standardizedproducttype|standardproducttype"),
                "googleshoppinggoogleproductcategory",
            ),
            "price": ("variantprice", "price"),
            "image": ("variantimage|variantimageurl", "imagesrc|productimageurl"),
            "product_code": ("variantsku", "sku", "variantbarcode", "barcode"),
            "group": ("handle|urlhandle",),
        },
        _SHOPIFY,
    ),
    ShopExport(
        "BigCommerce product export (v3)",
        ("item", "name", "price", "categories", "internalimageurlexport|imageurlimport|variantimageurl"),
        {
            **{"title": ("name",), "category": ("categories",), "price": ("price",), "product_code": ("sku", "id")},
            "image": ("variantimageurl", "internalimageurlexport|imageurlimport"),
            "group": ("id",),
        },
        VariantLayout(
            own_names={"id": ""},
            inherited=("title", "category", "price", "image"),
            shared_images="internalimageurlexport|imageurlimport",
            kind="item",
            picture_kinds=frozenset({"image"}),
            other_kinds=frozenset({"video", "rule"}),
            is_block=True,
        ),
    ),
    ShopExport(
        "BigCommerce product export",
        ("itemtype", "productname", "productcodesku", "price"),
        {
            "title": ("productname",),
            "category": ("categorystring", "category"),
            "price": ("price",),
            "image": ("productimageurl*", "productimagefile*"),
            "product_code": ("productcodesku",),
        },
        VariantLayout(kind="itemtype", other_kinds=frozenset({"sku", "rule"})),
    ),
    ShopExport(
        "WooCommerce product export",
        (_WOO_TYPE, _WOO_CODE, _WOO_TITLE, _WOO_PRICE, _WOO_CATEGORY, _WOO_IMAGES),
        {
            **{"title": (_WOO_TITLE,), "category": (_WOO_CATEGORY,), "price": (_WOO_PRICE,), "image": (_WOO_IMAGES,)},
            **{"product_code": (_WOO_CODE, "id"), "group": (_WOO_PARENT,)},
        },
        VariantLayout(
            parent=_WOO_PARENT,
            own_names={_WOO_CODE: "", "id": "id:"},
            kind=_WOO_TYPE,
            parent_kinds=frozenset({"variable", "grouped", "variable-subscription"}),
        ),
    ),
    ShopExport(
        "Magento 2 product export",
        ("sku", "producttype", "name", "price", "categories", "baseimage|attributesetcode"),
        {
            "title": ("name",),
            "category": ("categories",),
            "price": ("price",),
            "image": ("baseimage", "image", "additionalimages", "smallimage", "thumbnailimage"),
            "product_code": ("sku",),
        },
        VariantLayout(kind="producttype", parent_kinds=frozenset({"configurable", "grouped", "bundle"})),
    ),
    ShopExport(
        "Magento 1 product export",
        ("sku", "attributeset", "type", "name", "price", "image", "category|categoryids|categories"),
        {
            "title": ("name",),
            "category": ("category", "categories", "categoryids"),
            "price": ("price",),
            "image": ("image", "mediaimage", "smallimage", "thumbnail"),
            "product_code": ("sku",),
        },
        VariantLayout(
            kind="type",
            parent_kinds=frozenset({"configurable", "grouped", "bundle"}),
            evidence=("sku", "name", "price"),
        ),
    ),
    ShopExport(
        "PrestaShop product table",
        ("name", "categoriesxyz", "pricetaxincluded|pricetaxexcluded", "imageurlsxyz"),
        {
            **{"title": ("name",), "category": ("categoriesxyz",), "image": ("imageurlsxyz",)},
            "price": ("pricetaxincluded", "pricetaxexcluded"),
            "product_code": ("reference", "productid", "id"),
        },
    ),
    ShopExport(
        "Shopware 6 product export",
        ("productnumber", "parentid", "name|translationsdefaultname", "pricegross|pricenet|pricedefaultgross"),
        {
            "title": ("name|translationsdefaultname",),
            "category": ("categorynames|categoriesname|categoriestranslatedname", "categories|categoriesid"),
            "price": ("pricegross|pricedefaultgross", "pricenet|pricedefaultnet"),
            "image": ("covermediaurl|coverurl|cover", "mediaurls|media"),
            "product_code": ("productnumber",),
            "group": ("parentid",),
        },
        VariantLayout(parent="parentid", own_names={"id": ""}, inherited=("title", "category", "price", "image")),
    ),
    ShopExport(
        # Its customer group EK is everybody who buys in the shop; price_EK is no purchase price.
        "Shopware 5 article export",
        ("ordernumber", "mainnumber", "name", "priceek|price"),
        {
            "title": ("name",),
            "category": ("categorypaths|categoriesname", "categories"),
            "price": ("priceek|price",),
            "image": ("imageurl|images|image",),
            "product_code": ("ordernumber",),
            "group": ("mainnumber",),
        },
        VariantLayout(parent="mainnumber", own_names={"ordernumber": ""}),
    ),
    ShopExport(
        "Amazon inventory file",
        ("itemsku|contributionsku*|sku", "itemname*", "mainimageurl|mainproductimagelocator*"),
        {
            "title": ("itemname", "itemname*value"),
            "category": ("itemtypename*|itemtypekeyword*|itemtype", "producttype*", "feedproducttype"),
            "price": (
                *("standardprice", "purchasableoffer*ourprice*valuewithtax"),
                *("purchasableoffer*ourprice*value", "listprice*"),
            ),
            "image": ("mainimageurl|mainproductimagelocator*", "otherimageurl*|otherproductimagelocator*"),
            "product_code": ("itemsku", "contributionsku*", "sku"),
            "group": ("parentsku|*parentsku*",),
        },
        VariantLayout(
            parent="parentsku|*parentsku*",
            own_names={"itemsku|contributionsku*|sku": ""},
            kind="parentchild|parentage|parentagelevel*",
            parent_kinds=frozenset({"parent"}),
        ),
    ),
    ShopExport(
        "Google Merchant feed",
        ("id", "title", "price", "imagelink", "link|availability|condition|itemgroupid"),
        {
            "title": ("title",),
            "category": ("producttype", "googleproductcategory", "fbproductcategory"),
            "price": ("price",),
            "image": ("imagelink", "additionalimagelink*"),
            "product_code": ("id",),
            "group": ("itemgroupid",),
        },
    ),
)
"""The formats that are known, the most particular ones first."""
