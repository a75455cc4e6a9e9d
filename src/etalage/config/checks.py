"""Checks that the settings share. Each names the flag, its value and what it may be."""

import math

from etalage.errors import EtalageError

__all__ = ["flag", "require_at_least", "require_fraction", "require_positive"]


def flag(name: str) -> str:
    """Return a setting's name as it is typed on the command line: `--max-tokens` for max_tokens."""
    return "--" + name.replace("_", "-")


def require_at_least(config: object, least: int, *names: str) -> None:
    """Refuse values below a limit; `auto` and None pass.

    Args:
        config: Holds the settings.
        least: The smallest value that is allowed.
        names: The settings to check.

    Raises:
        EtalageError: One is smaller, or is not finite.
    """
    for name in names:
        value = getattr(config, name)
        if value not in ("auto", None) and not least <= value < math.inf:  # nor not a number
            raise EtalageError(f"{flag(name)} is {value}; it must be at least {least}")


def require_positive(config: object, *names: str) -> None:
    """Refuse values of zero and below; `auto` and None pass.

    Args:
        config: Holds the settings.
        names: The settings to check.

    Raises:
        EtalageError: One is not positive, or is not finite.
    """
    for name in names:
        value = getattr(config, name)
        if value not in ("auto", None) and not 0 < value < math.inf:
            raise EtalageError(f"{flag(name)} is {value}; it must be positive")


def require_fraction(config: object, *names: str) -> None:
    """Refuse values outside of 0 <= value < 1.

    Args:
        config: Holds the settings.
        names: The settings to check.

    Raises:
        EtalageError: One is outside.
    """
    for name in names:
        value = getattr(config, name)
        if not 0 <= value < 1:
            raise EtalageError(f"{flag(name)} is {value}; it must be at least 0 and below 1")
