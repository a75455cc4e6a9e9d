import threading

import pytest

from etalage.data.prefetch import prefetch


def test_items_come_in_order_and_the_first_from_this_thread():
    threads = []

    def numbers():
        for number in range(4):
            threads.append(threading.current_thread())
            yield number

    assert list(prefetch(numbers())) == [0, 1, 2, 3]
    assert threads[0] is threading.main_thread()
    assert len(set(threads[1:])) == 1
    assert threading.main_thread() not in threads[1:]


def test_the_next_item_is_made_while_one_is_used():
    made = threading.Event()

    def two():
        yield 1
        made.set()
        yield 2

    items = prefetch(two())
    assert next(items) == 1
    assert made.wait(timeout=10)
    assert list(items) == [2]


def test_nothing_yields_nothing():
    assert list(prefetch(iter(()))) == []


def test_an_error_is_raised_in_its_turn():
    def broken():
        yield 1
        raise OSError("picture is gone")

    items = prefetch(broken())
    assert next(items) == 1
    with pytest.raises(OSError, match="picture is gone"):
        next(items)


def test_closing_waits_for_the_item_under_way():
    finished = threading.Event()

    def slow():
        yield 1
        threading.Event().wait(0.05)
        finished.set()
        yield 2

    items = prefetch(slow())
    next(items)
    items.close()
    assert finished.is_set()
