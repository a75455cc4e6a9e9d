"""Forbidden texts are recognized whatever their case, and cannot be read back."""

import pickle

from etalage.sample.mimic.forbidden import ForbiddenTexts


def test_texts_are_recognized_in_any_case() -> None:
    forbidden = ForbiddenTexts.from_texts(["Red Tote", "STRASSE"])
    assert "red tote" in forbidden
    assert "straße" in forbidden
    assert "red" not in forbidden
    assert "Red Tote " not in forbidden


def test_no_texts_forbid_nothing() -> None:
    assert "" not in ForbiddenTexts.from_texts([])


def test_many_texts_are_all_recognized() -> None:
    forbidden = ForbiddenTexts.from_texts(str(n) for n in range(5_000))
    assert all(str(n) in forbidden for n in range(0, 5_000, 17))
    assert not any(str(n) in forbidden for n in range(5_000, 6_000))
    assert len(forbidden.hashes) == 5_000


def test_odd_characters_are_hashed_too() -> None:
    assert "\ud800" in ForbiddenTexts.from_texts(["\ud800"])


def test_texts_themselves_are_not_kept() -> None:
    assert b"secret" not in pickle.dumps(ForbiddenTexts.from_texts(["secret"]))
