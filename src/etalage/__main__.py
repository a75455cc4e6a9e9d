"""`python -m etalage` is the command `etalage`."""

from etalage.cli import main

main()
