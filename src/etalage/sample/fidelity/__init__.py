"""How like the original a mimicked catalogue is, and how far from its rows."""

from etalage.sample.fidelity.figures import measure, write_fidelity
from etalage.sample.fidelity.written import read_written

__all__ = ["measure", "read_written", "write_fidelity"]
