"""The options by which the user says which column holds what, as they are read and as they are suggested."""

import difflib
import re
import shlex
from collections.abc import Iterable, Sequence

from etalage.catalogue.columns.headers import normalize
from etalage.catalogue.readers.header import clean_name
from etalage.errors import EtalageError

__all__ = ["column_option", "join_names", "parse_column_options", "require_column", "suggest"]

_MAX_NAMES_SHOWN = 5
_MIN_SIMILARITY = 0.75


def column_option(role: str, column: str) -> str:
    """Return the option that names a column, as it can be pasted into a shell.

    >>> column_option("price", "Preis, inkl. MwSt.")
    "--column price='Preis, inkl. MwSt.'"

    Args:
        role: What the column holds.
        column: The column's name.
    """
    return f"--column {role}={shlex.quote(column)}"


def parse_column_options(
    names: Sequence[str], roles: Sequence[str], columns: str, column: Iterable[str]
) -> dict[str, list[str]]:
    """Return the columns that the user names, by role; only `image` may have several, the best first.

    Args:
        names: The table's column names.
        roles: The roles that columns can have.
        columns: Several columns, as in "title=name,image=photo".
        column: One column each, as in "price=Preis, inkl. MwSt.".

    Raises:
        EtalageError: An option is not of the form ROLE=COLUMN, names an unknown role or column, or repeats a role.
    """
    parts = [(part, "--columns") for part in _split_columns(names, roles, columns)]
    found: dict[str, list[str]] = {}
    for part, option in [*parts, *((part, "--column") for part in column)]:
        role, equals, name = part.partition("=")
        role = role.strip()
        if not equals:
            between = ", with commas between" if option == "--columns" else ""
            raise EtalageError(f"{option} has {part!r}; write {roles[0]}=COLUMN{between}")
        if role not in roles:
            raise EtalageError(f"{option} names {role!r}, which is none of {', '.join(roles)}{suggest([role], roles)}")
        name = require_column(names, name, option)
        if role in found and role != "image":
            raise EtalageError(f"{role} is to be column {found[role][0]!r} and {name!r}; name one of them")
        found.setdefault(role, []).append(name)
    return {role: list(dict.fromkeys(given)) for role, given in found.items()}


def require_column(names: Sequence[str], column: str, option: str) -> str:
    """Return the column that is meant by what a user wrote.

    Args:
        names: The table's column names.
        column: The name as it was given. Spaces around it and quotes that the shell left do not matter.
        option: The option, for the message.

    Raises:
        EtalageError: There is no such column.
    """
    cleaned = clean_name(column)
    for attempt in (cleaned, clean_name(cleaned[1:-1]) if cleaned[:1] == cleaned[-1:] != "" else ""):
        if attempt in names and attempt:
            return attempt
    raise EtalageError(f"{option}: no column {cleaned!r}{suggest([cleaned], names)}; found {join_names(names, None)}")


def suggest(candidates: Iterable[str], names: Iterable[str]) -> str:
    """Return a hint at the name that is most like a candidate, or an empty text.

    Args:
        candidates: What was looked for, the likeliest first.
        names: What there is.
    """
    originals = {normalize(name): name for name in names}
    for candidate in candidates:
        if similar := difflib.get_close_matches(normalize(candidate), originals, 1, _MIN_SIMILARITY):
            return f" (did you mean {originals[similar[0]]!r}?)"
    return ""


def join_names(names: Sequence[str], limit: int | None = _MAX_NAMES_SHOWN) -> str:
    """Return names with commas between.

    Args:
        names: The names; empty ones are left out.
        limit: The most that are shown; None for all.
    """
    named = [name for name in names if name]
    return ", ".join(named[:limit]) + (", ..." if limit is not None and len(named) > limit else "")


def _split_columns(names: Sequence[str], roles: Sequence[str], columns: str) -> list[str]:
    """Divide the value of --columns before each role, so that a column's name may hold commas itself."""
    pattern = rf",(?=\s*(?:{'|'.join(map(re.escape, roles))})\s*=)"
    parts: list[str] = []
    for part in re.split(pattern, columns):
        name = clean_name(part.partition("=")[2])
        is_column = name in names or clean_name(name[1:-1]) in names
        # A comma that is in no column's name divides, too, so that what stands after it is seen to be wrong.
        parts += [part] if is_column else part.split(",")
    return [part for part in parts if part.strip()]
