"""What `etalage.base.build` writes, made once."""

from pathlib import Path

import pytest

from etalage.base import build


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small model's folder but its weights; leave it as it is."""
    folder = tmp_path_factory.mktemp("built")
    build.main(str(folder))
    return folder
