"""etalage: from a catalogue with pictures to a Phi-3-Vision that names, categorises and prices products.

The model is in `etalage.phi3v`; the verbs of the command line are functions in `etalage.pipeline`.
"""

from etalage.config import (
    DemoConfig,
    EvaluateConfig,
    PredictConfig,
    PrepareConfig,
    ReportConfig,
    SampleConfig,
    TaskConfig,
    TrainConfig,
)
from etalage.task import Product, Task

__version__ = "0.1.0"

__all__ = [
    "DemoConfig",
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
