"""Every setting and its default: frozen dataclasses that check themselves, one per verb of the command line.

The flags and help texts of the command line are made from them. The word `auto` means that a value is chosen for you;
`None` means that there is none. Nothing here imports torch, so that `--help` is quick.
"""

from etalage.config.prepare import (
    DecimalMark,
    Download,
    Format,
    Limits,
    Placeholders,
    PrepareConfig,
    PriceRange,
    Prices,
    Splits,
    TableFormat,
    TaskConfig,
)
from etalage.config.run import BenchConfig, DemoConfig, EvaluateConfig, PredictConfig, ReportConfig, Split
from etalage.config.sample import SampleCheckConfig, SampleConfig, SampleServeConfig
from etalage.config.train import (
    ActivationCheckpointing,
    Adapters,
    Auto,
    Data,
    LoraVariant,
    Memory,
    Optimizer,
    Output,
    Part,
    Quantization,
    Recipe,
    Tracking,
    TrainConfig,
)

__all__ = [
    "ActivationCheckpointing",
    "Adapters",
    "Auto",
    "BenchConfig",
    "Data",
    "DecimalMark",
    "DemoConfig",
    "Download",
    "EvaluateConfig",
    "Format",
    "Limits",
    "LoraVariant",
    "Memory",
    "Optimizer",
    "Output",
    "Part",
    "Placeholders",
    "PredictConfig",
    "PrepareConfig",
    "PriceRange",
    "Prices",
    "Quantization",
    "Recipe",
    "ReportConfig",
    "SampleCheckConfig",
    "SampleConfig",
    "SampleServeConfig",
    "Split",
    "Splits",
    "TableFormat",
    "TaskConfig",
    "Tracking",
    "TrainConfig",
]
