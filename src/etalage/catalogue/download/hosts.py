"""What is known of each host while a fetch runs: the requests that wait for it, and whether it can be reached."""

import time
from collections import Counter, OrderedDict, deque
from dataclasses import dataclass

from yarl import URL

from etalage.catalogue.download.results import FetchError

__all__ = ["FetchJob", "HostHealth", "HostQueues"]

HOST_DOWN_S, HOST_DOWN_FAILURES = 60.0, 64
"""A host is down if this many attempts in a row, over at least this many seconds, found no connection. Its other URLs
then fail at once."""


@dataclass(frozen=True, slots=True)
class FetchJob:
    """A request to make."""

    url: str
    """The URL as it was given."""
    first_target: URL
    """The parsed URL. A retry starts here again, since a redirect may lead to a link that expires."""
    target: URL
    """The URL to request: the first one, or what redirects led to."""
    num_redirects: int = 0
    """Redirects followed so far."""
    num_tries: int = 1
    """Tries from the first target so far, this one included."""

    @property
    def host(self) -> str:
        """The host of the target."""
        return self.target.raw_host or ""


class HostQueues:
    """Jobs that wait for a connection, by host; hosts take turns, each with a limited number of connections.

    Args:
        connections_per_host: The most jobs of one host that may run at once.
    """

    def __init__(self, connections_per_host: int) -> None:
        self._connections_per_host = connections_per_host
        self._waiting: dict[str, deque[FetchJob]] = {}  # no host without a job
        self._ready: OrderedDict[str, None] = OrderedDict()  # hosts with a job and a free connection, next one first
        self._num_active: Counter[str] = Counter()

    def push(self, job: FetchJob, *, in_front: bool = False) -> None:
        """Add a job to its host's queue.

        Args:
            job: The job.
            in_front: Put it before the host's other jobs.
        """
        jobs = self._waiting.setdefault(job.host, deque())
        if in_front:
            jobs.appendleft(job)
        else:
            jobs.append(job)
        self._update_ready(job.host)

    def pop(self) -> FetchJob | None:
        """Return the next job and count it as running; None if no host has both a job and a free connection."""
        if not self._ready:
            return None
        host, _ = self._ready.popitem(last=False)
        job = self._waiting[host].popleft()
        if not self._waiting[host]:
            del self._waiting[host]
        self._num_active[host] += 1
        self._update_ready(host)  # at the end of the row: the other hosts come first
        return job

    def release(self, host: str) -> None:
        """Free the connection of a job that `pop` returned.

        Args:
            host: The job's host.
        """
        self._num_active[host] -= 1
        if not self._num_active[host]:
            del self._num_active[host]  # or millions of hosts would be remembered
        self._update_ready(host)

    def _update_ready(self, host: str) -> None:
        if host in self._waiting and self._num_active[host] < self._connections_per_host:
            self._ready[host] = None


class HostHealth:
    """Hosts that could not be connected to lately."""

    def __init__(self) -> None:
        self._failures: dict[str, tuple[float, int]] = {}  # by host: time of the first failure, and failures in a row

    def check(self, host: str) -> None:
        """Raise an error for a host that counts as down.

        Args:
            host: The host's name.

        Raises:
            FetchError: fetch_host_down.
        """
        since, num_failures = self._failures.get(host, (0.0, 0))
        if num_failures >= HOST_DOWN_FAILURES and time.monotonic() - since >= HOST_DOWN_S:
            detail = f"{num_failures} attempts in a row found no connection"
            raise FetchError("fetch_host_down", detail, unreachable=True)

    def record_failure(self, host: str) -> None:
        """Count an attempt that found no connection.

        Args:
            host: The host's name.
        """
        since, num_failures = self._failures.get(host, (time.monotonic(), 0))
        self._failures[host] = since, num_failures + 1

    def record_connection(self, host: str) -> None:
        """Forget a host's failures, since it could be connected to.

        Args:
            host: The host's name.
        """
        self._failures.pop(host, None)
