"""The server answers a sample's pictures as its manifest says, and nothing else."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.parse
from collections import Counter
from pathlib import Path

import pytest

from etalage.sample.server import Server, run_server

PICTURES = {f"images/0000/{number}.jpg": b"\xff\xd8\xff" + bytes([number]) * 5000 for number in range(9)}
PLAIN, TOO_MANY, NEVER, FLAKY, RESETS, PAGE, DEAD, *_ = PICTURES


def fault(kind: str, picture: str, detail: str = "") -> dict[str, object]:
    return {
        **{"row": 1, "source_row": 2, "product_code": "A", "kind": kind, "expect": "kept", "detail": detail},
        **{"other": None, "picture": picture},
    }


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    sample = tmp_path / "sample"
    (sample / "images/0000").mkdir(parents=True)
    for path, content in PICTURES.items():
        (sample / path).write_bytes(content)
    (sample / DEAD).unlink()
    (sample / PAGE).write_bytes(b"<html>gone</html>")
    (sample / "catalogue.csv").write_text("a,b\n")
    faults = [
        fault("too-many-requests", TOO_MANY),
        fault("server-error", NEVER),
        fault("flaky", FLAKY, "500"),
        fault("flaky", RESETS, "reset"),
        fault("html-page", PAGE),
        fault("dead-link", DEAD),
    ]
    (sample / "manifest.json").write_text(json.dumps({"faults": faults}))
    return sample


def request(server: Server, path: str, method: str = "GET") -> tuple[int, bytes, dict[str, str]]:
    """Request a path exactly as written; the status is 0 if the connection broke."""
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(server.url).netloc, timeout=60)
    try:
        connection.request(method, f"/{path}")
        answer = connection.getresponse()
        return answer.status, answer.read(), dict(answer.getheaders())
    except ConnectionResetError:
        return 0, b"", {}
    finally:
        connection.close()


def test_pictures_are_served_unchanged(sample: Path) -> None:
    with run_server(sample) as server:
        assert server.url.startswith("http://127.0.0.1:")
        status, body, headers = request(server, PLAIN)
        assert (status, body, headers["Content-Type"]) == (200, PICTURES[PLAIN], "image/jpeg")
        status, body, headers = request(server, PLAIN, "HEAD")
        assert (status, body, headers["Content-Length"]) == (200, b"", str(len(PICTURES[PLAIN])))
        assert request(server, PAGE)[2]["Content-Type"] == "text/html"
        assert request(server, DEAD)[0] == 404
    with pytest.raises(ConnectionRefusedError):
        request(server, PLAIN)


def test_planted_faults_happen(sample: Path) -> None:
    with run_server(sample) as server:
        status, _, headers = request(server, TOO_MANY)
        assert (status, headers["Retry-After"]) == (429, "1")
        assert [request(server, TOO_MANY)[0] for _ in range(2)] == [200, 200]
        assert [request(server, NEVER)[0] for _ in range(5)] == [500] * 5
        assert [request(server, FLAKY)[0] for _ in range(3)] == [500, 200, 200]
        assert [request(server, RESETS)[0] for _ in range(3)] == [0, 200, 200]
        assert server.summary == "14 requests answered: 6 x 200, 1 x 429, 6 x 500, 1 x reset"
        assert server.requests[NEVER] == 5


def test_only_files_in_the_folder_of_pictures_are_served(sample: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.jpg").write_text("secret")
    (sample / "images/link.jpg").symlink_to(tmp_path / "secret.jpg")
    (sample / "images/up").symlink_to(tmp_path)
    os.mkfifo(sample / "images/fifo.jpg")
    paths = [
        "images/../manifest.json",
        "images/%2e%2e/manifest.json",
        "images/..%2fmanifest.json",
        "images/../../secret.jpg",
        "images//etc/passwd",
        "images/%2fetc%2fpasswd",
        "images/link.jpg",
        "images/up/secret.jpg",
        "images/fifo.jpg",
        "images/a%00b",
        "images/" + "a" * 5000,
        "images/0000",
        "images/",
        "images",
        "manifest.json",
        "catalogue.csv",
        "",
    ]
    with run_server(sample) as server:
        assert [path for path in paths if request(server, path)[0] != 404] == []
        assert request(server, "images/0000/../0000/0.jpg")[0] == 200
    (sample / "images").rename(tmp_path / "elsewhere")
    (sample / "images").symlink_to(tmp_path / "elsewhere")
    with run_server(sample) as server:
        assert request(server, PLAIN)[0] == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_pictures_can_only_be_read(sample: Path, method: str) -> None:
    with run_server(sample) as server:
        status, _, headers = request(server, PLAIN, method)
        assert (status, headers["Allow"]) == (405, "GET, HEAD")
    assert (sample / PLAIN).read_bytes() == PICTURES[PLAIN]


def test_requests_fail_at_random_at_most_twice_and_repeatably(sample: Path) -> None:
    (sample / "manifest.json").write_text("{}")
    paths = [path for path in PICTURES if path != DEAD]

    def statuses(error_rate: float) -> list[int]:
        with run_server(sample, error_rate=error_rate) as server:
            return [request(server, path)[0] for _ in range(4) for path in paths]

    found = statuses(0.5)
    assert found == statuses(0.5)
    assert {0, 500, 503} <= set(found)
    assert found[2 * len(paths) :] == [200] * 2 * len(paths)
    assert statuses(0.0) == [200] * 4 * len(paths)
    assert 200 not in statuses(1.0)[: 2 * len(paths)]


def test_responses_are_delayed_and_slow_if_asked_for(sample: Path) -> None:
    def seconds(limit: float, **options: float) -> float:
        """Return the time of the fastest of up to ten requests: a busy machine is late only at times."""
        found: list[float] = []
        while len(found) < 10 and min(found, default=limit) >= limit:
            with run_server(sample, **options) as server:  # type: ignore[arg-type]
                start = time.monotonic()
                assert request(server, PLAIN)[1] == PICTURES[PLAIN]
                found.append(time.monotonic() - start)
        return min(found)

    assert 0.2 < seconds(2, latency_ms=200) < 2
    assert 0.2 < seconds(2, bandwidth_kib_s=20) < 2
    assert seconds(0.2) < 0.2, "unless asked to be"


def test_requests_are_answered_concurrently(sample: Path) -> None:
    with run_server(sample, latency_ms=500) as server:
        start = time.monotonic()
        threads = [threading.Thread(target=request, args=(server, PLAIN)) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert time.monotonic() - start < 3.5, "which three at a time would take, and one at a time 10"
        assert server.responses == {"200": 20}


def test_a_client_that_disconnects_is_not_an_error(sample: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (sample / PLAIN).write_bytes(b"\xff\xd8\xff" * 1_000_000)
    with run_server(sample, bandwidth_kib_s=100) as server:
        address = urllib.parse.urlsplit(server.url)
        with socket.create_connection((str(address.hostname), int(address.port or 0))) as client:
            client.sendall(f"GET /{PLAIN} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            client.recv(100)
        deadline = time.monotonic() + 30
        while not server.responses and time.monotonic() < deadline:
            time.sleep(0.02)
        assert server.responses == {"reset": 1}
        assert request(server, TOO_MANY)[0] == 429
    assert capfd.readouterr().err == ""


def test_a_folder_that_is_not_a_sample_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"is not a sample: it has no manifest\.json"), run_server(tmp_path):
        pass
    (tmp_path / "manifest.json").write_text("{]")
    with pytest.raises(ValueError, match=r"manifest.json is damaged: .*; make the sample again"), run_server(tmp_path):
        pass


def test_a_port_in_use_is_named(sample: Path) -> None:
    with run_server(sample) as server:
        port = int(urllib.parse.urlsplit(server.url).port or 0)
        taken = pytest.raises(ValueError, match=rf"cannot listen on port {port} of 127.0.0.1: .*or 0 for any")
        with taken, run_server(sample, port=port):
            pass
    assert "serve" not in {thread.name for thread in threading.enumerate()}


def test_serve_prints_the_address_and_finally_the_number_of_requests(sample: Path) -> None:
    code = f"from pathlib import Path\nfrom etalage.sample.server import serve\nserve(Path({str(sample)!r}), port=0)"
    process = subprocess.Popen([sys.executable, "-u", "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    line = process.stdout.readline()
    url = line.split(" is at ")[1].split("images;")[0]
    assert request(Server(url), PLAIN)[0] == 200
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert rest == "1 request answered: 1 x 200\n"


@pytest.mark.parametrize(
    ("responses", "summary"),
    [
        ({}, "0 requests answered"),
        ({"200": 1}, "1 request answered: 1 x 200"),
        ({"500": 2, "200": 10, "reset": 1}, "13 requests answered: 10 x 200, 2 x 500, 1 x reset"),
    ],
)
def test_the_summary_counts_responses_by_status(responses: dict[str, int], summary: str) -> None:
    assert Server("http://127.0.0.1/", responses=Counter(responses)).summary == summary


def test_a_restarted_server_has_forgotten_its_requests(sample: Path) -> None:
    for _ in range(2):
        with run_server(sample) as server:
            assert server.requests == {}
            assert [request(server, TOO_MANY)[0] for _ in range(2)] == [429, 200]
            assert [request(server, FLAKY)[0] for _ in range(2)] == [500, 200]


def test_head_requests_count_as_attempts(sample: Path) -> None:
    with run_server(sample) as server:
        assert [request(server, TOO_MANY, method)[0] for method in ("HEAD", "GET")] == [429, 200]
        assert server.requests == {TOO_MANY: 2}


def test_planted_faults_do_not_depend_on_random_failures(sample: Path) -> None:
    with run_server(sample, error_rate=1.0) as server:
        assert request(server, TOO_MANY)[0] == 429
        assert [request(server, NEVER)[0] for _ in range(4)] == [500] * 4
        assert request(server, RESETS)[0] == 0
        assert [request(server, path)[0] for path in (TOO_MANY, RESETS) for _ in range(2)][1::2] == [200, 200]


def test_missing_files_fail_at_random_too_and_are_then_not_found(sample: Path) -> None:
    with run_server(sample, error_rate=1.0) as server:
        statuses = [request(server, DEAD)[0] for _ in range(4)]
    assert 404 not in statuses[:2]
    assert statuses[2:] == [404, 404]


def test_the_content_type_follows_from_the_suffix(sample: Path) -> None:
    names = {"a.png": "image/png", "a.webp": "image/webp", "a.unknown": "application/octet-stream"}
    for name in names:
        (sample / "images" / name).write_bytes(b"x")
    with run_server(sample) as server:
        assert {name: request(server, f"images/{name}")[2]["Content-Type"] for name in names} == names


def test_slow_responses_are_complete_and_have_their_length(sample: Path) -> None:
    with run_server(sample, bandwidth_kib_s=500) as server:
        status, body, headers = request(server, PAGE)
        assert (status, body, headers["Content-Type"]) == (200, b"<html>gone</html>", "text/html")
        _, body, headers = request(server, PLAIN)
        assert body == PICTURES[PLAIN]
        assert headers["Content-Length"] == str(len(body))
        assert request(server, PLAIN, "HEAD")[1] == b""


def test_an_empty_file_is_served(sample: Path) -> None:
    (sample / PLAIN).write_bytes(b"")
    for options in ({}, {"bandwidth_kib_s": 1.0}):
        with run_server(sample, **options) as server:  # type: ignore[arg-type]
            assert request(server, PLAIN)[:2] == (200, b"")


def test_two_servers_run_side_by_side(sample: Path) -> None:
    with run_server(sample) as first, run_server(sample) as second:
        assert first.url != second.url
        assert request(first, FLAKY)[0] == request(second, FLAKY)[0] == 500


def test_an_error_in_the_block_stops_the_server(sample: Path) -> None:
    with pytest.raises(RuntimeError, match="stop"), run_server(sample) as server:
        raise RuntimeError("stop")
    with pytest.raises(ConnectionRefusedError):
        request(server, PLAIN)
    assert "serve" not in {thread.name for thread in threading.enumerate()}
