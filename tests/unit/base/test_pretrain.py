"""The recipe runs, at a size that proves the way and no more, and sees what the model will be shown."""

import io
import json

import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image

from etalage.base import SMALL, build, load_base
from etalage.base.found import PACKAGES, pack
from etalage.base.pretrain import Pretraining, crops_of, pretrain, varied
from etalage.phi3v import Phi3VProcessor


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """Pictures as some packages have them: one twice, one broken, one too small, one with nothing on it."""
    folder = tmp_path_factory.mktemp("packages")
    for number, package in enumerate(list(PACKAGES)[:2]):
        (folder / package / "animals").mkdir(parents=True)
        for name in ("brown_cow", "copy"):
            Image.new("RGBA", (60, 90), (9, number, 200, 180)).save(folder / package / f"animals/{name}.png")
        Image.new("RGB", (300, 40), "red").save(folder / package / "animals/red-snake.jpg")
        Image.new("RGBA", (50, 50)).save(folder / package / "animals/nothing.png")
        Image.new("RGB", (9, 90), "red").save(folder / package / "animals/small.png")
        (folder / package / "animals/broken.png").write_text("no")
    pack(folder, folder / "found.parquet")
    return folder / "found.parquet"


def test_found_pictures_are_packed_once(found):
    rows = pq.read_table(found).to_pylist()
    assert len(rows) == 4
    assert {row["package"] for row in rows} == set(list(PACKAGES)[:2])
    assert {row["path"].partition(".")[0] for row in rows} <= {
        "animals/brown_cow", "animals/copy", "animals/red-snake",
    }  # fmt: skip
    assert all(max(Image.open(io.BytesIO(row["image"])).size) <= 96 for row in rows)


def test_two_steps_of_the_recipe(found, tmp_path, capsys):
    build.main(str(tmp_path / "model"))
    config = Pretraining(tmp_path / "model", found=found, rows=12, num_brands=5, batch_size=8, max_steps=2, seconds=1e9)
    pretrain(config)
    assert "step 0" in capsys.readouterr().out
    first, _ = load_base(str(tmp_path / "model"), dtype=torch.float32)
    pretrain(Pretraining(**{**vars(config), "go_on": True}))
    second, _ = load_base(str(tmp_path / "model"), dtype=torch.float32)
    change = {
        name: float((one - other).detach().abs().max())
        for (name, one), (_, other) in zip(first.named_parameters(), second.named_parameters(), strict=True)
    }
    assert any("vision_model" in name and value > 0 for name, value in change.items())
    assert max(change.values()) < 0.1, "it went on from the weights that were there"


def test_crops_are_those_of_the_processor():
    processor = Phi3VProcessor.from_pretrained(SMALL)
    pixels = torch.randint(0, 256, (256, 256, 3), dtype=torch.uint8)
    shown = processor.image_processor(Image.fromarray(pixels.numpy()))["pixel_values"]
    ours = crops_of(pixels.permute(2, 0, 1)[None].float() / 255, processor)
    torch.testing.assert_close(ours, shown, rtol=0, atol=1e-4)


def test_pictures_are_varied_but_stay_pictures():
    white, grey = torch.ones(16, 3, 64, 64), torch.full((16, 3, 64, 64), 0.4)
    seen = varied(torch.where(torch.rand(16, 1, 64, 64) < 0.5, white, grey), torch.Generator().manual_seed(0))
    assert seen.shape == white.shape
    assert 0 <= float(seen.min()) < float(seen.max()) <= 1
    assert len({float(one.mean()) for one in seen}) == 16


def test_the_build_is_what_the_weights_were_trained_for():
    config = build.configuration(build.tokenizer())
    assert json.loads((SMALL / "config.json").read_text())["img_processor"] == config.img_processor
