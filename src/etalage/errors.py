"""The one exception for what a user can mend."""

__all__ = ["EtalageError"]


class EtalageError(ValueError):
    """Raised for bad input, with a message that says what is wrong, where, what was found and what to do.

    The command line prints the message without a traceback, unless `--debug` is given. Any other exception is a bug, in
    this package or below it, and keeps its traceback.
    """
