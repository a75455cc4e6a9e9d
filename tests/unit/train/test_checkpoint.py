import os
import resource
import shutil
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from etalage.errors import EtalageError
from etalage.train.checkpoint import (
    check_disk_space,
    load_best,
    load_checkpoint,
    load_latest,
    save_best,
    save_checkpoint,
)


def trained_layer(num_steps):
    torch.manual_seed(0)
    layer = nn.Linear(3, 2)
    optimizer = torch.optim.AdamW(layer.parameters(), lr=0.1)
    for _ in range(num_steps):
        layer(torch.ones(1, 3)).sum().backward()
        optimizer.step()
        optimizer.zero_grad()
    return dict(layer.named_parameters()), optimizer


def test_round_trip(tmp_path):
    parameters, optimizer = trained_layer(3)
    path = save_checkpoint(tmp_path, 3, parameters, optimizer)
    fresh, fresh_optimizer = trained_layer(0)
    assert load_checkpoint(path, fresh, fresh_optimizer, 99) == 3
    for name, parameter in parameters.items():
        assert torch.equal(parameter, fresh[name])
        for key, value in optimizer.state[parameter].items():
            assert torch.equal(value, fresh_optimizer.state[fresh[name]][key])


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_newest_two_complete_checkpoints_are_kept(tmp_path):
    for step in (1, 2, 3):
        save_checkpoint(tmp_path, step, *trained_layer(step))
    (tmp_path / "step-0000009.partial-1").mkdir()  # as a killed process leaves it
    assert load_latest(tmp_path, *trained_layer(0), 99) == 3
    assert names(tmp_path) == ["step-0000002", "step-0000003", "step-0000009.partial-1"]
    save_checkpoint(tmp_path, 9, *trained_layer(1))
    assert load_latest(tmp_path, *trained_layer(0), 99) == 9


def test_the_older_one_makes_way_before_the_next_is_written(tmp_path, monkeypatch):
    held = []
    for step in (1, 2, 3, 4):
        save_checkpoint(tmp_path, step, *trained_layer(step))
        held.append(names(tmp_path))
    assert max(map(len, held)) == 2
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8, limits[1]))
    try:
        with pytest.raises(EtalageError, match="could not be written"):
            save_checkpoint(tmp_path, 5, *trained_layer(5))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert names(tmp_path) == ["step-0000004"]


def flip_a_bit(path):
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)


DAMAGE = {
    "a bit of a weight": lambda path: flip_a_bit(path / "weights.safetensors"),
    "a bit of a moment": lambda path: flip_a_bit(path / "optimizer.safetensors"),
    "half of the weights": lambda path: (path / "weights.safetensors").write_bytes(b"0" * 50),
    "no weights": lambda path: (path / "weights.safetensors").unlink(),
    "no moments": lambda path: (path / "optimizer.safetensors").unlink(),
    "no state": lambda path: (path / "state.json").unlink(),
    "half of the state": lambda path: (path / "state.json").write_text('{"step": '),
    "another step": lambda path: (path / "state.json").write_text('{"step": 7}'),
    "step of another type": lambda path: (path / "state.json").write_text('{"step": "2"}'),
    "no number": lambda path: (path / "state.json").write_text('{"step": null}'),
    "deep state": lambda path: (path / "state.json").write_text("[" * 100_000),
    "a pipe": lambda path: ((path / "state.json").unlink(), os.mkfifo(path / "state.json")),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_the_checkpoint_before_a_damaged_one_is_taken(tmp_path, capsys, damage):
    for step in (1, 2):
        path = save_checkpoint(tmp_path, step, *trained_layer(step))
    damage(path)
    parameters, optimizer = trained_layer(0)
    assert load_latest(tmp_path, parameters, optimizer, 99) == 1
    expected, expected_optimizer = trained_layer(1)
    assert all(torch.equal(p, expected[name]) for name, p in parameters.items())
    moments = [o.state_dict()["state"] for o in (optimizer, expected_optimizer)]
    assert all(torch.equal(moments[0][i][k], moments[1][i][k]) for i in moments[1] for k in moments[1][i])
    printed = " ".join(capsys.readouterr().out.split())
    assert f"{path.name} is damaged" in printed
    assert "training goes on from step-0000001" in printed
    # Its steps are taken again, and then it is written anew.
    save_checkpoint(tmp_path, 2, *trained_layer(2))
    assert load_latest(tmp_path, *trained_layer(0), 99) == 2
    assert names(tmp_path) == ["step-0000001", "step-0000002"]


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_without_another_the_damaged_file_is_named(tmp_path, damage):
    damage(save_checkpoint(tmp_path, 2, *trained_layer(2)))
    parameters, optimizer = trained_layer(0)
    before = {name: p.detach().clone() for name, p in parameters.items()}
    with pytest.raises(EtalageError, match=r"step-0000002/(state\.json|\w+\.safetensors).*remove the run folder"):
        load_latest(tmp_path, parameters, optimizer, 99)
    assert all(torch.equal(p, before[name]) for name, p in parameters.items())
    assert names(tmp_path) == ["step-0000002"], "nothing is moved"


def test_damaged_best_weights_are_named(tmp_path):
    save_best(tmp_path, trained_layer(1)[0])
    flip_a_bit(tmp_path / "best.safetensors")
    with pytest.raises(EtalageError, match=r"best\.safetensors is damaged"):
        load_best(tmp_path, trained_layer(0)[0])


@pytest.mark.parametrize("value", [torch.tensor([1.0, float("nan")]), torch.tensor([1, 2])], ids=["nan", "integers"])
def test_a_checkpoint_of_an_earlier_version_has_no_digest_but_sound_numbers(tmp_path, value):
    parameters = {"weight": nn.Parameter(torch.zeros(2))}
    path = save_checkpoint(tmp_path, 1, parameters, None)
    save_file({"weight": torch.tensor([1.0, 2.0])}, path / "weights.safetensors")
    load_checkpoint(path, parameters, torch.optim.AdamW(parameters.values()), 1)
    assert parameters["weight"].tolist() == [1.0, 2.0]
    save_file({"weight": value}, path / "weights.safetensors")
    with pytest.raises(EtalageError, match=r"weights\.safetensors is damaged"):
        load_checkpoint(path, parameters, torch.optim.AdamW(parameters.values()), 1)


def test_weights_of_another_shape_are_refused(tmp_path):
    """They could be broadcast."""
    path = save_checkpoint(tmp_path, 1, {"weight": nn.Parameter(torch.ones(1))}, None)
    other = {"weight": nn.Parameter(torch.zeros(2, 3))}
    with pytest.raises(EtalageError, match="other weights than this run trains"):
        load_checkpoint(path, other, torch.optim.AdamW(other.values()), 1)


def test_a_checkpoint_of_another_model_is_refused(tmp_path):
    path = save_checkpoint(tmp_path, 1, *trained_layer(1))
    other = {"other": nn.Parameter(torch.ones(2))}
    with pytest.raises(ValueError, match="other weights than this run trains"):
        load_checkpoint(path, other, torch.optim.AdamW(other.values()), 1)


def test_nothing_is_pickled(tmp_path):
    path = save_checkpoint(tmp_path, 1, *trained_layer(1))
    assert {file.suffix for file in path.iterdir()} == {".safetensors", ".json"}


def test_there_is_none_in_a_folder_that_does_not_exist(tmp_path):
    assert load_latest(tmp_path / "none", *trained_layer(0), 99) == 0


def test_the_last_checkpoint_holds_weights_alone(tmp_path):
    parameters, _ = trained_layer(3)
    path = save_checkpoint(tmp_path, 3, parameters, None)
    assert not (path / "optimizer.safetensors").exists()
    fresh, fresh_optimizer = trained_layer(0)
    assert load_checkpoint(path, fresh, fresh_optimizer, 3) == 3
    assert all(torch.equal(parameter, fresh[name]) for name, parameter in parameters.items())


def test_a_failed_write_leaves_the_checkpoint_before(tmp_path):
    save_checkpoint(tmp_path, 1, *trained_layer(1))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8, limits[1]))
    try:
        with pytest.raises(EtalageError, match=r"could not be written .*make room on the disk"):
            save_checkpoint(tmp_path, 2, *trained_layer(2))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert [path.name for path in tmp_path.iterdir()] == ["step-0000001"]


@pytest.mark.parametrize(
    ("num_resumable", "keeps_best", "needed"), [(0, False, 50), (0, True, 60), (1, False, 80), (2, True, 90)]
)
def test_disk_space_is_checked_before_it_is_needed(tmp_path, monkeypatch, num_resumable, keeps_best, needed):
    checkpoints = tmp_path / "checkpoints"
    checkpoints.mkdir()
    (checkpoints / "of an interrupted run").write_bytes(bytes(7))
    trainable, result = [torch.zeros(10, dtype=torch.int8)], [torch.zeros(40, dtype=torch.int8)]

    def check(room):
        monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=room - 7))
        check_disk_space(checkpoints, trainable, result, num_resumable=num_resumable, keeps_best=keeps_best)

    check(needed)
    with pytest.raises(ValueError, match=r"room for .* GB, .* take up to .* GB; make room"):
        check(needed - 1)


@pytest.mark.parametrize("name", ["weights.safetensors", "optimizer.safetensors"])
def test_a_damaged_checkpoint_is_one_message(tmp_path, name):
    path = save_checkpoint(tmp_path, 1, *trained_layer(1))
    (path / name).write_bytes((path / name).read_bytes()[:20])
    with pytest.raises(EtalageError, match=rf"{name} is damaged .*remove the run folder to begin again"):
        load_checkpoint(path, *trained_layer(0), 99)


def test_the_best_weights_are_those_saved_last(tmp_path):
    folder = tmp_path / "checkpoints"
    for num_steps in (1, 2):
        save_best(folder, trained_layer(num_steps)[0])
    restored = trained_layer(0)[0]
    load_best(folder, restored)
    assert all(torch.equal(p, restored[name]) for name, p in trained_layer(2)[0].items())
    assert [file.name for file in folder.iterdir()] == ["best.safetensors"]


def test_best_weights_do_not_count_as_a_checkpoint(tmp_path):
    save_best(tmp_path, trained_layer(1)[0])
    assert load_latest(tmp_path, *trained_layer(0), 99) == 0
