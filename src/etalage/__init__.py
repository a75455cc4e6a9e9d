"""etalage: from a catalogue with pictures to a Phi-3-Vision that names, categorises and prices products.

The model is in `etalage.phi3v`; each verb of the command line is a function in `etalage.commands`.
"""

from etalage.config import (
    BenchConfig,
    DemoConfig,
    EvaluateConfig,
    PredictConfig,
    PrepareConfig,
    ReportConfig,
    SampleConfig,
    TaskConfig,
    TrainConfig,
)
from etalage.errors import EtalageError
from etalage.task import Product, Task

__version__ = "0.1.0"

__all__ = [
    "BenchConfig",
    "DemoConfig",
    "EtalageError",
    "EvaluateConfig",
    "PredictConfig",
    "PrepareConfig",
    "Product",
    "ReportConfig",
    "SampleConfig",
    "Task",
    "TaskConfig",
    "TrainConfig",
    "__version__",
]
