import pytest

from etalage.data.sampler import StepSampler


@pytest.mark.parametrize("start", range(8))
def test_a_resumed_sampler_continues_where_it_was(start):
    whole = list(StepSampler(10, 3, 2, seed=5))
    assert len(whole) == len(StepSampler(10, 3, 2, seed=5)) == 8
    rest = StepSampler(10, 3, 2, seed=5, start_step=start)
    assert list(rest) == whole[start:]
    assert len(rest) == 8 - start


def test_each_epoch_shows_each_example_once_in_a_new_order():
    steps = list(StepSampler(10, 3, 2, seed=5))
    epochs = [[i for step in half for i in step] for half in (steps[:4], steps[4:])]
    assert sorted(epochs[0]) == list(range(10))
    assert sorted(epochs[1]) == list(range(10, 20)), "the second epoch's"
    assert [i + 10 for i in epochs[0]] != epochs[1]
    assert next(iter(StepSampler(10, 3, 1, seed=6))) != steps[0]
