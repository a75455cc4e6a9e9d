"""What is asked where columns cannot be told: on a terminal as a short list, elsewhere as one error for all of them."""

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from etalage.catalogue.columns.content import ColumnProfile
from etalage.catalogue.columns.options import column_option
from etalage.console import say

__all__ = ["OpenRole", "ask_columns", "can_ask", "refusal"]

_NUM_EXAMPLES = 3
_MAX_CANDIDATES = 12
_MAX_TRIES = 3


@dataclass(frozen=True)
class OpenRole:
    """A role for which no column, or none for certain, was found."""

    role: str
    problem: str
    """Why, as the rest of a sentence about the role."""
    candidates: Sequence[ColumnProfile]
    """The columns that may be meant, the likeliest first."""


def can_ask() -> bool:
    """Return whether somebody sits at a terminal: both standard input and output are one."""
    return all(stream is not None and not stream.closed and stream.isatty() for stream in (sys.stdin, sys.stdout))


def refusal(open_roles: Sequence[OpenRole], way_out: str = "") -> str:
    """Return the message for all roles that are open, with an option to paste for each candidate.

    Args:
        open_roles: The roles, at least one.
        way_out: What else may be done; empty for nothing.
    """
    lines = [f"say which column holds {_join([one.role for one in open_roles])}"]
    for one in open_roles:
        lines.append(f"{one.role}: {one.problem}")
        shown = one.candidates[:_MAX_CANDIDATES]
        options = [column_option(one.role, profile.name) for profile in shown]
        width = min(40, max(map(len, options), default=0))
        lines += [
            f"  {option:{width}}  {_examples(profile)}".rstrip() for option, profile in zip(options, shown, strict=True)
        ]
        if not shown:
            lines.append("  no other column of texts or numbers is left")
        if len(one.candidates) > _MAX_CANDIDATES:
            lines.append(f"  and {len(one.candidates) - _MAX_CANDIDATES} more columns")
    if not any(one.candidates for one in open_roles):
        ending = f"name one with --column {open_roles[0].role}=COLUMN"
    elif len(open_roles) == 1:
        ending = "add the option of the right line"
    else:
        ending = "add an option for each of them"
    return "\n".join([*lines, "; ".join(filter(None, [ending, way_out]))])


def ask_columns(open_roles: Iterable[OpenRole], read_line: Callable[[str], str] = input) -> Mapping[str, str]:
    """Ask on the terminal which columns are meant; a role is left out where nothing is chosen.

    Args:
        open_roles: The roles.
        read_line: Shows a text and reads a line.
    """
    chosen: dict[str, str] = {}
    for one in open_roles:
        free = [profile for profile in one.candidates if profile.name not in chosen.values()]
        if not free:
            continue
        say(f"{one.role}: {one.problem}")
        for number, profile in enumerate(free[:_MAX_CANDIDATES], 1):
            say(f"  {number}  {profile.name}  ({_examples(profile)})")
        if name := _read_choice(free[:_MAX_CANDIDATES], one.role, read_line):
            chosen[one.role] = name
    if chosen:
        say("to be asked no more: " + " ".join(column_option(role, name) for role, name in chosen.items()))
    return chosen


def _read_choice(candidates: Sequence[ColumnProfile], role: str, read_line: Callable[[str], str]) -> str:
    for _ in range(_MAX_TRIES):
        try:
            line = read_line(f"number of the column for {role} (Enter: none of these): ").strip()
        except EOFError:
            return ""
        if not line:
            return ""
        if line.isdecimal() and 1 <= int(line[:4]) <= len(candidates):
            return candidates[int(line) - 1].name
        if named := [profile.name for profile in candidates if profile.name == line]:
            return named[0]
        say(f"{line[:40]!r} is none of 1 to {len(candidates)}")
    return ""


def _examples(profile: ColumnProfile) -> str:
    return " | ".join(profile.examples(_NUM_EXAMPLES)) or "empty in the first rows"


def _join(roles: Sequence[str]) -> str:
    return roles[0] if len(roles) == 1 else f"{', '.join(roles[:-1])} and {roles[-1]}"
