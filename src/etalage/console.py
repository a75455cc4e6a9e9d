"""What is printed for the user, on whatever stdout and stderr are: a terminal, a pipe, an old encoding, or closed."""

import sys
from typing import IO, Literal

from rich.console import Console

__all__ = ["console", "error_console", "say"]


class _Stream:
    """Standard output or error as it is when something is printed, in what its encoding can show.

    Characters that the encoding lacks are escaped. If a terminal is gone or a disk full, messages to standard error are
    lost, rather than the work that they are about.
    """

    def __init__(self, name: Literal["stdout", "stderr"]) -> None:
        self._name = name

    @property
    def _stream(self) -> IO[str] | None:
        stream = getattr(sys, self._name)  # None if it was closed before Python began
        return getattr(stream, "rich_proxied_file", stream)  # a live display puts itself in front of it

    @property
    def encoding(self) -> str:
        return getattr(self._stream, "encoding", None) or "utf-8"

    def write(self, text: str) -> int:
        try:
            if self._stream is not None:
                self._stream.write(text.encode(self.encoding, "backslashreplace").decode(self.encoding))
        except (OSError, ValueError):  # the latter from a file that was closed
            if self._name == "stdout":
                raise
        return len(text)

    def flush(self) -> None:
        try:
            if self._stream is not None:
                self._stream.flush()
        except (OSError, ValueError):
            if self._name == "stdout":
                raise

    def isatty(self) -> bool:
        try:
            return self._stream is not None and self._stream.isatty()
        except ValueError:
            return False

    def fileno(self) -> int:
        if self._stream is None:
            raise OSError("closed")
        return self._stream.fileno()


console = Console(file=_Stream("stdout"), highlight=False)  # type: ignore[arg-type]  # it has what rich calls
error_console = Console(file=_Stream("stderr"), highlight=False, markup=False, soft_wrap=True)  # type: ignore[arg-type]


def say(text: str) -> None:
    """Print a line and let the terminal wrap it, so that paths can be copied whole.

    Args:
        text: The line; it may hold catalogue text, so no markup in it is interpreted.
    """
    console.print(text, soft_wrap=True, markup=False)
