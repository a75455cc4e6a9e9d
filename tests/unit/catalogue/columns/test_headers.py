"""Headers are read word by word, in the languages of the shop systems, for what a column is and for what it is not."""

import pytest

from etalage.catalogue.columns.headers import KNOWN_COLUMNS, is_certain, normalize, rank, read_header, speaks_against

ROLES = ("title", "category", "price", "image", "product_code")


def roles_of(name: str) -> set[str]:
    return {role for role in ROLES if rank(read_header(name), role) is not None}


@pytest.mark.parametrize(
    "name",
    [
        *(
            "Price",
            "PRICE *",
            "Selling Price",
            "sellingprice",
            "SellingPrice",
            "Variant Price",
            "Regular price",
            "MSRP",
        ),
        *("<b>Price</b>", "💶 Price", "price_eur", "Price (USD)", "Price / International", "List price", "g:price"),
        *("Preis", "Verkaufspreis brutto", "VERKAUFSPREIS", "Preis, inkl. MwSt.", "Bruttopreis", "Stückpreis", "UVP"),
        *("Preis netto", "VK-Preis", "Listenpreis (€)", "Ladenpreis", "Preis inkl. 19% MwSt."),
        *("Prix", "Prix de vente TTC", "Prix HT", "Prix unitaire", "Tarif régulier", "Prix public conseillé"),
        *("Precio", "Precio con IVA", "PVP", "Precio de venta", "Precio normal", "Precio oferta"),
        *("Prezzo", "Prezzo di listino", "Prezzo IVA inclusa", "Prezzo di vendita"),
        *("Preço", "Preço de venda", "Preço com IVA", "Preço promocional"),
        *("Prijs", "Verkoopprijs incl. BTW", "Adviesprijs", "Prijs per stuk"),
        *("Cena", "Cena sprzedaży brutto", "Cena regularna", "Cena netto"),
        *("Цена", "价格", "価格", "Fiyat", "Pris", "Hinta"),
    ],
)
def test_prices_are_known_in_every_language(name: str) -> None:
    assert roles_of(name) == {"price"}


@pytest.mark.parametrize(
    "name",
    [
        *("Rating", "Avg. Rating", "Reviews", "Weight", "Weight (kg)", "Stock", "Quantity", "Cost", "Cost per item"),
        *("Cost price", "costprice", "Purchase Price", "Wholesale price", "Compare At Price", "Compare-at price"),
        *("Tax", "Tax class", "Shipping price", "shipping.price", "Width", "HEIGHT (cm)", "Length*", "Discount"),
        *(
            "Margin",
            "Points",
            "Price in points",
            "price_currency",
            "special_price_from_date",
            "Price list",
            "Was price",
        ),
        *("price_in_cents", "Price (pence)", "Preis in Cent", "Price (thousands)", "Start price", "Reserve price"),
        *("Lowest price (30 days)", "Najniższa cena z 30 dni", "Min. price", "Total price"),
        *("Tier price", "Price per kg", "Dealer price", "Show price (0 = No, 1 = Yes)", "Deposit", "Price type"),
        *("Gewicht (kg)", "Bewertung", "Lagerbestand", "EK", "EK-Preis netto", "Einkaufspreis", "Händlerpreis"),
        *("Haendlerpreis", "Streichpreis", "Alter Preis", "Versandkosten", "Grundpreis", "Staffelpreis", "Breite"),
        *("Preisgruppe", "Menge", "Rabatt", "MwSt.", "Pfand", "Höhe", "Länge"),
        *("Note", "Avis", "Poids", "Prix d'achat HT", "Prix barré", "Frais de livraison", "Largeur", "Remise", "Taxe"),
        *(
            "Valoración",
            "Peso (kg)",
            "Precio de coste",
            "Precio anterior",
            "Coste",
            "Existencias",
            "Ancho",
            "Descuento",
        ),
        *("Valutazione", "Costo", "Prezzo di acquisto", "Prezzo precedente", "Larghezza", "Sconto", "Giacenza"),
        *("Avaliação", "Preço de custo", "Estoque", "Largura", "Frete", "Desconto"),
        *("Beoordeling", "Inkoopprijs", "Oude prijs", "Gewicht", "Verzendkosten", "Breedte", "Korting", "Voorraad"),
        *("Ocena", "Cena zakupu", "Waga (kg)", "Stara cena", "Szerokość", "Rabat", "Ilość", "Marża"),
        *("Рейтинг", "Вес", "重量", "库存"),
    ],
)
def test_what_is_no_price_is_known_in_every_language(name: str) -> None:
    assert "price" not in roles_of(name)
    assert speaks_against(read_header(name), "price"), "nor is it guessed by its cells"


def test_an_unknown_header_speaks_against_nothing() -> None:
    for name in ("a", "Spalte", "xyz", "", "!!!", "💶", "column 7"):
        assert not any(speaks_against(read_header(name), role) for role in ROLES)
        assert not roles_of(name)


@pytest.mark.parametrize(
    "names",
    [
        ["Full price", "Price", "Selling price", "Price EUR", "Sale price"],
        ["Preis inkl. MwSt.", "Preis", "Preis exkl. MwSt."],
        ["Verkaufspreis brutto", "Verkaufspreis", "Verkaufspreis netto"],
        ["Price tax included", "Price tax excluded"],
        ["Prix TTC", "Prix HT"],
        ["Regular price", "Special price"],
        ["Normalpreis", "Aktionspreis"],
        ["Precio", "Precio rebajado"],
        ["Retail price", "Discounted price"],
        ["Price", "Price Germany"],
        ["Cena netto", "Cena specjalisty brutto"],
        ["Price", "MRP"],
        ["Price tax excluded", "Unit price"],
    ],
)
def test_regular_prices_with_tax_come_first(names: list[str]) -> None:
    ranks = [rank(read_header(name), "price") for name in names]
    assert None not in ranks
    assert ranks == sorted({found for found in ranks if found is not None}), "in this order, and no two alike"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Price A", "Price B"),
        ("Preis netto Online", "Preis netto Filiale"),
        ("Price 1", "Price 2"),
        ("Price (EUR)", "Price (USD)"),
        ("Price", "Variant Price"),
        ("Preis Online", "Preis Filiale"),
    ],
)
def test_prices_that_words_do_not_tell_apart_are_of_one_rank(one: str, other: str) -> None:
    assert rank(read_header(one), "price") == rank(read_header(other), "price") is not None


def test_languages_and_letters_at_the_end_do_not_tell_titles_apart() -> None:
    assert len({rank(read_header(f"Title ({code})"), "title") for code in ("EN", "DE", "ES", "IT", "A", "e")}) == 1


@pytest.mark.parametrize(
    ("name", "role"),
    [
        *(
            (name, "title")
            for name in ("Product Name", "NAME *", "Artikelname", "Produktbezeichnung", "Nom du produit")
        ),
        *(
            (name, "title")
            for name in ("Nombre del artículo", "商品名称", "Nazwa produktu", "Productnaam", "item_name", "Artikel")
        ),
        *(
            (name, "category")
            for name in ("Categories (x,y,z...)", "Kategoriename", "Warengruppe", "Catégorie", "Type")
        ),
        *((name, "category") for name in ("Unterkategorie", "Main Category", "Kategoriepfad", "分类", "商品分类")),
        *((name, "image") for name in ("Bild 1", "IMAGE10", "main_image_url", "Produktbild-URL", "PicURL", "Bildname")),
        *(
            (name, "image")
            for name in (
                "Image URLs (x,y,z...)",
                "Zdjęcie główne",
                "图片链接",
                "Image Source",
                "Titelbild",
                "imgurl",
                "Afbeelding",
            )
        ),
        *((name, "product_code") for name in ("SKU", "Artikel-Nr.", "EAN13", "Référence", "Variant SKU")),
    ],
)
def test_other_roles_are_known_by_words(name: str, role: str) -> None:
    assert roles_of(name) == {role}


@pytest.mark.parametrize(
    "name",
    [
        *("Brand Name", "Store Name", "Image title", "Image Alt Text", "Option1 Name", "Hersteller-Name", "Vorname"),
        *("Category image", "Customer Group", "Tax type", "Image Position", "Category ID", "SEO Title", "Meta title"),
        *("Delete existing images (0 = No, 1 = Yes)", "Farbname", "Nom du fabricant", "Markenname", "Product URL"),
    ],
)
def test_names_of_something_else_have_no_role(name: str) -> None:
    assert not roles_of(name)


def test_numbers_order_pictures_and_further_ones_come_last() -> None:
    names = ["Image", "Image 2", "Image 10", "Additional image", "Thumbnail image"]
    assert sorted(names, key=lambda name: rank(read_header(name), "image") or ()) == names


def test_a_header_is_certain_only_if_all_its_words_are_known() -> None:
    assert is_certain(read_header("Verkaufspreis brutto"), "price")
    assert is_certain(read_header("Type"), "category")
    assert not is_certain(read_header("Wunschpreis"), "price")
    assert not is_certain(read_header("Gruppe"), "category")
    assert not is_certain(read_header("Artikel"), "title")


def test_names_are_normalized_to_letters_and_digits() -> None:
    assert len({normalize(name) for name in ("imageUrl", "Image URL", "image-url", "ímage_URL")}) == 1
    assert normalize("!!") == "!!"
    assert KNOWN_COLUMNS["category"][0] == "category3_code"
    assert read_header("price" * 10_000).tags == read_header("price" * 40).tags, "long headers are cut"
