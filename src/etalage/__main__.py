"""`python -m etalage` is the command `etalage`."""

from etalage.cli import main

if __name__ == "__main__":  # workers import this file too
    main()
