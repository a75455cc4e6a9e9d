"""The verbs of the command line, one file each, as Python functions of their configuration.

>>> from pathlib import Path
>>> from etalage.commands.sample import sample
>>> from etalage.config import SampleConfig
>>> sample(SampleConfig(Path("sample"), rows=100))  # doctest: +SKIP
"""
