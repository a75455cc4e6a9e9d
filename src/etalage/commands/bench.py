"""`etalage bench`: measure how fast this machine fine-tunes."""

import torch

from etalage.atomic import atomic_write_text
from etalage.config import BenchConfig
from etalage.console import say
from etalage.errors import EtalageError
from etalage.train.benchmark import Measurement, describe_machine, format_table, measure_all

__all__ = ["bench"]


def bench(config: BenchConfig) -> None:
    """Time several variants of fine-tuning, one after the other, and print each as soon as it is measured.

    Args:
        config: Which model, how many crops, and the file to write the table to.

    Raises:
        EtalageError: The full-size model on a machine without a GPU, where it would take hours.
    """
    if config.model == "random" and not torch.cuda.is_available():
        raise EtalageError("there is no GPU, and the full size would take hours on a CPU; give --model small")
    machine, measurements = describe_machine(), list[Measurement]()
    say(machine)
    for measurement in measure_all(config):
        measurements.append(measurement)
        if config.out is not None:
            # After each line, so that a bench that is stopped leaves what it has measured.
            atomic_write_text(config.out, f"{machine}\n\n{format_table(measurements)}")
        say(measurement.format_line())
    if config.out is not None:
        say(f"table: {config.out}")
