"""Catalogues like one's own: learned from a prepared one, none of whose rows can come out again."""

from etalage.sample.mimic.mimic import LEAST_ROWS, Mimic, learn

__all__ = ["LEAST_ROWS", "Mimic", "learn"]
