"""Catalogues that resemble your own: learned from a prepared catalogue, without copying any of its rows."""

from etalage.sample.mimic.learning import MIN_ROWS, learn
from etalage.sample.mimic.mimic import Mimic

__all__ = ["MIN_ROWS", "Mimic", "learn"]
