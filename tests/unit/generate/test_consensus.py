import pytest

from etalage.generate.consensus import consensus


def said(title, category, price):
    return f"Product: {title}, Category: {category}, Full Price: {price}<|end|>"


def test_most_frequent_category_middle_price_and_the_title_like_most_others(task):
    answers = [
        said("Blue Wool Cap", "HATS", "90.0"),
        said("Red Wool Cap", "CAPS", "100.0"),
        said("Red Wool Hat", "HATS", "9000.0"),
        "no answer at all",
        said("Red Wool Cap", "HATS", "120.0"),
        said("Silk Scarf", "SCARVES", "95.0"),
    ]
    assert consensus(task, answers) == "Product: Red Wool Cap, Category: HATS, Full Price: 100.0"


def test_what_is_chosen_can_be_read_back(task):
    answers = [said("A", "X", "10.0"), said("B", "Y", "15.5")]
    assert task.parse_answer(consensus(task, answers)) == {"title": "A", "category": "X", "price": 12.75}


@pytest.mark.parametrize("answers", [["nothing"], ["nothing", "of use"]])
def test_without_any_answer_the_first_text_stays(task, answers):
    assert consensus(task, answers) == "nothing"
