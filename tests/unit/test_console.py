"""Nothing that is printed can fail because of the terminal's encoding."""

import os
import subprocess
import sys

import pytest

SHOP = "Sac à main ‹Élan› 手提包 €19 \udcff"
PROGRAM = f"from etalage.console import console, error_console, say; say({SHOP!a}); error_console.print({SHOP!a})"
TABLE = f"""
from rich.table import Table
from rich.text import Text
from etalage.console import console
table = Table("title")
table.add_row(Text({SHOP!a}))
console.print(table)
"""


def run(program: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=False, env={**os.environ, **environment}
    )


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp437", "cp1252", "utf-8", "koi8-r"])
@pytest.mark.parametrize("program", [PROGRAM, TABLE])
def test_texts_of_a_catalogue_are_printed_in_any_encoding(encoding: str, program: str) -> None:
    done = run(program, PYTHONIOENCODING=encoding)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    shown = done.stdout.decode(encoding)
    assert "Sac" in shown
    assert ("手提包" if encoding == "utf-8" else r"\u624b\u63d0\u5305") in shown
    assert r"\udcff" in shown


@pytest.mark.parametrize("locale", ["C", "POSIX"])
def test_a_plain_locale_is_no_obstacle(locale: str) -> None:
    assert run(PROGRAM, LC_ALL=locale, PYTHONUTF8="0", PYTHONCOERCECLOCALE="0").returncode == 0


def test_closed_outputs_are_no_obstacle() -> None:
    shell = f"exec {sys.executable} -c \"from etalage.console import *; say('a'); error_console.print('b')\" >&- 2>&-"
    assert subprocess.run(["sh", "-c", shell], check=False).returncode == 0
