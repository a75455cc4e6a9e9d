"""Settings of `etalage sample`, `sample serve` and `sample check`."""

from dataclasses import dataclass
from pathlib import Path

from tyro.conf import Positional

from etalage.config.checks import require_at_least, require_positive
from etalage.config.prepare import TableFormat
from etalage.errors import EtalageError

__all__ = ["SampleCheckConfig", "SampleConfig", "SampleServeConfig"]

_MAX_PICTURE_PX = 4096


@dataclass(frozen=True)
class SampleConfig:
    """Draw a sample catalogue: a table in the Burberry schema, or like yours, and a picture per row."""

    out: Positional[Path]
    """Folder to write; must not exist or be empty."""
    rows: int = 600
    """Products to draw."""
    seed: int = 0
    """The same seed and version give the same bytes."""
    brand: int = 0
    """Number of the brand: each has its own range, vocabulary and price law."""
    num_brands: int = 1
    """Brands to mix, counted from --brand."""
    picture_px: int = 336
    """Longer side of a typical picture."""
    like: Path | None = None
    """A catalogue folder written by `prepare`, to resemble in structure and variety; none of its rows is copied."""
    faults: str = ""
    """Share of rows to plant faults in, and shares of single kinds: 0.1,huge=0,dead-link=0.05."""
    format: TableFormat = "csv"
    """csv: a table and a folder of pictures. parquet: files of 10,000 rows with the pictures inside."""
    image_url: str = ""
    """Write links that begin with this, for `etalage sample serve` to answer: http://127.0.0.1:8765/"""

    def __post_init__(self) -> None:
        require_at_least(self, 1, "rows", "num_brands")
        require_at_least(self, 24, "picture_px")
        require_at_least(self, 0, "brand")
        if self.picture_px > _MAX_PICTURE_PX:
            raise EtalageError(f"--picture-px is {self.picture_px}; it must be at most {_MAX_PICTURE_PX}")
        if self.image_url and (self.format != "csv" or not self.image_url.startswith(("http://", "https://"))):
            raise EtalageError(
                f"--image-url {self.image_url} must begin with http:// or https://, and needs --format csv"
            )
        if self.like is not None and self.rows < 6:
            raise EtalageError(f"--rows is {self.rows}; with --like it must be at least 6, to be compared")
        if self.like is not None and (self.brand, self.num_brands) != (0, 1):
            raise EtalageError("--brand and --num-brands are for drawn catalogues; leave them out with --like")


@dataclass(frozen=True)
class SampleServeConfig:
    """Serve a sample's pictures on this machine until Ctrl-C, slowly and with faults if asked to."""

    sample: Positional[Path]
    """Folder that `etalage sample` wrote, with its --image-url naming this server."""
    port: int = 8765
    """Port to listen on; 0 lets the system choose a free one."""
    latency_ms: float = 0.0
    """Delay before each answer begins."""
    error_rate: float = 0.0
    """Share of the first two requests for each picture that fail at random, in addition to the planted faults."""
    bandwidth_kib_s: float | None = None
    """Limit of each connection; None sets no limit."""

    def __post_init__(self) -> None:
        if self.latency_ms < 0 or not 0 <= self.error_rate <= 1:
            raise EtalageError("--latency-ms must be at least 0, and --error-rate between 0 and 1")
        require_positive(self, "bandwidth_kib_s")


@dataclass(frozen=True)
class SampleCheckConfig:
    """Compare a prepared catalogue with the faults that were planted in the sample it was made from."""

    sample: Positional[Path]
    """Folder that `etalage sample --faults` wrote."""
    catalogue: Positional[Path]
    """Catalogue folder written by `prepare`."""
