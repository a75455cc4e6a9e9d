"""Pictures over cells and in cells are the pictures of their rows."""

from collections.abc import Callable

from etalage.catalogue.readers.excel import open_excel

from .conftest import HEADER, TITLE, Page, bags, read


def test_pictures_over_cells_are_the_cells_of_their_column(write_pages: Callable, read_rows: Callable) -> None:
    rows = [["Autumn"], ["Name", "Photo"], ["Bag A"], ["Bag B"], ["Bag C"]]
    # The first is a logo; the third begins at the lower edge of the row above.
    floating = [(0, 0, 0, b"logo"), (2, 1, 0, b"a"), (2, 1, 185_000, b"b"), (4, 1, 9_000, b"c"), (4, 1, 9_000, b"d")]
    path = write_pages({"S": Page(rows, floating=floating)})
    assert [row.images for row in read_rows(path, TITLE)] == [(b"a",), (b"b",), (b"c", b"d")]
    assert open_excel(path).column_names == ["Name", "Photo"]


def test_pictures_over_texts_or_beside_the_table_have_a_column_of_their_own(
    write_pages: Callable, read_rows: Callable
) -> None:
    rows = [["Name", "Price"], ["Bag A", 1.5], ["Bag B", 2.5]]
    for column in (0, 5):
        path = write_pages({"S": Page(rows, floating=[(1, column, 0, b"a"), (2, column, 0, b"b")])})
        assert open_excel(path).column_names == ["Name", "Price", "embedded_image"]
        assert [row.images for row in read_rows(path, TITLE)] == [(b"a",), (b"b",)]


def test_a_picture_in_merged_cells_is_that_of_each_of_their_rows(write_pages: Callable, read_rows: Callable) -> None:
    rows = [["Name", "Photo"], ["Bag A small"], ["Bag A large"], ["Bag B"]]
    floating = [(1, 1, 0, b"a"), (3, 1, 0, b"b")]
    path = write_pages({"S": Page(rows, merged=["B2:B3"], floating=floating)})
    assert [row.images for row in read_rows(path, TITLE)] == [(b"a",), (b"a",), (b"b",)]


def test_a_column_of_paths_is_used_rather_than_pictures_beside_it(write_pages: Callable, read_rows: Callable) -> None:
    path = write_pages({"S": Page([HEADER, *bags("A", "B")], floating=[(1, 5, 0, b"a")])})
    assert [row.images for row in read_rows(path, TITLE)] == [("A.png",), ("B.png",)]


def test_pictures_that_are_too_large_are_cut(write_pages: Callable) -> None:
    path = write_pages({"S": Page([["Name", "Photo"], ["A"]], floating=[(1, 1, 0, b"x" * 1000)])})
    assert read(open_excel(path, max_image_bytes=100), "Photo") == [["row 2", [b"x" * 101]]]


def test_pictures_placed_in_cells_are_read(write_pages: Callable, read_rows: Callable) -> None:
    value = "<v>#VALUE!</v>"
    rows = [["Name", "Photo"], *([f"Bag {n}", f'< t="e" vm="{n}">{value}'] for n in (2, 1, 9))]
    image = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/image"
    parts = {
        "xl/metadata.xml": '<metadata><futureMetadata name="XLRICHVALUE"><bk><ext><xlrd:rvb i="0"/></ext></bk><bk><ext>'
        '<xlrd:rvb i="1"/></ext></bk></futureMetadata><valueMetadata><bk><rc t="1" v="0"/></bk><bk><rc t="1" v="1"/>'
        "</bk></valueMetadata></metadata>",
        "xl/richData/rdrichvalue.xml": '<rvData><rv s="0"><v>0</v><v>5</v></rv><rv s="0"><v>1</v></rv></rvData>',
        "xl/richData/rdrichvaluestructure.xml": '<rvStructures><s t="_localImage"><k n="_rvRel:LocalImageIdentifier"/>'
        '<k n="CalcOrigin"/></s></rvStructures>',
        "xl/richData/richValueRel.xml": '<richValueRels><rel r:id="a"/><rel r:id="b"/></richValueRels>',
        "xl/richData/_rels/richValueRel.xml.rels": f'<Relationships><Relationship Id="a" Type="{image}" '
        f'Target="../media/1.png"/><Relationship Id="b" Type="{image}" Target="../media/2.png"/></Relationships>',
        "xl/media/1.png": b"one",
        "xl/media/2.png": b"two",
    }
    path = write_pages({"S": Page(rows)}, parts)
    assert [row.images for row in read_rows(path, TITLE)] == [(b"two",), (b"one",), ()]


def test_pictures_placed_in_cells_by_wps_are_read(write_pages: Callable, read_rows: Callable) -> None:
    rows = [["Name", "Photo"], ["Bag A", '< t="str"><f>_xlfn.DISPIMG("ID_1",1)</f><v>=DISPIMG("ID_1",1)</v>']]
    image = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/image"
    parts = {
        "xl/cellimages.xml": '<etc:cellImages><etc:cellImage><xdr:pic><xdr:cNvPr name="ID_1"/><a:blip r:embed="a"/>'
        "</xdr:pic></etc:cellImage></etc:cellImages>",
        "xl/_rels/cellimages.xml.rels": f'<Relationships><Relationship Id="a" Type="{image}" Target="media/1.png"/>'
        "</Relationships>",
        "xl/media/1.png": b"one",
    }
    assert read_rows(write_pages({"S": Page(rows)}, parts), TITLE)[0].images[0] == b"one"
