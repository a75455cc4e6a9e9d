"""Faults on demand: rows as bad shops list them, each with what `prepare` is expected to do about it.

Whether a row has a fault, and which, follows from the seed and the row's number alone. The first row never has one, so
that there always is a row to copy.
"""

from etalage.sample.faults.checking import check_faults
from etalage.sample.faults.kinds import COPY_KINDS, KINDS, LINK_KINDS
from etalage.sample.faults.manifest import MANIFEST, PlantedFault, describe_fault, read_faults
from etalage.sample.faults.planting import FaultyRows, picture_number
from etalage.sample.faults.rates import parse_rates

__all__ = [
    "COPY_KINDS",
    "KINDS",
    "LINK_KINDS",
    "MANIFEST",
    "FaultyRows",
    "PlantedFault",
    "check_faults",
    "describe_fault",
    "parse_rates",
    "picture_number",
    "read_faults",
]
