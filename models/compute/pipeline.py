"""Reading, computing and writing at once: one thread before the work and one behind it.

Order is kept, an error on either side ends the work where it stands, and no more waits
than was said.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

Item = TypeVar("Item")

_END = object()


def ahead(items: Iterable[Item], depth: int = 1) -> Generator[Item, None, None]:
    """Iterate in a thread of its own, `depth` items ahead of whoever takes them.

    Close the iterator (`contextlib.closing`) where it may be left early: then nothing runs
    in the thread any more.

    Args:
        items: Advanced in that thread only.
        depth: Items that are made or wait while another is worked on.

    Raises:
        Exception: What `items` raised, in its place in the order.
    """
    source = iter(items)
    with ThreadPoolExecutor(1, "ahead") as thread:

        def order() -> Future[Item | object]:
            return thread.submit(next, source, _END)

        waiting = deque(order() for _ in range(depth))
        try:
            while (item := waiting.popleft().result()) is not _END:
                waiting.append(order())
                yield item  # type: ignore[misc]
        finally:
            for future in waiting:
                future.cancel()


@contextmanager
def behind(work: Callable[[Item], object], depth: int = 2) -> Iterator[Callable[[Item], None]]:
    """Do `work` on one item after the other in a thread of its own.

    Args:
        work: Called in that thread only.
        depth: Items that may wait or be worked on before the next has to wait.

    Yields:
        The function that takes an item.

    Raises:
        Exception: What `work` raised, when a later item is handed over or at the end.
    """
    pending: deque[Future[object]] = deque()
    with ThreadPoolExecutor(1, "behind") as thread:

        def hand_over(item: Item) -> None:
            if len(pending) >= depth:
                pending.popleft().result()
            pending.append(thread.submit(work, item))

        try:
            yield hand_over
            while pending:
                pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()
