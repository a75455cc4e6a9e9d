"""Nested mappings become flat ones with dotted names."""

from types import MappingProxyType

from etalage.flatten import flatten


def test_joins_names_with_dots_in_their_order() -> None:
    nested = {"price": {"mae": 1.5, "ci": {"low": 1, "high": 2}}, "split": "test"}
    flat = [("price.mae", 1.5), ("price.ci.low", 1), ("price.ci.high", 2), ("split", "test")]
    assert list(flatten(nested)) == flat
    assert [name for name, _ in flatten(nested, "run.")] == [f"run.{name}" for name, _ in flat]


def test_lists_and_none_are_values_and_empty_mappings_have_none() -> None:
    assert dict(flatten({"a": [{"b": 1}], "c": None, "d": {}})) == {"a": [{"b": 1}], "c": None}


def test_any_kind_of_mapping_is_flattened() -> None:
    assert dict(flatten(MappingProxyType({"a": MappingProxyType({"b": 1})}))) == {"a.b": 1}
