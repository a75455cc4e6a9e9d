"""CATALOGUE/profile.html: one page that shows a person what is in a catalogue, before anything is trained on it."""

from etalage.catalogue.profile.page import write_profile

__all__ = ["write_profile"]
