"""The bench runs the loop that `train` runs; what it times on a CPU is small."""

import re
from pathlib import Path

import pytest
import torch

from etalage.catalogue.pictures import open_picture
from etalage.cli import main
from etalage.train import benchmark, benchmark_inputs


@pytest.fixture
def two_fast_variants(monkeypatch):
    monkeypatch.setattr(benchmark_inputs, "PHOTO_SIZE", (90, 126))
    monkeypatch.setattr(benchmark_inputs, "NUM_PHOTOS", 2)
    monkeypatch.setattr(benchmark, "NUM_WARMUP_STEPS", 1)
    monkeypatch.setattr(benchmark, "ROWS_PER_STEP", 1)
    variants = {variant.name: variant for variant in benchmark.VARIANTS}
    monkeypatch.setattr(benchmark, "VARIANTS", [variants["tower frozen, later epochs"], variants["decoder alone"]])


@pytest.mark.usefixtures("two_fast_variants")
def test_each_variant_has_a_line_and_a_row_of_the_table(tmp_path, capsys):
    out = tmp_path / "table.md"
    flags = "--model small --num-crops 1 --steps 1 --max-tokens 400 --num-workers 0"
    main(["bench", str(out), *flags.split()])
    table = out.read_text()
    printed = capsys.readouterr().out
    for name in ("tower frozen, later epochs", "decoder alone"):
        assert f"1 crops, {name}: " in printed
        row = next(line for line in table.splitlines() if line.startswith(f"| 1 | {name} |"))
        samples, tokens = (float(cell.strip().replace(",", "")) for cell in row.split("|")[3:5])
        assert samples > 0
        assert tokens > samples
    assert float(re.search(r"([\d.e+-]+) TFLOP/s in a matmul; .*torch", table.splitlines()[0])[1]) > 0
    assert not list(tmp_path.glob("*.jsonl"))


def test_answers_have_the_tokens_that_the_table_says(small):
    processor = small[1]
    assert len(benchmark_inputs.make_examples(processor, [])) == 0
    examples = benchmark_inputs.make_examples(processor, [Path("a.jpg")])
    answer = examples.task.format_answer(examples.products[0].values)
    num_tokens = len(processor.tokenizer(answer, add_special_tokens=False)["input_ids"])
    assert num_tokens == benchmark_inputs.NUM_ANSWER_TOKENS


def test_text_examples_are_as_long_and_supervise_as_many_tokens(small):
    processor = small[1]
    examples = benchmark_inputs.TextExamples(benchmark_inputs.make_examples(processor, [Path("a.jpg")] * 3), 70)
    assert len(examples) == 3
    assert len(examples[2].input_ids) == 70
    assert not examples[2].pictures
    assert examples[2].num_supervised == benchmark_inputs.NUM_ANSWER_TOKENS


def test_photos_have_the_sizes_in_turn(tmp_path, monkeypatch):
    monkeypatch.setattr(benchmark_inputs, "NUM_PHOTOS", 3)
    paths = benchmark_inputs.draw_photos(tmp_path, [(90, 60), (60, 90)])
    assert [open_picture(path).size for path in paths] == [(90, 60), (60, 90), (90, 60)]


def test_speed_is_the_mean_over_the_time_of_all_steps():
    def figures(speed):
        names = ("samples_per_second", "tokens_per_second", "matmul_efficiency")
        return {**dict.fromkeys(names, speed), "peak_memory_gib": speed}

    measured = benchmark.summarize("plain", 4, [figures(2.0), figures(6.0)])
    assert measured.samples_per_second == measured.tokens_per_second == measured.matmul_efficiency == 3.0
    assert (measured.mfu, measured.peak_memory_gib) == (None, 6.0)
    assert measured.format_line().endswith("matmul efficiency 300.0%, MFU –, 6.0 GiB")
    known = benchmark.summarize("plain", 4, [{**figures(0.5), "mfu": 0.25}])
    assert known.format_line().endswith("matmul efficiency 50.0%, MFU 25.0%, 0.5 GiB")
    assert benchmark.format_table([known]).splitlines()[-1] == "| 4 | plain | 0.50 | 0 | 50.0% | 25.0% | 0.5 GiB |"


def test_a_recorder_ends_the_training_after_its_steps():
    recorder = benchmark.StepRecorder(2)
    recorder.log({"loss": 1.0}, 1)
    with pytest.raises(benchmark._Done):
        recorder.log({"loss": 2.0}, 2)
    assert recorder.steps == [{"loss": 1.0}, {"loss": 2.0}]


def test_without_a_gpu_the_full_size_is_refused(capsys):
    if not torch.cuda.is_available():
        with pytest.raises(SystemExit):
            main(["bench"])
        assert "give --model small" in capsys.readouterr().err
