import resource
import shutil
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from etalage.errors import EtalageError
from etalage.train.checkpoint import check_disk_space, latest_checkpoint, load_checkpoint, save_checkpoint


def _made(steps):
    torch.manual_seed(0)
    layer = nn.Linear(3, 2)
    optimizer = torch.optim.AdamW(layer.parameters(), lr=0.1)
    for _ in range(steps):
        layer(torch.ones(1, 3)).sum().backward()
        optimizer.step()
        optimizer.zero_grad()
    return dict(layer.named_parameters()), optimizer


def test_round_trip(tmp_path):
    parameters, optimizer = _made(3)
    path = save_checkpoint(tmp_path, 3, parameters, optimizer)
    fresh, fresh_optimizer = _made(0)
    assert load_checkpoint(path, fresh, fresh_optimizer) == 3
    for name, parameter in parameters.items():
        assert torch.equal(parameter, fresh[name])
        for key, value in optimizer.state[parameter].items():
            assert torch.equal(value, fresh_optimizer.state[fresh[name]][key])


def test_only_the_newest_whole_one_is_kept_and_found(tmp_path):
    for step in (1, 2):
        save_checkpoint(tmp_path, step, *_made(step))
    (tmp_path / "step-0000009.partial").mkdir()  # a killed process left it
    assert latest_checkpoint(tmp_path) == tmp_path / "step-0000002"
    assert not (tmp_path / "step-0000001").exists()
    save_checkpoint(tmp_path, 9, *_made(1))
    assert latest_checkpoint(tmp_path) == tmp_path / "step-0000009"


def test_of_another_model_is_refused(tmp_path):
    path = save_checkpoint(tmp_path, 1, *_made(1))
    other = {"other": nn.Parameter(torch.ones(2))}
    with pytest.raises(ValueError, match="other weights than this run trains"):
        load_checkpoint(path, other, torch.optim.AdamW(other.values()))


def test_nothing_is_pickled(tmp_path):
    path = save_checkpoint(tmp_path, 1, *_made(1))
    assert {file.suffix for file in path.iterdir()} == {".safetensors", ".json"}


def test_no_checkpoint(tmp_path):
    assert latest_checkpoint(tmp_path / "none") is None


def test_the_last_one_has_weights_alone(tmp_path):
    parameters, _ = _made(3)
    path = save_checkpoint(tmp_path, 3, parameters, None)
    assert not (path / "optimizer.safetensors").exists()
    fresh, fresh_optimizer = _made(0)
    assert load_checkpoint(path, fresh, fresh_optimizer) == 3
    assert all(torch.equal(parameter, fresh[name]) for name, parameter in parameters.items())


def test_a_write_that_fails_leaves_the_one_before(tmp_path):
    save_checkpoint(tmp_path, 1, *_made(1))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8, limits[1]))
    try:
        with pytest.raises(EtalageError, match=r"could not be written .*make room on the disk"):
            save_checkpoint(tmp_path, 2, *_made(2))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert [path.name for path in tmp_path.iterdir()] == ["step-0000001"]


@pytest.mark.parametrize(
    ("num_resumable", "keeps_best", "needed"), [(0, False, 50), (0, True, 60), (1, False, 50), (2, True, 70)]
)
def test_room_is_asked_for_before_it_is_needed(tmp_path, monkeypatch, num_resumable, keeps_best, needed):
    checkpoints = tmp_path / "checkpoints"
    checkpoints.mkdir()
    (checkpoints / "of a broken run").write_bytes(bytes(7))
    learned, result = [torch.zeros(10, dtype=torch.int8)], [torch.zeros(40, dtype=torch.int8)]

    def check(room):
        monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=room - 7))
        check_disk_space(checkpoints, learned, result, num_resumable=num_resumable, keeps_best=keeps_best)

    check(needed)
    with pytest.raises(ValueError, match=r"room for .* GB, .* take up to .* GB; make room"):
        check(needed - 1)
