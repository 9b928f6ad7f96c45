"""The list of models and the queue of versions that wait for review.

PAI has no count across models, so the statuses are asked model by model, for the models on the screen only, after the
list itself is drawn.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from contextvars import copy_context

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

_AT_ONCE = 4
_WAITING_SHOWN = 3


def rows(models: Sequence[Model]) -> list[DeltaGenerator]:
    """Draw one row a model; returns the place in each where its statuses go."""
    places = []
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
                places.append(st.empty())
                with st.container(horizontal=True, gap="small"):
                    app_frame.link(app_frame.TRENDS, "Trends", model=model_id)
                    newest = model.latest_version
                    if newest is not None and newest.version_name:
                        name = escape_markdown(newest.version_name, 40)
                        app_frame.link(
                            app_frame.VERSIONS, f"Newest: {name}", model=model_id, version=newest.version_name
                        )
    return places


def review(
    registry: Registry, models: Sequence[Model], queue: DeltaGenerator, places: Sequence[DeltaGenerator]
) -> None:
    """Ask for the statuses of the models shown, and fill in the rows and the queue.

    Args:
        registry: the registry layer.
        models: the models on the screen.
        queue: where the waiting versions go.
        places: where each model's counts go.
    """
    queue.subheader("Waiting for review", anchor=False)
    slot = queue.empty()
    slot.caption("Asking for the status of each model …")
    for place in places:
        place.caption("…")
    waiting = 0
    undecided: list[tuple[Model, str, DeltaGenerator]] = []
    pool = ThreadPoolExecutor(_AT_ONCE)
    try:
        asked = [pool.submit(copy_context().run, _ask, registry, model) for model in models]
        for model, place, answer in zip(models, places, asked, strict=True):
            with nullcontext() if answer.done() else script_lock.released():
                found = answer.result()
            if isinstance(found, PaiviewError):
                place.caption(f"Statuses could not be read: {messages.describe(found)}")
                continue
            counts = (
                ("○", found.pending, "Pending"),
                ("✓", found.approved, "Approved"),
                ("✕", found.rejected, "Rejected"),
            )
            place.markdown(" · ".join(f"{mark}\u00a0**{count}**\u00a0{status}" for mark, count, status in counts))
            waiting += found.pending
            undecided += [(model, name, verdict) for name, verdict in _waiting(queue, model, found)]
    finally:
        # A run that is stopped waits for none of them: it would keep the turn of all others meanwhile.
        pool.shutdown(wait=False, cancel_futures=True)
    slot.caption(
        f"{counted(waiting, 'version')} of the {counted(len(models), 'model')} below {'is' if waiting == 1 else 'are'} "
        "Pending. Approval in PAI is final."
        if waiting
        else "No version of the models below is Pending."
    )
    # A verdict needs the whole listing of a model, so each appears when it is known, after all else is there.
    url.send()
    for model, name, verdict in undecided:
        verdict.caption(_verdict(registry, model.model_id or "", name))


def _ask(registry: Registry, model: Model) -> Review | PaiviewError:
    """One model's statuses, or why they cannot be had: one bad model must not cost the others."""
    try:
        return registry.review(model.model_id or "")
    except PaiviewError as error:
        return error


def _waiting(queue: DeltaGenerator, model: Model, found: Review) -> list[tuple[str, DeltaGenerator]]:
    """Draw a model's waiting versions, newest first; returns the name of each and the place of its verdict."""
    if not found.pending:
        return []
    model_id = model.model_id or ""
    name, versions = queue.columns([1, 3], vertical_alignment="top")
    name.markdown(f"**{escape_markdown(model.model_name or model_id)}**")
    places = []
    with versions.container(gap="xxsmall"):
        for version in found.newest_pending[:_WAITING_SHOWN]:
            if version.version_name:
                with st.container(horizontal=True, gap="small", vertical_alignment="center"):
                    told = escape_markdown(version.version_name, 40)
                    app_frame.link(app_frame.COMPARE, told, model=model_id, candidate=version.version_name)
                    places.append((version.version_name, st.empty()))
        if found.pending > _WAITING_SHOWN:
            more = f"and {found.pending - _WAITING_SHOWN} more"
            app_frame.link(app_frame.VERSIONS, more, model=model_id, approval_status="Pending")
    return places


def _verdict(registry: Registry, model_id: str, candidate: str) -> str:
    """The answer about one waiting version in a few words, or why there is none.

    It rests on the listing: reading each version of a long queue anew is left to the comparison it leads to.
    """
    try:
        [decision] = decide_all_now(registry, model_id, [candidate], reread=False).decisions
    except PaiviewError as error:
        return messages.describe(error)
    against = f" against {escape_markdown(decision.baseline, 40)}" if decision.baseline is not None else ""
    warned = " · with a warning" if decision.notes else ""
    return f"{decision.summary.word}: {escape_markdown(short_headline(decision.summary))}{against}{warned}"


def _facts(model: Model) -> str:
    created = parse_time(model.gmt_create_time)
    facts = [model.model_id, model.task, model.domain, model.origin or model.provider]
    told = [escape_markdown(fact, 60) for fact in facts if fact]
    return " · ".join([*told, *([f"created {created:%Y-%m-%d}"] if created is not None else [])])
