"""One version, whole: every field, its source, specs with secrets masked, the raw answer."""

import json
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import quote

import numpy as np
import pandas as pd
import streamlit as st

from paiview.decisions.contracts import Contracts
from paiview.evaluation.frames import Frames, Pair
from paiview.evaluation.queries import VersionIndexes
from paiview.pai.objects import JsonObject, Model, ModelVersion
from paiview.registry.registry import Registry
from paiview.secret_masking import mask_secrets
from paiview.text import ascii_host, escape_invisible, escape_markdown, http_url, one_line, several_lines
from paiview.ui import app_frame, url, url_controls, versions_table

_SPECS = {
    "TrainingSpec": "training_spec",
    "InferenceSpec": "inference_spec",
    "EvaluationSpec": "evaluation_spec",
    "CompressionSpec": "compression_spec",
    "DistillationSpec": "distillation_spec",
}
_CONSOLE = "https://pai.console.aliyun.com/"
_MOST_COVERS = 8


def choose(frames: Frames, on_screen: VersionIndexes) -> int | None:
    """Choose the version in detail: one of those on the screen, or the one the link asks for.

    Returns:
        Its position in the versions frame; ``None`` when nothing is chosen.
    """
    known = frames.versions["version_name"]
    orders = {known.iloc[order]: int(order) for order in on_screen}
    asked = url.asked("version")
    if asked is not None and asked not in orders:
        orders.update((asked, int(order)) for order in np.flatnonzero(known.to_numpy() == asked))
    options = {name: one_line(name) for name in orders}
    opened = url_controls.choice(
        "Version in detail", options, key="version", placeholder="Tick a row, or choose one of them"
    )
    return None if opened is None else orders[opened]


def show(
    registry: Registry,
    model: Model,
    version: ModelVersion,
    frames: Frames,
    order: int,
    dataset_names: Mapping[str, str],
    identity: str,
    contracts: Contracts,
) -> None:
    """Draw everything known about one version.

    Args:
        registry: where it came from, for the link to the console.
        model: its model.
        version: the version as the service gave it.
        frames: the frames of the listing it belongs to.
        order: its position in the versions frame.
        dataset_names: DatasetId to a name, where known.
        identity: names the listing.
        contracts: what metrics mean.
    """
    row = cast("pd.Series[Any]", frames.versions.loc[order])
    st.subheader(escape_markdown(str(row["version_name"])))
    if version.version_description:
        st.text(several_lines(version.version_description))
    if version.version_name and model.model_id:
        told = "Compare with the approved version"
        app_frame.link(app_frame.COMPARE, told, model=model.model_id, candidate=version.version_name)
    if row["problems"]:
        st.warning(f"{row['problems']} flagged in this version: {escape_markdown(str(row['problem']), 400)}")
    results, about, specs, raw = st.tabs(["Results", "About", "Specs", "Raw JSON"])
    with results:
        _results(identity, frames, order, dataset_names, contracts)
    with about:
        _about(registry, model, version, row)
    with specs:
        _specs(version)
    with raw:
        st.caption(
            "As the service sent it; values under names like token or password are masked, and characters that cannot "
            "be seen are written as escapes."
        )
        st.json(escape_invisible(mask_secrets(version.raw)), expanded=2)


def _results(identity: str, frames: Frames, order: int, dataset_names: Mapping[str, str], contracts: Contracts) -> None:
    rows = frames.metrics[frames.metrics["version_index"] == order]
    if rows.empty:
        st.info("This version has no evaluation results.")
        return
    shown = rows[["dataset", "metric", "value", "raw", "problem", "n", "errors"]]
    shown = shown.astype({"dataset": "str", "metric": "str"}).dropna(axis="columns", how="all")
    pairs = tuple(map(Pair, shown["metric"], shown["dataset"]))
    of_columns = versions_table.decimals(identity, contracts.fingerprint, pairs, frames, contracts)
    # A pair given twice is in no column, and its numbers may need more than the others of their column.
    of_numbers = [
        versions_table.places(pair, [value], contracts.metrics)
        for pair, value in zip(pairs, rows["value"], strict=True)
    ]
    digits = [*map(max, of_columns, of_numbers)]
    shown.insert(1, "name", shown["dataset"].map(dataset_names))
    for column in ("dataset", "name", "metric", *(name for name in ("raw", "problem") if name in shown)):
        shown[column] = shown[column].astype("str").map(one_line, na_action="ignore")
    table = shown.dropna(axis="columns", how="all").reset_index(drop=True)
    st.dataframe(
        versions_table.written(table, ["value"], digits) if "value" in table else table,
        hide_index=True,
        height=versions_table.height(len(shown)),
        placeholder="–",
        alt="Evaluation results of the version",
        column_config={"value": st.column_config.Column(alignment="right")},
    )


def _about(registry: Registry, model: Model, version: ModelVersion, row: "pd.Series[Any]") -> None:
    # Pairs, for a field of ExtraInfo or a label may bear the name of another one.
    fields: list[tuple[str, Any]] = [
        ("VersionName", version.version_name),
        ("ApprovalStatus", version.approval_status),
        ("Created (UTC)", _moment(row["created"], version.gmt_create_time)),
        ("Modified (UTC)", _moment(row["modified"], version.gmt_modified_time)),
        ("FormatType", version.format_type),
        ("FrameworkType", version.framework_type),
        ("Uri", version.uri),
        ("SourceType", version.source_type),
        ("SourceId", version.source_id),
        ("Source workspace", row["source_workspace"]),
        ("Source kind", row["source_kind"]),
        ("Source run", row["source_run"]),
        ("UserId", version.user_id),
        ("OwnerId", version.owner_id),
        *((f"Label {label.key}", label.value) for label in version.labels),
    ]
    extra = dict(version.extra_info or {})
    covers = extra.pop("CoverUris", None)
    words = extra.pop("TrainedWords", None)
    if isinstance(words, list):
        fields.append(("TrainedWords", ", ".join(str(word) for word in words)))
    others = {f"ExtraInfo {name}": value for name, value in mask_secrets(extra).items()}
    for name, value in (*others.items(), *mask_secrets(version.model_extra or {}).items()):
        fields.append((name, value if isinstance(value, str) else _json(value)))
    table = pd.DataFrame(
        [(one_line(name), _shown(value)) for name, value in fields], columns=["field", "value"], dtype="str"
    )
    table = table[table["value"] != ""]
    st.dataframe(table, hide_index=True, height=versions_table.height(len(table)), alt="Fields of the version")
    if version.options:
        st.caption("Options")
        st.json(_parsed(version.options), expanded=1)
    for label, address in (*_links(registry, model, version, row), *_covers(covers)):
        st.link_button(label, address)


def _covers(covers: object) -> list[tuple[str, str]]:
    """Cover images are links: they lie on hosts their author chose, and the pages load nothing from other hosts."""
    listed = covers if isinstance(covers, list) else []
    addresses = [address for cover in listed if (address := http_url(str(cover)))][:_MOST_COVERS]
    return [
        (f"Open cover {number} at {escape_markdown(ascii_host(address))}", address)
        for number, address in enumerate(addresses, 1)
    ]


def _links(registry: Registry, model: Model, version: ModelVersion, row: "pd.Series[str]") -> list[tuple[str, str]]:
    links = []
    if not registry.embedded and registry.region and model.workspace_id:
        query = f"?regionId={quote(registry.region, safe='')}&workspaceId={quote(model.workspace_id, safe='')}"
        links.append(("Open the workspace in the PAI console", f"{_CONSOLE}{query}#/workspace/overview"))
    if row["source_kind"] == "TrainingJob" and not pd.isna(row["source_run"]):
        query = (
            f"?regionId={quote(row['source_region'], safe='')}&workspaceId={quote(row['source_workspace'], safe='')}"
        )
        links.append(("Open the training job", f"{_CONSOLE}{query}#/training/jobs/{quote(row['source_run'], safe='')}"))
    uri = http_url(version.uri or "")
    if uri:
        links.append((f"Open the Uri at {escape_markdown(ascii_host(uri))}", uri))
    return links


def _specs(version: ModelVersion) -> None:
    present = {name: spec for name, field in _SPECS.items() if (spec := getattr(version, field))}
    if not present:
        st.info("This version has no training, inference, evaluation, compression or distillation spec.")
    for name, spec in present.items():
        st.markdown(f"**{name}**")
        methods = _methods(name, spec)
        if methods:
            st.caption(f"{len(methods)} methods: {escape_markdown(', '.join(methods), 300)}")
        st.json(escape_invisible(mask_secrets(spec)), expanded=2)


def _methods(name: str, spec: JsonObject) -> list[str]:
    """The method names of a spec that holds several, one object each; empty for a single spec."""
    single = (
        {"metadata", "cloud", "containers", "storage"}
        if name == "InferenceSpec"
        else {"AlgorithmSpec", "AlgorithmName"}
    )
    several = bool(spec) and not single & spec.keys() and all(isinstance(value, dict) for value in spec.values())
    return list(spec) if several else []


def _moment(parsed: Any, text: str | None) -> str | None:
    return text if pd.isna(parsed) else f"{parsed:%Y-%m-%d %H:%M:%S}"


def _shown(value: Any) -> str:
    return "" if pd.isna(value) else one_line(str(value), 2000)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _parsed(options: str) -> object:
    """Options is a JSON text; what does not parse is shown as it is."""
    try:
        return escape_invisible(mask_secrets(json.loads(options)))
    except (ValueError, RecursionError):
        return {"Options": escape_invisible(mask_secrets(options))}
