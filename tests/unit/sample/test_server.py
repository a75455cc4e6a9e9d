"""A sample's pictures are answered as its manifest says, and nothing else is."""

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
from pathlib import Path

import pytest

from etalage.sample.server import Server, serving

PICTURES = {f"images/0000/{number}.jpg": b"\xff\xd8\xff" + bytes([number]) * 5000 for number in range(9)}
PLAIN, LATER, NEVER, FLAKY, HANGS_UP, PAGE, DEAD, *_ = PICTURES


def planted(kind: str, picture: str, detail: str = "") -> dict[str, object]:
    return {
        **{"row": 1, "source_row": 2, "product_code": "A", "kind": kind, "expect": "kept", "detail": detail},
        **{"other": None, "picture": picture},
    }


@pytest.fixture
def out(tmp_path: Path) -> Path:
    out = tmp_path / "sample"
    (out / "images/0000").mkdir(parents=True)
    for path, content in PICTURES.items():
        (out / path).write_bytes(content)
    (out / DEAD).unlink()
    (out / PAGE).write_bytes(b"<html>gone</html>")
    (out / "catalogue.csv").write_text("a,b\n")
    faults = [
        planted("too-many-requests", LATER),
        planted("server-error", NEVER),
        planted("flaky", FLAKY, "500"),
        planted("flaky", HANGS_UP, "reset"),
        planted("html-page", PAGE),
        planted("dead-link", DEAD),
    ]
    (out / "manifest.json").write_text(json.dumps({"faults": faults}))
    return out


def ask(server: Server, path: str, method: str = "GET") -> tuple[int, bytes, dict[str, str]]:
    """As it is written, nothing tidied; 0 if the connection broke."""
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(server.url).netloc, timeout=60)
    try:
        connection.request(method, f"/{path}")
        answer = connection.getresponse()
        return answer.status, answer.read(), dict(answer.getheaders())
    except ConnectionResetError:
        return 0, b"", {}
    finally:
        connection.close()


def test_pictures_are_answered_as_they_are(out: Path) -> None:
    with serving(out) as server:
        assert server.url.startswith("http://127.0.0.1:")
        status, body, headers = ask(server, PLAIN)
        assert (status, body, headers["Content-Type"]) == (200, PICTURES[PLAIN], "image/jpeg")
        status, body, headers = ask(server, PLAIN, "HEAD")
        assert (status, body, headers["Content-Length"]) == (200, b"", str(len(PICTURES[PLAIN])))
        assert ask(server, PAGE)[2]["Content-Type"] == "text/html"
        assert ask(server, DEAD)[0] == 404
    with pytest.raises(ConnectionRefusedError):
        ask(server, PLAIN)


def test_planted_faults_happen(out: Path) -> None:
    with serving(out) as server:
        status, _, headers = ask(server, LATER)
        assert (status, headers["Retry-After"]) == (429, "1")
        assert [ask(server, LATER)[0] for _ in range(2)] == [200, 200]
        assert [ask(server, NEVER)[0] for _ in range(5)] == [500] * 5
        assert [ask(server, FLAKY)[0] for _ in range(3)] == [500, 200, 200]
        assert [ask(server, HANGS_UP)[0] for _ in range(3)] == [0, 200, 200]
        assert server.summary == "14 requests answered: 6 x 200, 1 x 429, 6 x 500, 1 x reset"
        assert server.asked[NEVER] == 5


def test_only_files_among_the_pictures_are_given_out(out: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.jpg").write_text("secret")
    (out / "images/link.jpg").symlink_to(tmp_path / "secret.jpg")
    (out / "images/up").symlink_to(tmp_path)
    os.mkfifo(out / "images/fifo.jpg")
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
    with serving(out) as server:
        assert [path for path in paths if ask(server, path)[0] != 404] == []
        assert ask(server, "images/0000/../0000/0.jpg")[0] == 200
    (out / "images").rename(tmp_path / "elsewhere")
    (out / "images").symlink_to(tmp_path / "elsewhere")
    with serving(out) as server:
        assert ask(server, PLAIN)[0] == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_pictures_can_only_be_had(out: Path, method: str) -> None:
    with serving(out) as server:
        status, _, headers = ask(server, PLAIN, method)
        assert (status, headers["Allow"]) == (405, "GET, HEAD")
    assert (out / PLAIN).read_bytes() == PICTURES[PLAIN]


def test_requests_fail_by_chance_at_most_twice_and_again_alike(out: Path) -> None:
    (out / "manifest.json").write_text("{}")
    paths = [path for path in PICTURES if path != DEAD]

    def statuses(error_rate: float) -> list[int]:
        with serving(out, error_rate=error_rate) as server:
            return [ask(server, path)[0] for _ in range(4) for path in paths]

    found = statuses(0.5)
    assert found == statuses(0.5)
    assert {0, 500, 503} <= set(found)
    assert found[2 * len(paths) :] == [200] * 2 * len(paths)
    assert statuses(0.0) == [200] * 4 * len(paths)
    assert 200 not in statuses(1.0)[: 2 * len(paths)]


def test_answers_come_late_and_slowly(out: Path) -> None:
    def seconds(limit: float, **manner: float) -> float:
        """The least of ten, or of fewer if below the limit: a busy machine is late at times, a delay is each time."""
        found: list[float] = []
        while len(found) < 10 and min(found, default=limit) >= limit:
            with serving(out, **manner) as server:  # type: ignore[arg-type]
                began = time.monotonic()
                assert ask(server, PLAIN)[1] == PICTURES[PLAIN]
                found.append(time.monotonic() - began)
        return min(found)

    assert 0.2 < seconds(2, latency_ms=200) < 2
    assert 0.2 < seconds(2, bandwidth_kib_s=20) < 2
    assert seconds(0.2) < 0.2, "unless asked to be"


def test_many_are_answered_at_once(out: Path) -> None:
    with serving(out, latency_ms=500) as server:
        began = time.monotonic()
        threads = [threading.Thread(target=ask, args=(server, PLAIN)) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert time.monotonic() - began < 3.5, "which three at a time would take, and one at a time 10"
        assert server.answers == {"200": 20}


def test_a_client_that_leaves_is_no_error(out: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (out / PLAIN).write_bytes(b"\xff\xd8\xff" * 1_000_000)
    with serving(out, bandwidth_kib_s=100) as server:
        address = urllib.parse.urlsplit(server.url)
        with socket.create_connection((str(address.hostname), int(address.port or 0))) as client:
            client.sendall(f"GET /{PLAIN} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            client.recv(100)
        deadline = time.monotonic() + 30
        while not server.answers and time.monotonic() < deadline:
            time.sleep(0.02)
        assert server.answers == {"reset": 1}
        assert ask(server, LATER)[0] == 429
    assert capfd.readouterr().err == ""


def test_a_folder_that_is_no_sample_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"is no sample: manifest\.json is not there"), serving(tmp_path):
        pass
    (tmp_path / "manifest.json").write_text("{]")
    with pytest.raises(ValueError, match=r"manifest.json is damaged: .*; make the sample again"), serving(tmp_path):
        pass


def test_a_port_in_use_is_named(out: Path) -> None:
    with serving(out) as server:
        port = int(urllib.parse.urlsplit(server.url).port or 0)
        taken = pytest.raises(ValueError, match=rf"port {port} of 127.0.0.1 cannot be had.*or 0 for any")
        with taken, serving(out, port=port):
            pass
    assert "serve" not in {thread.name for thread in threading.enumerate()}


def test_the_command_says_where_and_at_the_end_what_was_asked(out: Path) -> None:
    code = f"from pathlib import Path\nfrom etalage.sample.server import serve\nserve(Path({str(out)!r}), port=0)"
    process = subprocess.Popen([sys.executable, "-u", "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    line = process.stdout.readline()
    url = line.split(" is at ")[1].split("images;")[0]
    assert ask(Server(url), PLAIN)[0] == 200
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert rest == "1 request answered: 1 x 200\n"
