import pytest
import torch
from PIL import Image

from etalage.errors import EtalageError
from etalage.generate.engine import TEMPERATURE, generate_answers
from etalage.task import Task


def test_answers_come_in_order_and_the_model_keeps_its_mode(small, task: Task, monkeypatch) -> None:
    model, processor = small
    model.train().lm_head.eval()
    modes, forward = [], model.forward
    monkeypatch.setattr(model, "forward", lambda **inputs: modes.append(mode_of(model)) or forward(**inputs))
    prompts = [
        (task.build_prompt(question), Image.new("RGB", (64, 64), question)) for question in ("red", "blue", "lime")
    ]
    done: list[int] = []
    alone = [next(generate_answers(model, processor, [one], batch_size=1, max_new_tokens=5)) for one in prompts]
    answers = generate_answers(model, processor, iter(prompts), batch_size=2, max_new_tokens=5, progress=done.append)
    first = next(answers)
    assert not torch.is_inference_mode_enabled(), "inference mode must not leak to the caller"
    assert [first, *answers] == alone
    assert len(set(alone)) > 1
    assert done == [2, 1]
    assert set(modes) == {(False, True)}
    assert (model.training, model.lm_head.training) == (True, False)


def mode_of(model: torch.nn.Module) -> tuple[bool, bool]:
    return any(module.training for module in model.modules()), torch.is_inference_mode_enabled()


def test_answers_do_not_depend_on_the_batch_size(small, task: Task) -> None:
    model, processor = small
    pictures = [Image.new("RGB", size, colour) for size, colour in [((64, 64), "red"), ((90, 60), "blue")]]
    prompts = [(task.prompt, picture) for picture in pictures]
    alone, batched = (
        list(generate_answers(model, processor, prompts, batch_size=size, max_new_tokens=2)) for size in (1, 2)
    )
    assert alone == batched


def test_samples_differ_repeat_exactly_and_are_chosen_from(small, task: Task) -> None:
    model, processor = small
    prompts = [(task.prompt, Image.new("RGB", (64, 64), colour)) for colour in ("red", "blue", "green")]

    def answer(choose) -> list[str]:
        return list(
            generate_answers(model, processor, prompts, batch_size=2, max_new_tokens=6, num_samples=4, choose=choose)
        )

    before = torch.get_rng_state()
    drawn = answer(" / ".join)
    assert torch.equal(torch.get_rng_state(), before), "the state of training is left alone"
    assert drawn == answer(" / ".join)
    assert [len(text.split(" / ")) for text in drawn] == [4, 4, 4]
    assert all(len(set(text.split(" / "))) > 1 for text in drawn)


def test_samples_are_those_of_transformers_and_the_picture_is_encoded_once(small, task: Task, monkeypatch) -> None:
    model, processor = small
    pictures = [Image.new("RGB", (64, 64), colour) for colour in ("red", "blue")]
    inputs = processor(text=[task.prompt] * 2, images=[[p] for p in pictures], padding_side="left", return_tensors="pt")
    torch.manual_seed(0)
    options = {"do_sample": True, "temperature": TEMPERATURE, "top_k": 0, "max_new_tokens": 6}
    drawn = model.eval().generate(**inputs, **options, num_return_sequences=3)[:, inputs["input_ids"].shape[1] :]
    embedding, encoded_crops = model.model.vision_embed_tokens, []
    tower = embedding.tower_features
    monkeypatch.setattr(embedding, "tower_features", lambda crops: encoded_crops.append(len(crops)) or tower(crops))
    prompts = [(task.prompt, picture) for picture in pictures]
    answers = generate_answers(
        model, processor, prompts, batch_size=2, max_new_tokens=6, num_samples=3, choose=" / ".join
    )
    texts = processor.batch_decode(drawn, skip_special_tokens=True)
    assert list(answers) == [" / ".join(texts[:3]), " / ".join(texts[3:])]
    assert len(encoded_crops) == 1


def test_rows_that_end_early_do_not_change_the_others(small, task: Task) -> None:
    model, processor = small
    prompts = [
        (task.prompt, Image.new("RGB", (64, 64), colour)) for colour in ("red", "blue", "lime", "white", "black")
    ]
    alone = []
    for prompt, picture in prompts:
        inputs = processor(text=prompt, images=[picture], return_tensors="pt")
        output = model.eval().generate(**inputs, max_new_tokens=12, do_sample=False)
        alone.append(output[0, inputs["input_ids"].shape[1] :].tolist())
    end = next(token for token in alone[0] if {token in ids for ids in alone} == {True, False})
    model.generation_config.eos_token_id = [end, processor.tokenizer.eos_token_id]
    cut = [ids[: ids.index(end) + 1] if end in ids else ids for ids in alone]
    assert len({len(ids) for ids in cut}) > 1
    answers = list(generate_answers(model, processor, prompts, batch_size=5, max_new_tokens=12))
    assert answers == processor.batch_decode(cut, skip_special_tokens=True)


def test_falls_back_to_generate_near_the_rope_switch(small, task: Task, monkeypatch) -> None:
    model, processor = small
    prompts = [(task.build_prompt(question), Image.new("RGB", (64, 64), "red")) for question in ("", "What is it?")]

    def answers(**options: int) -> list[str]:
        return list(
            generate_answers(model, processor, prompts, batch_size=2, max_new_tokens=6, choose=" / ".join, **options)
        )

    ours = answers(), answers(num_samples=3)
    calls, generate = [], model.generate
    monkeypatch.setattr(model, "generate", lambda **options: calls.append(options) or generate(**options))
    length = processor(text=[prompts[0][0]], images=[[prompts[0][1]]], return_tensors="pt")["input_ids"].shape[1]
    monkeypatch.setattr(model.config, "original_max_position_embeddings", length + 5)
    assert (answers(), answers(num_samples=3)) == ours
    assert len(calls) == 2


def test_no_prompts_give_no_answers(small) -> None:
    model, processor = small
    assert list(generate_answers(model, processor, [], batch_size="auto", max_new_tokens=2)) == []


def test_prompts_are_read_one_batch_at_a_time(small, task: Task) -> None:
    model, processor = small
    read = []

    def prompts():
        for number in range(5):
            read.append(number)
            yield task.prompt, Image.new("RGB", (64, 64), "red")

    answers = generate_answers(model, processor, prompts(), batch_size=2, max_new_tokens=1)
    next(answers)
    assert read == [0, 1]
    assert len(list(answers)) == 4


def test_memory_that_is_too_small_is_one_message_and_the_mode_is_restored(small, task: Task, monkeypatch) -> None:
    model, processor = small

    def fail(**_):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(model, "forward", fail)
    prompts = [(task.prompt, Image.new("RGB", (64, 64), "red"))]
    with pytest.raises(EtalageError, match=r"memory is too small \(CUDA out of memory\); lower --batch-size"):
        list(generate_answers(model.train(), processor, prompts, batch_size=1, max_new_tokens=2))
    assert model.training
