"""What later verbs will lack is said before training, not after it."""

import pytest

from etalage.commands.later_verbs import say_missing_splits


@pytest.mark.parametrize(
    ("splits", "notes"),
    [
        ((14, 2, 5), []),
        ((1, 1, 1), ["the test split has 1 group of products; with fewer than 5, "]),
        ((14, 0, 4), ["no validation products", "the test split has 4 groups of products"]),
        ((14, 2, 0), ["`etalage evaluate` needs --split validation or --split train"]),
        ((0, 0, 0), ["no training products", "no validation products", "no test products"]),
    ],
)
def test_each_lack_is_a_note(splits: tuple[int, int, int], notes: list[str], capsys) -> None:
    say_missing_splits(dict(zip(("train", "validation", "test"), splits, strict=True)), splits[2])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(notes)
    for line, note in zip(lines, notes, strict=True):
        assert note in line


def test_groups_count_and_not_products(capsys: pytest.CaptureFixture[str]) -> None:
    say_missing_splits({"train": 28, "validation": 4, "test": 8}, 2)
    assert capsys.readouterr().out.startswith("note: the test split has 2 groups of products; ")
