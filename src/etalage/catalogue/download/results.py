"""Results of a fetch: pictures in the store, failures with a reason, and the exceptions that lead to them."""

from dataclasses import dataclass
from pathlib import Path

from yarl import URL

__all__ = ["Failed", "FetchError", "Fetched", "Outcome", "Redirect"]


@dataclass(frozen=True, slots=True)
class Fetched:
    """A picture that lies in the store; it has not been decoded yet."""

    url: str
    """The URL as it was given."""
    path: Path
    """The picture's file, STORE/ab/<sha256>, without an extension."""
    sha256: str
    """SHA-256 of the file, in hexadecimal."""


@dataclass(frozen=True, slots=True)
class Failed:
    """A URL that gave no picture, with the reason."""

    url: str
    """The URL as it was given."""
    reason: str
    """One of a small set of words, for counting; see `fetch`."""
    detail: str
    """What was found, for people."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A result with the figures that the store records."""

    result: Fetched | Failed
    """The result for the caller of `fetch`."""
    num_bytes: int
    """The size of the picture's file; 0 for a failure."""
    num_tries: int
    """Requests made for it, the successful one included."""


class FetchError(Exception):
    """Raised when a request gives no picture.

    Args:
        reason: One of the words listed in `fetch`.
        detail: What was found, for people.
        retryable: Another try may help.
        retry_after_s: Seconds that the host asked to wait before the next try, if it named any.
        unreachable: No connection could be made.
    """

    def __init__(
        self,
        reason: str,
        detail: str,
        *,
        retryable: bool = False,
        retry_after_s: float | None = None,
        unreachable: bool = False,
    ) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason, self.detail = reason, detail
        self.retryable, self.retry_after_s, self.unreachable = retryable, retry_after_s, unreachable


class Redirect(Exception):
    """Raised when an answer names another URL to request instead.

    Args:
        target: The URL that the answer names.
    """

    def __init__(self, target: URL) -> None:
        super().__init__(str(target))
        self.target = target
