"""What `pretraining.tokenizer` writes, made once."""

from pathlib import Path

import pytest

from pretraining import tokenizer


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small model's folder but its weights; leave it as it is."""
    folder = tmp_path_factory.mktemp("built")
    tokenizer.main(str(folder))
    return folder
