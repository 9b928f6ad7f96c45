"""The list of models, and above it the queue of versions that wait for review.

PAI has no count across models. The list is drawn first; then the statuses of its models are read, model by model, for
the models on this page of the list only.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from contextvars import copy_context
from typing import NamedTuple

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from paiview.decisions.wording import short_headline
from paiview.evaluation.version_order import parse_time
from paiview.pai.errors import PaiviewError
from paiview.pai.objects import Model
from paiview.registry.live_decision import decide_all_now
from paiview.registry.registry import Registry
from paiview.registry.snapshots import Review
from paiview.text import counted, escape_markdown
from paiview.ui import app_frame, messages, script_lock, url

_MAX_PARALLEL_READS = 4
_MAX_PENDING_SHOWN = 3
"""Pending versions of a model that the queue names."""


class _PendingVersion(NamedTuple):
    """A version in the queue, and the empty slot beside its name for the decision about it."""

    model_id: str
    name: str
    slot: DeltaGenerator


def draw_models(models: Sequence[Model]) -> list[DeltaGenerator]:
    """Draw the models, one row each; returns the empty slot in each row for the counts of its statuses."""
    slots = []
    for model in models:
        model_id = model.model_id or ""
        with st.container(border=True, gap="xsmall"):
            left, right = st.columns([3, 2], vertical_alignment="top")
            with left:
                app_frame.link(
                    app_frame.VERSIONS, f"**{escape_markdown(model.model_name or model_id)}**", model=model_id
                )
                st.caption(_facts(model))
                if model.model_description:
                    st.caption(escape_markdown(model.model_description, 160))
            with right:
                slots.append(st.empty())
                _draw_links(model, model_id)
    return slots


def _draw_links(model: Model, model_id: str) -> None:
    with st.container(horizontal=True, gap="small"):
        app_frame.link(app_frame.TRENDS, "Trends", model=model_id)
        newest = model.latest_version
        if newest is not None and newest.version_name:
            name = escape_markdown(newest.version_name, 40)
            app_frame.link(app_frame.VERSIONS, f"Newest: {name}", model=model_id, version=newest.version_name)


def draw_reviews(
    registry: Registry, models: Sequence[Model], queue: DeltaGenerator, slots: Sequence[DeltaGenerator]
) -> None:
    """Read the statuses of the models shown, and draw their counts and the queue.

    Args:
        registry: where the statuses come from.
        models: the models on this page of the list.
        queue: the container for the pending versions.
        slots: the slot of each model for its counts, from ``draw_models``.
    """
    queue.subheader("Waiting for review", anchor=False)
    summary = queue.empty()
    summary.caption("Asking for the status of each model …")
    for slot in slots:
        slot.caption("…")
    pending_count = 0
    pending_versions: list[_PendingVersion] = []
    pool = ThreadPoolExecutor(_MAX_PARALLEL_READS)
    try:
        reads = [pool.submit(copy_context().run, _read_review, registry, model) for model in models]
        for model, slot, read in zip(models, slots, reads, strict=True):
            with nullcontext() if read.done() else script_lock.released():
                review = read.result()
            if isinstance(review, PaiviewError):
                slot.caption(f"Statuses could not be read: {messages.describe(review)}")
            else:
                slot.markdown(_counts(review))
                pending_count += review.pending
                pending_versions += _draw_pending(queue, model, review)
    finally:
        # A run that is stopped must not wait for reads: it holds the script lock.
        pool.shutdown(wait=False, cancel_futures=True)
    summary.caption(_summary(pending_count, len(models)))
    # A decision needs the whole listing of its model. Each is drawn when it is there, after everything else.
    url.send()
    for version in pending_versions:
        version.slot.caption(_decision_text(registry, version))


def _read_review(registry: Registry, model: Model) -> Review | PaiviewError:
    """One model's statuses, or the error: one that cannot be read must not hide the others."""
    try:
        return registry.review(model.model_id or "")
    except PaiviewError as error:
        return error


def _counts(review: Review) -> str:
    """How many versions have each status, as Markdown."""
    counts = (("○", review.pending, "Pending"), ("✓", review.approved, "Approved"), ("✕", review.rejected, "Rejected"))
    return " · ".join(f"{mark}\u00a0**{count}**\u00a0{status}" for mark, count, status in counts)


def _summary(pending: int, models: int) -> str:
    if not pending:
        return "No version of the models below is Pending."
    return (
        f"{counted(pending, 'version')} of the {counted(models, 'model')} below {'is' if pending == 1 else 'are'} "
        "Pending. Approval in PAI is final."
    )


def _draw_pending(queue: DeltaGenerator, model: Model, review: Review) -> list[_PendingVersion]:
    """Draw a model's pending versions, newest first."""
    if not review.pending:
        return []
    model_id = model.model_id or ""
    left, right = queue.columns([1, 3], vertical_alignment="top")
    left.markdown(f"**{escape_markdown(model.model_name or model_id)}**")
    versions = []
    with right.container(gap="xxsmall"):
        for version in review.newest_pending[:_MAX_PENDING_SHOWN]:
            name = version.version_name
            if name:
                with st.container(horizontal=True, gap="small", vertical_alignment="center"):
                    app_frame.link(app_frame.COMPARE, escape_markdown(name, 40), model=model_id, candidate=name)
                    versions.append(_PendingVersion(model_id, name, st.empty()))
        if review.pending > _MAX_PENDING_SHOWN:
            label = f"and {review.pending - _MAX_PENDING_SHOWN} more"
            app_frame.link(app_frame.VERSIONS, label, model=model_id, approval_status="Pending")
    return versions


def _decision_text(registry: Registry, version: _PendingVersion) -> str:
    """The decision about a pending version in a few words, or why there is none, as Markdown.

    It is made from the listing: only the comparison page reads each version again.
    """
    try:
        [decision] = decide_all_now(registry, version.model_id, [version.name], reread=False).decisions
    except PaiviewError as error:
        return messages.describe(error)
    against = f" against {escape_markdown(decision.baseline, 40)}" if decision.baseline is not None else ""
    warning = " · with a warning" if decision.notes else ""
    return f"{decision.summary.word}: {escape_markdown(short_headline(decision.summary))}{against}{warning}"


def _facts(model: Model) -> str:
    texts = [model.model_id, model.task, model.domain, model.origin or model.provider]
    facts = [escape_markdown(text, 60) for text in texts if text]
    created = parse_time(model.gmt_create_time)
    if created is not None:
        facts.append(f"created {created:%Y-%m-%d}")
    return " · ".join(facts)
