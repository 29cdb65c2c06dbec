"""Reading, computing and writing at the same time, with a thread for input and one for output.

The order is kept, an error on either side ends the work, and queues have a fixed length.
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
    """Iterate in a separate thread, `depth` items ahead of the consumer.

    Close the iterator (`contextlib.closing`) if it may be left early; this ends the thread.

    Args:
        items: Iterated in that thread only.
        depth: Items that may be prepared ahead.

    Raises:
        Exception: What `items` raised, at its position in the order.
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
    """Call `work` with one item after the other in a separate thread.

    Args:
        work: Called in that thread only.
        depth: Items that may be queued or in work before the producer waits.

    Yields:
        The function that queues an item.

    Raises:
        Exception: What `work` raised, when a later item is queued or at the end.
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
