"""The exports of shop systems are known by the headers that their makers document, in any case and order."""

import pytest

from etalage.catalogue.columns import match_columns
from etalage.catalogue.columns.exports import EXPORTS, columns_like, find_export
from etalage.task import Field

FIELDS = [Field("title", "text"), Field("category", "category"), Field("price", "price")]

SHOPIFY = (
    "Handle,Title,Body (HTML),Vendor,Product Category,Type,Tags,Published,Option1 Name,Option1 Value,"
    "Option2 Name,Option2 Value,Option3 Name,Option3 Value,Variant SKU,Variant Grams,Variant Inventory Tracker,"
    "Variant Inventory Qty,Variant Inventory Policy,Variant Fulfillment Service,Variant Price,"
    "Variant Compare At Price,Variant Requires Shipping,Variant Taxable,Variant Barcode,Image Src,Image Position,"
    "Image Alt Text,Gift Card,SEO Title,SEO Description,Google Shopping / Google Product Category,"
    "Google Shopping / Gender,Variant Image,Variant Weight Unit,Variant Tax Code,Cost per item,"
    "Price / International,Compare At Price / International,Status"
)
SHOPIFY_2025 = (
    "Title,URL handle,Description,Vendor,Product category,Type,Tags,Published on online store,Status,SKU,Barcode,"
    "Option1 name,Option1 value,Option1 Linked To,Price,Compare-at price,Cost per item,Charge tax,Tax code,"
    "Unit price total measure,Inventory tracker,Inventory quantity,Weight value (grams),Requires shipping,"
    "Product image URL,Image position,Image alt text,Variant image URL,Gift card,SEO title,SEO description"
)
WOO = (
    "ID,Type,SKU,GTIN,Name,Published,Is featured?,Visibility in catalog,Short description,Description,"
    "Date sale price starts,Date sale price ends,Tax status,Tax class,In stock?,Stock,Low stock amount,"
    "Backorders allowed?,Weight (kg),Length (cm),Width (cm),Height (cm),Allow customer reviews?,Sale price,"
    "Regular price,Categories,Tags,Shipping class,Images,Download limit,Parent,Grouped products,Upsells,"
    "Cross-sells,External URL,Button text,Position,Brands,Attribute 1 name,Attribute 1 value(s)"
)
WOO_DE = (
    "ID,Typ,Artikelnummer,Name,Veröffentlicht,Ist hervorgehoben?,Kurzbeschreibung,Beschreibung,Steuerstatus,"
    "Vorrätig?,Lager,Gewicht (kg),Länge (cm),Breite (cm),Höhe (cm),Angebotspreis,Regulärer Preis,Kategorien,"
    "Schlagwörter,Bilder,Übergeordnetes Produkt,Position"
)
WOO_FR = (
    "ID,Type,UGS,Nom,Publié,Mis en avant ?,Description courte,Description,En stock ?,Stock,Poids (kg),"
    "Longueur (cm),Tarif promo,Tarif régulier,Catégories,Étiquettes,Images,Parent,Position"
)
WOO_ES = (
    "ID,Tipo,SKU,Nombre,Publicado,Descripción corta,¿Existencias?,Inventario,Peso (kg),Precio rebajado,"
    "Precio normal,Categorías,Etiquetas,Imágenes,Superior,Posición"
)
MAGENTO_2 = (
    "sku,store_view_code,attribute_set_code,product_type,categories,product_websites,name,description,"
    "short_description,weight,product_online,tax_class_name,visibility,price,special_price,"
    "special_price_from_date,special_price_to_date,url_key,meta_title,base_image,base_image_label,small_image,"
    "small_image_label,thumbnail_image,thumbnail_image_label,created_at,qty,out_of_stock_qty,additional_images,"
    "additional_image_labels,configurable_variations"
)
MAGENTO_1 = (
    "sku,_store,_attribute_set,_type,_category,_root_category,_product_websites,color,cost,"
    "country_of_manufacture,created_at,description,image,image_label,manufacturer,minimal_price,msrp,name,price,"
    "qty,small_image,special_price,status,tax_class_id,thumbnail,url_key,visibility,weight,_media_image,"
    "_media_lable,_media_position"
)
PRESTASHOP = (
    "Product ID;Active (0/1);Name *;Categories (x,y,z...);Price tax excluded;Tax rules ID;Wholesale price;"
    "On sale (0/1);Discount amount;Discount percent;Reference #;Supplier;Manufacturer;EAN13;UPC;Ecotax;Width;"
    "Height;Depth;Weight;Quantity;Minimal quantity;Visibility;Additional shipping cost;Unity;Unit price;Summary;"
    "Description;Tags (x,y,z...);Meta title;URL rewritten;Show price (0 = No, 1 = Yes);Image URLs (x,y,z...);"
    "Image alt texts (x,y,z...);Delete existing images (0 = No, 1 = Yes);Feature(Name:Value:Position);Condition"
)
BIGCOMMERCE = (
    "Item Type,Product ID,Product Name,Product Type,Product Code/SKU,Bin Picking Number,Brand Name,Option Set,"
    "Product Description,Price,Cost Price,Retail Price,Sale Price,Fixed Shipping Cost,Free Shipping,"
    "Product Weight,Product Width,Product Visible?,Category,Product Image ID - 1,Product Image File - 1,"
    "Product Image Description - 1,Product Image Is Thumbnail - 1,Product Image File - 2"
)
BIGCOMMERCE_V3 = (
    "Item,ID,Name,Type,SKU,Options,Inventory Tracking,Current Stock,Low Stock,Price,Cost Price,Retail Price,"
    "Sale Price,Brand ID,Channels,Categories,Description,Product URL,Free Shipping,Fixed Shipping Cost,Weight,"
    "Width,Height,Depth,Is Visible,Tax Class,Sort Order,Variant Image URL,Internal Image URL (Export),"
    "Image URL (Import),Image Description,Image is Thumbnail,Image Sort Order"
)
SHOPWARE_6 = (
    "id;parent_id;product_number;active;stock;name;description;price_net;price_gross;purchase_prices_net;"
    "purchase_prices_gross;tax_id;tax_rate;tax_name;cover_media_id;cover_media_url;cover_media_title;"
    "cover_media_alt;manufacturer_id;manufacturer_name;categories;sales_channel;propertyIds;optionIds"
)
SHOPWARE_5 = (
    "ordernumber;mainnumber;name;additionalText;supplier;tax;price_EK;pseudoprice_EK;baseprice_EK;active;instock;"
    "stockmin;weight;width;height;length;ean;unit;description;categories;imageUrl"
)
GOOGLE = (
    "id;title;description;link;image_link;additional_image_link;availability;price;sale_price;"
    "sale_price_effective_date;brand;gtin;mpn;google_product_category;product_type;condition;item_group_id;"
    "shipping;shipping_weight"
)
GOOGLE_SPACED = "ID;Title;Link;Image link;Price;Availability;Google product category;Product type;Item group ID"
AMAZON = (
    "feed_product_type;item_sku;brand_name;item_name;external_product_id;external_product_id_type;item_type;"
    "standard_price;quantity;main_image_url;other_image_url1;other_image_url2;parent_child;parent_sku;"
    "relationship_type;variation_theme;list_price;sale_price;swatch_image_url;shipping_weight"
)
AMAZON_2024 = (
    "contribution_sku#1.value;product_type#1.value;"
    "item_name[marketplace_id=A1PA6795UKMFR9][language_tag=de_DE]#1.value;"
    "brand[marketplace_id=A1PA6795UKMFR9]#1.value;item_type_keyword[marketplace_id=A1PA6795UKMFR9]#1.value;"
    "main_product_image_locator[marketplace_id=A1PA6795UKMFR9]#1.media_location;"
    "other_product_image_locator_1[marketplace_id=A1PA6795UKMFR9]#1.media_location;parentage_level#1.value;"
    "child_parent_sku_relationship[marketplace_id=A1PA6795UKMFR9]#1.parent_sku;"
    "purchasable_offer[audience=ALL]#1.discounted_price#1.schedule#1.value_with_tax;"
    "purchasable_offer[audience=ALL]#1.our_price#1.schedule#1.value_with_tax"
)
DBQ = "website_name;competence_date;brand;category1_code;category3_code;product_code;title;imageurl;full_price;price"

CASES = {
    "Shopify": (
        "Shopify product export",
        SHOPIFY,
        "Title",
        "Product Category",
        "Variant Price",
        "Variant Image",
        "Handle",
    ),
    "Shopify 2025": (
        *(
            "Shopify product export",
            SHOPIFY_2025,
            "Title",
            "Product category",
            "Price",
            "Variant image URL",
            "URL handle",
        ),
    ),
    "WooCommerce": ("WooCommerce product export", WOO, "Name", "Categories", "Regular price", "Images", "Parent"),
    "WooCommerce German": (
        *("WooCommerce product export", WOO_DE, "Name", "Kategorien", "Regulärer Preis", "Bilder"),
        "Übergeordnetes Produkt",
    ),
    "WooCommerce French": (
        "WooCommerce product export",
        WOO_FR,
        "Nom",
        "Catégories",
        "Tarif régulier",
        "Images",
        "Parent",
    ),
    "WooCommerce Spanish": (
        *("WooCommerce product export", WOO_ES, "Nombre", "Categorías", "Precio normal", "Imágenes", "Superior"),
    ),
    "Magento 2": ("Magento 2 product export", MAGENTO_2, "name", "categories", "price", "base_image", None),
    "Magento 1": ("Magento 1 product export", MAGENTO_1, "name", "_category", "price", "image", None),
    "PrestaShop": (
        *("PrestaShop product table", PRESTASHOP, "Name *", "Categories (x,y,z...)", "Price tax excluded"),
        *("Image URLs (x,y,z...)", None),
    ),
    "BigCommerce": (
        *(
            "BigCommerce product export",
            BIGCOMMERCE,
            "Product Name",
            "Category",
            "Price",
            "Product Image File - 1",
            None,
        ),
    ),
    "BigCommerce v3": (
        *("BigCommerce product export (v3)", BIGCOMMERCE_V3, "Name", "Categories", "Price", "Variant Image URL", "ID"),
    ),
    "Shopware 6": (
        *("Shopware 6 product export", SHOPWARE_6, "name", "categories", "price_gross", "cover_media_url", "parent_id"),
    ),
    "Shopware 5": ("Shopware 5 article export", SHOPWARE_5, "name", "categories", "price_EK", "imageUrl", "mainnumber"),
    "Google": ("Google Merchant feed", GOOGLE, "title", "product_type", "price", "image_link", "item_group_id"),
    "Google, spaced": (
        *("Google Merchant feed", GOOGLE_SPACED, "Title", "Product type", "Price", "Image link", "Item group ID"),
    ),
    "Amazon": (
        "Amazon inventory file",
        AMAZON,
        "item_name",
        "item_type",
        "standard_price",
        "main_image_url",
        "parent_sku",
    ),
    "Amazon 2024": (
        *("Amazon inventory file", AMAZON_2024, "item_name[marketplace_id=A1PA6795UKMFR9][language_tag=de_DE]#1.value"),
        "item_type_keyword[marketplace_id=A1PA6795UKMFR9]#1.value",
        "purchasable_offer[audience=ALL]#1.our_price#1.schedule#1.value_with_tax",
        "main_product_image_locator[marketplace_id=A1PA6795UKMFR9]#1.media_location",
        "child_parent_sku_relationship[marketplace_id=A1PA6795UKMFR9]#1.parent_sku",
    ),
    "DBQ": ("DBQ's product prices", DBQ, "title", "category3_code", "full_price", "imageurl", None),
}


def names_of(header: str) -> list[str]:
    return header.split(";" if ";" in header else ",")


def cells_of(name: str) -> list[str]:
    """Cells that look right under any header, so that only the names decide."""
    return [f"{name} {i}" for i in range(2)]


@pytest.mark.parametrize("case", CASES)
def test_a_known_export_needs_no_options(case: str) -> None:
    name, header, title, category, price, image, group = CASES[case]
    assert header is not None
    names = names_of(header)
    match = match_columns(
        names, FIELDS, read_sample=lambda: [list(row) for row in zip(*map(cells_of, names), strict=True)]
    )
    assert match.export is not None
    assert match.export.name == name
    found = {role: match.columns.get(role) for role in ("title", "category", "price", "image", "group")}
    assert found == {"title": title, "category": category, "price": price, "image": image, "group": group}
    assert not match.guessed


@pytest.mark.parametrize("case", CASES)
def test_a_known_export_is_read_alike_by_its_headers_alone(case: str) -> None:
    """The words of the headers find the same columns, should a maker change a column that a format is known by."""
    name, header, title, _, price, *_ = CASES[case]
    assert header is not None
    if "2024" in case or case == "Shopware 5":  # its price_EK is by its words a purchase price
        return
    signature = next(export for export in EXPORTS if export.name == name).signature
    names = names_of(header)
    needed = {title, price}
    dropped = {found for pattern in signature for found in columns_like(names, pattern)} - needed
    kept = [one for one in names if one not in dropped]
    match = match_columns([*kept, "Category", "Image"], FIELDS)
    assert (match.columns["title"], match.columns["price"]) == (title, price)


def test_tables_of_other_kinds_are_no_export() -> None:
    for names in (
        ["title", "category", "price", "image"],
        ["Handle", "Title", "Price"],
        ["id", "title", "price"],
        [],
        [""],
    ):
        assert find_export(names) is None


def test_what_the_user_states_beats_the_export() -> None:
    names = names_of(WOO)
    match = match_columns(names, FIELDS, column=["price=Sale price", "category=Brands"], group_by="Position")
    assert (match.columns["price"], match.columns["category"], match.columns["group"]) == (
        "Sale price",
        "Brands",
        "Position",
    )
    assert match.columns["title"] == "Name"


def test_an_empty_column_of_an_export_gives_way_to_the_next() -> None:
    names = names_of(SHOPIFY)
    row = ["" if name == "Product Category" else f"{name} 1" for name in names]
    assert match_columns(names, FIELDS, read_sample=lambda: [row]).columns["category"] == "Type"


def test_hashes_of_categories_are_asked_about() -> None:
    names = names_of(SHOPWARE_6)
    rows = [["0190a5d17c3e7b1f9d2a3f4e5a6b7c8d" if name == "categories" else "x y" for name in names] for _ in range(4)]
    with pytest.raises(ValueError, match="category: 'categories' is called that, but its cells do not look like it"):
        match_columns(names, [Field("category", "category")], read_sample=lambda: rows)


def test_patterns_find_columns_by_letters_and_digits() -> None:
    names = ["Image Src", "other_image_url2", "g:additional_image_link", "", "Type"]
    assert columns_like(names, "imagesrc|type") == ["Image Src", "Type"]
    assert columns_like(names, "otherimageurl*") == ["other_image_url2"]
    assert columns_like(names, "additionalimagelink") == ["g:additional_image_link"]
