"""Refuse checkpoints whose files lead to pickles, which can run code when they are loaded."""

import json
import os
import re
from pathlib import Path
from typing import Any

from transformers.utils import cached_file

__all__ = ["HUB_KEYS", "refuse_pickles"]

HUB_KEYS = ("revision", "cache_dir", "token", "local_files_only", "subfolder", "proxies")
"""Arguments of `from_pretrained` that say where a file is."""

_CONVERT = "pickles can run code when loaded and are never read here: convert to safetensors where you trust the file"
_SHARD = re.compile(r"[\w.-]+\.safetensors")


def refuse_pickles(checkpoint: str | os.PathLike, variant: str | None = None, **hub: Any) -> None:
    """Check what transformers will open, before it does.

    Args:
        checkpoint: A checkpoint's folder or hub id.
        variant: As in transformers.
        hub: Those of HUB_KEYS that from_pretrained was given.

    Raises:
        ValueError: There are pickled weights alone, an index names a file that is none of the checkpoint's own
            safetensors, or adapters are pickled.
    """
    folder = Path(os.fspath(checkpoint), hub.get("subfolder") or "")
    if next(folder.glob("*.bin"), None) and not next(folder.glob("*.safetensors"), None):
        raise ValueError(f"{folder} holds pickled weights (*.bin) and no *.safetensors; {_CONVERT}")

    def find(name: str) -> str | None:
        return cached_file(checkpoint, name, _raise_exceptions_for_missing_entries=False, **hub)

    middle = f".{variant}" if variant else ""
    if index := find(f"model.safetensors.index{middle}.json"):
        weight_map = json.loads(Path(index).read_text(encoding="utf-8")).get("weight_map", {})
        for tensor, shard in weight_map.items():
            if not isinstance(shard, str) or not _SHARD.fullmatch(shard):
                raise ValueError(
                    f"{index}: {tensor} is in {shard!r}, which is no .safetensors file beside the index; {_CONVERT}"
                )
    # Where there are adapters, transformers loads them, too.
    if find("adapter_config.json") and not find("adapter_model.safetensors"):
        raise ValueError(f"{checkpoint} has adapters, but no adapter_model.safetensors; {_CONVERT}")
