"""The versions that figures depend on."""

import platform
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version

__all__ = ["versions"]


def versions() -> dict[str, str]:
    """Return the versions of this package, of Python, and of the libraries that compute, by name."""
    packages = {}
    for name in ("etalage", "torch", "transformers", "peft", "flash-attn-4"):
        with suppress(PackageNotFoundError):  # the last one is optional
            packages[name] = version(name)
    return {**packages, "python": platform.python_version()}
