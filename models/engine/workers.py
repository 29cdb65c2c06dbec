"""Threads that each compute something of their own.

Torch splits every single operation among threads, which then wait for each other. Where a
problem falls into parts, it is faster to give a thread a whole part: nobody waits, and work of
other programs on the same cores holds up one part only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

import torch

Part = TypeVar("Part")


@cache
def thread_count() -> int:
    """Return how many threads there are: as many as torch uses, one a core by default."""
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


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(
        thread_count(), "part", initializer=torch.set_num_threads, initargs=(1,)
    )
