"""How fast are 3,040 pictures fetched from one machine with 100 ms latency and 3 % faults?

    uv venv RIVALS && uv pip install --python RIVALS/bin/python img2dataset requests pillow
    python benchmarks/fetching.py FOLDER RIVALS/bin/python > benchmarks/fetching.md

Compared are etalage's fetcher, the serial loop of published scripts (measured on 200 pictures), and img2dataset, which
pins old packages and so needs an environment of its own. The server is a process of its own on the same machine. It
waits 100 ms before each response, sends JPEGs of 45 kB, all different, and is faulty in the same way for all: 1 % of
the pictures do not exist, 1 % first answer 500, 0.5 % first answer 429 with Retry-After 1, and 0.5 % break off once.
"""

import asyncio
import json
import os
import platform
import random
import shutil
import statistics
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from io import BytesIO
from pathlib import Path

import numpy as np
from aiohttp import web
from PIL import Image

from etalage.catalogue.download import Failed, Fetched, fetch
from etalage.config import PrepareConfig

NUM_PICTURES, NUM_SERIAL, NUM_RUNS = 3040, 200, 3
LATENCY_S = 0.1
PORT = 8765
NUM_LOST = NUM_PICTURES // 100


@dataclass(frozen=True)
class Result:
    """The measurement of one fetcher."""

    name: str
    num_urls: int
    num_fetched: int
    seconds: float
    cpu_s: float
    num_connections: int
    num_requests: int

    @property
    def rate(self) -> float:
        """Pictures per second."""
        return self.num_urls / self.seconds


def draw(seed: int) -> bytes:
    """Return a JPEG file about as large as a shop's photo: soft shapes, some grain."""
    rng = np.random.default_rng(seed)
    soft = Image.fromarray(rng.integers(0, 255, (12, 9, 3), np.uint8)).resize((720, 960), Image.Resampling.BICUBIC)
    grain = rng.normal(0, 2.4, (960, 720, 1))
    file = BytesIO()
    Image.fromarray((np.asarray(soft) + grain).clip(0, 255).astype(np.uint8)).save(file, "JPEG", quality=75)
    return file.getvalue()


def plan_faults() -> dict[int, str]:
    """Return the kind of fault by the number of the picture."""
    kinds = {"lost": NUM_LOST, "500": NUM_LOST, "429": NUM_LOST // 2, "reset": NUM_LOST // 2}
    numbers = iter(random.Random(0).sample(range(NUM_PICTURES), sum(kinds.values())))
    return {next(numbers): kind for kind, num in kinds.items() for _ in range(num)}


def serve() -> None:
    """Serve /RUN/NUMBER.jpg, where each run has faults of its own, and /RUN/counts, what was requested in it."""
    pictures, faulty = [draw(seed) for seed in range(32)], plan_faults()
    requested: dict[str, Counter[str]] = {}
    began: dict[str, float] = {}
    peers: dict[str, set[object]] = {}

    async def answer(request: web.Request) -> web.StreamResponse:
        run, name = request.match_info["run"], request.match_info["name"]
        if name == "counts":
            num_requests = sum(requested.get(run, Counter()).values())
            return web.json_response([began.get(run), num_requests, len(peers.get(run, ()))])
        began.setdefault(run, time.time())
        times = requested.setdefault(run, Counter())
        times[name] += 1
        assert request.transport is not None
        peers.setdefault(run, set()).add(request.transport.get_extra_info("peername"))
        await asyncio.sleep(LATENCY_S)
        number = int(name.removesuffix(".jpg"))
        kind = faulty.get(number) if times[name] == 1 or faulty.get(number) == "lost" else None
        body = pictures[number % 32] + name.encode()  # after a JPEG's end anything may stand
        if kind == "reset":
            response = web.StreamResponse(headers={"Content-Length": str(len(body)), "Content-Type": "image/jpeg"})
            await response.prepare(request)
            await response.write(body[: len(body) // 2])
            request.transport.abort()
            return response
        if kind is not None:
            return web.Response(status=404 if kind == "lost" else int(kind), headers={"Retry-After": "1"})
        return web.Response(body=body, content_type="image/jpeg")

    app = web.Application()
    app.router.add_get("/{run}/{name}", answer)
    web.run_app(app, host=["127.0.0.1", "127.0.0.2"], port=PORT, access_log=None, print=None)


SERIAL = """
import sys
from io import BytesIO
from pathlib import Path
import requests
from PIL import Image
urls, out = Path(sys.argv[1]), Path(sys.argv[2])
for number, url in enumerate(urls.read_text().split()):
    try:
        response = requests.get(url, stream=True)
        response.raise_for_status()
        image = Image.open(BytesIO(response.content)).convert("RGB")
        image.save(out / f"{number}.jpg")
    except Exception as error:
        print(error, file=sys.stderr)
"""

IMG2DATASET = """
import sys
from img2dataset import download
if __name__ == "__main__":
    list_, out, threads, processes, retries, shard = sys.argv[1:]
    download(list_, output_folder=out, output_format="files", input_format="txt", resize_mode="no",
             disable_all_reencoding=True, extract_exif=False, thread_count=int(threads),
             processes_count=int(processes), retries=int(retries), number_sample_per_shard=int(shard))
"""


@contextmanager
def empty_folder(folder: Path) -> Iterator[Path]:
    """Give an empty folder, and remove it afterwards."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    yield folder
    shutil.rmtree(folder)


def make_urls(run: str, num_urls: int, hosts: tuple[str, ...] = ("127.0.0.1",)) -> list[str]:
    """Return the addresses of pictures, on the hosts in turn."""
    return [f"http://{hosts[i % len(hosts)]}:{PORT}/{run}/{i}.jpg" for i in range(num_urls)]


def read_counts(run: str) -> tuple[float, int, int]:
    """Return when the first request of a run came, and its numbers of requests and connections."""
    with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/{run}/counts") as answer:
        began, num_requests, num_connections = json.load(answer)
    return began, num_requests, num_connections


def children_cpu_s() -> float:
    """Return the processor time of all child processes that have ended."""
    times = os.times()
    return times.children_user + times.children_system


def measure_etalage(folder: Path, name: str, hosts: tuple[str, ...], **settings: int) -> Result:
    """Measure the fetcher of etalage, with settings of PrepareConfig."""
    run = f"etalage{time.time_ns()}"
    urls = make_urls(run, NUM_PICTURES, hosts)
    config = PrepareConfig("table.csv", folder, allow_private=True, **settings)  # type: ignore[arg-type]
    with empty_folder(folder / run) as store:
        began, cpu = time.perf_counter(), time.process_time()
        results = [result for _, result in fetch(enumerate(urls), store, config)]
        seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    num_fetched = sum(isinstance(result, Fetched) for result in results)
    assert Counter(result.reason for result in results if isinstance(result, Failed)) == {"fetch_not_found": NUM_LOST}
    _, num_requests, num_connections = read_counts(run)
    return Result(name, len(urls), num_fetched, seconds, cpu, num_connections, num_requests)


def measure_rival(folder: Path, python: str, name: str, code: str, num_urls: int, *settings: int) -> Result:
    """Measure a script that another interpreter runs, with settings as its arguments."""
    run = f"rival{time.time_ns()}"
    urls = "\n".join(make_urls(run, num_urls))
    with empty_folder(folder / run) as work:
        (work / "urls.txt").write_text(urls)
        (work / "run.py").write_text(code)
        (work / "out").mkdir()
        command = [python, *(str(work / name) for name in ("run.py", "urls.txt", "out")), *map(str, settings)]
        cpu = children_cpu_s()
        environment = {**os.environ, "NO_ALBUMENTATIONS_UPDATE": "1"}
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
        ended = time.time()
        num_fetched = sum(1 for _ in (work / "out").rglob("*.jpg"))
    if done.returncode or not num_fetched:
        raise SystemExit(f"{name}: {done.stderr[-2000:]}")
    began, num_requests, num_connections = read_counts(run)  # from the first request on, so that imports do not count
    return Result(name, num_urls, num_fetched, ended - began, children_cpu_s() - cpu, num_connections, num_requests)


def format_table(results: list[list[Result]]) -> str:
    """Return a Markdown table with a row for the runs of each fetcher, the serial one first."""
    serial = statistics.median(result.rate for result in results[0])
    lines = [
        "| fetcher | pictures/s (least-most) | times serial | fetched | requests | connections | processor time |",
        "|---|---|---|---|---|---|---|",
    ]
    for runs in results:
        rates = [result.rate for result in runs]
        first = runs[0]
        per_picture_ms = statistics.median(result.cpu_s for result in runs) / first.num_urls * 1000
        lines.append(
            f"| {first.name} | {statistics.median(rates):,.0f} ({min(rates):,.0f}-{max(rates):,.0f}) "
            f"| {statistics.median(rates) / serial:.0f} | {first.num_fetched} of {first.num_urls} "
            f"| {first.num_requests} | {first.num_connections} | {per_picture_ms:.1f} ms each |"
        )
    return "\n".join(lines)


def main() -> None:
    """Print a page with a table."""
    folder, rivals = Path(sys.argv[1]), sys.argv[2]
    server = subprocess.Popen([sys.executable, __file__, "serve"])
    try:
        for _ in range(100):
            try:
                read_counts("none")
                break
            except OSError:
                time.sleep(0.2)
        one, two = ("127.0.0.1",), ("127.0.0.1", "127.0.0.2")
        results: dict[str, list[Result]] = {}
        for _ in range(NUM_RUNS):  # in turn, since the machine is not ours alone
            found = [measure_rival(folder, rivals, "serial", SERIAL, NUM_SERIAL)]
            for threads, processes, retries in ((64, 1, 0), (128, 1, 0), (256, 1, 0), (128, 2, 0), (128, 2, 2)):
                name = f"img2dataset, {processes} x {threads} threads, {retries} retries"
                settings = (threads, processes, retries, -(-NUM_PICTURES // processes))
                found.append(measure_rival(folder, rivals, name, IMG2DATASET, NUM_PICTURES, *settings))
            found.append(measure_etalage(folder, "etalage, defaults (128 connections to a host)", one))
            found.append(measure_etalage(folder, "etalage, two hosts (256 connections)", two))
            name = "etalage, --connections-per-host 256"
            found.append(measure_etalage(folder, name, one, connections_per_host=256))
            for result in found:
                results.setdefault(result.name, []).append(result)
    finally:
        server.terminate()
        server.wait()
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True)
    rival = [rivals, "-c", "from importlib.metadata import version as v; print(v('img2dataset'), v('requests'))"]
    img2dataset, requests = subprocess.run(rival, capture_output=True, text=True, check=True).stdout.split()
    print("# Fetching 3,040 pictures\n")
    print(
        f"`python benchmarks/fetching.py FOLDER RIVALS/bin/python`, {date.today()}, commit {commit.stdout.strip()}. "
        f"{os.cpu_count()} shared {platform.machine()} cores, which the server uses, too. Python "
        f"{platform.python_version()}, aiohttp {version('aiohttp')}, img2dataset {img2dataset}, requests {requests}. "
        f"Median of {NUM_RUNS} runs of each, in turn: serial {NUM_SERIAL} pictures, all others {NUM_PICTURES}.\n"
    )
    print(format_table(list(results.values())))


if __name__ == "__main__":
    if sys.argv[1:] == ["serve"]:
        serve()
    else:
        main()
