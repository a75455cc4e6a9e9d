"""Hosts take turns within their number of connections, and count as down only after long and many failures."""

import pytest

from etalage.catalogue.download import hosts
from etalage.catalogue.download.hosts import FetchJob, HostHealth, HostQueues
from etalage.catalogue.download.results import FetchError
from etalage.catalogue.download.urls import parse_url


def job(url: str) -> FetchJob:
    return FetchJob(url, parse_url(url), parse_url(url))


def pop_all(queues: HostQueues) -> list[str]:
    popped = []
    while (found := queues.pop()) is not None:
        popped.append(found.url.removeprefix("http://"))
    return popped


def test_hosts_take_turns() -> None:
    queues = HostQueues(connections_per_host=10)
    for url in ("a.test/1", "a.test/2", "a.test/3", "b.test/1", "c.test/1", "c.test/2"):
        queues.push(job(f"http://{url}"))
    assert pop_all(queues) == ["a.test/1", "b.test/1", "c.test/1", "a.test/2", "c.test/2", "a.test/3"]


def test_a_host_gets_no_more_than_its_connections() -> None:
    queues = HostQueues(connections_per_host=2)
    for n in range(4):
        queues.push(job(f"http://a.test/{n}"))
    assert pop_all(queues) == ["a.test/0", "a.test/1"]
    queues.push(job("http://b.test/0"))
    assert pop_all(queues) == ["b.test/0"], "a full host holds up no other"
    queues.release("a.test")
    assert pop_all(queues) == ["a.test/2"]
    for _ in range(2):
        queues.release("a.test")
    assert pop_all(queues) == ["a.test/3"]


def test_a_job_in_front_comes_before_the_others_of_its_host() -> None:
    queues = HostQueues(connections_per_host=1)
    queues.push(job("http://a.test/1"))
    queues.push(job("http://a.test/2"))
    queues.push(job("http://a.test/redirected"), in_front=True)
    assert pop_all(queues) == ["a.test/redirected"]
    queues.release("a.test")
    assert pop_all(queues) == ["a.test/1"]


def test_empty_queues_give_nothing_and_remember_no_host() -> None:
    queues = HostQueues(connections_per_host=1)
    assert queues.pop() is None
    for n in range(100):
        queues.push(job(f"http://{n}.test/"))
    for url in pop_all(queues):
        queues.release(url.rstrip("/"))
    assert queues.pop() is None
    assert not any(vars(queues)[name] for name in ("_waiting", "_ready", "_num_active"))


def test_a_host_is_down_after_many_failures_over_some_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(hosts.time, "monotonic", lambda: now)
    health = HostHealth()
    for _ in range(hosts.HOST_DOWN_FAILURES):
        health.record_failure("a.test")
    health.check("a.test")  # many failures, but all at once: a restart takes longer
    now += hosts.HOST_DOWN_S
    with pytest.raises(FetchError, match="64 attempts in a row found no connection") as caught:
        health.check("a.test")
    assert (caught.value.reason, caught.value.retryable) == ("fetch_host_down", False)
    health.check("b.test")
    health.record_connection("a.test")
    health.check("a.test")


def test_few_failures_do_not_make_a_host_down(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(hosts.time, "monotonic", lambda: now)
    health = HostHealth()
    for _ in range(hosts.HOST_DOWN_FAILURES - 1):
        health.record_failure("a.test")
    now += 10 * hosts.HOST_DOWN_S
    health.check("a.test")
