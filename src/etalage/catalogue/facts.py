"""catalogue.json: what it has to hold, checked before anything of it is used."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from etalage.catalogue.pictures import check_background
from etalage.config import Split
from etalage.errors import EtalageError
from etalage.json_files import read_json_object
from etalage.schema import BOOLEAN, TEXT, array, check, integer, mapping, number, record

__all__ = ["REMEDY", "find_currencies", "read_facts"]

REMEDY = "prepare the catalogue again"

_COUNT = integer(0)
_FRACTION = number(0, 1)
_LIMITS = record({"max_image_px": integer(1), "max_image_bytes": integer(1), "background": TEXT})
_LEAKS = record(
    {"num_held_out": _COUNT, "num_leaked": _COUNT, "examples": array(mapping(TEXT))}, {"reasons": mapping(_COUNT)}
)
_GROUP = record({"num_products": _COUNT, "num_pictures": _COUNT, "reasons": mapping(_COUNT), "titles": array(TEXT)})
_SPELLING = record({"found_by": TEXT, "num_rows": _COUNT, "examples": array(TEXT)})
_PICTURES = record(
    {"num_rows": _COUNT, "num_later": _COUNT, "unused": mapping(_COUNT), "other_spellings": array(_SPELLING)}
)
_PLACEHOLDER = record({"file_name": TEXT, "num_products": _COUNT, "num_titles": _COUNT})
_PRICES = record(
    {
        "column": TEXT,
        "currency": TEXT,
        "counts": mapping(_COUNT),
        "rates": mapping(number()),
        "notes": array(TEXT),
    }
)
_GENERIC_COUNTS = ("num_products", "num_prices", "num_pictures")
_FACTS = record(
    {
        "source": TEXT,
        "kind": TEXT,
        "columns": mapping(TEXT),
        "task": record({"question": TEXT, "answer": TEXT}),
        "own_questions": BOOLEAN,
        "limits": _LIMITS,
        "splits": record(dict.fromkeys(get_args(Split), _COUNT), closed=True),
        "drops": mapping(_COUNT),
        "num_groups": _COUNT,
    },
    {
        "num_test_groups": _COUNT,
        "guessed": array(TEXT),
        "image_fallbacks": array(TEXT),
        "export": TEXT,
        "seed": integer(),
        "validation_fraction": _FRACTION,
        "test_fraction": _FRACTION,
        "split_column": TEXT,
        "choices": mapping(array(TEXT)),
        "suggested_answer": TEXT,
        "duplicates": mapping(_COUNT),
        "group_column": TEXT,
        "largest_groups": array(_GROUP),
        "generic_names": array(record({"name": TEXT, **dict.fromkeys(_GENERIC_COUNTS, _COUNT)})),
        "placeholders": array(_PLACEHOLDER),
        "leaks": _LEAKS,
        "pictures": _PICTURES,
        "currency": TEXT,
        "prices": mapping(_PRICES),
    },
)


def find_currencies(facts: Mapping[str, Any]) -> dict[str, str]:
    """Return the code of the currency of each field of prices, as far as it is known.

    Args:
        facts: The content of catalogue.json.
    """
    prices = facts.get("prices") or {}
    return {field: column["currency"] for field, column in prices.items() if column["currency"]}


def read_facts(path: Path, version: int) -> dict[str, Any]:
    """Read catalogue.json.

    Args:
        path: The file.
        version: The version of catalogues that is read.

    Raises:
        EtalageError: The file is not there or damaged, is of another version, or a value in it is not as it has to be.
    """
    if not path.exists():
        raise EtalageError(f"{path.parent} is no catalogue: {path.name} is not there; make one with etalage prepare")
    facts = read_json_object(path, remedy=REMEDY)
    found = facts.get("version")
    if type(found) is not int or found != version:
        raise EtalageError(
            f"{path.parent} is of version {str(found)[:40]}, but this etalage reads version {version}; {REMEDY}"
        )
    check(facts, _FACTS, str(path), REMEDY)
    try:
        check_background(facts["limits"]["background"])
    except EtalageError as error:
        raise EtalageError(f"{path}: limits.background: {error}; {REMEDY}") from error
    return facts
