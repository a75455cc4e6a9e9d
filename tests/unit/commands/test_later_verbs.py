"""What later verbs will lack is said before training, not after it."""

import pytest

from etalage.commands.later_verbs import say_missing_splits


@pytest.mark.parametrize(
    ("splits", "notes"),
    [
        ((14, 2, 5), []),
        ((1, 1, 1), ["1 test product will have scores, but no intervals and no conclusion"]),
        ((14, 0, 4), ["no validation products", "4 test products will have scores"]),
        ((14, 2, 0), ["`etalage evaluate` needs --split validation or --split train"]),
        ((0, 0, 0), ["no training products", "no validation products", "no test products"]),
    ],
)
def test_each_lack_is_a_note(splits: tuple[int, int, int], notes: list[str], capsys) -> None:
    say_missing_splits(dict(zip(("train", "validation", "test"), splits, strict=True)))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(notes)
    for line, note in zip(lines, notes, strict=True):
        assert note in line
