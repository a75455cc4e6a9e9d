"""Which column of a table holds what: by its export's format, by the words of its header, else by its cells."""

from etalage.catalogue.columns.exports import ShopExport, VariantLayout, columns_like
from etalage.catalogue.columns.headers import KNOWN_COLUMNS
from etalage.catalogue.columns.match import RESERVED_COLUMNS, ColumnMatch, match_columns
from etalage.catalogue.columns.options import column_option
from etalage.catalogue.columns.questions import ask_columns, can_ask

__all__ = [
    "KNOWN_COLUMNS",
    "RESERVED_COLUMNS",
    "ColumnMatch",
    "ShopExport",
    "VariantLayout",
    "ask_columns",
    "can_ask",
    "column_option",
    "columns_like",
    "match_columns",
]
