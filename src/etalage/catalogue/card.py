"""CATALOGUE/README.md: what `datasets.load_dataset` needs to load the folder as its splits, and a few words for people.

`datasets` gives each split a metadata file of its own, so there is one per split beside metadata.parquet, with the same
columns. Nothing of ours reads them.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["CARD", "split_file", "write_card"]

CARD = "README.md"


def split_file(split: str) -> str:
    """Return the name of the file with the rows of a split.

    Args:
        split: The name of the split.
    """
    return f"{split}.parquet"


def write_card(folder: Path, facts: Mapping[str, Any]) -> None:
    """Write README.md, which names the files of each split that has products.

    Args:
        folder: The catalogue folder.
        facts: The content of catalogue.json.
    """
    splits = {split: count for split, count in facts["splits"].items() if count}
    # The pictures are listed too: it is by them that `datasets` knows a folder of pictures.
    data_files = [
        line for split in splits for line in (f"  - split: {split}", f'    path: ["{split_file(split)}", "images/**"]')
    ]
    names = ", ".join(f'"{split_file(split)}"' for split in splits)
    counts = ", ".join(f"{count} {split}" for split, count in splits.items())
    lines = [
        *("---", "configs:", "- config_name: default"),
        *(f"  metadata_filenames: [{names}]", "  data_files:", *data_files, "---"),
        *("# A catalogue of products", ""),
        f"{sum(splits.values())} products with pictures ({counts}), prepared by etalage.",
        "",
        *("```python", "import datasets", "", 'datasets.load_dataset("FOLDER")  # its splits', "```", ""),
        "profile.html shows what is in it. metadata.parquet holds all products, catalogue.json where they are from.",
    ]
    (folder / CARD).write_text("\n".join(lines) + "\n", encoding="utf-8")
