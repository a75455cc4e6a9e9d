"""The bench runs the loop that `train` runs; what it times on a CPU is small."""

import re

import pytest
import torch

from etalage.cli import main
from etalage.train import benchmark


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(benchmark, "SIZE", (90, 126))
    monkeypatch.setattr(benchmark, "NUM_PICTURES", 2)
    monkeypatch.setattr(benchmark, "WARM_UP", 1)
    monkeypatch.setattr(benchmark, "ROWS_PER_STEP", 1)
    ways = {way.name: way for way in benchmark.WAYS}
    monkeypatch.setattr(benchmark, "WAYS", [ways["tower frozen, later epochs"], ways["decoder alone"]])


def test_each_way_has_a_line_and_a_row_of_the_table(quick, tmp_path, capsys):
    out = tmp_path / "table.md"
    flags = "--model small --num-crops 1 --steps 1 --max-tokens 400 --num-workers 0"
    main(["bench", str(out), *flags.split()])
    table = out.read_text()
    said = capsys.readouterr().out
    for name in ("tower frozen, later epochs", "decoder alone"):
        assert f"1 crops, {name}: " in said
        row = next(line for line in table.splitlines() if line.startswith(f"| 1 | {name} |"))
        samples, tokens = (float(cell.strip().replace(",", "")) for cell in row.split("|")[3:5])
        assert samples > 0
        assert tokens > samples
    assert float(re.search(r"([\d.e+-]+) TFLOP/s in a matrix product; .*torch", table.splitlines()[0])[1]) > 0
    assert not list(tmp_path.glob("*.jsonl"))


def test_answers_have_the_tokens_that_the_table_says(small):
    processor = small[1]
    examples = benchmark.examples_of(processor, [])
    assert len(examples) == 0
    examples = benchmark.examples_of(processor, [benchmark.Path("a.jpg")])
    answer = examples.task.format_answer(examples.products[0].values)
    assert len(processor.tokenizer(answer, add_special_tokens=False)["input_ids"]) == benchmark.ANSWER_TOKENS


def test_without_a_gpu_the_full_size_is_refused(capsys):
    if not torch.cuda.is_available():
        with pytest.raises(SystemExit):
            main(["bench"])
        assert "give --model small" in capsys.readouterr().err
