"""What the README tells people to type is understood, and what it points to is there."""

import re
import shlex
from pathlib import Path

import pytest

from etalage.cli import VERBS, parse

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
COMMANDS = [
    line.strip() for page in PAGES for line in page.read_text().splitlines() if re.match(r"\s+etalage [a-z]", line)
]


def test_there_are_commands():
    assert {shlex.split(command)[1] for command in COMMANDS} == set(VERBS)


@pytest.mark.parametrize("command", COMMANDS)
def test_command_is_understood(command):
    config = parse(shlex.split(command, comments=True)[1:])
    assert type(config) is VERBS[shlex.split(command)[1]]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), target
