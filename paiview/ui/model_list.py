"""The models of the page of models: reading their statuses and versions, and a card for each.

PAI has no count across models. The names are drawn first; then each model is read, and its card filled.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from contextvars import copy_context
from dataclasses import dataclass
from typing import NamedTuple

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from paiview.decisions.contracts import Contracts
from paiview.evaluation.metric_meaning import contract, format_value
from paiview.figures.sparkline import NumberHistory, number_history
from paiview.figures.style import way_mark
from paiview.pai.errors import PaiviewError
from paiview.pai.objects import Model
from paiview.registry.model_search import matching_models
from paiview.registry.registry import Registry
from paiview.registry.snapshots import Review, VersionsSnapshot
from paiview.text import escape_markdown, one_line, shorten_front
from paiview.ui import app_frame, messages, model_facts, page_data, script_lock
from paiview.ui.cache_keys import TTL_SECONDS
from paiview.ui.model_data import ModelData
from paiview.ui.versions_table import decimal_places

MAX_MODELS = 100
"""Models whose statuses are read for the queue: at least three requests each."""
_MAX_PARALLEL_READS = 4
_WELCOMED = "welcomed"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ListedModel:
    """A model whose versions were read.

    Attributes:
        model_id: the ModelId.
        name: the name as the service gave it, else the id.
        snapshot: the whole listing.
        data: the listing with names and meanings.
        contracts: the contracts of this session, without those that came with the data.
    """

    model_id: str
    name: str
    snapshot: VersionsSnapshot
    data: ModelData
    contracts: Contracts

    def key(self) -> str:
        """The key of a cache for what is made of this model alone."""
        return self.data.key(self.model_id, self.name, self.contracts.fingerprint)


class ReadModel(NamedTuple):
    """What was read of a model.

    Attributes:
        model_id: the ModelId; empty where the service gave none.
        review: its statuses; ``None`` when they could not be read.
        listed: its versions; ``None`` when they could not be read, or were not needed.
        error: why something could not be read.
    """

    model_id: str
    review: Review | None = None
    listed: ListedModel | None = None
    error: PaiviewError | None = None


def draw_welcome() -> None:
    """Say in one line what paiview answers, until the reader has seen it in this session."""
    if st.session_state.get(_WELCOMED):
        return
    with st.container(key="welcome", border=True, horizontal=True, vertical_alignment="center"):
        st.markdown(
            "**Is this version better than the one approved now?** paiview answers it dataset by dataset before you "
            "approve in PAI. :gray[This is demo data: published results, made-up approvals. Open the first row, or "
            "connect PAI with `PAIVIEW_REGION`.]",
            width="stretch",
        )
        st.button("Got it", key="got-it", type="tertiary", on_click=_end_welcome)


def _end_welcome() -> None:
    st.session_state[_WELCOMED] = True


class Card(NamedTuple):
    """The parts of a card that are filled once its model is read."""

    facts: DeltaGenerator
    links: DeltaGenerator
    number: DeltaGenerator


def draw_cards(models: Sequence[Model]) -> list[Card]:
    """Draw a card for each model with what the list of models says of it."""
    with st.container(key="cards"):
        grid = st.grid(3, min_column_width=320)
    cards = []
    for index, model in enumerate(models):
        left, right = grid.container(border=True, key=f"card-{index}").columns([11, 9], gap="small")
        with left:
            name = escape_markdown(model.model_name or model.model_id or "", 80)
            app_frame.link(app_frame.VERSIONS, f"**{name}**", model=model.model_id or "")
            facts = st.empty()
            facts.markdown(_task(model))
            links = st.container(horizontal=True, gap="small")
        cards.append(Card(facts, links, right))
    return cards


def _task(model: Model) -> str:
    return f":gray[{model_facts.card_facts(model) or '–'}]"


def read_models(
    registry: Registry,
    matches: Sequence[Model],
    shown: Sequence[Model],
    contracts: Contracts,
    cards: Sequence[Card],
) -> list[ReadModel]:
    """Read the statuses of models and what waits, and fill the cards of those shown.

    Args:
        registry: where they come from.
        matches: the models that pass the filters; the ``MAX_MODELS`` changed last are read.
        shown: those with a card, which are read too.
        contracts: the contracts of this session.
        cards: the card of each model shown.
    """
    changed_last = matching_models(matches, text="", task=None, domain=None, sort="-modified")[:MAX_MODELS]
    models = list({id(model): model for model in (*shown, *changed_last)}.values())
    card_of = {id(model): card for model, card in zip(shown, cards, strict=True)}
    read_models = []
    pool = ThreadPoolExecutor(_MAX_PARALLEL_READS)
    try:
        reads = [
            pool.submit(copy_context().run, _read, registry, model, contracts, has_card=id(model) in card_of)
            for model in models
        ]
        for model, read in zip(models, reads, strict=True):
            with nullcontext() if read.done() else script_lock.released():
                result = read.result()
            if (card := card_of.get(id(model))) is not None:
                _fill_card(card, model, result)
            read_models.append(result)
    finally:
        # A run that is stopped must not wait for reads: it holds the script lock.
        pool.shutdown(wait=False, cancel_futures=True)
    return read_models


def _read(registry: Registry, model: Model, contracts: Contracts, *, has_card: bool) -> ReadModel:
    """Read one model; an error is kept, for one that cannot be read must not hide the others."""
    model_id = model.model_id or ""
    review: Review | None = None
    try:
        review = registry.review(model_id)
        if not (has_card or review.pending):
            return ReadModel(model_id, review)
        # A version of the review that the listing lacks is newer than the listing.
        naming = [version.version_name for version in review.newest_pending if version.version_name]
        snapshot = registry.versions(model_id, naming=naming)
        data = page_data.model_data(registry, model, snapshot, contracts.with_data(snapshot.meanings))
    except PaiviewError as error:
        return ReadModel(model_id, review, error=error)
    name = model.model_name or model_id
    listed = ListedModel(model_id=model_id, name=name, snapshot=snapshot, data=data, contracts=contracts)
    return ReadModel(model_id, review, listed)


def _fill_card(card: Card, model: Model, read: ReadModel) -> None:
    paragraphs = [_task(model)]
    if read.review is not None:
        paragraphs.append(_badges(read.review))
    if read.error is not None:
        what = "Statuses" if read.review is None else "Versions"
        paragraphs.append(f"{what} could not be read: {messages.describe(read.error)}")
    newest = None
    if read.listed is not None:
        approved = read.listed.data.frames.newest_approved_name
        paragraphs.append(
            f":gray[{'none approved' if approved is None else f'approved {escape_markdown(approved, 60)}'}]"
        )
        newest = next(reversed(read.listed.snapshot.lineage.names), None)
        history = _history(listed=read.listed)
        if history is not None:
            with card.number:
                _draw_number(history, read.listed.data)
    card.facts.markdown("\n\n".join(paragraphs))
    with card.links:
        app_frame.link(app_frame.TRENDS, "Trends", model=read.model_id)
        if newest is not None:
            app_frame.link(app_frame.COMPARE, "Compare newest", model=read.model_id, candidate=newest)


def _badges(review: Review) -> str:
    """How many versions have each status, as Markdown."""
    return f":yellow-badge[○ {review.pending}] :green-badge[✓ {review.approved}] :gray-badge[✕ {review.rejected}]"


def _draw_number(history: NumberHistory, data: ModelData) -> None:
    meaning = contract(history.pair.metric, data.contracts.metrics)
    dataset = data.dataset_names.get(history.pair.dataset, history.pair.dataset)
    way = way_mark(meaning.direction, meaning.standing)
    label = f"{one_line(history.pair.metric, 24)} {way} {shorten_front(dataset, 24)}"
    digits = decimal_places(history.pair, history.numbers, data.contracts.metrics)
    st.metric(
        escape_markdown(label),
        "–" if history.approved is None else format_value(history.approved, digits),
        chart_data=history.numbers if len(history.numbers) > 1 else None,
        delta_color="off",
    )


@st.cache_resource(ttl=TTL_SECONDS, max_entries=256, show_spinner=False, hash_funcs={ListedModel: ListedModel.key})
def _history(listed: ListedModel) -> NumberHistory | None:
    return number_history(listed.data.frames, listed.data.contracts.metrics)
