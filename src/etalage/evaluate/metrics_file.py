"""Read metrics.json back: what `report` shows is what `evaluate` wrote, and for the fields of this run."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

from etalage.config import Split
from etalage.errors import EtalageError
from etalage.evaluate.metrics import METRICS
from etalage.evaluate.systems import SYSTEMS, scores_of, systems_in
from etalage.folders import optional_file_in
from etalage.json_files import read_json_object
from etalage.schema import NULL, Check, array, check, constant, either, integer, number, record
from etalage.task import Field

__all__ = ["read_metrics"]

_COUNT, _EXAMPLES = integer(0), integer(1)
_INTERVAL = either(NULL, array(number(), 2, 2))
_RANGES: dict[str, Check] = {
    **dict.fromkeys(("exact", "accuracy", "macro_f1", "within_20pct"), number(0, 1)),
    **{"chrf": number(0, 100.001), "mae": number(0), "median_ape": number(0), "median_factor_error": number(0.999999)},
}
"""What a metric may be where it is defined; the ends forgive rounding."""


def read_metrics(path: Path, fields: Sequence[Field]) -> dict[str, Any]:
    """Read metrics.json.

    Args:
        path: The file, in a run folder.
        fields: The fields of the run's task.

    Raises:
        EtalageError: The run has not been evaluated, the file cannot be read, or a score or an interval is missing, of
            another type or out of range.
    """
    again = f"run `etalage evaluate {path.parent}`"
    remedy = f"{again} again"
    if optional_file_in(path.parent, path.name, remedy) is None:
        raise EtalageError(f"{path.parent} has no metrics.json; {again} first")
    metrics = read_json_object(path, remedy=remedy)
    scores = {f.name: record({name: either(_RANGES[name], NULL) for name in METRICS[f.kind]}) for f in fields}
    ends = {f.name: record(dict.fromkeys(METRICS[f.kind], _INTERVAL)) for f in fields}
    cut = dict.fromkeys(("num_cut", "num_unparsable"), _COUNT)
    system = record({"num_examples": _EXAMPLES, "num_parsed": _COUNT, **scores}, cut)
    check(
        metrics,
        record(
            {
                **{"split": constant(*get_args(Split)), "num_examples": _EXAMPLES, "num_parsed": _COUNT, **scores},
                **{"baselines": _systems("baselines", system), "controls": _systems("controls", system)},
                "intervals": record({**ends, **{k: _systems(k, record(ends)) for k in ("baselines", "controls")}}),
            },
            {**cut, "num_groups": _EXAMPLES},
        ),
        str(path),
        remedy,
    )
    for name in systems_in(metrics):
        found = scores_of(metrics, name)
        if found["num_examples"] != metrics["num_examples"] or found["num_parsed"] > found["num_examples"]:
            raise EtalageError(f"{path}: the counts of {name} contradict each other; {remedy}")
        intervals = scores_of(metrics["intervals"], name) if name in systems_in(metrics["intervals"]) else None
        if intervals is None or any(
            pair is not None and pair[0] > pair[1] for field in fields for pair in intervals[field.name].values()
        ):
            raise EtalageError(f"{path}: intervals of {name} are missing or upside down; {remedy}")
    return metrics


def _systems(group: str, system: Check) -> Check:
    """Return what a group of systems has to hold; there is no shuffled control where there was no other picture."""
    names = [keys[1] for keys in SYSTEMS.values() if keys[:1] == (group,)]
    return record(
        {name: system for name in names if name != "shuffled"}, {name: system for name in names if name == "shuffled"}
    )
