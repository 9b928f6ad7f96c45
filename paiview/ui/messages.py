"""What a page reports: progress while it waits, warnings and errors."""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NoReturn

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from paiview.evaluation.queries import scale_jumps
from paiview.pai.errors import PaiviewError, error_text
from paiview.registry import cache
from paiview.registry.cache import Key, Missed
from paiview.registry.connection import connect
from paiview.registry.registry import Registry
from paiview.text import escape_markdown
from paiview.ui import cache_keys, url
from paiview.ui.model_data import ModelData

_LOG = logging.getLogger(__name__)

_MAX_FACTS = 5
"""Facts of a kind that a warning lists; it counts the others."""
_WATCH_INTERVAL_SECONDS = 5.0
"""How often a page that had to do without an answer checks whether it has arrived."""
_problems: ContextVar[DeltaGenerator] = ContextVar("paiview_problems")


@contextmanager
def problem_region() -> Iterator[None]:
    """Open the one region where a page reports progress, errors and warnings.

    A message elsewhere would move everything below it when it appears or goes.
    """
    token = _problems.set(st.container(key="problem"))
    try:
        yield
    finally:
        _problems.reset(token)


def warn(sentence: str) -> None:
    """Show a warning; ``sentence`` is Markdown of paiview's own, with text of the service escaped."""
    _problems.get().warning(sentence)


def offer(label: str, act: Callable[..., None], *args: str) -> None:
    """Draw a button below the last warning: ``act`` is called with ``args`` before the page runs again."""
    _problems.get().button(label, on_click=act, args=args, type="tertiary")


def warn_of_notes(notes: Iterable[str]) -> None:
    """Warn of the notes of decisions, those of ``note_sentences``."""
    for sentence in note_sentences(notes):
        warn(sentence)


def note_sentences(notes: Iterable[str]) -> list[str]:
    """The notes of decisions as Markdown, each once; notes that end alike, after their last colon, are one sentence."""
    sentences = []
    facts_by_end: dict[str, list[str]] = {}
    for note in dict.fromkeys(notes):
        fact, separator, end = note.rpartition(": ")
        facts_by_end.setdefault(separator + end, []).append(fact)
    for end, facts in facts_by_end.items():
        if len(facts) == 1:
            sentences.append(escape_markdown(facts[0] + end, 600))
        else:
            listed = [escape_markdown(fact, 300) for fact in facts[:_MAX_FACTS]]
            sentences.append(_join(listed, len(facts)) + escape_markdown(end, 600))
    return sentences


def _join(facts: Sequence[str], count: int) -> str:
    """The facts in a row, and how many of ``count`` are left out."""
    left_out = count - len(facts)
    return "; ".join([*facts, f"and {left_out} more like {'it' if left_out == 1 else 'them'}"] if left_out else facts)


def warn_of_jumps(data: ModelData) -> None:
    """Warn of the jumps of scale in a listing, those of ``queries.scale_jumps``."""
    if sentence := _jumps_sentence(data=data):
        warn(sentence)


@st.cache_resource(
    ttl=cache_keys.TTL_SECONDS, max_entries=64, show_spinner=False, hash_funcs={ModelData: ModelData.key}
)
def _jumps_sentence(data: ModelData) -> str | None:
    jumps = scale_jumps(data.frames, data.contracts.metrics)
    facts = [
        f"{escape_markdown(jump['metric'])} on {escape_markdown(jump['dataset'])} is {jump['value']:g} in "
        f"{escape_markdown(jump['version_name'])} and was {jump['previous']:g} before"
        for jump in jumps.head(_MAX_FACTS).astype({"metric": "str", "dataset": "str"}).to_dict("records")
    ]
    if not facts:
        return None
    return f"{_join(facts, len(jumps))}: a fraction beside a percentage. Each is drawn as stored."


def show_error(error: PaiviewError) -> None:
    """Show an error: what happened, Code and RequestId, what to try."""
    _problems.get().error(describe(error))


def describe(error: PaiviewError) -> str:
    """An error as Markdown, with text of the service escaped."""
    if error.message_for_readers != error.message:
        _LOG.error("A page failed: %s", error.message)
    return error_text(error, escape_markdown, error.message_for_readers)


def warn_of_invalid_value(name: str, value: str) -> None:
    """Warn of a value in the URL that is no choice of its control, which ignores it."""
    requested = f"{escape_markdown(name)} = {escape_markdown(value)}"
    warn(f"The link asks for {requested}, which is not a choice here. It is ignored.")


def end_page_with(error: PaiviewError) -> NoReturn:
    """Show an error and end the page."""
    show_error(error)
    end_page()


def end_page() -> NoReturn:
    """End the page here; the part above stays usable."""
    finish_run()
    st.stop()


def finish_run() -> None:
    """End a run of a page: update the URL, and watch for answers that the page had to do without."""
    url.send()
    if missed := cache.missed():
        _watch(connect(), missed)


@st.fragment(run_every=_WATCH_INTERVAL_SECONDS)
def _watch(registry: Registry, missed: Mapping[Key, Missed]) -> None:
    """Run the page again once a missed answer has arrived, so that a page recovers from a failure without a reload."""
    if registry.changed(missed):
        st.rerun()


@contextmanager
def reading_progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show progress by pages while a listing is read; a cached listing reports no progress and draws nothing."""
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
