"""Jobs in processes of this machine, side by side."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Self

from zilzal.app.child import Child, Outfit
from zilzal.app.execution import Ended, Job


class Processes:
    """So many processes of one thread each; a context manager."""

    def __init__(self, outfit: Outfit, workers: int) -> None:
        self._children = [Child(outfit) for _ in range(workers)]
        self._idle: SimpleQueue[Child] = SimpleQueue()
        for child in self._children:
            self._idle.put(child)
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="zilzal")
        self._ended: SimpleQueue[Ended | Exception] = SimpleQueue()

    @property
    def slots(self) -> int:
        """One more than there are processes, so that none waits for the driver."""
        return len(self._children) + 1

    def submit(self, number: int, job: Job, avoid: Collection[str] = ()) -> None:  # noqa: ARG002
        """All processes are in one place."""
        self._threads.submit(self._do, number, job)

    def collect(self) -> Sequence[Ended]:
        """What has ended, or what nobody foresaw as an exception."""
        found = [self._ended.get()]
        while True:
            try:
                found.append(self._ended.get_nowait())
            except Empty:
                break
        for each in found:
            if isinstance(each, Exception):
                raise each
        return [each for each in found if isinstance(each, Ended)]

    def _do(self, number: int, job: Job) -> None:
        child = self._idle.get()
        try:
            result, loss = child.do(job)
        except Exception as error:  # noqa: BLE001  told in the driver's thread
            self._ended.put(error)
        else:
            self._ended.put(Ended(number=number, result=result, loss=loss))
        finally:
            self._idle.put(child)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Left early, by an error or Ctrl-C, nothing that waits is begun."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        for child in self._children:
            child.kill()
        self._threads.shutdown(wait=True)
        for child in self._children:
            child.close()
