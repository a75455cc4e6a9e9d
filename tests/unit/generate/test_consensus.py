import pytest

from etalage.config import TaskConfig
from etalage.generate.consensus import consensus
from etalage.task import Task


def answer_of(title, category, price):
    return f"Product: {title}, Category: {category}, Full Price: {price}<|end|>"


def test_takes_the_most_frequent_category_the_median_price_and_the_most_similar_title(task):
    answers = [
        answer_of("Blue Wool Cap", "HATS", "90.0"),
        answer_of("Red Wool Cap", "CAPS", "100.0"),
        answer_of("Red Wool Hat", "HATS", "9000.0"),
        "no answer at all",
        answer_of("Red Wool Cap", "HATS", "120.0"),
        answer_of("Silk Scarf", "SCARVES", "95.0"),
    ]
    assert consensus(task, answers) == "Product: Red Wool Cap, Category: HATS, Full Price: 100.0<|end|>"


def test_the_consensus_parses(task):
    answers = [answer_of("A", "X", "10.0"), answer_of("B", "Y", "15.5")]
    assert task.parse_answer(consensus(task, answers)) == {"title": "A", "category": "X", "price": 12.75}
    thirds = [answer_of("A", "X", price) for price in ("10.0", "10.01")]
    assert task.parse_answer(consensus(task, thirds))["price"] in (10.0, 10.01)


def test_cut_answers_have_no_say(task):
    cut = [answer_of("A", "X", "1000").removesuffix("0<|end|>")] * 5
    assert consensus(task, [*cut, answer_of("A", "X", "1000.0")]) == answer_of("A", "X", "1000.0")
    assert consensus(task, cut) == cut[0], "a cut answer stays without its end token"


def test_values_that_would_not_read_back_together_are_not_put_together():
    task = Task(TaskConfig(answer="{title} {category}"), {"category": ["blue", "dark blue", "green"]})
    answers = [
        f"{text}<|end|>" for text in ("Scarf dark green", "Scarf dark green", "Red blue", "Bag blue", "Hat blue")
    ]
    assert task.parse_answer("Scarf dark blue<|end|>") == {"title": "Scarf", "category": "dark blue"}
    assert consensus(task, answers) in answers


@pytest.mark.parametrize("answers", [["nothing"], ["nothing", "of use"]])
def test_returns_the_first_text_if_none_parses(task, answers):
    assert consensus(task, answers) == "nothing"
