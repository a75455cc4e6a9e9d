"""Catalogues of two and three products go as far as they can, and each verb says what is missing."""

import csv
import json

import pytest
from PIL import Image

from etalage.cli import main

JSON_ANSWER = '{{"title": "{title}", "category": "{category}", "price": {price}}}'
TITLES = ['Sofa "Nuit" 24" wide', "महिलाओं के लिए ऊनी और कश्मीरी लंबा कोट काला", "Scarf \\ navy"]


def prepare(folder, num_rows, *options):
    with (folder / "products.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["title", "category", "price", "image"])
        for number, title in enumerate(TITLES[:num_rows]):
            Image.effect_noise((60, 60), 20 + 60 * number).convert("RGB").save(folder / f"{number}.png")
            writer.writerow([title, f"KIND {number}", 10.5 + number, f"{number}.png"])
    out = ["--out", str(folder / "catalogue")]
    main(["prepare", str(folder / "products.csv"), *out, "--answer", JSON_ANSWER, *options])


def train(folder):
    short = ["--epochs", "1", "--num-crops", "1", "--num-augmentations", "1", "--track", "none"]
    main(["train", str(folder / "catalogue"), "--out", str(folder / "run"), *short])


def test_three_products_are_prepared_trained_evaluated_reported_and_predicted(tmp_path, capsys):
    prepare(tmp_path, 3)
    assert "the test split has 1 group of products" in capsys.readouterr().out
    train(tmp_path)
    assert "gives scores, but no intervals and no conclusion" in capsys.readouterr().out
    config = json.loads((tmp_path / "run/config.json").read_text())
    assert config["longest_answer_tokens"] > 40
    main(["evaluate", str(tmp_path / "run"), "--track", "none", "--num-samples", "2", "--max-new-tokens", "6"])
    out = capsys.readouterr().out
    assert "the shuffled control is left out" in out
    assert "Nothing can be concluded from 1 product and 1 group of copies" in out
    metrics = json.loads((tmp_path / "run/metrics.json").read_text())
    assert metrics["num_examples"] == metrics["num_cut"] == 1
    assert metrics["baselines"]["majority"]["num_parsed"] == 1
    assert metrics["intervals"]["title"] == {"exact": None, "chrf": None}
    assert list(metrics["controls"]) == ["blank"]
    main(["report", str(tmp_path / "run")])
    assert "cut before its end" in (tmp_path / "run/report.html").read_text()
    main(["predict", str(tmp_path / "run"), str(tmp_path / "0.png"), "--max-new-tokens", "6", "--num-samples", "1"])
    assert "1 of 1 answers had no end after 6 tokens; raise --max-new-tokens" in capsys.readouterr().out


def test_without_test_products_evaluate_names_the_other_splits_before_it_loads_a_model(tmp_path, capsys):
    prepare(tmp_path, 2, "--test-fraction", "0", "--validation-fraction", "0.5")
    assert "`etalage evaluate` needs --split validation or --split train" in capsys.readouterr().out
    train(tmp_path)
    with pytest.raises(SystemExit):
        main(["evaluate", str(tmp_path / "run"), "--track", "none"])
    error = capsys.readouterr().err
    assert "no test products to evaluate; there are --split train (1), --split validation (1)" in error
    assert "evaluate 0/" not in error
    assert not (tmp_path / "run/metrics.json").exists()


def test_a_field_that_evaluate_cannot_score_is_refused_by_prepare(tmp_path, capsys):
    (tmp_path / "products.csv").write_text("baselines,image\na,0.png\n")
    with pytest.raises(SystemExit):
        main(["prepare", str(tmp_path / "products.csv"), "--out", str(tmp_path / "c"), "--answer", "{baselines}"])
    assert "a field may not be called baselines" in capsys.readouterr().err


SHOP = [
    *(("red", "Schuh rot"), ("dark blue", "Schal"), ("green", "Hut aus Filz"), ("blue", "Jacke Wolle")),
    *(("navy blue", "Rock lang"), ("off white", "Hemd Leinen, lang"), ("black", "Gürtel"), ("blue", "Tasche")),
]


@pytest.mark.parametrize(
    ("answer", "num_kept", "proposed"),
    [
        ("A {colour:category} {title} for {price}", 8, None),
        ("{title} in {colour:category} for {price}", 8, None),
        ("{title} {colour:category}: {price}", 8, None),
        ("{colour} {title} for {price}", 3, "{colour} | {title} for {price}"),
    ],
)
def test_known_categories_keep_every_row_and_else_a_separator_is_proposed(answer, num_kept, proposed, tmp_path, capsys):
    with (tmp_path / "products.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["colour", "title", "price", "image"])
        for number, (colour, title) in enumerate(SHOP):
            Image.effect_noise((40, 40), 20 + 25 * number).convert("RGB").save(tmp_path / f"{number}.png")
            writer.writerow([colour, title, 19.5 + number, f"{number}.png"])
    prepare = ["prepare", str(tmp_path / "products.csv"), "--out", str(tmp_path / "catalogue")]
    main([*prepare, "--answer", answer])
    facts = json.loads((tmp_path / "catalogue/catalogue.json").read_text())
    assert sum(facts["splits"].values()) == num_kept
    assert facts.get("suggested_answer") == proposed
    if proposed is None:
        assert facts["choices"]["colour"] == sorted({colour for colour, _ in SHOP})
        return
    assert f"--answer '{proposed}'" in capsys.readouterr().out
    main(["prepare", prepare[1], "--out", str(tmp_path / "again"), "--answer", proposed])
    assert sum(json.loads((tmp_path / "again/catalogue.json").read_text())["splits"].values()) == len(SHOP)
