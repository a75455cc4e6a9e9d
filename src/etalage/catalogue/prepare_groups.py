"""The part of the preparation database that knows which products belong together, and who leaks from whom."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial

from etalage.catalogue.duplicates import NEAR, is_near
from etalage.catalogue.prepare_pictures import PictureDb
from etalage.catalogue.prepare_rows import GenericName, Leak, ProductGroup
from etalage.catalogue.title_family import title_family, title_name
from etalage.config import Split

__all__ = ["GUESSED_REASONS", "MAX_PICTURES_OF_A_NAME", "MAX_PRICES_OF_A_NAME", "GroupDb", "parent_codes"]

MAX_PRICES_OF_A_NAME, MAX_PICTURES_OF_A_NAME = 8, 16
"""A title with more different prices or pictures than this names a kind of product, such as "Ring", and not one."""

MAX_PRICE_STEP, MAX_PRICE_RANGE = 1.25, 2.0
"""Colours of one product cost at most so many times as much as the next cheaper one, and as the cheapest."""

MIN_PARENT_CHARS = 3
"""The shortest code that may be the common part of the codes of a product's variants."""

_SEPARATORS = "-_./ #:"
_NUM_EXAMPLES = 3

# Reasons for which products are in one group, beside NEAR, as catalogue files have them.
SAME_PIXELS, SAME_ROW, SAME_COLUMN = "same pixels", "same row", "group column"
SAME_NAME, NAME_AND_PRICE, NAME_AND_CODE = "same name", "name and price", "name and code"
THROUGH_OTHERS = "through others"

GUESSED_REASONS = frozenset((NEAR, SAME_NAME, NAME_AND_PRICE, NAME_AND_CODE))
"""Reasons for a group that a column named by --group-by replaces."""


def parent_codes(code: str) -> list[str]:
    """Return the codes that a variant's product may have: its own, and it up to its last and last but one separator.

    >>> parent_codes("WS-100-RED-M")
    ['WS-100-RED-M', 'WS-100-RED', 'WS-100']

    Args:
        code: A product code.
    """
    codes = [code]
    for _ in range(2):
        end = max(codes[-1].rfind(separator) for separator in _SEPARATORS)
        parent = codes[-1][: max(end, 0)].rstrip(_SEPARATORS)
        if len(parent) < MIN_PARENT_CHARS:
            break
        codes.append(parent)
    return codes


def _number_bands(rows: Iterable[tuple[int, str, str, float]]) -> Iterator[tuple[int, str]]:
    """Yield the number of each row and its band: rows of one family and category whose prices lie close together."""
    band, key, lowest, last = 0, ("", ""), 0.0, 0.0
    for number, family, category, price in rows:
        if (family, category) != key or price > MAX_PRICE_STEP * last or price > MAX_PRICE_RANGE * lowest:
            band, key, lowest = band + 1, (family, category), price
        last = price
        yield number, f"band {band}"


class GroupDb(PictureDb):
    """The part of the preparation database that knows groups and leaks."""

    def find_links(self, price_field: str | None) -> dict[str, Iterator[tuple[str, str]]]:
        """Find what says that rows show one product, apart from their pictures themselves.

        Equal titles are taken for one product unless they come at many prices or on many pictures. Titles that differ
        at their end need a second witness. For sizes it is an equal price and category; for colours an equal category
        and a price close by, as shops charge more for some colours; for both, codes that begin alike. Of rows for which
        the group column says what belongs together, nothing is guessed.

        Args:
            price_field: The first field of the task that is a price; None if there is none.

        Returns:
            By reason, pairs of a key and a picture (its pixels' hash), sorted by the key; equal keys belong together.
        """
        self._collect_links(price_field)
        links = {
            SAME_COLUMN: "SELECT parent, pixels FROM links WHERE parent != '' ORDER BY parent, pixels",
            SAME_ROW: "SELECT number, pixels FROM links"
            " WHERE number IN (SELECT number FROM links GROUP BY number HAVING count(*) > 1) ORDER BY number",
            SAME_NAME: "SELECT name, pixels FROM named WHERE NOT is_generic ORDER BY name, pixels",
            NAME_AND_PRICE: "SELECT band, pixels FROM bands JOIN named USING (number) ORDER BY band, pixels",
            NAME_AND_CODE: "SELECT parent_code, pixels FROM codes JOIN parents USING (parent_code)"
            " ORDER BY parent_code, pixels",
        }
        return {reason: self._rows(query) for reason, query in links.items()}

    def _collect_links(self, price_field: str | None) -> None:
        """Write the tables that `find_links` and `find_leaks` read."""
        self._db.create_function("title_name", 1, title_name, deterministic=True)
        price = f"json_extract(field_values, '$.\"{price_field}\"')" if price_field else "NULL"
        # A row that others name as their parent is of their group, as the exports of shops have it. A row that has no
        # code goes by its number, which may be anybody's parent by chance.
        self._db.executescript(
            "UPDATE rows SET parent = code WHERE parent = '' AND code != CAST(number AS TEXT)"
            " AND code IN (SELECT parent FROM rows WHERE parent != '');"
            + "".join(f"DROP TABLE IF EXISTS {table};" for table in ("links", "named", "generic", "bands", "codes"))
            + "DROP TABLE IF EXISTS parents;"
            "CREATE TEMP TABLE links AS SELECT id, number, pixels, phash, title, family, category, parent, code,"
            f" title_name(title) AS name, {price} AS price FROM good; CREATE UNIQUE INDEX links_by_id ON links (id);"
            "CREATE TEMP TABLE generic AS SELECT name, count(*) AS num_products,"
            " count(DISTINCT price) AS num_prices, count(DISTINCT pixels) AS num_pictures FROM links"
            " WHERE name != '' AND parent = '' GROUP BY name"
            f" HAVING num_prices > {MAX_PRICES_OF_A_NAME}"
            # a row may have several pictures
            f" OR min(num_pictures, count(DISTINCT number)) > {MAX_PICTURES_OF_A_NAME};"
            "CREATE TEMP TABLE named AS SELECT *, name IN (SELECT name FROM generic) AS is_generic FROM links"
            " WHERE name != '' AND parent = ''"
            # one picture of each row, since SAME_ROW links the others to it
            " AND id IN (SELECT min(id) FROM links GROUP BY number);"
            "CREATE UNIQUE INDEX named_by_number ON named (number);"
            "CREATE TEMP TABLE bands (number INTEGER, band TEXT);"
            "CREATE TEMP TABLE codes (parent_code TEXT, family TEXT, pixels TEXT)"
        )
        self._collect_bands()
        rows = self._rows("SELECT code, family, pixels FROM named")
        self._update(
            "INSERT INTO codes VALUES (?, ?, ?)",
            ((parent, family, pixels) for code, family, pixels in rows for parent in parent_codes(code)),
        )
        # what several families begin with, such as SKU, says nothing of a product
        self._db.executescript(
            "CREATE INDEX bands_by_number ON bands (number);"
            "CREATE TEMP TABLE parents AS SELECT parent_code FROM codes GROUP BY parent_code"
            " HAVING count(DISTINCT family) = 1 AND count(DISTINCT pixels) > 1"
        )

    def _collect_bands(self) -> None:
        """Give products of one name and category a band for each price, and those of one colourless name for near ones.

        Without prices, an equal category is the second witness; without categories there is none.
        """
        self._db.execute(
            "INSERT INTO bands"
            " SELECT number, 'price ' || hex(family) || ' ' || hex(category) || ' ' || coalesce(price, '') FROM named"
            " WHERE coalesce(price, category) != '' AND NOT is_generic"
        )
        # sizes change prices too much for that: of a lens of 50 mm and one of 85 mm, the price tells them apart
        self._db.create_function("without_colour", 1, partial(title_family, sizes=False), deterministic=True)
        rows = self._rows(
            "SELECT number, without_colour(title) AS family, category, price FROM named"
            " WHERE price IS NOT NULL AND NOT is_generic ORDER BY family, category, price, number"
        )
        self._update("INSERT INTO bands VALUES (?, ?)", _number_bands(rows))

    def picture_parents(self) -> Iterator[tuple[str, str]]:
        """Yield each picture (its pixels' hash) for which the group column says where it belongs, with what it says."""
        return self._rows("SELECT pixels, min(parent) FROM links WHERE parent != '' GROUP BY pixels")

    def num_joined_by_pixels(self) -> int:
        """Return the number of products whose picture is that of a product which the group column tells apart."""
        joined = "SELECT pixels FROM kept WHERE parent != '' GROUP BY pixels HAVING count(DISTINCT parent) > 1"
        return self._count(f"kept WHERE pixels IN ({joined})")

    def generic_names(self) -> list[GenericName]:
        """Return the most frequent titles that have too many prices or pictures to be those of one product."""
        query = (
            f"SELECT name, num_products, num_prices, num_pictures FROM generic ORDER BY 2 DESC, 1 LIMIT {_NUM_EXAMPLES}"
        )
        return [GenericName(*row) for row in self._db.execute(query)]

    def picture_hashes(self) -> list[tuple[str, bytes]]:
        """Return the pixels' hash and the perceptual hash of each distinct picture of a good row, sorted."""
        return self._db.execute("SELECT DISTINCT pixels, phash FROM good ORDER BY pixels").fetchall()

    def set_groups(self, groups: Mapping[str, str], reasons: Mapping[str, str] | None = None) -> None:
        """Record the group of each distinct picture.

        Args:
            groups: Names of groups by pixels' hash.
            reasons: Why a picture is in one group with others, by pixels' hash.
        """
        reasons = reasons or {}
        self._update(
            "INSERT INTO groups (pixels, name, reasons) VALUES (?, ?, ?)",
            ((pixels, name, reasons.get(pixels, "")) for pixels, name in groups.items()),
        )
        # else `set_splits` would read the whole table for each group
        self._db.execute("CREATE INDEX IF NOT EXISTS groups_by_name ON groups (name)")
        self._db.execute(
            f"UPDATE groups SET reasons = '{SAME_PIXELS}' || iif(reasons = '', '', ', ' || reasons) WHERE pixels IN"
            " (SELECT pixels FROM good GROUP BY pixels HAVING count(*) > 1)"
        )

    def largest_groups(self, max_groups: int) -> list[ProductGroup]:
        """Return the largest groups of more than one product.

        Args:
            max_groups: The number of groups to return, if there are as many.
        """
        groups = self._db.execute(
            "SELECT group_name, count(*), count(DISTINCT pixels) FROM kept GROUP BY group_name HAVING count(*) > 1"
            f" ORDER BY 2 DESC, 1 LIMIT {max_groups}"
        ).fetchall()
        return [
            ProductGroup(name, num_products, num_pictures, self._reasons_of(name), self._titles_of(name))
            for name, num_products, num_pictures in groups
        ]

    def _reasons_of(self, group: str) -> dict[str, int]:
        query = "SELECT group_reason, count(*) FROM kept WHERE group_name = ? GROUP BY 1"
        counts: Counter[str] = Counter()
        for reasons, count in self._db.execute(query, (group,)):
            counts.update(dict.fromkeys(filter(None, reasons.split(", ")), count))
        return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))

    def _titles_of(self, group: str) -> list[str]:
        query = "SELECT title FROM kept WHERE group_name = ? GROUP BY title ORDER BY min(number) LIMIT ?"
        return [title for (title,) in self._db.execute(query, (group, _NUM_EXAMPLES))]

    def group_categories(self) -> dict[str, Counter[str]]:
        """Return the number of products by category, of each group."""
        categories: dict[str, Counter[str]] = defaultdict(Counter)
        query = "SELECT group_name, category, count(*) FROM kept GROUP BY group_name, category"
        for group, category, count in self._rows(query):
            categories[group][category] = count
        return categories

    def set_splits(self, splits: Mapping[str, Split]) -> None:
        """Record the split of each group.

        Args:
            splits: Splits by group.
        """
        self._update("UPDATE groups SET split = ? WHERE name = ?", ((split, group) for group, split in splits.items()))

    def find_leaks(self, split_of: Callable[[int], str] | None = None) -> Iterator[Leak]:
        """Yield the held-out products whose group has a product in training too, in the order of the table.

        It reads what `find_links` collected.

        Args:
            split_of: Returns the split of a row by its number; None for the catalogue's own splits.
        """
        split = self._split_expression(split_of)
        self._db.create_function("is_near", 2, is_near, deterministic=True)
        # a table of its own: joining the view with itself would compare each product with all of its group
        self._db.executescript(
            "DROP TABLE IF EXISTS trained; CREATE TEMP TABLE trained AS SELECT group_name, min(id) AS id"
            f" FROM kept WHERE {split} = 'train' GROUP BY group_name;"
            " CREATE UNIQUE INDEX by_group ON trained (group_name)"
        )
        # what holds between these two products themselves; the group may also be joined by others between them
        why = (
            f"CASE WHEN a.pixels = b.pixels THEN '{SAME_PIXELS}' WHEN a.number = b.number THEN '{SAME_ROW}'"
            f" WHEN a.parent = b.parent AND a.parent != '' THEN '{SAME_COLUMN}'"
            f" WHEN a.name = b.name AND (SELECT NOT is_generic FROM named WHERE number = a.number) THEN '{SAME_NAME}'"
            " WHEN EXISTS (SELECT band FROM bands WHERE number = a.number"
            f"  INTERSECT SELECT band FROM bands WHERE number = b.number) THEN '{NAME_AND_PRICE}'"
            f" WHEN is_near(a.phash, b.phash) THEN '{NEAR}'"
            f" ELSE '{THROUGH_OTHERS}' END"
        )
        rows = self._rows(
            f"SELECT own.number, own.code, own.title, own.own_split, own.group_name, other.number, other.title, {why}"
            f" FROM (SELECT *, {split} AS own_split FROM kept) AS own"
            " JOIN trained ON own.group_name = trained.group_name"
            " JOIN good AS other ON other.id = trained.id"
            " JOIN links AS a ON a.id = own.id JOIN links AS b ON b.id = trained.id"
            " WHERE own.own_split != 'train' ORDER BY own.number, own.id"
        )
        return (Leak(*row) for row in rows)

    def num_held_out(self, split_of: Callable[[int], str] | None = None) -> int:
        """Return the number of products outside training.

        Args:
            split_of: As for `find_leaks`.
        """
        return self._count(f"kept WHERE {self._split_expression(split_of)} != 'train'")

    def _split_expression(self, split_of: Callable[[int], str] | None) -> str:
        """Return the SQL for a product's split."""
        if split_of is None:
            return "split"
        # SQLite calls it for each row, so that rows need not be held in Python to be filtered.
        self._db.create_function("split_of", 1, split_of, deterministic=True)
        return "split_of(number)"
