"""What the README tells people to type is understood, and what it points to is there."""

import re
import shlex
from pathlib import Path

import pytest

from etalage.cli import VERBS, parse, with_verb

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
COMMANDS = [
    line.strip() for page in PAGES for line in page.read_text().splitlines() if re.match(r"\s+etalage [a-z]", line)
]


def arguments(command):
    return with_verb(shlex.split(command, comments=True)[1:])


def test_there_are_commands():
    assert {arguments(command)[0] for command in COMMANDS} == set(VERBS)


@pytest.mark.parametrize("command", COMMANDS)
def test_command_is_understood(command, tmp_path, monkeypatch):
    (tmp_path / "my-run").mkdir()
    (tmp_path / "my-run" / "config.json").write_text('{"catalogue": "my-catalogue"}')
    monkeypatch.chdir(tmp_path)
    config = parse(arguments(command))
    assert type(config) is VERBS[arguments(command)[0]]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), target


def test_the_tree_names_what_is_there():
    tree = (ROOT / "README.md").read_text().split("    src/etalage/\n")[1].split("\n\n")[0]
    for line in tree.splitlines():
        names = re.split(r"\s{3,}", line.strip())[0].split(" ")
        parent = ROOT / "src" / "etalage" if line.startswith("      ") else ROOT
        for name in names:
            assert (parent / name).exists(), name


def test_every_room_is_in_the_tree():
    readme = (ROOT / "README.md").read_text()
    for room in (ROOT / "src" / "etalage").iterdir():
        if room.is_dir() and room.name != "__pycache__":
            assert f"{room.name}/" in readme
