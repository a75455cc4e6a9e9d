"""Iterables are cut into lists without reading ahead."""

from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from etalage.chunks import chunks


@given(st.lists(st.integers()), st.integers(1, 9))
def test_lists_hold_all_items_in_order_and_only_the_last_is_shorter(items: list[int], size: int) -> None:
    lists = list(chunks(iter(items), size))
    assert [item for part in lists for item in part] == items
    assert all(len(part) == size for part in lists[:-1])
    assert all(lists)


def test_reads_no_further_than_the_list_that_is_yielded() -> None:
    read = []

    def items() -> Iterator[int]:
        for number in range(10):
            read.append(number)
            yield number

    parts = chunks(items(), 3)
    assert read == []
    assert next(parts) == [0, 1, 2]
    assert read == [0, 1, 2]
