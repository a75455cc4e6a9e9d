"""Reads pictures in worker processes, so that a file that crashes its decoder does not end the run."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Self, Unpack

from etalage.catalogue.pictures.decode import PictureLimits
from etalage.catalogue.pictures.errors import BadPicture
from etalage.catalogue.pictures.identity import Picture, read_picture
from etalage.chunks import chunks
from etalage.processes import NUM_WORKERS, process_pool

__all__ = ["read_pictures"]

_BATCH_SIZE = 16  # per message between processes
_MAX_PENDING = 4 * NUM_WORKERS  # enough to keep all workers busy while the results of one are read


def read_pictures(paths: Iterable[Path], **limits: Unpack[PictureLimits]) -> Iterator[Picture | BadPicture]:
    """Read pictures in worker processes, in the order of their paths.

    A file that crashes its worker gives a BadPicture like any other bad file.

    Args:
        paths: The pictures' files.
        limits: As for `open_picture`.

    Raises:
        ChildProcessError: No worker process can be started.
    """
    with _Workers() as workers:
        pending: deque[tuple[list[Path], Future[list[Picture | BadPicture]]]] = deque()
        batches = chunks(paths, _BATCH_SIZE)
        while True:
            while len(pending) < _MAX_PENDING and (batch := next(batches, None)):
                pending.append((batch, workers.submit(batch, limits)))
            if not pending:
                return
            batch, future = pending.popleft()
            try:
                yield from future.result()
            except BrokenProcessPool:
                # any picture under way may have crashed its worker: find out which one, then go on as before
                workers.restart()
                yield from _read_one_by_one(batch, limits)
                pending = deque((waiting, workers.submit(waiting, limits)) for waiting, _ in pending)


class _Workers:
    """A process pool that can be replaced after a crash."""

    def __enter__(self) -> Self:
        self._pool = process_pool()
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    def restart(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._pool = process_pool()

    def submit(self, paths: list[Path], limits: PictureLimits) -> Future[list[Picture | BadPicture]]:
        return self._pool.submit(_read_batch, paths, limits)


def _read_batch(paths: list[Path], limits: PictureLimits) -> list[Picture | BadPicture]:
    return [_read_or_refuse(path, limits) for path in paths]


def _read_or_refuse(path: Path, limits: PictureLimits) -> Picture | BadPicture:
    try:
        return read_picture(path, **limits)
    except BadPicture as bad:
        return bad
    except MemoryError:
        return BadPicture("image_too_much_memory", f"{path.name} cannot be decoded in the available memory")


def _read_one_by_one(paths: list[Path], limits: PictureLimits) -> Iterator[Picture | BadPicture]:
    """Read each picture with nothing else under way, so that a crash can only be its own fault."""
    worker = process_pool(1)
    try:
        for path in paths:
            worker = _replace_if_dead(worker)
            try:
                yield worker.submit(_read_or_refuse, path, limits).result()
            except BrokenProcessPool:
                yield BadPicture("image_kills_decoder", f"{path.name} crashed the process that decoded it")
    finally:
        worker.shutdown(wait=False, cancel_futures=True)


def _replace_if_dead(worker: ProcessPoolExecutor) -> ProcessPoolExecutor:
    """Return a worker that works, so that no picture is blamed for a process that cannot even start."""
    # Twice: the first failure may be the crash of the last picture, which left its worker dead.
    for _ in range(2):
        try:
            # A call that only fails where the process does.
            worker.submit(int).result()
            return worker
        except BrokenProcessPool as broken:
            error = broken
            worker.shutdown(wait=False)
            worker = process_pool(1)
    worker.shutdown(wait=False)
    raise ChildProcessError(
        "no process can be started to decode pictures in; a script that calls etalage has to do so under "
        'if __name__ == "__main__":'
    ) from error
