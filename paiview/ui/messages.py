"""What a page says when it waits, when something is wrong, and where its data came from."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NoReturn

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from paiview.evaluation.frames import Frames
from paiview.evaluation.queries import scale_jumps
from paiview.pai.errors import PaiviewError
from paiview.registry import cache
from paiview.registry.cache import Key, Missed
from paiview.registry.connection import connect
from paiview.registry.registry import Registry
from paiview.text import escape_markdown
from paiview.ui import cache_keys, url

_TOLD = 5
"""Facts of a kind that are told one by one; the others are counted."""
WATCH = 5.0
"""Seconds between two looks for what a page had to miss."""
_problems: ContextVar[DeltaGenerator] = ContextVar("paiview_problems")


@contextmanager
def problem_region() -> Iterator[None]:
    """Open the one place where a page reports progress, errors and warnings about data.

    What comes and goes has its place there: in between the parts of a page it would move all that are below.
    """
    token = _problems.set(st.container(key="problem"))
    try:
        yield
    finally:
        _problems.reset(token)


def warn(sentence: str) -> None:
    """Report something the reader should know; ``sentence`` is Markdown made by paiview, its foreign parts escaped."""
    _problems.get().warning(sentence)


def warn_of_notes(notes: Iterable[str]) -> None:
    """Report what decisions say about their two sides, each once; those that end alike are one warning."""
    alike: dict[str, list[str]] = {}
    for note in dict.fromkeys(notes):
        fact, separator, end = note.rpartition(": ")
        alike.setdefault(separator + end, []).append(fact)
    for end, facts in alike.items():
        if len(facts) == 1:
            warn(escape_markdown(facts[0] + end, 600))
        else:
            told = [escape_markdown(fact, 300) for fact in facts[:_TOLD]]
            warn(_together(told, len(facts)) + escape_markdown(end, 600))


def _together(told: Sequence[str], count: int) -> str:
    """Facts in a row, and how many of ``count`` are left out."""
    beyond = count - len(told)
    return "; ".join([*told, f"and {beyond} more like {'it' if beyond == 1 else 'them'}"] if beyond else told)


@st.cache_resource(ttl=cache_keys.SECONDS, max_entries=64, show_spinner=False)
def _jumps(identity: str, _frames: Frames) -> str | None:  # noqa: ARG001 - the identity stands for the frames
    """A sentence about the jumps of ``queries.scale_jumps``, made once a listing; ``None`` without any."""
    found = scale_jumps(_frames.metrics)
    told = [
        f"{escape_markdown(jump['metric'])} on {escape_markdown(jump['dataset'])} is {jump['value']:g} in "
        f"{escape_markdown(jump['version_name'])} and was {jump['previous']:g} before"
        for jump in found.head(_TOLD).astype({"metric": "str", "dataset": "str"}).to_dict("records")
    ]
    if not told:
        return None
    return (
        f"{_together(told, len(found))}: about 100 times apart, like a fraction beside a percentage. "
        "Each is drawn as stored."
    )


def warn_of_jumps(identity: str, frames: Frames) -> None:
    """Report the jumps of scale in a listing, which ``identity`` names."""
    if sentence := _jumps(identity=identity, _frames=frames):
        warn(sentence)


def fail(error: PaiviewError) -> None:
    """Report an error: what happened, Code and RequestId, what to try."""
    _problems.get().error(describe(error))


def end() -> NoReturn:
    """End the page here: what is above stays usable."""
    finish()
    st.stop()


def finish() -> None:
    """Do what belongs at the end of every run: bring the URL up to date, and watch for what the page had to miss."""
    url.send()
    if missed := cache.missed():
        _watch(connect(), missed)


@st.fragment(run_every=WATCH)
def _watch(registry: Registry, missed: Mapping[Key, Missed]) -> None:
    """Run the page again once something it missed can be had: a page that shows a failure recovers by itself."""
    if registry.changed(missed):
        st.rerun()


def stop(error: PaiviewError) -> NoReturn:
    """Report an error and end the page: what is above it stays usable."""
    fail(error)
    end()


def describe(error: PaiviewError) -> str:
    """One error as Markdown, its foreign parts escaped."""
    named = (("Code", error.code), ("RequestId", error.request_id))
    facts = ", ".join(f"{name} {escape_markdown(value)}" for name, value in named if value)
    told = f" ({facts})" if facts else ""
    return f"{escape_markdown(error.message, 600)}{told} {error.advice}".strip()


def invalid(name: str, value: str) -> None:
    """Report a value in the URL that no control knows; it is ignored."""
    asked = f"{escape_markdown(name)} = {escape_markdown(value)}"
    warn(f"The link asks for {asked}, which is not a choice here. It is ignored.")


@contextmanager
def reading(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show progress by pages while a listing is read; nothing is drawn for one that is there already."""
    slot: DeltaGenerator | None = None

    def progress(done: int, total: int) -> None:
        nonlocal slot
        slot = slot or _problems.get().empty()
        share = done / total if total else 0.0
        slot.progress(min(share, 1.0), text=f"Reading {what}: page {done} of {total}" if total else f"Reading {what}")

    try:
        yield progress
    finally:
        if slot is not None:
            slot.empty()
