"""Threads that each compute one part of a problem.

Torch splits every operation among threads, which then wait for each other. Where a problem consists
of parts, it is faster to give each thread a whole part: threads rarely wait, sleep while they do,
and another program on the same cores delays one part only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from functools import cache
from threading import Barrier, BrokenBarrierError, Lock
from typing import TypeVar

import torch

Part = TypeVar("Part")
Answer = TypeVar("Answer")
Wait = Callable[[], object]
"""Returns when all threads that work together have called it."""

_together = Lock()
"""Held while threads wait for each other, since all of them must be running."""


@cache
def thread_count() -> int:
    """Return the number of threads: that with which torch started, by default one per core."""
    return torch.get_num_threads()


def work_on(task: Callable[[Part], None], parts: Sequence[Part]) -> None:
    """Call `task` with every part, several at the same time, each on one torch thread.

    Raises:
        Exception: What a task raised.
    """
    if len(parts) == 1 or thread_count() == 1:
        for part in parts:
            task(part)
        return
    list(_pool().map(task, parts))


def work_together(task: Callable[[int, Wait], Answer], count: int) -> list[Answer]:
    """Call `task` with each number below `count` and a function to wait, all at the same time.

    Each call runs on one torch thread. Must not be called from within such a task.

    Args:
        task: May wait for the other calls.
        count: Number of calls, at most the number of threads.

    Raises:
        Exception: What a call raised; the others then stop waiting.
    """
    if count == 1:
        return [task(0, lambda: None)]
    barrier = Barrier(count)

    def attempt(part: int) -> Answer:
        try:
            return task(part, barrier.wait)
        except BaseException:
            barrier.abort()
            raise

    with _together:
        calls = [_pool().submit(attempt, part) for part in range(count)]
        wait(calls)
    errors = [error for call in calls if (error := call.exception())]
    for error in sorted(errors, key=lambda error: isinstance(error, BrokenBarrierError)):
        raise error
    return [call.result() for call in calls]


@contextmanager
def threads_an_operation(count: int | None = None) -> Iterator[None]:
    """Limit the threads that torch uses per operation within the context; None for all.

    One is best for fields of moderate size: several wait for each other longer than they compute.
    """
    most, before = thread_count(), torch.get_num_threads()
    torch.set_num_threads(count or most)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(
        thread_count(), "part", initializer=torch.set_num_threads, initargs=(1,)
    )
