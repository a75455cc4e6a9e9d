"""The examples of docs/api.md give what the page says."""

import doctest
import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "api.md"


class IgnoresProgress(doctest.OutputChecker):
    """Commands print their progress, which the page leaves out."""

    def check_output(self, want: str, got: str, optionflags: int) -> bool:
        return not want or super().check_output(want, got, optionflags)


def test_examples_give_what_the_page_says(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    assert len(blocks) > 5
    session: dict[str, object] = {}
    runner = doctest.DocTestRunner(IgnoresProgress(), verbose=False, optionflags=doctest.NORMALIZE_WHITESPACE)
    for number, block in enumerate(blocks):
        test = doctest.DocTestParser().get_doctest(block, session, f"block {number}", PAGE.name, None)
        reports: list[str] = []
        failed, _ = runner.run(test, out=reports.append, clear_globs=False)
        session = test.globs
        assert not failed, "".join(reports)
