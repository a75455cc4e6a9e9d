"""The budget of new tokens suits the answers, whatever their script."""

import pytest

from etalage.config import TaskConfig
from etalage.generate.budget import longest_answer, token_budget
from etalage.task import Task

TITLES = {
    "Russian": "Пальто двубортное шерстяное кашемировое тёмно-сер",
    "Greek": "Γυναικείο παλτό από μαλλί και κασμίρ με ζώνη μαύρο",
    "Hindi": "महिलाओं के लिए ऊनी और कश्मीरी लंबा कोट काला रंग बड़ा",
    "Thai": "เสื้อโค้ทผ้าวูลผสมแคชเมียร์สีดำสำหรับผู้หญิงไซส์ใ",
    "Japanese": "ウールカシミヤ混ダブルブレストロングコートベルト付きブラックレディース秋冬新作大きいサイズ対応",
    "emoji": "🧥👜" * 25,
}


@pytest.mark.parametrize("language", TITLES)
def test_a_perfect_answer_is_never_cut(language: str, small) -> None:
    """One of 50 characters takes up to 200 tokens, of which 96 were allowed once."""
    task, processor = Task(TaskConfig()), small[1]
    values = {"title": TITLES[language], "category": "ВЕРХНЯЯ ОДЕЖДА", "price": 24999.0}
    answers = [task.format_answer({"title": "A", "category": "B", "price": 1.0}), task.format_answer(values)]
    longest = longest_answer(processor, answers)
    ids = processor.tokenizer(answers[1], add_special_tokens=False)["input_ids"]
    assert longest == len(ids)
    assert len(ids) > 70
    budget = token_budget(longest)
    assert budget >= 1.25 * len(ids)
    assert task.parse_answer(processor.decode(ids[:budget])) == values


def test_short_answers_get_some_room(small) -> None:
    longest = longest_answer(small[1], (f"{number}<|end|>" for number in range(3000)))
    assert longest < 8
    assert token_budget(longest) == longest + 32


def test_runs_that_recorded_no_answers_keep_their_budget() -> None:
    assert token_budget(None) == 96
