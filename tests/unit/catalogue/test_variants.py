"""Rows of shops' exports stand for themselves: variants take title, category and picture from their product."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from etalage.catalogue.table import Row, Table

Read = Callable[..., list[Row]]
Write = Callable[..., Path]


def shown(rows: list[Row]) -> list[tuple[Any, ...]]:
    """What each row is read as: its title, category, price, pictures and group, or why it is no product."""
    return [
        (row.problem.reason,)
        if row.problem
        else (*(row.cells[name] for name in ("title", "category", "price")), row.images, row.group)
        for row in rows
    ]


def test_shopify_variants_inherit_and_rows_of_pictures_are_no_products(write_file: Write, read_rows: Read) -> None:
    rows = read_rows(
        write_file(
            "Handle,Title,Type,Option1 Value,Variant SKU,Variant Price,Variant Compare At Price,Cost per item,"
            "Image Src,Image Position,Variant Image\n"
            "tee,Plain Tee,Shirts,Red,T-R,19.00,25.00,7,https://x.example/1.jpg,1,\n"
            "tee,,,Blue,T-B,21.00,,7,https://x.example/2.jpg,2,https://x.example/blue.jpg\n"
            "tee,,,Green,,22.00,,7,,,\n"
            "tee,,,,,,,,https://x.example/3.jpg,3,\n"
            "hat,Felt Hat,Hats,Default Title,H,35.00,,9,https://x.example/h.jpg,1,\n"
            "tee,,,Black,T-K,23.00,,7,,,\n"
        )
    )
    first, third = "https://x.example/1.jpg", "https://x.example/3.jpg"
    assert shown(rows) == [
        ("Plain Tee", "Shirts", "19.00", (first, third), "tee"),
        (
            *("Plain Tee", "Shirts", "21.00"),
            ("https://x.example/blue.jpg", first, third, "https://x.example/2.jpg"),
            "tee",
        ),
        ("Plain Tee", "Shirts", "22.00", (first, third), "tee"),
        ("row_only_picture",),
        ("Felt Hat", "Hats", "35.00", ("https://x.example/h.jpg",), "hat"),
        ("Plain Tee", "Shirts", "23.00", (first, third), "tee"),
    ]
    assert [row.product_code for row in rows] == ["T-R", "T-B", "3", "4", "H", "T-K"]
    assert [row.place for row in rows][:2] == ["row 2", "row 3"]


def test_a_group_column_that_the_user_names_beats_that_of_the_export(write_file: Write, read_rows: Read) -> None:
    path = write_file(
        "Handle,Title,Type,Vendor,Variant SKU,Variant Price,Image Src\n"
        "a,One Tee,Shirts,V1,1,19.00,a.jpg\na,,,V2,2,19.00,\nb,Other Tee,Shirts,V1,3,19.00,b.jpg\n"
    )
    assert [row.group for row in read_rows(path)] == ["a", "a", "b"]
    assert [row.group for row in read_rows(path, group_by="Vendor")] == ["V1", "V2", "V1"]
    assert [row.group for row in read_rows(path, group_by="Variant SKU")] == ["1", "2", "3"]


def test_woocommerce_variations_inherit_by_sku_or_id(write_file: Write, read_rows: Read) -> None:
    rows = read_rows(
        write_file(
            "ID,Type,SKU,Name,Sale price,Regular price,Categories,Images,Parent\n"
            "1,variable,W,V-Neck,,,Clothing > Tops,w.jpg,\n"
            "2,variable,,Hoodie,,,Clothing > Hoodies,h.jpg,\n"
            "3,simple,B,Beanie,18,20,Clothing > Hats,b.jpg,\n"
            "4,variation,W-R,V-Neck - Red,,20,,red.jpg,W\n"
            "5,variation,W-G,V-Neck - Green,,21,,,W\n"
            "6,variation,H-B,,,45,,,id:2\n"
            "7,external,E,Poster,,15,Decor,p.jpg,\n"
        )
    )
    assert shown(rows) == [
        ("row_joins_variants",),
        ("row_joins_variants",),
        ("Beanie", "Clothing > Hats", "20", ("b.jpg",), "B"),
        ("V-Neck - Red", "Clothing > Tops", "20", ("red.jpg", "w.jpg"), "W"),
        ("V-Neck - Green", "Clothing > Tops", "21", ("w.jpg",), "W"),
        ("Hoodie", "Clothing > Hoodies", "45", ("h.jpg",), "id:2"),
        ("Poster", "Decor", "15", ("p.jpg",), "E"),
    ]


def test_bigcommerce_rows_of_pictures_give_the_product_above_its_picture(write_file: Write, read_rows: Read) -> None:
    rows = read_rows(
        write_file(
            "Item,ID,Name,Type,SKU,Price,Cost Price,Categories,Variant Image URL,Internal Image URL (Export)\n"
            "Product,10,Fern Pot,physical,F,30,8,Garden/Pots,,\n"
            "Variant,11,,,F-S,,,,s.jpg,\n"
            "Variant,12,,,F-L,38,,,,\n"
            "Image,,,,,,,,,f.jpg\n"
            "Video,,,,,,,,,\n"
            "Product,20,Rake,physical,R,12,5,Garden/Tools,,\n"
            "Image,,,,,,,,,r.jpg\n"
        )
    )
    assert shown(rows) == [
        ("Fern Pot", "Garden/Pots", "30", ("f.jpg",), "10"),
        ("Fern Pot", "Garden/Pots", "30", ("s.jpg", "f.jpg"), "10"),
        ("Fern Pot", "Garden/Pots", "38", ("f.jpg",), "10"),
        ("row_only_picture",),
        ("row_no_product",),
        ("Rake", "Garden/Tools", "12", ("r.jpg",), "20"),
        ("row_only_picture",),
    ]


def test_shopware_variants_inherit_the_price_too(write_file: Write, read_rows: Read) -> None:
    rows = read_rows(
        write_file(
            "id;parent_id;product_number;active;stock;name;price_net;price_gross;purchase_prices_gross;cover_media_url;"
            "categories\n"
            "p1;;100;1;5;Lampe Ost;84,03;100,00;50;l.jpg;Lampen\n"
            "v1;p1;100.1;1;5;;;;;;\n"
            "v2;p1;100.2;1;5;Lampe Ost gross;;120,00;;g.jpg;\n"
            "p2;;200;1;5;Tisch;168,07;200,00;90;t.jpg;Tische\n"
        )
    )
    assert shown(rows) == [
        ("Lampe Ost", "Lampen", "100,00", ("l.jpg",), "p1"),
        ("Lampe Ost", "Lampen", "100,00", ("l.jpg",), "p1"),
        ("Lampe Ost gross", "Lampen", "120,00", ("g.jpg", "l.jpg"), "p1"),
        ("Tisch", "Tische", "200,00", ("t.jpg",), "p2"),
    ]


def test_variants_may_come_before_their_product(write_file: Write, read_rows: Read) -> None:
    header = "id;parent_id;product_number;name;price_net;price_gross;cover_media_url;categories\n"
    shopware = read_rows(write_file(f"{header}v1;p1;100.1;;;;;\np1;;100;Lampe;84,03;100,00;l.jpg;Lampen\n"))
    assert shown(shopware) == [("Lampe", "Lampen", "100,00", ("l.jpg",), "p1")] * 2
    header = "ID,Type,SKU,Name,Regular price,Categories,Images,Parent\n"
    woo = read_rows(write_file(f"{header}2,variation,W-R,V-Neck - Red,20,,,W\n1,variable,W,V-Neck,,Tops,w.jpg,\n"))
    assert shown(woo) == [("V-Neck - Red", "Tops", "20", ("w.jpg",), "W"), ("row_joins_variants",)]


def test_amazon_parents_only_join_their_children(write_file: Write, read_rows: Read) -> None:
    rows = read_rows(
        write_file(
            "TemplateType=fptcustom\tVersion=2021.1014\tTemplateSignature=U0hJUlQ=\tFor Amazon only\t\t\t\t\t\n"
            "Product Type\tSeller SKU\tProduct Name\tItem Type\tYour Price\tMain Image URL\tOther Image URL\t"
            "Parentage\tParent SKU\n"
            "feed_product_type\titem_sku\titem_name\titem_type\tstandard_price\tmain_image_url\tother_image_url1\t"
            "parent_child\tparent_sku\n"
            "shirt\tP\tPolo\tpolo-shirts\t\tp.jpg\t\tParent\t\n"
            "shirt\tP-R\tPolo Red\t\t29.99\tr.jpg\tr2.jpg\tChild\tP\n"
            "shirt\tP-B\tPolo Blue\t\t30.99\t\t\tChild\tP\n"
            "shirt\tS\tShorts\tshorts\t15.50\ts.jpg\t\t\t\n",
            "flat.txt",
        )
    )
    assert shown(rows) == [
        ("row_joins_variants",),
        ("Polo Red", "polo-shirts", "29.99", ("r.jpg", "r2.jpg", "p.jpg"), "P"),
        ("Polo Blue", "polo-shirts", "30.99", ("p.jpg",), "P"),
        ("Shorts", "shorts", "15.50", ("s.jpg",), "S"),
    ]


def test_magento_1_rows_without_a_code_go_on_with_the_product_above(write_file: Write, read_rows: Read) -> None:
    rows = read_rows(
        write_file(
            "sku,_store,_attribute_set,_type,_category,name,price,image,_media_image\n"
            "M1,,Default,simple,Gear/Bags,Duffle,34,/d.jpg,/d.jpg\n"
            ",,,,Gear/New,,,,/d2.jpg\n"
            "M2,,Default,configurable,Gear/Bags,Pack,,/p.jpg,\n"
        )
    )
    assert shown(rows) == [
        ("Duffle", "Gear/Bags", "34", ("/d.jpg",), ""),
        ("row_only_picture",),
        ("row_joins_variants",),
    ]


def test_google_feeds_as_tsv_and_xml_are_one_table(write_file: Write, open_table: Callable[..., Any]) -> None:
    tsv = write_file(
        "id\ttitle\tlink\timage_link\tadditional_image_link\tavailability\tprice\tsale_price\tgoogle_product_category\t"
        "product_type\titem_group_id\n"
        "1\tRed Tee\thttps://x.example\ta.jpg\tb.jpg,c.jpg\tin_stock\t15.00 USD\t9.00 USD\t1604\tShirts\tG\n",
        "feed.tsv",
    )
    xml = write_file(
        '<?xml version="1.0"?><rss version="2.0" xmlns:g="http://base.google.com/ns/1.0"><channel><title>Shop</title>'
        "<item><g:id>1</g:id><g:title>Red Tee</g:title><g:link>https://x.example</g:link><g:image_link>a.jpg"
        "</g:image_link><g:additional_image_link>b.jpg</g:additional_image_link><g:additional_image_link>c.jpg"
        "</g:additional_image_link><g:availability>in_stock</g:availability><g:price>15.00 USD</g:price>"
        "<g:sale_price>9.00 USD</g:sale_price><g:google_product_category>1604</g:google_product_category>"
        "<g:product_type>Shirts</g:product_type><g:item_group_id>G</g:item_group_id></item></channel></rss>",
        "feed.xml",
    )
    tables: list[Table] = [open_table(path)[1] for path in (tsv, xml)]
    assert [table.match.export.name for table in tables if table.match.export] == ["Google Merchant feed"] * 2
    assert shown(list(tables[0])) == [("Red Tee", "Shirts", "15.00 USD", ("a.jpg", "b.jpg,c.jpg"), "G")]
    assert shown(list(tables[1])) == [("Red Tee", "Shirts", "15.00 USD", ("a.jpg", "b.jpg", "c.jpg"), "G")]


@pytest.mark.parametrize("header", ["Bild 1;Bild 2", "Hauptbild;Weiteres Bild", "Image 1;Image 2"])
def test_a_row_without_its_first_picture_shows_the_next(header: str, write_file: Write, read_rows: Read) -> None:
    rows = read_rows(
        write_file(f"Titel;Kategorie;Preis;{header}\nSchuh;S;19,90 €;;b.jpg\nSchal;A;26,90 €;a.jpg;c.jpg\n")
    )
    assert [row.images for row in rows] == [("b.jpg",), ("a.jpg", "c.jpg")]
