"""The head of a page: the workspace, the model whose name is the control that changes it, and what is approved now."""

from collections.abc import Sequence
from typing import NamedTuple

import streamlit as st

from paiview.evaluation.frames import Frames
from paiview.pai import console
from paiview.pai.errors import PaiviewError, PermissionDeniedError
from paiview.pai.objects import Model, ModelVersion
from paiview.pai.sources import parse_source
from paiview.registry.connection import connect
from paiview.registry.registry import Registry
from paiview.text import escape_markdown, one_line, unique_names
from paiview.ui import app_frame, messages, model_facts, url, url_controls
from paiview.ui.statuses import STATUSES, badge, status_count

_VERSION_KEYS = ("candidate", "baseline", "baseline_model", "version")
"""Parameters that name versions of one model. Another model may have versions of these names, which nobody chose."""
_LETTER_PIXELS = 9.3
_ARROW_PIXELS = 62
_MAX_NAME_PIXELS = 620


class ChosenModel(NamedTuple):
    """The model a page is about, and where it comes from."""

    registry: Registry
    model: Model
    model_id: str


def connect_or_end() -> Registry:
    """The registry; without one the page ends with the reason."""
    try:
        return connect()
    except PaiviewError as error:
        messages.end_page_with(error)


def choose_workspace(registry: Registry) -> str | None:
    """Choose a workspace; where workspaces cannot be listed there is no control, and the setting decides."""
    try:
        workspaces = registry.workspaces().items
    except PermissionDeniedError:
        return registry.workspace_id
    except PaiviewError as error:
        messages.show_error(error)
        return registry.workspace_id
    names = {item.workspace_id: item.workspace_name or item.workspace_id for item in workspaces if item.workspace_id}
    if registry.workspace_id and registry.workspace_id not in names:
        names[registry.workspace_id] = registry.workspace_id
    options = {key: one_line(f"{name} ({key})" if name != key else key, 80) for key, name in names.items()}
    with app_frame.regions().scope:
        return url_controls.choice(
            "Workspace",
            options,
            key="workspace",
            default=registry.workspace_id,
            placeholder="All workspaces",
            is_label_shown=False,
        )


def choose_model() -> ChosenModel:
    """Choose workspace and model; the page ends when there is no model, or the link requests an unknown one."""
    registry = connect_or_end()
    models = _listed_models(registry, choose_workspace(registry))
    requested = url.requested("model")
    if url.is_from_link("model"):
        url.forget(*_VERSION_KEYS)
    unknown: PaiviewError | None = None
    if requested is not None and requested not in models:
        # A model of another workspace, or an unknown one, which stays the choice while the page shows the error.
        try:
            models[requested] = registry.model(requested)
        except PaiviewError as error:
            models[requested], unknown = Model(), error
    if not models:
        st.info("There are no models here. Register one in PAI, or choose another workspace.")
        messages.end_page()
    names = unique_names({key: one_line(item.model_name or key, 80) for key, item in models.items()})
    first = next(iter(names))
    chosen = requested or first
    with app_frame.regions().head:
        with st.container(key="h1"):
            st.title(escape_markdown(names[chosen]), anchor=False)
        model_id = (
            url_controls.choice(
                "Model",
                names,
                key="model",
                default=first,
                pinned=True,
                on_change=_forget_versions,
                width=min(round(_LETTER_PIXELS * len(names[chosen])) + _ARROW_PIXELS, _MAX_NAME_PIXELS),
                is_label_shown=False,
            )
            or first
        )
        model = models[model_id]
        facts = [model.task, model.domain, model.provider, model_id]
        st.caption(" · ".join(escape_markdown(fact, 80) for fact in facts if fact), width="content")
        if unknown is None:
            model_facts.draw(model)
    if unknown is not None and model_id == requested:
        messages.end_page_with(unknown)
    return ChosenModel(registry, model, model_id)


def offer_console(registry: Registry, model: Model, versions: Sequence[ModelVersion]) -> None:
    """Draw a link in the head to where these versions of the model are approved; nothing where it is not known."""
    with app_frame.regions().head:
        draw_console_link(registry, model, versions, "console-head")


def draw_console_link(registry: Registry, model: Model, versions: Sequence[ModelVersion], key: str) -> None:
    """Draw a link to the workspace in the console of PAI, in which versions are approved; nothing without an address.

    Args:
        registry: where the versions come from; the embedded one has no console.
        model: their model.
        versions: where one is Pending, the link is called after its approval.
        key: of the link, unique on the page.
    """
    address = None if registry.embedded else _console_address(registry, model, versions)
    if address is None:
        return
    is_pending = any(version.approval_status == "Pending" for version in versions)
    name = escape_markdown(model.model_name or model.model_id or "", 80)
    st.link_button(
        f"{'Approve' if is_pending else 'Open'} in PAI ↗",
        address,
        type="tertiary",
        key=key,
        # PAI publishes no address of a model or a version, so this says the way.
        help=f"The workspace in PAI's console. There: AI Asset Management, Models, {name}.",
    )


def _console_address(registry: Registry, model: Model, versions: Sequence[ModelVersion]) -> str | None:
    workspace_id = model.workspace_id or registry.workspace_id
    for version in versions:
        source = parse_source(version.source_type, version.source_id)
        if address := console.approval_url(registry.console_region, workspace_id, source):
            return address
    return None


def draw_standing(frames: Frames) -> None:
    """Draw which version is approved now, and how many versions have each status.

    Args:
        frames: of the whole listing, without a filter.
    """
    counts = frames.status_counts
    badges = " ".join(badge(status, status_count(status, counts.get(status, 0))) for status in STATUSES)
    approved = frames.newest_approved_name
    now = "" if approved is None else f"Approved now {badge('Approved', f'✓ {approved}')} &nbsp; "
    app_frame.regions().standing.markdown(now + badges, width="content")


def _listed_models(registry: Registry, workspace_id: str | None) -> dict[str, Model]:
    """The models of a workspace by ModelId, newest change first; the page ends when they cannot be read."""
    try:
        with messages.reading_progress("models") as progress:
            snapshot = registry.models(workspace_id, progress=progress)
    except PaiviewError as error:
        messages.end_page_with(error)
    return {item.model_id: item for item in snapshot.newest_change_first if item.model_id}


def _forget_versions() -> None:
    for key in _VERSION_KEYS:
        url.write(key)
