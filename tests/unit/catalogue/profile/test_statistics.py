"""Tests of the statistics of a catalogue."""

import numpy as np
import pytest

from etalage.catalogue.profile import statistics
from etalage.catalogue.profile.table import Categories


def encode(values: list[str]) -> Categories:
    names = list(dict.fromkeys(values))
    return Categories(np.array([names.index(v) for v in values]), names, [values.count(name) for name in names])


def hashes(values: list[int] | range) -> np.ndarray:
    return np.array(values, np.uint64)


def test_sampling_keys_are_those_of_splitmix64() -> None:
    assert statistics.sampling_keys(np.array([0, 1, 2])).tolist() == [
        *(0xE220A8397B1DCDAF, 0x910A2DEC89025CC1, 0x975835DE1C9756CE),
    ]


def test_rows_with_different_pictures_are_chosen_by_key() -> None:
    keys, pictures = hashes([5, 4, 3, 2, 1]), hashes([0, 1, 1, 2, 2])
    assert statistics.choose_rows(np.arange(5), keys, pictures, 2) == [4, 2]
    assert statistics.choose_rows(np.arange(5), keys, pictures, 9) == [4, 2, 0]
    assert statistics.choose_rows(np.array([], np.intp), keys, pictures, 9) == []


def test_choosing_from_many_rows_is_the_same_as_from_the_smallest_keys() -> None:
    keys = statistics.sampling_keys(np.arange(1000))
    chosen = statistics.choose_rows(np.arange(1000), keys, hashes(range(1000)), 8)
    assert chosen == np.argsort(keys)[:8].tolist()


def test_the_contact_sheet_has_the_most_frequent_categories() -> None:
    values = [f"K{n % 30}" for n in range(60)] + ["K7"] * 20
    keys, pictures = statistics.sampling_keys(np.arange(80)), hashes(range(80))
    sheet = statistics.contact_sheet(encode(values), keys, pictures)
    assert len(sheet) == 24
    assert sheet[0][:2] == ("K7", 22)
    assert len(sheet[0][2]) == 8
    assert all(values[row] == name for name, _, rows in sheet for row in rows)


def test_the_contact_sheet_of_a_catalogue_without_categories_is_one() -> None:
    ((name, count, rows),) = statistics.contact_sheet(None, hashes(range(100)), hashes(range(100)))
    assert (name, count, len(rows)) == ("", 100, 48)


def test_splits_are_counted_in_their_order_without_empty_ones() -> None:
    counts = statistics.split_counts({"test": 1, "train": 3, "validation": 0, "own": 4})
    assert counts == [("train", 3, 37.5), ("test", 1, 12.5), ("own", 4, 50.0)]
    assert statistics.split_counts({}) == []


def test_shares_are_of_each_split() -> None:
    splits = encode(["train"] * 4 + ["test"] * 2)
    shares = statistics.split_shares("category", encode(["a", "a", "a", "b", "a", "b"]), splits)
    assert shares is not None
    assert shares.splits == ["train", "test"]
    assert shares.rows == [("a", [75, 50]), ("b", [25, 50])]
    assert (shares.max_difference, shares.lacking) == (25, [])


def test_categories_that_a_split_lacks_are_counted() -> None:
    shares = statistics.split_shares("c", encode(["a", "b", "c", "a"]), encode(["train", "train", "train", "test"]))
    assert shares is not None
    assert shares.lacking == [("test", 2)]
    assert shares.max_difference_category == "a"


def test_categories_beyond_the_most_frequent_are_summed_up() -> None:
    values = [f"K{n}" for n in range(20)]
    shares = statistics.split_shares("c", encode(values * 2), encode(["train"] * 20 + ["test"] * 20))
    assert shares is not None
    assert len(shares.rows) == 17
    assert shares.rows[-1] == ("4 more", [pytest.approx(20), pytest.approx(20)])


@pytest.mark.parametrize(("splits", "values"), [(["train", "train"], ["a", "b"]), (["train", "test"], ["a", "a"])])
def test_one_split_or_one_category_has_nothing_to_compare(splits: list[str], values: list[str]) -> None:
    assert statistics.split_shares("c", encode(values), encode(splits)) is None


def test_groups_are_counted_by_size() -> None:
    groups = hashes([1, 2, 2, 3, 3, 4, 4, 4, 5, 5, 5, 5, 5, *[6] * 6, *[7] * 9])
    counts = [(size.label, size.num_groups, size.num_products) for size in statistics.group_sizes(groups)]
    assert counts == [("1", 1, 1), ("2", 2, 4), ("3 to 5", 2, 8), ("6 or more", 2, 15)]
    assert sum(num for *_, num in counts) == len(groups)


def test_the_largest_groups_are_described() -> None:
    groups, pictures = hashes([1, 2, 2, 3, 3, 3]), hashes([0, 1, 2, 3, 3, 3])
    reasons = encode(["(none)", "near picture", "near picture, same name", *["same pixels"] * 3])
    found = statistics.largest_groups(groups, reasons, hashes(range(6)), pictures)
    assert found == [
        ("3 products, 1 picture, by same pixels", [3]),
        ("2 products, 2 pictures, by near picture, same name", [1, 2]),
    ]


def test_leaks_are_products_held_out_with_a_group_or_picture_in_training() -> None:
    splits = encode(["train", "train", "test", "test", "validation"])
    found = statistics.leakage(splits, hashes([1, 2, 1, 3, 4]), hashes([1, 2, 9, 2, 8]))
    assert (found.num_held_out, found.num_leaked, found.num_same_picture) == (3, 1, 1)


def test_without_a_training_split_nothing_leaks() -> None:
    found = statistics.leakage(encode(["test", "test"]), hashes([1, 1]), hashes([1, 1]))
    assert (found.num_held_out, found.num_leaked, found.num_same_picture) == (2, 0, 0)
