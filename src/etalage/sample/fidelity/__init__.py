"""The fidelity of a mimicked catalogue: how similar it is to its original, and how far it stays from its rows."""

from etalage.sample.fidelity.measure import measure_fidelity
from etalage.sample.fidelity.page import write_fidelity
from etalage.sample.fidelity.sample_table import read_sample

__all__ = ["measure_fidelity", "read_sample", "write_fidelity"]
