"""Threads that each compute something of their own.

Torch splits every single operation among threads, which then wait for each other. Where a
problem falls into parts, it is faster to give a thread a whole part: nobody waits, or seldom and
asleep, and other programs on the same cores hold up one part only.
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
"""Returns once all that work together have called it."""

_together = Lock()
"""Held while threads wait for each other, as all of them have to be there."""


@cache
def thread_count() -> int:
    """Return how many threads there are: as many as torch began with, one a core by default."""
    return torch.get_num_threads()


def work_on(task: Callable[[Part], None], parts: Sequence[Part]) -> None:
    """Call `task` with every part, several at the same time; each in a single thread of torch.

    Raises:
        Exception: What a task raised.
    """
    if len(parts) == 1 or thread_count() == 1:
        for part in parts:
            task(part)
        return
    list(_pool().map(task, parts))


def work_together(task: Callable[[int, Wait], Answer], count: int) -> list[Answer]:
    """Call `task` with each number below `count`, all at the same time, and a way to wait.

    Each runs in a single thread of torch. Not to be called from a part of other work.

    Args:
        task: What is called; it may wait for the others.
        count: Of the calls, at most as many as there are threads.

    Raises:
        Exception: What a call raised; then none waits any longer.
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
    """Let torch split operations among so many threads in here; None for all.

    One is best for fields of moderate size: several would wait for each other longer than they
    compute.
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
