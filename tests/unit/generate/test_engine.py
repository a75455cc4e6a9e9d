import pytest
import torch
from PIL import Image

from etalage.errors import EtalageError
from etalage.generate.engine import generate_answers
from etalage.phi3v import Phi3VImageProcessor, Phi3VProcessor
from etalage.task import END_TOKEN, Task
from tests.unit.phi3v.conftest import small_model, small_tokenizer


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


def test_the_picture_is_encoded_once_for_all_samples(small, task: Task, monkeypatch) -> None:
    model, processor = small
    embedding, encoded_crops = model.model.vision_embed_tokens, []
    tower = embedding.tower_features
    monkeypatch.setattr(embedding, "tower_features", lambda crops: encoded_crops.append(len(crops)) or tower(crops))
    prompts = [(task.prompt, Image.new("RGB", (64, 64), colour)) for colour in ("red", "blue")]
    list(generate_answers(model, processor, prompts, batch_size=2, max_new_tokens=6, num_samples=3))
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
    ended = [ids[-1] == end for ids in cut]
    assert len(set(ended)) == 2
    texts = processor.batch_decode(
        [ids[:-1] if has_ended else ids for ids, has_ended in zip(cut, ended, strict=True)], skip_special_tokens=True
    )
    assert answers == [text + END_TOKEN * has_ended for text, has_ended in zip(texts, ended, strict=True)]


@pytest.mark.parametrize("end", ["<|end|>", "<|endoftext|>"])
def test_an_answer_that_the_model_ended_has_its_end_token_and_a_cut_one_has_none(
    end: str, small, task: Task, monkeypatch
) -> None:
    model, processor = small
    end_id = processor.tokenizer.convert_tokens_to_ids(end)
    prompts = [(task.prompt, Image.new("RGB", (64, 64), "red"))]

    whole = processor.tokenizer("24999.0", add_special_tokens=False)["input_ids"]

    def answer(max_new_tokens: int, num_prompt_calls: int = 1) -> str:
        dictated = iter([0] * num_prompt_calls + [*whole, end_id])
        hook = model.lm_head.register_forward_hook(
            lambda _, inputs, logits: torch.zeros_like(logits).index_fill_(-1, torch.tensor([next(dictated)]), 1.0)
        )
        answers = list(generate_answers(model, processor, prompts, batch_size=1, max_new_tokens=max_new_tokens))
        hook.remove()
        return answers[0].strip()

    assert answer(len(whole) + 1) == "24999.0" + END_TOKEN
    assert answer(len(whole)) == "24999.0"
    assert answer(len(whole) - 2) == "24999"
    monkeypatch.setattr(model.config, "original_max_position_embeddings", 1)
    assert answer(len(whole) + 1, 0) == "24999.0" + END_TOKEN, "by transformers' generate, too"
    assert answer(len(whole), 0) == "24999.0"


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


def test_a_picture_past_the_rope_switch_does_not_change_the_answers_beside_it(task: Task) -> None:
    processor = Phi3VProcessor(Phi3VImageProcessor(num_crops=4, crop_size=32, num_img_tokens=4), small_tokenizer())
    prompts = [(task.prompt, Image.linear_gradient("L").convert("RGB").resize(size)) for size in ((40, 40), (400, 100))]
    lengths = [processor([text], [[picture]], return_tensors="pt")["input_ids"].shape[1] for text, picture in prompts]
    torch.manual_seed(0)
    model = small_model(original_max_position_embeddings=max(lengths)).eval()

    def answers(size: int) -> list[str]:
        return list(generate_answers(model, processor, prompts, batch_size=size, max_new_tokens=12))

    assert lengths[0] > lengths[1], "the first is past the switch from its first token on"
    assert answers(1) == answers(2)


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
