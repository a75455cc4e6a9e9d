"""Check whether a prepared catalogue treats planted faults as expected."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NotRequired, TypedDict

import pyarrow.parquet as pq

from etalage.catalogue.store import CATALOGUE, DROPS, PRODUCTS
from etalage.errors import EtalageError
from etalage.sample.faults.manifest import PlantedFault, read_faults

__all__ = ["check_faults"]


def check_faults(catalogue: Path, manifest: Path) -> list[str]:
    """Compare what `prepare`, at its default settings, did with what the sample's manifest expects.

    Args:
        catalogue: Folder that `prepare` wrote.
        manifest: The sample's manifest.json.

    Returns:
        One line per fault that was not treated as expected.

    Raises:
        EtalageError: The folder is not a catalogue, or the manifest is missing or damaged.
    """
    faults = read_faults(manifest)
    if not (catalogue / CATALOGUE).is_file():
        raise EtalageError(f"{catalogue} is not a catalogue: it has no {CATALOGUE}; make one with etalage prepare")
    outcomes = _read_outcomes(catalogue, faults)
    return [
        f"row {fault['source_row']} (code {fault['product_code']}), {fault['kind']}: expected {fault['expect']}, "
        f"found {outcome}"
        for fault in faults
        if (outcome := _describe_outcome(fault, outcomes)) != fault["expect"]
    ]


class _Outcome(TypedDict):
    """A row of metadata.parquet or of drops.parquet."""

    product_code: str
    group: NotRequired[str]
    placeholder: NotRequired[bool]
    reason: NotRequired[str]


def _read_outcomes(catalogue: Path, faults: Sequence[PlantedFault]) -> dict[int, _Outcome]:
    """Return the outcomes of faulty rows and of the rows that they copy, by source row."""
    source_rows = sorted({row for fault in faults for row in (fault["source_row"], fault["other"]) if row is not None})
    if not source_rows:
        return {}
    # Of a million rows only the faulty ones and their originals are read.
    filters = [("source_row", "in", source_rows)]
    tables = (pq.read_table(catalogue / name, filters=filters) for name in (PRODUCTS, DROPS))
    return {row["source_row"]: row for table in tables for row in table.to_pylist()}


def _describe_outcome(fault: PlantedFault, outcomes: Mapping[int, _Outcome]) -> str:
    """Return what became of a row, in the words of `Fault.expect` where possible."""
    outcome = outcomes.get(fault["source_row"])
    if outcome is None:
        return "neither a product nor a drop"
    # Source rows are only numbers: the code tells whether both files are of one sample.
    if outcome["product_code"] != fault["product_code"]:
        return f"code {outcome['product_code']}; was the catalogue prepared from this sample?"
    if reason := outcome.get("reason"):
        # `prepare --placeholders drop` found the placeholder as well; it only did more about it.
        return "flagged" if reason == "image_is_placeholder" else f"dropped: {reason}"
    if fault["kind"] == "placeholder" and outcome.get("placeholder"):
        return "flagged"
    if fault["expect"] == "grouped":
        other = outcomes.get(fault["other"]) if fault["other"] else None
        same_group = other is not None and other.get("group") == outcome.get("group")
        return "grouped" if same_group else f"kept, without row {fault['other']} in its group"
    field, equals, _ = fault["expect"].removeprefix("kept: ").partition("=")
    return f"kept: {field}={outcome.get(field)}" if equals else "kept"
