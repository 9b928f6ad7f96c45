"""A listing read whole: the first page, then the others side by side, and again once when they do not fit together.

The service has no cursor, only page numbers and a TotalCount: what is created or deleted meanwhile shifts items from
one page to another. Nothing here knows HTTP.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

Item = TypeVar("Item")
Progress = Callable[[int, int], None]
"""Told (pages fetched, pages in all) after each page, on the client's own thread; a second listing counts anew."""

MOST_PAGES: Final = 5_000
"""Pages fetched for one listing: no TotalCount, however wrong, keeps paiview listing for ever."""


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """One page: its items in the server's order, and how many match in all."""

    items: tuple[Item, ...]
    total_count: int
    request_id: str | None


@dataclass(frozen=True, slots=True)
class Listing(Generic[Item]):
    """All items, each once, in the server's order.

    Attributes:
        items: the items; those only the first of two listings held come last.
        total_count: how many the server counts.
        requests: pages asked for, without retries.
        uneven: one sentence when items and count still do not fit after listing again, else ``None``.
    """

    items: tuple[Item, ...]
    total_count: int
    requests: int
    uneven: str | None


@dataclass(frozen=True, slots=True)
class _Run(Generic[Item]):
    items: tuple[Item, ...]
    totals: frozenset[int]
    total_count: int
    pages: int

    @property
    def even(self) -> bool:
        return self.totals == {len(self.items)}


async def list_all(
    fetch: Callable[[int], Awaitable[Page[Item]]],
    name: Callable[[Item], str | None],
    content: Callable[[Item], object],
    *,
    concurrency: int,
    progress: Progress | None = None,
) -> Listing[Item]:
    """List everything.

    Args:
        fetch: gets the page of a number from 1.
        name: what makes an item the same as another; ``None`` keeps the item whatever it is.
        content: what tells in the second of two listings that an item without a name came again.
        concurrency: pages asked for at the same time.
        progress: told how far it is.
    """
    first = await _run(fetch, name, concurrency, progress)
    if first.even:
        return Listing(first.items, first.total_count, first.pages, None)
    second = await _run(fetch, name, concurrency, progress)
    if second.even:
        return Listing(second.items, second.total_count, first.pages + second.pages, None)
    items = _distinct((*second.items, *_missing(first.items, second.items, name, content)), name)
    uneven = (
        f"The list kept changing while it was read twice: the service counts {second.total_count}, "
        f"and {len(items)} different ones came."
    )
    return Listing(items, second.total_count, first.pages + second.pages, uneven)


async def _run(
    fetch: Callable[[int], Awaitable[Page[Item]]],
    name: Callable[[Item], str | None],
    concurrency: int,
    progress: Progress | None,
) -> _Run[Item]:
    first = await fetch(1)
    # The server may cap the page size below the asked one, so the first page tells how long pages are.
    count = min(-(-first.total_count // len(first.items)), MOST_PAGES) if first.items else 1
    pages = {1: first}
    numbers = iter(range(2, count + 1))

    def report() -> None:
        if progress is not None:
            progress(len(pages), max(count, 1))

    async def work(numbers: Iterator[int]) -> None:
        for number in numbers:
            pages[number] = await fetch(number)
            report()

    report()
    try:
        async with asyncio.TaskGroup() as group:
            # Few workers rather than a task a page: other requests of the same client then wait behind few.
            for _ in range(min(concurrency, count - 1)):
                group.create_task(work(numbers))
    except BaseExceptionGroup as group_error:
        raise group_error.exceptions[0] from None
    ordered = [page for _, page in sorted(pages.items())]
    return _Run(
        items=_distinct(tuple(item for page in ordered for item in page.items), name),
        totals=frozenset(page.total_count for page in ordered),
        total_count=ordered[-1].total_count,
        pages=len(ordered),
    )


def _distinct(items: tuple[Item, ...], name: Callable[[Item], str | None]) -> tuple[Item, ...]:
    """Each named item once, where it stood first, and every item without a name."""
    seen: set[str] = set()
    kept = []
    for item in items:
        key = name(item)
        if key is None or key not in seen:
            kept.append(item)
        if key is not None:
            seen.add(key)
    return tuple(kept)


def _missing(
    earlier: tuple[Item, ...],
    later: tuple[Item, ...],
    name: Callable[[Item], str | None],
    content: Callable[[Item], object],
) -> list[Item]:
    """The earlier items that did not come again; those without a name are told apart by their content."""
    nameless = [content(item) for item in later if name(item) is None]
    return [item for item in earlier if name(item) is not None or content(item) not in nameless]
