"""Every golden case of the reference, within the tolerances of tests/golden/phi3v/README.md."""

import hashlib
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from torch import Tensor
from transformers import BatchFeature
from transformers.models.phi3.modeling_phi3 import Phi3RotaryEmbedding

from etalage.phi3v import Phi3VConfig, Phi3VForCausalLM, Phi3VImageProcessor, Phi3VProcessor

from .conftest import cases, read_case, read_image, read_json, switch_checkpointing

VOCABULARY_SAMPLE = torch.cat([torch.arange(0, 32000, 97), torch.arange(32000, 32064)])
PICTURES = read_json("images.json")["images"]


def differ(ours: Tensor, golden: Tensor) -> float:
    return float((ours - golden).abs().max())


def check_logits(model: Phi3VForCausalLM, hidden: Tensor, case: dict[str, Tensor], prefix: str = "") -> None:
    """Compare logits at some positions, and argmax and logsumexp at all; hidden: (T, H) of one row."""
    sampled = model.lm_head(hidden[case[prefix + "rows"]])[:, VOCABULARY_SAMPLE]
    assert differ(sampled, case[prefix + "logits_sub"]) < 3e-5
    # In pieces, since all logits of a long row are 250 MB.
    logits = [model.lm_head(piece) for piece in hidden.split(128)]
    assert differ(torch.cat([piece.logsumexp(-1) for piece in logits]), case[prefix + "logsumexp"]) < 3e-5
    if prefix + "argmax" in case:
        assert torch.cat([piece.argmax(-1) for piece in logits]).equal(case[prefix + "argmax"])


@pytest.mark.parametrize("name", ["phi3_vision", "phi35_vision"])
@pytest.mark.parametrize("regime", ["short", "long"])
def test_rotary_embedding_of_the_published_configurations(name: str, regime: str) -> None:
    golden = {key.removeprefix(f"{name}/{regime}/"): value for key, value in read_case("rope/rope").items()}
    rotary = Phi3RotaryEmbedding(Phi3VConfig(**read_json(f"configs/{name}.json")))
    cos, sin = rotary(torch.zeros(1), golden["positions"][None])
    assert rotary.attention_scaling == pytest.approx(read_json("rope/rope.json")[name]["scaling_factor"])
    assert differ(rotary.inv_freq, golden["inv_freq"]) < 1e-7
    assert differ(cos[0], golden["cos"]) < 1e-5
    assert differ(sin[0], golden["sin"]) < 1e-5


@pytest.mark.parametrize("name", PICTURES)
def test_pixels(name: str, golden_processor: Phi3VProcessor) -> None:
    picture, samples = read_image(name), read_case("images")
    for num_crops, golden in PICTURES[name]["crops"].items():
        processor = Phi3VImageProcessor(**golden_processor.image_processor.to_dict() | {"num_crops": int(num_crops)})
        assert hashlib.sha256(processor.hd_transform(picture).tobytes()).hexdigest() == golden["hd_uint8_rgb_sha256"]
        features = processor(picture, return_tensors="pt")
        assert list(features["pixel_values"].shape) == golden["pixel_values_shape"]
        assert features["image_sizes"].tolist() == [golden["image_size_hw"]]
        assert features["num_img_tokens"] == [golden["num_img_tokens"]]
        assert processor.calc_num_image_tokens_from_image_size(*picture.size) == golden["num_img_tokens"]
        used = golden["used_crops"]
        crops = features["pixel_values"][0]
        assert not crops[used:].any()
        ours = {
            "global_s16": crops[0, :, 3::16, 5::16],
            "crops_s48": crops[1:used, :, 7::48, 11::48],
            "corner": crops[1:used, :, ::335, ::335],
        }
        for key, sample in ours.items():
            assert differ(sample, samples[f"{name}/{num_crops}/{key}"]) < (1e-4 if key == "global_s16" else 1e-6)
        for key, values in {
            "crop_mean": crops[:used].mean((1, 2, 3)),
            "crop_std": crops[:used].std((1, 2, 3)),
            "crop_min": crops[:used].amin((1, 2, 3)),
            "crop_max": crops[:used].amax((1, 2, 3)),
            "channel_mean": crops[:used].mean((2, 3)),
        }.items():
            assert differ(values, torch.tensor(golden[key])) < 1e-4, key


@pytest.mark.parametrize("sample", read_json("prompts.json")["tokenizer"], ids=lambda sample: sample["kind"])
def test_tokenizer(sample: dict[str, Any], golden_processor: Phi3VProcessor) -> None:
    if sample["kind"] == "encode":
        ids = golden_processor.tokenizer(sample["text"], add_special_tokens=sample["add_special_tokens"])["input_ids"]
        assert ids == sample["ids"]
    elif sample["kind"] == "decode":
        text = golden_processor.decode(sample["ids"], skip_special_tokens=sample["skip_special_tokens"])
        assert text == sample["text"]
    else:
        assert sample["kind"] == "template"
        text = golden_processor.apply_chat_template(
            sample["messages"], add_generation_prompt=sample["add_generation_prompt"]
        )
        assert text == sample["text"]


@pytest.mark.parametrize("prompt", read_json("prompts.json")["prompts"], ids=lambda prompt: prompt["name"])
def test_prompt_ids(prompt: dict[str, Any], golden_processor: Phi3VProcessor) -> None:
    golden_processor.image_processor.num_crops = prompt["num_crops"]
    messages = [{"role": "user", "content": prompt["content"]}]
    assert golden_processor.apply_chat_template(messages, add_generation_prompt=True) == prompt["prompt"]
    pictures = [read_image(name) for name in prompt["images"]]
    inputs = golden_processor(prompt["prompt"], pictures or None, return_tensors="pt")
    expected = [id for id, length in prompt["input_ids_rle"] for _ in range(length)]
    assert inputs["input_ids"].tolist() == [expected]
    assert inputs["attention_mask"].tolist() == [[1] * prompt["length"]]


@pytest.mark.parametrize("case", cases("image_logits"))
def test_image_logits(case: dict[str, Any], golden_model: Callable, golden_pixels: Callable) -> None:
    golden = read_case(case["case"])
    model = golden_model(**case["config_overrides"])
    pixels = golden_pixels(tuple(case["images"]), case["num_crops"])
    assert pixels["image_sizes"].equal(golden["image_sizes"])
    with torch.no_grad():
        outputs = model.model(
            input_ids=golden["input_ids"][None],
            pixel_values=pixels["pixel_values"],
            image_sizes=pixels["image_sizes"],
            output_hidden_states=True,
        )
        assert differ(outputs.hidden_states[0][0, golden["embed_rows"]], golden["embeds"]) < 1e-5
        hidden = torch.stack([states[0, golden["hidden_rows"]] for states in outputs.hidden_states])
        assert differ(hidden, golden["hidden"]) < 3e-5
        check_logits(model, outputs.last_hidden_state[0], golden)


@pytest.mark.parametrize("case", [case for case in cases("image_logits") if "tall" not in case.id])
def test_tower_features(case: dict[str, Any], golden_model: Callable, golden_pixels: Callable) -> None:
    golden = read_case(case["case"])["clip_feats_s48"]
    crops = golden_pixels(tuple(case["images"]), case["num_crops"])["pixel_values"].flatten(0, 1)
    with torch.no_grad():
        features = golden_model().model.vision_embed_tokens.tower_features(crops)
    assert differ(features[:, ::48], golden) < 1e-5


@pytest.mark.parametrize("case", cases("text_lengths"))
def test_text_around_the_switch(case: dict[str, Any], golden_model: Callable) -> None:
    golden, model = read_case(case["case"]), golden_model()
    for length in [entry["length"] for entry in case["lengths"]]:
        with torch.no_grad():
            hidden = model.model(input_ids=golden["input_ids"][None, :length]).last_hidden_state[0]
            check_logits(model, hidden, golden, f"{length}/")


def generation_inputs(case: dict[str, Any], golden: dict[str, Tensor], golden_pixels: Callable) -> dict[str, Tensor]:
    inputs = {"input_ids": golden["input_ids"][None]}
    if "image_sizes" in golden:
        pixels = golden_pixels(tuple(case["images"]), case["num_crops"])
        assert pixels["image_sizes"].equal(golden["image_sizes"])
        inputs |= {key: pixels[key] for key in ("pixel_values", "image_sizes")}
    return inputs


# cases.json does not name these pictures; their sizes leave a few, of which one gives the golden's first logit.
GENERATED_FROM = {
    "gen_image_long": {"images": ["square336"], "num_crops": 4},
    "gen_image_short": {"images": ["tiny20x20"], "num_crops": 1},
    "gen_image_cross": {"images": ["square336"], "num_crops": 1},
}


@pytest.mark.parametrize("case", cases("generate"))
def test_generation(case: dict[str, Any], golden_model: Callable, golden_pixels: Callable) -> None:
    golden = read_case(case["case"])
    inputs = generation_inputs(GENERATED_FROM.get(case["case"], {}), golden, golden_pixels)
    model = golden_model(**case["config_overrides"])
    for use_cache in (True, False) if "image" not in case["case"] else (True,):
        generated = model.generate(
            **inputs, max_new_tokens=16, do_sample=False, suppress_tokens=[32000], use_cache=use_cache
        )
        assert generated[0, : case["prompt_length"]].equal(golden["input_ids"])
        assert generated[0, case["prompt_length"] :].equal(golden["tokens_recomputed"])


@pytest.mark.parametrize("case", cases("batch"))
def test_batch(case: dict[str, Any], golden_model: Callable, golden_processor: Phi3VProcessor) -> None:
    golden, model = read_case(case["case"]), golden_model(**case["config_overrides"])
    golden_processor.image_processor.num_crops = case["num_crops"]
    texts = [
        golden_processor.apply_chat_template([{"role": "user", "content": spec["content"]}], add_generation_prompt=True)
        for spec in case["specs"]
    ]
    pictures = [[read_image(name) for name in spec["images"]] for spec in case["specs"]]
    for side in ("right", "left"):
        inputs = golden_processor(texts, pictures, padding=True, padding_side=side, return_tensors="pt")
        assert inputs["input_ids"].equal(golden[f"{side}/input_ids"])
        assert inputs["attention_mask"].equal(golden[f"{side}/attention_mask"])
        if side == "right":
            with torch.no_grad():
                hidden = model.model(**inputs).last_hidden_state
                for row, length in enumerate(case["lengths"]):
                    check_logits(model, hidden[row, :length], golden, f"right/{row}/")
        else:
            tokens = model.generate(**inputs, max_new_tokens=12, do_sample=False, suppress_tokens=[32000])
            assert tokens[:, inputs["input_ids"].shape[1] :].equal(golden["left/tokens"])


def loss_inputs(case: dict[str, Any], golden: dict[str, Tensor], golden_pixels: Callable) -> BatchFeature:
    inputs = BatchFeature({"input_ids": golden["input_ids"][None], "labels": golden["labels"][None]})
    if case["images"]:
        pixels = golden_pixels(tuple(case["images"]), case["num_crops"])
        inputs |= {key: pixels[key] for key in ("pixel_values", "image_sizes")}
    return inputs


@pytest.mark.parametrize("case", cases("loss_grad"))
@pytest.mark.parametrize("checkpointing", [False, True])
def test_loss_and_gradients(
    case: dict[str, Any], checkpointing: bool, golden_model: Callable, golden_pixels: Callable
) -> None:
    golden = read_case(case["case"])
    model = golden_model(**case["config_overrides"]).train()
    if checkpointing:
        switch_checkpointing(model, on=True)
    try:
        loss = model(**loss_inputs(case, golden, golden_pixels)).loss
        loss.backward()
        gradients = {name: weight.grad for name, weight in model.named_parameters()}
    finally:
        switch_checkpointing(model, on=False)
        model.zero_grad(set_to_none=True)
        model.eval()
    assert loss.item() == pytest.approx(case["loss"], abs=1e-4)
    norms = {name: None if grad is None else float(grad.norm()) for name, grad in gradients.items()}
    assert norms.keys() == case["grad_norms"].keys()
    for name, norm in case["grad_norms"].items():
        # Biases of keys have no gradient in exact arithmetic, only rounding.
        expected = None if norm is None else pytest.approx(norm, rel=1e-3, abs=1e-6)
        assert norms[name] == expected, name
    assert not gradients["model.embed_tokens.weight"][32000].any()
    total = torch.stack([grad.norm() for grad in gradients.values() if grad is not None]).norm()
    assert float(total) == pytest.approx(case["total_grad_norm"], rel=1e-3)


@pytest.mark.filterwarnings(r"ignore:`is_gradient_checkpointing`:FutureWarning")  # peft 0.19 on transformers 5.23
@pytest.mark.parametrize("case", cases("lora"))
def test_lora_steps(case: dict[str, Any], checkpoint: Any, golden_pixels: Callable) -> None:
    golden = read_case(case["case"])
    model = Phi3VForCausalLM.from_pretrained(checkpoint).train()
    targets = {name.rsplit(".", 1)[-1] for name in case["module_names"]} - {"0", "2"}
    config = LoraConfig(
        r=case["r"],
        lora_alpha=case["alpha"],
        target_modules=sorted(targets | {"img_projection.0", "img_projection.2"}),
        exclude_modules="|".join(name.replace(".", r"\.") + r"(\..*)?" for name in model.unused_modules),
    )
    model = get_peft_model(model, config)
    adapted = [name for name, module in model.base_model.model.named_modules() if hasattr(module, "lora_A")]
    assert sorted(adapted) == sorted(case["module_names"])
    assert len(adapted) == case["n_lora_modules"]
    for name in adapted:
        adapter = model.base_model.model.get_submodule(name)
        adapter.lora_A["default"].weight.data.copy_(golden[f"A/{name}"])
        adapter.lora_B["default"].weight.data.zero_()
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    assert sum(weight.numel() for weight in weights) == case["trainable"]
    optimiser = torch.optim.AdamW(
        weights, lr=case["lr"], betas=case["betas"], eps=case["eps"], weight_decay=case["weight_decay"]
    )
    inputs = loss_inputs(case, golden, golden_pixels)
    for step, (before, _) in enumerate(pairwise(case["losses"])):
        loss = model(**inputs).loss
        assert loss.item() == pytest.approx(before, abs=1e-4)
        optimiser.zero_grad()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(weights, case["max_grad_norm"])
        assert norm.item() == pytest.approx(case["grad_norms_before_clip"][step], rel=1e-3)
        optimiser.step()
    with torch.no_grad():
        assert model(**inputs).loss.item() == pytest.approx(case["losses"][-1], abs=1e-4)


@pytest.mark.parametrize("case", cases("quirk"))
def test_tags_out_of_order_bind_the_right_pictures(
    case: dict[str, Any], golden_model: Callable, golden_pixels: Callable
) -> None:
    """The reference fills positions in image order whatever their number; ours goes by number."""
    golden = read_case(case["case"])
    ids, rows = golden["input_ids"], golden["embed_rows"]
    pixels = golden_pixels(tuple(case["images"]), case["num_crops"])
    assert pixels["image_sizes"].equal(golden["image_sizes"])
    model = golden_model().model
    with torch.no_grad():
        embeds, images = model.embed(ids[None], pixels["pixel_values"], pixels["image_sizes"])
    in_image_order = embeds[0].clone()
    in_image_order[ids < 0] = images
    assert differ(in_image_order[rows], golden["embeds"]) < 1e-5
    first, second = images.split([int((ids == -1).sum()), int((ids == -2).sum())])
    assert embeds[0, ids == -1].equal(first)
    assert embeds[0, ids == -2].equal(second)
    assert ids[ids < 0][0] == -2
