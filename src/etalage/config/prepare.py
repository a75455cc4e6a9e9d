"""Settings of `etalage prepare`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tyro.conf import Positional, UseAppendAction

from etalage.config.checks import require_at_least, require_fraction, require_positive
from etalage.errors import EtalageError

__all__ = [
    "DecimalMark",
    "Download",
    "Format",
    "Limits",
    "Placeholders",
    "PrepareConfig",
    "PriceRange",
    "Prices",
    "Source",
    "Splits",
    "TableFormat",
    "TaskConfig",
]

Format = Literal[
    "auto", "csv", "parquet", "jsonl", "excel", "xml", "datasets", "folder", "webdataset", "conversations", "hub"
]
TableFormat = Literal["csv", "parquet"]
Placeholders = Literal["keep", "drop"]
DecimalMark = Literal["auto", ".", ","]
PriceRange = Literal["low", "high", "drop"]


@dataclass(frozen=True)
class TaskConfig:
    """The words that the model reads and writes."""

    question: str = "What is shown in this image?"
    """Asked about every picture."""
    answer: str = "Product: {title}, Category: {category}, Full Price: {price}"
    """The completion, with a catalogue field in each pair of braces. `{colour:category}` gives a field's kind: text,
    category or price. Without one, the fields `category` and `price` are of that kind, and all others are text."""


@dataclass(frozen=True)
class Source:
    """The table to read and the folder to write."""

    source: Positional[str]
    """A table (CSV, TSV, Parquet, JSONL, Excel, XML feed), a folder (of pictures, of Parquet files, a saved `datasets`
    one), a WebDataset tar, conversation JSON, or the id of a dataset on the hub."""
    out: Path
    """Catalogue folder to write; must not exist or be empty."""
    format: Format = "auto"
    """What the source is; auto tells it by name and content."""
    sheet: str = ""
    """Sheet of a workbook, or list of a JSON object, to read; `all` joins the sheets that have the same columns."""
    columns: str = ""
    """Which column holds what, for those not recognised: title=name,price=cost,image=photo,product_code=sku."""
    column: UseAppendAction[tuple[str, ...]] = ()
    """The same for one column, with any sign in its name: price="Preis, inkl. MwSt."; may be given several times. Of
    several for image, the later ones are used where the first has no picture."""
    image_folder: Path | None = None
    """What picture paths are relative to; None is the source's own folder. No path may lead out of it."""
    all_images: bool = False
    """Make a row of each picture of a product, in one group; else its first picture that can be used is taken."""
    task: TaskConfig = TaskConfig()
    placeholders: Placeholders = "keep"
    """Products whose picture many different products share: kept and flagged, or dropped."""
    background: str = "white"
    """What transparent pictures are laid on: a colour's name or #rrggbb."""


@dataclass(frozen=True, kw_only=True)
class Prices:
    """The reading of prices."""

    price_range: PriceRange = "low"
    """How to read a price such as 100 - 250."""
    decimal: DecimalMark = "auto"
    """The decimal mark of prices such as 1.299, which can be read in two ways; auto goes by the other prices."""
    currency: str = ""
    """ISO code of the catalogue's currency, in which prices are that name none. Those in others are left out."""
    rates: Path | None = None
    """CSV or JSON file with the worth of other currencies in --currency (a line: USD,0.92), which converts their
    prices."""


@dataclass(frozen=True, kw_only=True)
class Splits:
    """The division into train, validation and test."""

    validation_fraction: float = 0.1
    """Share of products that early stopping and learning curves are measured on."""
    test_fraction: float = 0.2
    """Share of products that only `evaluate` reads."""
    split_column: str = ""
    """A column that names each row's split. The fractions are then ignored, and leaks are reported."""
    group_by: str = ""
    """A column whose equal cells mark variants of one product, such as a parent SKU, item_group_id or Handle. Without
    it, variants are known by titles, prices, codes and near pictures. Equal pictures stay together in any case."""
    seed: int = 0
    """Decides who is in which split."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The limits beyond which products are dropped."""

    max_price: float = 1e9
    """Higher prices are treated as mistakes and drop their product."""
    max_image_px: int = 64_000_000
    """Pictures with more pixels are dropped without being decoded."""
    max_image_bytes: int = 50_000_000
    """Larger picture files are dropped without being read."""
    max_text_chars: int = 300
    """Longer titles and categories drop their product."""


@dataclass(frozen=True, kw_only=True)
class Download:
    """The fetching of pictures behind URLs."""

    downloads: Path | None = None
    """Folder for fetched pictures, so that a broken run resumes and later ones share them; None is OUT.downloads."""
    retry_failed: bool = False
    """Ask again for pictures that could not be fetched in an earlier run."""
    allow_private: bool = False
    """Also fetch from loopback, link-local and private addresses."""
    num_connections: int = 256
    """Pictures fetched at once."""
    connections_per_host: int = 128
    """Of these, at most so many from one host."""
    num_tries: int = 4
    """Requests for a picture before giving up, where trying again may help."""
    connect_timeout_s: float = 10.0
    """Longest wait for a connection."""
    first_byte_timeout_s: float = 20.0
    """Longest wait for the first byte of an answer, and between any two."""
    transfer_timeout_s: float = 60.0
    """Longest transfer of a whole picture, per try."""


# The groups in reverse, see TrainConfig.
@dataclass(frozen=True)
class PrepareConfig(Download, Limits, Splits, Prices, Source):
    """Turn a table with pictures into a checked catalogue, split by group into train, validation and test."""

    def __post_init__(self) -> None:
        require_at_least(self, 1, "num_connections", "connections_per_host", "num_tries")
        require_at_least(self, 1, "max_image_px", "max_image_bytes", "max_text_chars")
        require_positive(self, "max_price", "connect_timeout_s", "first_byte_timeout_s", "transfer_timeout_s")
        require_fraction(self, "validation_fraction", "test_fraction")
        if self.validation_fraction + self.test_fraction >= 1:
            raise EtalageError(
                f"--validation-fraction {self.validation_fraction} and --test-fraction {self.test_fraction} leave "
                "nothing to train on; make one smaller"
            )
