"""What the figures have in common: labels that tell categories apart, no markup of strangers, large registries."""

from paiview.figures import heatmap_figure, trend_figure
from paiview.frames import Frames, Pair, build
from tests.figures.conftest import CER, MARKUP, heatmap, texts_of, trend, version


def test_nothing_to_draw_is_an_empty_figure(frames: Frames) -> None:
    assert len(trend_figure(trend(frames)).data) == 0
    info = heatmap(frames)
    assert (info.rows, info.names, info.unknown) == ([], [], [])
    heatmap_figure(info)


def test_look_alike_names_stay_apart() -> None:
    names = ["a", "a\u200b", "a\u200c", "a\N{REPLACEMENT CHARACTER} (2)", "1.10", "1.1"]
    frames = build([version(place, name, None, {"cer": place / 10}) for place, name in enumerate(names)])
    (panel,) = trend(frames, CER).panels
    assert panel.names == ["a", "a�", "a� (3)", "a� (2)", "1.10", "1.1"]
    assert heatmap(frames, CER).names == panel.names


def test_datasets_have_their_names_and_long_ones_their_end() -> None:
    long = "oss://bucket.oss-cn-beijing.aliyuncs.com/" + "deep/" * 10 + "test.list"
    frames = build([version(0, "0.1.0", None, {"cer@d-1": 0.1, f"cer@{long}": 0.2})])
    pairs = [Pair("cer", "d-1"), Pair("cer", long)]
    info = heatmap(frames, *pairs, names={"d-1": "AISHELL & co"})
    assert info.rows == ["AISHELL &amp; co · cer", f"…{long[-43:]} · cer"]
    assert trend(frames, *pairs).panels[1].title == f"<b>…{long[-43:]}</b><br>cer ↓ lower is better"


def test_no_text_of_the_service_becomes_markup_or_a_template() -> None:
    hostile = build(
        [
            version(
                place,
                f"{MARKUP}{place}",
                MARKUP if place else "Approved",
                {f"{MARKUP}@{MARKUP}": 0.1},
                VersionDescription=MARKUP,
            )
            for place in range(2)
        ]
    )
    pair = Pair(MARKUP, MARKUP)
    names = {MARKUP: MARKUP}
    figures = [trend_figure(trend(hostile, pair, names=names)), heatmap_figure(heatmap(hostile, pair, names=names))]
    ours = {"<b>", "</b>", "<br>", "<extra></extra>"}
    for figure in figures:
        shown = texts_of(figure)
        assert any("&lt;a href" in text for text in shown)
        for text in shown:
            for tag in ours:
                text = text.replace(tag, "")  # noqa: PLW2901 - what is left is not ours
            assert "<" not in text
        for trace in figure.data:
            assert "a.example" not in (trace.hovertemplate or "")
            assert "a.example" not in (getattr(trace, "texttemplate", None) or "")


def test_a_large_registry_is_drawn() -> None:
    datasets = [f"d-{number}" for number in range(160)]
    versions = [
        version(place % 60, f"0.{place}.0", "Approved", {f"cer@{dataset}": 0.1 + place for dataset in datasets})
        for place in range(1500)
    ]
    frames = build(versions)
    pairs = [Pair("cer", dataset) for dataset in datasets]
    trends = trend(frames, *pairs)
    assert sum(len(panel.values) for panel in trends.panels) == 160 * 1500
    page = trends._replace(panels=trends.panels[:12])
    assert len(trend_figure(page).layout.annotations) == 12
    info = heatmap(frames, *pairs)
    assert info.shade.shape == (160, 1500)
    heatmap_figure(info)
