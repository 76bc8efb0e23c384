"""Tasks run on as many threads as the user allows, with progress, stopped within moments."""

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache

from threadpoolctl import ThreadpoolController

from trainer.errors import Cancelled

Progress = Callable[[int, int], None]
"""Called with (done, total) from the thread that called; total is the same all along."""
Task = Callable[[], object]


def no_progress(_done: int, _total: int) -> None:
    """Tell nobody."""


def never() -> bool:
    """Go on: nobody asked to stop."""
    return False


@dataclass(frozen=True, slots=True)
class TaskRunner:
    """Runs many small tasks on threads; says how far it is, and stops when asked.

    Attributes
    ----------
    jobs
        Threads; 0 is one for each core.
    progress, cancelled
        Called from the calling thread, some ten times a second.
    """

    jobs: int = 0
    progress: Progress = field(default=no_progress)
    cancelled: Callable[[], bool] = field(default=never)

    @property
    def threads(self) -> int:
        """Number of threads."""
        return self.jobs if self.jobs > 0 else os.cpu_count() or 1

    def run(self, tasks: Iterable[tuple[Task, int]], total: int) -> None:
        """Run tasks on all threads; their kernels must free the GIL.

        Parameters
        ----------
        tasks
            Each with what it counts for in the progress; drawn one by one, so that millions cost
            no memory. Each writes its own part of a shared array.
        total
            The sum of what they count for.

        Raises
        ------
        Cancelled
            As soon as `cancelled` says so and the tasks already begun have ended.
        """
        queue = _Queue(iter(tasks))
        threads = [threading.Thread(target=queue.drain, daemon=True) for _ in range(self.threads)]
        # BLAS brings threads of its own; beside ours they would only fight for cores.
        with _blas().limit(limits=1, user_api="blas"):
            for thread in threads:
                thread.start()
            try:
                self._watch(queue, threads, total)
            finally:
                queue.stop.set()
                for thread in threads:
                    thread.join()
        if queue.errors:
            raise queue.errors[0]
        self.progress(queue.done, total)

    def _watch(self, queue: "_Queue", threads: list[threading.Thread], total: int) -> None:
        while True:
            if self.cancelled():
                raise Cancelled("Stopped while computing gaze similarity.")
            if not any(thread.is_alive() for thread in threads):
                return
            queue.ended.wait(0.1)
            if not queue.stop.is_set() and queue.done < total:
                self.progress(queue.done, total)
            for thread in threads if queue.ended.is_set() else ():
                thread.join(0.1)


@cache
def _blas() -> ThreadpoolController:
    # Looked for once: going through all libraries of a process takes 10 ms.
    return ThreadpoolController()


class _Queue:
    """Tasks drawn by many threads, until none is left, one fails or a stop is asked for."""

    def __init__(self, tasks: Iterator[tuple[Task, int]]) -> None:
        self._tasks, self._lock = tasks, threading.Lock()
        self.stop, self.ended = threading.Event(), threading.Event()
        self.errors: list[BaseException] = []
        self.done = 0

    def drain(self) -> None:
        """Run tasks one after another."""
        while not self.stop.is_set():
            try:
                with self._lock:
                    found = next(self._tasks, None)
                if found is None:
                    break
                found[0]()
            except BaseException as error:  # raised again by the thread that waits
                self.errors.append(error)
                self.stop.set()
                break
            with self._lock:
                self.done += found[1]
        self.ended.set()
