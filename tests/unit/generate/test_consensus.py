import pytest

from etalage.generate.consensus import consensus


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
    assert consensus(task, answers) == "Product: Red Wool Cap, Category: HATS, Full Price: 100.0"


def test_the_consensus_parses(task):
    answers = [answer_of("A", "X", "10.0"), answer_of("B", "Y", "15.5")]
    assert task.parse_answer(consensus(task, answers)) == {"title": "A", "category": "X", "price": 12.75}


@pytest.mark.parametrize("answers", [["nothing"], ["nothing", "of use"]])
def test_returns_the_first_text_if_none_parses(task, answers):
    assert consensus(task, answers) == "nothing"
