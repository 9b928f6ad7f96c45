"""One version in detail: every field, its source, specs with secrets masked, and the response as it came."""

import json
from typing import Any, cast
from urllib.parse import quote

import numpy as np
import pandas as pd
import streamlit as st

from paiview.evaluation.frames import Frames, Pair
from paiview.evaluation.queries import VersionIndexes
from paiview.pai.objects import JsonObject, Model, ModelVersion
from paiview.registry.registry import Registry
from paiview.secret_masking import MASK
from paiview.text import ascii_host, escape_invisible, escape_markdown, http_url, one_line, several_lines
from paiview.ui import app_frame, url, url_controls, versions_table
from paiview.ui.model_data import ModelData

_SPECS = {
    "TrainingSpec": "training_spec",
    "InferenceSpec": "inference_spec",
    "EvaluationSpec": "evaluation_spec",
    "CompressionSpec": "compression_spec",
    "DistillationSpec": "distillation_spec",
}
_CONSOLE = "https://pai.console.aliyun.com/"
_MAX_COVERS = 8


def choose_version(frames: Frames, on_page: VersionIndexes) -> int | None:
    """Choose the version in detail: one of those on this page of the table, or the one the link asks for.

    Returns:
        Its position in the versions frame; ``None`` when nothing is chosen.
    """
    names = frames.versions["version_name"]
    index_by_name = {names.iloc[index]: int(index) for index in on_page}
    requested = url.requested("version")
    if requested is not None and requested not in index_by_name:
        index_by_name.update((requested, int(index)) for index in np.flatnonzero(names.to_numpy() == requested))
    options = {name: one_line(name) for name in index_by_name}
    name = url_controls.choice(
        "Version in detail", options, key="version", placeholder="Tick a row, or choose one of them"
    )
    return None if name is None else index_by_name[name]


def draw(registry: Registry, model: Model, version: ModelVersion, data: ModelData, version_index: int) -> None:
    """Draw everything known about one version.

    Args:
        registry: where it came from, for the link to the console.
        model: its model.
        version: the version as the service sent it.
        data: the listing it belongs to.
        version_index: its position in the versions frame.
    """
    row = cast("pd.Series[Any]", data.frames.versions.loc[version_index])
    _draw_head(model, version, row)
    results, about, specs, raw = st.tabs(["Results", "About", "Specs", "Raw JSON"])
    with results:
        _draw_results(data, version_index)
    with about:
        _draw_about(registry, model, version, row)
    with specs:
        _draw_specs(version)
    with raw:
        st.caption(
            "As the service sent it, but for secrets, which are masked, and invisible characters, which are written as "
            "escapes."
        )
        st.json(escape_invisible(version.raw), expanded=2)


def _draw_head(model: Model, version: ModelVersion, row: "pd.Series[Any]") -> None:
    st.subheader(escape_markdown(str(row["version_name"])))
    if version.version_description:
        st.text(several_lines(version.version_description))
    if version.version_name and model.model_id:
        label = "Compare with the approved version"
        app_frame.link(app_frame.COMPARE, label, model=model.model_id, candidate=version.version_name)
    if row["problems"]:
        st.warning(f"{row['problems']} flagged in this version: {escape_markdown(str(row['problem']), 400)}")


def _draw_results(data: ModelData, version_index: int) -> None:
    rows = data.frames.metrics[data.frames.metrics["version_index"] == version_index]
    if rows.empty:
        st.info("This version has no evaluation results.")
        return
    shown = rows[["dataset", "metric", "value", "raw", "problem", "n", "errors"]]
    shown = shown.astype({"dataset": "str", "metric": "str"}).dropna(axis="columns", how="all")
    pairs = [*map(Pair, shown["metric"], shown["dataset"])]
    in_column = versions_table.column_decimals(data=data, pairs=pairs)
    # The table of versions leaves out a pair given twice, whose numbers may need more decimals than its column has.
    in_row = [
        versions_table.decimal_places(pair, [value], data.contracts.metrics)
        for pair, value in zip(pairs, rows["value"], strict=True)
    ]
    digits = [*map(max, in_column, in_row)]
    shown.insert(1, "name", shown["dataset"].map(data.dataset_names))
    for column in ("dataset", "name", "metric", *(name for name in ("raw", "problem") if name in shown)):
        shown[column] = shown[column].astype("str").map(one_line, na_action="ignore")
    table = shown.dropna(axis="columns", how="all").reset_index(drop=True)
    st.dataframe(
        versions_table.with_decimals(table, ["value"], digits) if "value" in table else table,
        hide_index=True,
        height=versions_table.height(len(shown)),
        placeholder="–",
        alt="Evaluation results of the version",
        column_config={"value": st.column_config.Column(alignment="right")},
    )


def _draw_about(registry: Registry, model: Model, version: ModelVersion, row: "pd.Series[Any]") -> None:
    extra_info = dict(version.extra_info or {})
    covers = extra_info.pop("CoverUris", None)
    fields = [*_documented_fields(version, row), *_other_fields(version, extra_info)]
    table = pd.DataFrame(
        [(one_line(name), _cell(value)) for name, value in fields], columns=["field", "value"], dtype="str"
    )
    table = table[table["value"] != ""]
    st.dataframe(table, hide_index=True, height=versions_table.height(len(table)), alt="Fields of the version")
    if version.options:
        st.caption("Options")
        st.json(_parsed_options(version.options), expanded=1)
    for label, address in (*_links(registry, model, version, row), *_cover_links(covers)):
        st.link_button(label, address)


def _documented_fields(version: ModelVersion, row: "pd.Series[Any]") -> list[tuple[str, Any]]:
    """Name and value of each field; pairs, as a label may have the name of a field."""
    return [
        ("VersionName", version.version_name),
        ("ApprovalStatus", version.approval_status),
        ("Created (UTC)", _time_text(row["created"], version.gmt_create_time)),
        ("Modified (UTC)", _time_text(row["modified"], version.gmt_modified_time)),
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


def _other_fields(version: ModelVersion, extra_info: JsonObject) -> list[tuple[str, str]]:
    """Name and value of each entry of ExtraInfo, and of each field that the documentation does not name."""
    fields = []
    words = extra_info.get("TrainedWords")
    if isinstance(words, list):
        fields.append(("TrainedWords", ", ".join(str(word) for word in words)))
    entries = {name: value for name, value in extra_info.items() if name != "TrainedWords"}
    others = [(f"ExtraInfo {name}", value) for name, value in entries.items()]
    others += (version.model_extra or {}).items()
    return fields + [(name, value if isinstance(value, str) else _json(value)) for name, value in others]


def _cover_links(covers: object) -> list[tuple[str, str]]:
    """Label and address of each cover image: pages load nothing from the hosts that its author chose."""
    addresses = [
        address for cover in (covers if isinstance(covers, list) else ()) if (address := _openable(str(cover)))
    ][:_MAX_COVERS]
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
    if uri := _openable(version.uri or ""):
        links.append((f"Open the Uri at {escape_markdown(ascii_host(uri))}", uri))
    return links


def _openable(address: str) -> str | None:
    """The address if it is safe in a link, and nothing in it is masked: it would open nothing."""
    return None if MASK in address else http_url(address)


def _draw_specs(version: ModelVersion) -> None:
    present = {name: spec for name, field in _SPECS.items() if (spec := getattr(version, field))}
    if not present:
        st.info("This version has no training, inference, evaluation, compression or distillation spec.")
    for name, spec in present.items():
        st.markdown(f"**{name}**")
        methods = _methods(name, spec)
        if methods:
            st.caption(f"{len(methods)} methods: {escape_markdown(', '.join(methods), 300)}")
        st.json(escape_invisible(spec), expanded=2)


def _methods(name: str, spec: JsonObject) -> list[str]:
    """The method names of a spec that holds several methods, an object each; empty for a single spec."""
    single = (
        {"metadata", "cloud", "containers", "storage"}
        if name == "InferenceSpec"
        else {"AlgorithmSpec", "AlgorithmName"}
    )
    several = bool(spec) and not single & spec.keys() and all(isinstance(value, dict) for value in spec.values())
    return list(spec) if several else []


def _time_text(parsed: Any, text: str | None) -> str | None:
    return text if pd.isna(parsed) else f"{parsed:%Y-%m-%d %H:%M:%S}"


def _cell(value: Any) -> str:
    return "" if pd.isna(value) else one_line(str(value), 2000)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _parsed_options(options: str) -> object:
    """Options parsed as JSON; a text that is no JSON stays as it is."""
    try:
        return escape_invisible(json.loads(options))
    except (ValueError, RecursionError):
        return {"Options": escape_invisible(options)}
