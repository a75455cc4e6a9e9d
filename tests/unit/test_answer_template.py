"""Templates whose words do not divide an answer for sure, and templates that are JSON."""

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etalage.answer_template import AnswerTemplate, Field, plain_answer
from etalage.config import TaskConfig
from etalage.errors import EtalageError
from etalage.task import END_TOKEN, Task, clean_text

README = "A {colour:category} {title} for {price}"
COLOURS = ("red", "dark red", "navy blue", "blue", "écru")
texts = st.text(st.characters(codec="utf-8"), min_size=1).map(clean_text).filter(bool)


def task_of(answer: str, **choices: tuple[str, ...]) -> Task:
    return Task(TaskConfig(answer=answer), choices)


def reads(task: Task, **values: str | float) -> bool:
    return task.parse_answer(task.format_answer(values)) == values


@pytest.mark.parametrize(
    ("colour", "title"),
    [("red", "Wool Scarf"), ("dark red", "Wool Scarf in Check"), ("navy blue", "Bag"), ("écru", "T-Shirt for 2 Men")],
)
@pytest.mark.parametrize(
    "answer",
    [
        README,
        "{title} {colour:category}: {price}",
        "{title} in {colour:category} for {price}",
        "{price} {colour:category}, {title}",
    ],
)
def test_known_values_say_where_a_category_ends(answer: str, colour: str, title: str) -> None:
    assert reads(task_of(answer, colour=COLOURS), colour=colour, title=title, price=450.0)


def test_two_categories_beside_each_other_are_divided() -> None:
    task = task_of("{colour:category} {kind:category} {title}", colour=COLOURS, kind=("tote bag", "bag", "blue jeans"))
    assert task.open_categories == ["colour", "kind"]
    assert reads(task, colour="navy blue", kind="tote bag", title="Jo Bag")
    assert reads(task, colour="red", kind="blue jeans", title="blue")


def test_the_longest_known_value_is_read_wherever_it_stands() -> None:
    assert task_of(README, colour=COLOURS).parse_answer("A dark red Scarf for 5.0<|end|>") == {
        "colour": "dark red",
        "title": "Scarf",
        "price": 5.0,
    }
    last = task_of("{title} {colour:category}", colour=COLOURS)
    assert last.parse_answer("Scarf dark red<|end|>") == {"title": "Scarf", "colour": "dark red"}


def test_an_unknown_category_is_read_only_if_the_text_divides_in_one_way() -> None:
    task = task_of(README, colour=COLOURS)
    assert task.parse_answer("A teal Scarf for 5.0<|end|>") == {"colour": "teal", "title": "Scarf", "price": 5.0}
    assert task.parse_answer("A teal Wool Scarf for 5.0<|end|>") is None
    labelled = Task(TaskConfig())
    assert labelled.open_categories == []
    assert labelled.parse_answer("Product: A B, Category: NEW ONE, Full Price: 5.0<|end|>") is not None


@pytest.mark.parametrize(
    ("answer", "open_categories"),
    [
        (README, ["colour"]),
        ("{title} in {category} for {price}", ["category"]),
        ("{category} for {price}", []),
        ("{title} | {category}", []),
        ("Title: {title}\nCategory: {category}", []),
        ("{brand} {title}", []),
        ('{{"title": "{title}", "category": "{category}"}}', []),
    ],
)
def test_only_categories_whose_end_is_open_need_known_values(answer: str, open_categories: list[str]) -> None:
    assert task_of(answer).open_categories == open_categories


def test_ambiguity_is_explained_and_a_separator_is_proposed_that_works() -> None:
    task = task_of("{brand} {title} for {price}")
    rows = [{"brand": "Ralph Lauren", "title": f"Shirt, No. {i}", "price": 9.5} for i in range(3)]
    explained = task.explain_ambiguity(rows[0])
    assert explained == "'Ralph Lauren Shirt, No. 0 for 9.5' reads back as brand 'Ralph Lauren Shirt, No.', title '0'"
    proposed = task.suggest_answer(rows)
    assert proposed == "{brand} | {title} for {price}", "a comma would not do: the titles hold it"
    other = task_of(proposed)
    assert all(other.explain_ambiguity(values) is None for values in rows)
    assert task.explain_ambiguity({"brand": "Fendi", "title": "Bag", "price": 1.0}) is None
    hopeless = [{"brand": "a", "title": "b, c | d / e; f", "price": 1.0}]
    assert task.suggest_answer(hopeless) is None


def test_the_proposal_keeps_kinds_and_braces() -> None:
    task = task_of("{{x}} {colour:category} {title} costs {rrp:price}")
    values = {"colour": "a b", "title": "c d", "rrp": 2.0}
    assert task.suggest_answer([values]) == "{{x}} {colour:category}, {title} costs {rrp:price}"


JSON_ANSWER = '{{"title": "{title}", "tags": ["{category}", "x"], "price": {price}}}'


@pytest.mark.parametrize(
    "title",
    [
        'Sofa 24" wide',
        "C:\\temp\\",
        '", "price": 1}',
        "a\\",
        'x", "tags": ["y", "x"], "price": 5.0}',
        "Größe ‹é› 日本",
        "{title}",
        "/path",
        "\\u0041",
    ],
)
def test_json_answers_are_json_whatever_the_title_holds(title: str) -> None:
    task = Task(TaskConfig(answer=JSON_ANSWER))
    values = {"title": title, "category": title[::-1].strip(), "price": 5.5}
    answer = task.format_answer(values)
    assert json.loads(answer.removesuffix(END_TOKEN)) == {
        "title": title,
        "tags": [values["category"], "x"],
        "price": 5.5,
    }
    assert task.parse_answer(answer) == values


@settings(deadline=None, max_examples=100)
@given(title=texts, category=texts)
def test_json_answers_read_back_whatever_they_hold(title: str, category: str) -> None:
    task = Task(TaskConfig(answer=JSON_ANSWER))
    values = {"title": title, "category": category, "price": 5.5}
    answer = task.format_answer(values)
    json.loads(answer.removesuffix(END_TOKEN))
    assert task.parse_answer(answer) == values
    spans = [task.answer_span(values, place) for place in range(3)]
    assert [end for _, end in spans[:-1]] == [start for start, _ in spans[1:]]
    assert spans[-1][1] == len(answer)


def test_json_answers_read_any_escape_and_never_a_control_token() -> None:
    task = Task(TaskConfig(answer='{{"title": "{title}"}}'))
    assert task.parse_answer('{"title": "caf\\u00e9\\n"}<|end|>') == {"title": "café"}
    assert task.parse_answer('{"title": "\\u003c|user|>"}<|end|>') == {"title": "‹|user|>"}
    assert task.parse_answer('{"title": "\\q"}<|end|>') is None
    assert task.parse_answer('{"title": "  "}<|end|>') is None


def test_braces_alone_make_no_json() -> None:
    assert not AnswerTemplate("{{{title}}}").is_json
    assert AnswerTemplate('["{title}"]').is_json
    assert AnswerTemplate("{{{title}}}").write({"title": 'a "b"'}) == '{a "b"}'


def test_a_plain_answer_names_the_fields_with_their_kinds() -> None:
    fields = [Field("title", "text"), Field("colour", "category"), Field("price", "price"), Field("rrp", "price")]
    assert plain_answer(fields[:1]) == "{title}"
    assert AnswerTemplate(plain_answer(fields)).fields == fields


def test_many_fields_that_do_not_fit_are_refused_at_once() -> None:
    """A regular expression would try 10^16 divisions."""
    names = [f"a{number}" for number in range(20)]
    task = task_of(" ".join(f"{{{name}}}" for name in names) + " for {price}")
    start = time.perf_counter()
    assert task.parse_answer("word " * 80 + "for nothing<|end|>") is None
    task = task_of(
        " ".join(f"{{{name}:category}}" for name in names) + ".", **dict.fromkeys(names, ("word", "word word"))
    )
    assert task.parse_answer("word " * 30 + "word<|end|>") is None
    assert task.parse_answer("word " * 30 + "word.<|end|>") is not None
    assert time.perf_counter() - start < 5


def test_more_fields_than_a_product_has_are_refused() -> None:
    with pytest.raises(EtalageError, match="holds 2000 fields; at most 50"):
        AnswerTemplate(" ".join(f"{{a{number}}}" for number in range(2000)))


def test_a_value_is_one_line() -> None:
    task = Task(TaskConfig(answer="Title: {title}\nPrice: {price}"))
    assert task.parse_answer("Title: A B\nPrice: 5.0<|end|>") == {"title": "A B", "price": 5.0}
    assert task.parse_answer("Title: A\nB\nPrice: 5.0<|end|>") is None
