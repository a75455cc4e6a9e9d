"""The recipe runs, at a size that proves the way and no more, and sees what the model will be shown."""

import ast
import io
import json
import random
import shutil
import struct
import zipfile

import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image

from etalage.models import SMALL, load_base
from etalage.phi3v import Phi3VProcessor
from pretraining import tokenizer as build
from pretraining.augmentation import vary
from pretraining.found_pictures import PACKAGES, SIDE_PX, pack
from pretraining.pretrain import Pretraining, pretrain
from pretraining.spread import Spreading, spread


def _picture(seed: int, size: int = 64) -> Image.Image:
    """Eight by eight squares of grey."""
    return Image.frombytes("L", (8, 8), random.Random(seed).randbytes(64)).resize((size, size), Image.Resampling.BOX)


def _png(image: Image.Image) -> bytes:
    image.save(file := io.BytesIO(), "PNG")
    return file.getvalue()


def _resources(name: str, content: bytes) -> bytes:
    """A file of Qt's, with one file in its one folder."""
    nodes = struct.pack(">IHII8x", 0, 2, 1, 1) + struct.pack(">IHII8x", 0, 0, 0, 0)
    contents = struct.pack(">I", len(content)) + content
    names = struct.pack(">HI", len(name), 0) + name.encode("utf-16-be")
    places = (20, 20 + len(nodes), 20 + len(nodes) + len(contents))
    return struct.pack(">4s4I", b"qres", 2, *places) + nodes + contents + names


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """Pictures as some packages have them: copied, drawn, in archives, and of no use."""
    folder = tmp_path_factory.mktemp("packages")
    for number, package in enumerate(list(PACKAGES)[:2]):
        (animals := folder / package / "animals").mkdir(parents=True)
        _picture(number).save(animals / "brown_cow.png")
        _picture(number, 300).save(animals / "copy.jpg")
        (animals / "1f400.svg").write_text(
            '<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8">'
            f'<path d="M0 8 L{8 * number} 0 L8 8" fill="red"/><circle cx="4" cy="5" r="2" fill="yellow"/></svg>'
        )
        with zipfile.ZipFile(animals / "chairs.sh3f", "w") as chairs:
            chairs.writestr("chairs/red-chair.png", _png(_picture(number + 2)))
        (animals / "more.rcc").write_bytes(_resources("snake.png", _png(_picture(number + 4))))
        (animals / "flags").mkdir()
        _picture(number + 6).save(animals / "flags/of_a_country.png")
        sheet = Image.new("RGBA", (64, 64))
        for place in range(16):
            sheet.paste("red", (place % 4 * 16, place // 4 * 16, place % 4 * 16 + 9, place // 4 * 16 + 9))
        sheet.save(animals / "sheet.png")
        Image.new("RGBA", (50, 50)).save(animals / "nothing.png")
        _picture(number + 8, 9).save(animals / "small.png")
        (animals / "broken.png").write_text("no")
        (animals / "broken.svg").write_text("no")
    pack(folder, folder / "found.parquet")
    return folder / "found.parquet"


def test_found_pictures_are_packed_once(found):
    rows = pq.read_table(found).to_pylist()
    assert {row["package"] for row in rows} == set(list(PACKAGES)[:2])
    either = {"animals/brown_cow.png": "cow", "animals/copy.jpg": "cow"}
    assert sorted(either.get(row["path"], row["path"]) for row in rows) == sorted(
        ["animals/rat.svg", "animals/chairs.sh3f/chairs/red-chair.png", "animals/more.rcc/snake.png", "cow"] * 2
    )
    assert all(max(Image.open(io.BytesIO(row["image"])).size) <= SIDE_PX for row in rows)


def test_two_steps_of_the_recipe(built, found, tmp_path, capsys):
    shutil.copytree(built, tmp_path / "model")
    config = Pretraining(tmp_path / "model", found=found, rows=12, num_brands=5, batch_size=4, max_steps=2, seconds=1e9)
    pretrain(config)
    assert "step 0" in capsys.readouterr().out
    first, _ = load_base(str(tmp_path / "model"), dtype=torch.float32)
    pretrain(Pretraining(**{**vars(config), "found": None, "resume": True, "seed": 1}))
    second, _ = load_base(str(tmp_path / "model"), dtype=torch.float32)
    change = {
        name: float((one - other).detach().abs().max())
        for (name, one), (_, other) in zip(first.named_parameters(), second.named_parameters(), strict=True)
    }
    assert any("vision_model" in name and value > 0 for name, value in change.items())
    assert max(change.values()) < 0.1, "it went on from the weights that were there"


def test_spread_trains_the_decoder_and_leaves_the_tower(found, tmp_path, capsys):
    build.main(str(tmp_path / "model"))
    pretrain(Pretraining(tmp_path / "model", rows=12, num_brands=5, batch_size=8, max_steps=1, seconds=1e9))
    before, _ = load_base(str(tmp_path / "model"), dtype=torch.float32)
    spread(Spreading(tmp_path / "model", found=found, found_step=2, rows=12, num_brands=5, batch_size=8, max_steps=9))
    printed = [line.split(":", 1) for line in capsys.readouterr().out.splitlines()]
    first, last = (ast.literal_eval(figures[0]) for _, *figures in printed if figures and "everywhere" in figures[0])
    assert first["prompt's end"] < first["everywhere"] / 2, "there it holds what it held, but for hidden patches"
    assert last["everywhere"] < first["everywhere"]
    after, _ = load_base(str(tmp_path / "model"), dtype=torch.float32)
    changed = {
        name
        for (name, one), (_, other) in zip(before.named_parameters(), after.named_parameters(), strict=True)
        if not torch.equal(one, other)
    }
    assert any(name.startswith("model.layers") for name in changed)
    assert not any("vision_model" in name for name in changed)


@pytest.mark.parametrize("size", [(256, 256), (128, 256), (512, 128)])
def test_crops_are_those_of_the_processor(size):
    processor = Phi3VProcessor.from_pretrained(SMALL)
    pixels = torch.randint(0, 256, (*size, 3), dtype=torch.uint8)
    shown = processor.image_processor(Image.fromarray(pixels.numpy()))["pixel_values"]
    ours = processor.image_processor.cut(pixels.permute(2, 0, 1)[None].float() / 255)
    torch.testing.assert_close(ours, shown[:, : ours.shape[1]], rtol=0, atol=1e-4)
    assert not shown[:, ours.shape[1] :].any(), "slots that no crop fills"


def test_pictures_are_varied_but_stay_pictures():
    white, grey = torch.ones(16, 3, 64, 64), torch.full((16, 3, 64, 64), 0.4)
    seen = vary(torch.where(torch.rand(16, 1, 64, 64) < 0.5, white, grey), torch.Generator().manual_seed(0))
    assert seen.shape == white.shape
    assert 0 <= float(seen.min()) < float(seen.max()) <= 1
    assert len({float(one.mean()) for one in seen}) == 16


def test_the_configuration_is_that_of_the_weights(built):
    shipped, ours = (json.loads((folder / "config.json").read_text()) for folder in (SMALL, built))
    assert shipped["img_processor"] == ours["img_processor"]
