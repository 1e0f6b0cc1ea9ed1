"""A process that does one job at a time, and may hang or die of it without taking others along.

Each worker, here or on another machine, has its jobs done by such a child: so a job that takes
too long can be ended whatever it is doing, and the reason of a loss is known. A child has one
thread.
"""

from __future__ import annotations

import gc
import os
import pickle
import signal
import struct
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import IO, Any, NamedTuple

from zilzal.app.credentials import Credentials
from zilzal.app.execution import Job, Result
from zilzal.core.errors import ClusterError

START_S = 300.0
"""A child that is not ready by then is lost; importing may be slow over a network."""
IDLE_S = 3_600.0
"""A child that has had no job for so long ends: its driver was killed."""
_END_S = 10.0
"""A killed process is gone by then, unless it hangs in the kernel."""
_BEGIN = (
    "import pickle, sys; sys.path[:] = pickle.load(sys.stdin.buffer); "
    "from zilzal.app.child import serve; serve()"
)
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
MEMORY = {
    "MALLOC_TRIM_THRESHOLD_": str(2**28),
    "MALLOC_MMAP_THRESHOLD_": str(2**26),
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
}
"""Glibc keeps what is freed, since each step needs as much again, and takes huge pages where the
system gives them: to give memory back and get it anew, page by page, cost 5 % of the picking, small
pages another 3 %. See mallopt(3); elsewhere it means nothing."""
_LENGTH = struct.Struct(">Q")


class Outfit(NamedTuple):
    """What a child needs before any job.

    Args:
        credentials: to be checked first.
        workshop: pickled.
        timeout_s: for a job.
    """

    credentials: Credentials
    workshop: bytes
    timeout_s: float


class Said(NamedTuple):
    """What a child answered.

    Args:
        kind: "ready", "refused", "done", or "lost" where it did not answer.
        value: remarks, objections, the result, or how it was lost.
    """

    kind: str
    value: Any


@dataclass(slots=True)
class Child:
    """A process, started when its first job comes, and again after it was lost."""

    outfit: Outfit
    _process: subprocess.Popen[bytes] | None = None
    _replies: SimpleQueue[bytes] = field(default_factory=SimpleQueue[bytes])
    _is_over: bool = False

    def do(self, job: Job) -> tuple[Result | None, str]:
        """Have a job done: its result, or None and how the child was lost.

        Raises:
            ClusterError: the child has other code, models or data than the run.
        """
        said = self.start()
        if said.kind == "ready":
            said = self._ask(job, self.outfit.timeout_s)
        return (said.value, "") if said.kind == "done" else (None, said.value)

    def start(self) -> Said:
        """Start the process if it does not run: "ready" with remarks, or "lost".

        Raises:
            ClusterError: it has other code, models or data than the run.
        """
        if self._process is not None and self._process.poll() is None:
            return Said("ready", [])
        self.close()
        process = self._process = subprocess.Popen(  # noqa: S603  ourselves
            [sys.executable, "-c", _BEGIN],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**dict.fromkeys(_THREADS, "1"), **MEMORY, **os.environ},
        )
        assert process.stdin is not None
        self._replies = SimpleQueue()
        threading.Thread(target=_follow, args=(process.stdout, self._replies), daemon=True).start()
        if self._is_over:
            process.kill()
        pickle.dump([path or str(Path.cwd()) for path in sys.path], process.stdin)
        said = self._ask(self.outfit.credentials, START_S)
        if said.kind == "refused":
            self.close()
            raise ClusterError("; ".join(said.value))
        if said.kind == "ready":
            return self._ask(self.outfit.workshop, START_S)._replace(value=said.value)
        return said

    def kill(self) -> None:
        """End it for good, whatever it is doing; a `do` in another thread comes back."""
        self._is_over = True
        if self._process is not None:
            self._process.kill()
        self._replies.put(b"")

    def close(self) -> None:
        """End it and give back what it held."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        try:
            process.wait(timeout=_END_S)
        except subprocess.TimeoutExpired:
            return  # it hangs in the kernel, as on a dead network disk, and ends when that does
        for pipe in (process.stdin, process.stdout):
            with suppress(OSError):  # what was not sent yet is not needed
                assert pipe is not None
                pipe.close()

    def _ask(self, message: Any, timeout_s: float) -> Said:
        """Say something and wait for the answer."""
        assert self._process is not None
        assert self._process.stdin is not None
        try:
            _send(self._process.stdin, message)
            reply = self._replies.get(timeout=timeout_s)
        except Empty:
            said = Said("lost", f"took longer than {timeout_s:g} s")
        except OSError:
            said = Said("lost", self._obituary())
        else:
            if reply:
                return Said(*pickle.loads(reply))  # noqa: S301  our own child
            said = Said("lost", self._obituary())
        self.close()
        return said

    def _obituary(self) -> str:
        """How the process ended."""
        assert self._process is not None
        try:
            status = self._process.wait(timeout=_END_S)
        except subprocess.TimeoutExpired:
            return "its process does not answer"
        return f"its process {obituary(status)}"


def obituary(status: int) -> str:
    """How a process ended, from its exit status, below 0 where it was a signal."""
    if status >= 0:
        return f"ended with status {status}"
    hint = "; out of memory?" if -status == signal.SIGKILL else ""
    return f"died of {signal.Signals(-status).name}{hint}"


def _follow(pipe: IO[bytes], replies: SimpleQueue[bytes]) -> None:
    """Put what a child says into the queue, and nothing when it has ended."""
    while True:
        try:
            replies.put(_receive(pipe))
        except (EOFError, OSError, ValueError):
            replies.put(b"")
            return


def serve() -> None:
    """Do jobs until nobody asks any more; this is what the process runs."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the driver's to handle
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print does not belong among the replies
    requests: SimpleQueue[bytes] = SimpleQueue()
    threading.Thread(target=_listen, args=(requests,), daemon=True).start()
    credentials: Credentials = pickle.loads(requests.get())  # noqa: S301  from our own driver
    objections = credentials.objections()
    if objections:
        _send(replies, ("refused", objections))
        return
    _send(replies, ("ready", credentials.remarks()))
    workshop = pickle.loads(pickle.loads(requests.get()))  # noqa: S301
    _send(replies, ("ready", []))
    has_settled = False
    while True:
        try:
            request = requests.get(timeout=IDLE_S)
        except Empty:
            return
        job: Job = pickle.loads(request)  # noqa: S301
        _send(replies, ("done", job.do(workshop)))
        if not has_settled:
            # Modules and networks stay: looking for garbage among them cost 2 % of the picking.
            gc.collect()
            gc.freeze()
            has_settled = True


def _listen(requests: SimpleQueue[bytes]) -> None:
    """Put what the driver says into the queue; end at once when the driver has gone."""
    while True:
        try:
            requests.put(_receive(sys.stdin.buffer))
        except (EOFError, OSError):
            os._exit(0)


def _send(pipe: IO[bytes], message: Any) -> None:
    content = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
    pipe.write(_LENGTH.pack(len(content)) + content)
    pipe.flush()


def _receive(pipe: IO[bytes]) -> bytes:
    """The next message.

    Raises:
        EOFError: the other side has gone.
    """
    return _exactly(pipe, _LENGTH.unpack(_exactly(pipe, _LENGTH.size))[0])


def _exactly(pipe: IO[bytes], size: int) -> bytes:
    content = pipe.read(size)
    if len(content) < size:
        raise EOFError
    return content
