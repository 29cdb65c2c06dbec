"""Threads that each compute something of their own.

Torch splits every single operation among threads, which then wait for each other. Where a
problem falls into parts, it is faster to give a thread a whole part: nobody waits, and other
programs on the same cores hold up one part only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from typing import TypeVar

import torch

Part = TypeVar("Part")


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
