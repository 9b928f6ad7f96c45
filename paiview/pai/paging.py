"""Reads a complete listing: the first page, then the others in parallel; a second time if they are inconsistent.

The service has no cursor, only page numbers and a TotalCount: an item created or deleted meanwhile shifts the others
from page to page. Knows nothing of HTTP.
"""

from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final, Generic, TypeVar

from paiview.pai.listing_facts import NO_FACTS, ListingFacts

Item = TypeVar("Item")
Result = TypeVar("Result")
Progress = Callable[[int, int], None]
"""Called after each page with the pages fetched and the pages in all, in the caller's thread. A second listing
starts again at 1."""

MAX_PAGES: Final = 5_000
"""Page limit of one listing, for the TotalCount may be wrong."""


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """One page: its items in the server's order, how many items match in all, and what it says of the listing."""

    items: tuple[Item, ...]
    total_count: int
    request_id: str | None
    facts: ListingFacts = NO_FACTS

    @property
    def listed_count(self) -> int:
        """The items on all pages: those that match, but for those that the embedded registry only counts."""
        origin = self.facts.origin
        return self.total_count if origin is None or origin.listed is None else origin.listed


@dataclass(frozen=True, slots=True)
class Listing(Generic[Item]):
    """All items, each once, in the server's order.

    Attributes:
        items: the items; after two listings, those that only the first one held come last.
        total_count: the count of the server.
        requests: pages requested, without retries.
        uneven: one sentence if the items of the second listing still do not match its count, else ``None``.
        facts: what the first page says of the listing.
        request_id: the RequestId of the first page of the listing that counts, the second one if it was read twice.
    """

    items: tuple[Item, ...]
    total_count: int
    requests: int
    uneven: str | None
    facts: ListingFacts = NO_FACTS
    request_id: str | None = None

    def only(self, is_meant: Callable[[Item], bool]) -> "Listing[Item]":
        """The listing without the items that PAI could not leave out, which ``total_count`` no longer counts."""
        kept = tuple(filter(is_meant, self.items))
        # Whether an item that was not saved is meant is unknown, as with filters that the embedded registry applies.
        total = self.total_count - (len(self.items) - len(kept)) if self.facts.origin is None else len(kept)
        return replace(self, items=kept, total_count=total)


@dataclass(frozen=True, slots=True)
class _Run(Generic[Item]):
    items: tuple[Item, ...]
    received: int
    listed_counts: frozenset[int]
    total_count: int
    pages: int
    facts: ListingFacts
    request_id: str | None

    @property
    def is_consistent(self) -> bool:
        # Of a name that stands for different items, all are counted and one is kept.
        has_doubled = self.facts.origin is not None and self.facts.origin.doubled is not None
        return self.listed_counts == {self.received if has_doubled else len(self.items)}


def result(future: Future[Result]) -> Result:
    """Wait for the result of a request; cancel it if the caller is interrupted."""
    try:
        return future.result()
    finally:
        future.cancel()


def list_all(
    fetch: Callable[[int], Future[Page[Item]]],
    name: Callable[[Item], str | None],
    content: Callable[[Item], object],
    *,
    concurrency: int,
    progress: Progress | None = None,
) -> Listing[Item]:
    """Read all pages.

    Args:
        fetch: begins to read the page of a number, from 1.
        name: identifies an item; items without a name (``None``) are all kept.
        content: identifies an item without a name in a second listing.
        concurrency: pages requested at the same time.
        progress: called after each page.
    """
    first = _run(fetch, name, concurrency, progress)
    if first.is_consistent:
        return Listing(first.items, first.total_count, first.pages, None, first.facts, first.request_id)
    second = _run(fetch, name, concurrency, progress)
    if second.is_consistent:
        return Listing(
            second.items, second.total_count, first.pages + second.pages, None, second.facts, second.request_id
        )
    items = _distinct((*second.items, *_missing(first.items, second.items, name, content)), name)
    uneven = (
        f"The list kept changing while it was read twice: the service counts {second.total_count}, "
        f"and {len(items)} different ones came."
    )
    return Listing(items, second.total_count, first.pages + second.pages, uneven, second.facts, second.request_id)


def _run(
    fetch: Callable[[int], Future[Page[Item]]],
    name: Callable[[Item], str | None],
    concurrency: int,
    progress: Progress | None,
) -> _Run[Item]:
    first = result(fetch(1))
    # The server may cap the page size, so the first page gives the actual size.
    count = min(-(-first.listed_count // len(first.items)), MAX_PAGES) if first.items else 1
    pages = {1: first}
    numbers = iter(range(2, count + 1))
    under_way: dict[Future[Page[Item]], int] = {}

    def report() -> None:
        if progress is not None:
            progress(len(pages), max(count, 1))

    report()
    try:
        while len(pages) < count:
            # Few pages at a time: other requests of the client wait behind those under way.
            for number in islice(numbers, concurrency - len(under_way)):
                under_way[fetch(number)] = number
            done, _ = wait(under_way, return_when=FIRST_COMPLETED)
            for future in done:
                pages[under_way.pop(future)] = future.result()
                report()
    finally:
        for future in under_way:
            future.cancel()
    ordered = [page for _, page in sorted(pages.items())]
    received = tuple(item for page in ordered for item in page.items)
    return _Run(
        items=_distinct(received, name),
        received=len(received),
        listed_counts=frozenset(page.listed_count for page in ordered),
        total_count=ordered[-1].total_count,
        pages=len(ordered),
        facts=first.facts,
        request_id=first.request_id,
    )


def _distinct(items: tuple[Item, ...], name: Callable[[Item], str | None]) -> tuple[Item, ...]:
    """Each named item once, at its first position, and every item without a name."""
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
    """The earlier items that are not among the later ones; items without a name are compared by content."""
    nameless = [content(item) for item in later if name(item) is None]
    return [item for item in earlier if name(item) is not None or content(item) not in nameless]
