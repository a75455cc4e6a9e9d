"""`etalage bench` refuses what would take hours."""

import pytest
import torch

from etalage.commands.bench import bench
from etalage.config import BenchConfig
from etalage.errors import EtalageError


@pytest.mark.skipif(torch.cuda.is_available(), reason="the full size runs on a GPU")
def test_the_full_size_needs_a_gpu() -> None:
    with pytest.raises(EtalageError, match="give --model small"):
        bench(BenchConfig())
