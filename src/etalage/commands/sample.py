"""`etalage sample`, `sample serve` and `sample check`: make a sample, serve its pictures, check its faults."""

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from etalage.config import SampleCheckConfig, SampleConfig, SampleServeConfig
from etalage.console import console, say
from etalage.errors import EtalageError
from etalage.progress import progress_bar
from etalage.sample.drawn import DrawnRows
from etalage.sample.faults import MANIFEST, FaultyRows, check_faults, parse_rates, read_faults
from etalage.sample.mimic import learn
from etalage.sample.rows import Rows
from etalage.sample.server import serve
from etalage.sample.write import write_sample
from etalage.wording import count

__all__ = ["sample", "sample_check", "sample_serve"]


def sample(config: SampleConfig) -> None:
    """Draw a sample catalogue, of made-up brands or like another catalogue, and plant faults if asked to.

    Args:
        config: What to draw and where to write it.

    Raises:
        EtalageError: The folder is not empty, a fault is unknown, or a package that `--like` needs is missing.
    """
    if config.like is not None and find_spec("sklearn") is None:
        raise EtalageError("--like compares with the original, which needs one more package; pip install etalage[like]")
    rows: Rows = (
        DrawnRows(config.seed, range(config.brand, config.brand + config.num_brands), config.picture_px)
        if config.like is None
        else learn(config.like, seed=config.seed, rows=config.rows)
    )
    if config.faults:
        links = bool(config.image_url)
        rates = parse_rates(config.faults, links=links)
        rows = FaultyRows(rows, rates, seed=config.seed, num_rows=config.rows, links=links)
    with progress_bar("sample", config.rows) as progress:
        manifest = write_sample(
            config.out,
            rows,
            config.rows,
            table_format=config.format,
            image_url=config.image_url,
            progress=progress.update,
            # Measured before the folder gets its name, so that no sample appears without its fidelity page.
            finish=None if config.like is None else lambda folder, made: _measure_fidelity(folder, made, config),
        )
    table = config.out / ("catalogue.csv" if config.format == "csv" else "catalogue")
    say(f"{count(config.rows, 'product')} drawn: {table}")
    if oracle := manifest.get("oracle"):
        say(
            f"the best possible answers, from the rules by which products were drawn: {oracle['title_exact']:.1%} of "
            f"titles and {oracle['category_accuracy']:.1%} of categories right, prices off by "
            f"x{oracle['price_median_factor_error']:.2f}"
        )


def sample_serve(config: SampleServeConfig) -> None:
    """Serve a sample's pictures over HTTP until Ctrl-C.

    Args:
        config: The sample and how slowly and unreliably to answer.

    Raises:
        EtalageError: The folder is not a sample with links.
    """
    serve(
        config.sample,
        say,
        port=config.port,
        latency_ms=config.latency_ms,
        error_rate=config.error_rate,
        bandwidth_kib_s=config.bandwidth_kib_s,
    )


def sample_check(config: SampleCheckConfig) -> None:
    """Check that a prepared catalogue treats each planted fault as the sample's manifest expects.

    Args:
        config: The sample and the catalogue that was prepared from it.

    Raises:
        EtalageError: Some faults are not accounted for; lists the first twenty.
    """
    manifest = config.sample / MANIFEST
    if wrong := check_faults(config.catalogue, manifest):
        shown = "\n".join(wrong[:20])
        found = count(len(wrong), "planted fault is", "planted faults are")
        raise EtalageError(f"{found} not accounted for in {config.catalogue}:\n{shown}")
    say(f"all {count(len(read_faults(manifest)), 'planted fault is', 'planted faults are')} accounted for")


def _measure_fidelity(folder: Path, manifest: Mapping[str, Any], config: SampleConfig) -> None:
    """Compare a sample with its original, write the page beside it, and print two lines."""
    from etalage.sample.fidelity import measure_fidelity, read_sample, write_fidelity  # needs scikit-learn

    assert config.like is not None
    with console.status("comparing with the original", spinner="line"):
        table, num_suppressed = read_sample(folder), manifest["num_suppressed"]
        figures = measure_fidelity(config.like, table, seed=config.seed, num_suppressed=num_suppressed)
        title = f"{config.out.name}, like {config.like.resolve().name}"
        write_fidelity(folder / "fidelity.json", folder / "fidelity.html", figures, title=title)
    privacy, detection = figures["privacy"], figures["detection"]
    copied = sum(privacy.get(name, 0) for name in ("rows_copied", "titles_copied", "codes_copied"))
    say(
        f"mean fidelity of its columns {figures['column_fidelity']:.3f} (1 is perfect); area under the curve of "
        f"classifiers that tell it from the original: {detection['logistic']:.2f} (regression), "
        f"{detection['boosting']:.2f} (trees); 0.5 is perfect"
    )
    say(f"{copied} rows, titles or codes are the original's; more in {config.out / 'fidelity.html'}")
