"""Decisions worked out by hand from the published families: what every door of paiview has to answer.

Each number stands here as it is published, or as the fraction it is worked out by: ``17 / 195`` is the gain from
0.0195 to 0.0178 where lower is better, in units of the last decimal. Nothing here is computed by paiview. No published
metric lacks a direction, so that a model of the tests' own, to be served with ``--data``, has the published numbers of
parameters among its metrics, under a name that says nothing.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

import pytest

from paiview.decisions.decision import Decision, Overall, State, Word
from paiview.evaluation.metric_meaning import Direction

NEWEST_APPROVED: Final = "newest approved by creation"
NEWEST_BEFORE: Final = "newest approved before the candidate"
NOTHING_SHARED: Final = "newest approved by creation, though no approved version shares a result with the candidate"
NONE_APPROVED: Final = "newest earlier version that shares a result: none before the candidate is approved"
NO_BASELINE: Final = "no baseline: no version before the candidate is approved or shares a result"
GIVEN: Final = "named"
GIVEN_ELSEWHERE: Final = "named, from another model"

_DIRECTIONS: Final[dict[str, Direction | None]] = {
    "cer": "lower",
    "cer_attention": "lower",
    "cer_attention_rescoring": "lower",
    "cer_ctc_greedy_search": "lower",
    "cer_ctc_prefix_beam_search": "lower",
    "cer_lm_attention_rescoring": "lower",
    "der": "lower",
    "fps_v100": "higher",
    "map50": "higher",
    "map50_95": "higher",
    "ms_cpu_b1": "lower",
    "ms_onnx_cpu": "lower",
    "ms_tensorrt_v100": "lower",
    "ms_v100": "lower",
    "ms_v100_b1": "lower",
    "ms_v100_b32": "lower",
    "network_breadth": None,
    "seconds_per_hour": "lower",
    "top1": "higher",
    "top5": "higher",
    "wer": "lower",
}


def _measured(name: str, created: str, status: str, results: Mapping[str, Mapping[str, float]]) -> dict[str, Any]:
    items = [{"Dataset": {"DatasetId": dataset}, "Metrics": metrics} for dataset, metrics in results.items()]
    return {
        "VersionName": name,
        "GmtCreateTime": created,
        "ApprovalStatus": status,
        "Metrics": {"Results": items},
    }


SIZES: Final = [
    _measured(
        "5.0.0_yolov5s6",
        "2021-04-11T17:23:47Z",
        "Approved",
        {
            "coco-val2017": {"map50_95": 0.433, "map50": 0.619, "ms_v100": 4.3, "network_breadth": 12_700_000},
            "coco-test-dev2017": {"map50_95": 0.433},
        },
    ),
    _measured("5.0.0_yolov5m6", "2021-04-11T17:23:48Z", "Rejected", {"coco-val2017": {"network_breadth": 35_900_000}}),
    _measured(
        "6.0.0_yolov5s6",
        "2021-10-12T06:47:18Z",
        "Rejected",
        {"coco-val2017": {"map50_95": 0.445, "map50": 0.63, "ms_cpu_b1": 385.0, "ms_v100_b1": 8.2, "ms_v100_b32": 3.6}},
    ),
    _measured("6.0.0_yolov5m6", "2021-10-12T06:47:19Z", "Rejected", {"coco-val2017": {"network_breadth": 35_700_000}}),
    _measured(
        "7.0.0_yolov5s6",
        "2022-11-22T15:23:47Z",
        "Pending",
        {
            "coco-val2017": {
                "map50_95": 0.448,
                "map50": 0.637,
                "ms_cpu_b1": 385.0,
                "ms_v100_b1": 8.2,
                "ms_v100_b32": 3.6,
                "network_breadth": 12_600_000,
            }
        },
    ),
]
"""YOLOv5 at 1280 pixels, its published parameters as the metric ``network_breadth``: versions of ``model-sizes``."""
MEANINGS: Final = {"ms_*": {"direction": "lower", "unit": "ms"}}
"""What the saved answer of ``model-sizes`` says of its metrics, as the published families do."""


def save_sizes(folder: Path) -> Path:
    """Write ``SIZES`` as a saved answer of ListModelVersions, which becomes ``model-sizes``."""
    file = folder / "sizes.json"
    file.write_text(json.dumps({"Versions": SIZES, "TotalCount": len(SIZES), "metrics": MEANINGS}), encoding="utf-8")
    return file


class Pair(NamedTuple):
    """One metric on one dataset; ``reading`` says which of gain and error reduction is the effect."""

    metric: str
    dataset: str
    baseline: float | None
    candidate: float | None
    change: float | None
    gain: float | None
    error_reduction: float | None
    reading: Literal["value", "error"] | None
    state: State

    @property
    def effect(self) -> float | None:
        return self.error_reduction if self.reading == "error" else self.gain


def _judged(
    state: State,
    metric: str,
    dataset: str,
    baseline: float,
    candidate: float,
    change: float,
    gain: float,
    error_reduction: float | None = None,
    reading: Literal["value", "error"] = "value",
) -> Pair:
    return Pair(metric, dataset, baseline, candidate, change, gain, error_reduction, reading, state)


better: Final = partial(_judged, "better")
worse: Final = partial(_judged, "worse")
same: Final = partial(_judged, "same")


def overtaken(candidate: str, newest: str, more: int) -> tuple[str, ...]:
    """What is told where versions were approved that were created after the candidate."""
    told = f"{candidate} was created before {newest} and {more} more versions, which are approved"
    return (f"{told}: it is not compared with the newest approved.",)


def unapproved(baseline: str, status: str) -> tuple[str, ...]:
    """What is told of a baseline that is not approved."""
    return (f"Baseline {baseline} is {status}: the comparison is with a version that is not approved.",)


def not_comparable(metric: str, dataset: str, baseline: float, candidate: float, change: float) -> Pair:
    """Both have a number, and the metric has no direction."""
    return Pair(metric, dataset, baseline, candidate, change, None, None, None, "not_comparable")


def missing(metric: str, baseline: Mapping[str, float]) -> tuple[Pair, ...]:
    """Only the baseline has these, dataset by dataset."""
    return tuple(
        Pair(metric, dataset, value, None, None, None, None, None, "missing") for dataset, value in baseline.items()
    )


def new(metric: str, candidate: Mapping[str, float]) -> tuple[Pair, ...]:
    """Only the candidate has these, dataset by dataset."""
    return tuple(
        Pair(metric, dataset, None, value, None, None, None, None, "new") for dataset, value in candidate.items()
    )


class Counts(NamedTuple):
    """How many pairs have each state."""

    better: int = 0
    worse: int = 0
    same: int = 0
    missing: int = 0
    new: int = 0
    not_comparable: int = 0


class Mean(NamedTuple):
    """One metric over the ``n`` datasets that both have; macro means as sum by number."""

    metric: str
    n: int
    macro_baseline: float
    macro_candidate: float
    geometric_ratio: float
    mean_gain: float | None
    disagree: bool = False
    turned_by: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Case:
    """A question, and the answer to it.

    Attributes:
        title: what it is about.
        model, candidate: whom it asks about.
        asked, asked_model: the baseline and its model, where the question names them.
        baseline, reason: the version it is compared with, and why.
        pairs: in the order of the Decision: regressions first.
        means: of each metric that both sides have on some dataset, by name.
        word, counts: the summary.
        headline: its sentences, where datasets have the names that the registry gives them.
        worst: dataset and metric of the worst pair, where one is worse.
        failed: the rules of the policy in force without a configuration that fail.
        overall: what the policy says.
        notes: what the reader should know about both sides.
        data_fingerprint: of the Metrics of both sides.
    """

    title: str
    model: str
    candidate: str
    asked: str | None = None
    asked_model: str | None = None
    baseline: str | None
    reason: str
    pairs: tuple[Pair, ...]
    means: tuple[Mean, ...]
    word: Word
    headline: tuple[str, ...]
    counts: Counts
    worst: tuple[str, str] | None = None
    failed: tuple[str, ...] = ()
    overall: Overall
    notes: tuple[str, ...] = ()
    data_fingerprint: str

    def __str__(self) -> str:
        return self.title

    @property
    def exit_code(self) -> int:
        """What ``check`` ends with."""
        return {"pass": 0, "fail": 1, "undecided": 2}[self.overall]

    def check(self, decision: Decision) -> None:
        """Compare every field of the answer.

        Raises:
            AssertionError: the decision says something else; each field that differs is named with both values.
        """
        wrong = [
            f"{name} is {told!r}, and should be {expected!r}"
            for name, told, expected in self._fields(decision)
            if told != expected
        ]
        assert not wrong, "\n".join([f"{self.title}: {self.model} {self.candidate}", *wrong])

    def _fields(self, decision: Decision) -> Iterator[tuple[str, object, object]]:
        """Each field with what the decision says and what it should say."""
        summary = decision.summary
        yield "model", decision.model, self.model
        yield "candidate", decision.candidate, self.candidate
        yield "baseline", decision.baseline, self.baseline
        yield "baseline_model", decision.baseline_model, (self.asked_model or self.model) if self.baseline else None
        yield "baseline_reason", decision.baseline_reason, self.reason
        yield "data_fingerprint", decision.data_fingerprint, self.data_fingerprint
        yield "word", summary.word, self.word
        yield "counts", Counts(**summary.model_dump(include=set(Counts._fields))), self.counts
        yield "overall", decision.overall, self.overall
        yield "notes", decision.notes, self.notes
        yield "failed", tuple(rule.rule for rule in decision.rules if rule.result == "fail"), self.failed
        yield "pairs", [(pair.metric, pair.dataset) for pair in decision.pairs], [pair[:2] for pair in self.pairs]
        for told, pair in zip(decision.pairs, self.pairs, strict=False):
            for name in Pair._fields[2:]:
                yield f"{name} of {pair[:2]}", getattr(told, name), _close(getattr(pair, name))
            yield f"effect of {pair[:2]}", told.effect, _close(pair.effect)
            yield f"direction of {pair[:2]}", told.direction, _DIRECTIONS[pair.metric]
        worst = summary.worst
        yield "worst", worst and (worst.dataset, worst.metric), self.worst
        yield "effect of worst", worst and worst.effect, _close(self.pairs[0].effect if self.worst else None)
        yield "averages", [mean.metric for mean in decision.averages], [mean.metric for mean in self.means]
        for average, mean in zip(decision.averages, self.means, strict=False):
            for name in Mean._fields[1:]:
                yield f"{name} of {mean.metric}", getattr(average, name), _close(getattr(mean, name))


def _close(value: object) -> object:
    """Numbers that were divided agree to nine digits; what was published, and zero, agree exactly."""
    return pytest.approx(value, rel=1e-9, abs=0.0) if isinstance(value, float) else value


CASES: Final = (
    Case(
        title="first version: nothing to compare with",
        # 0.1.0 is the oldest of its family, so that both of its results are new.
        model="model-funasr",
        candidate="0.1.0_paraformerbert_recipe",
        baseline=None,
        reason=NO_BASELINE,
        pairs=(*new("cer", {"aishell1-dev": 0.043, "aishell1-test": 0.048}),),
        means=(),
        word="Not comparable",
        headline=("cer: new 2",),
        counts=Counts(new=2),
        overall="undecided",
        data_fingerprint="sha256:8a95e768ae99edc026e540d9cda60e4902d4250f76ff17fa16a09c841b02c044",
    ),
    Case(
        title="an older approved version is taken where the newest approved shares nothing",
        # The newest approved, 0.3.0, was measured on SpeechIO only. On aishell1-test 0.0195 - 0.0178 = 0.0017, and 17 /
        # 195 is 8.7 % better; but 22 of the 24 datasets of 0.2.0 are not there, so nobody knows about them: no_missing
        # fails.
        model="model-funasr",
        candidate="0.7.0_paraformer_large_fine_tuned_on_aishell_1",
        baseline="0.2.0_paraformer_large_first_release",
        reason=f"{NEWEST_BEFORE} that shares a result: "
        "0.3.0_paraformer_large_first_release_lm is newer and shares none",
        pairs=(
            *missing(
                "cer",
                {
                    "aishell2-dev-ios": 0.028,
                    "aishell2-test-android": 0.0313,
                    "aishell2-test-ios": 0.0285,
                    "aishell2-test-mic": 0.0306,
                    "speechio-zh00001": 0.0049,
                    "speechio-zh00002": 0.0323,
                    "speechio-zh00003": 0.0113,
                    "speechio-zh00004": 0.0133,
                    "speechio-zh00005": 0.0141,
                    "speechio-zh00006": 0.0525,
                    "speechio-zh00007": 0.0551,
                    "speechio-zh00008": 0.0369,
                    "speechio-zh00009": 0.0302,
                    "speechio-zh00010": 0.0335,
                    "speechio-zh00011": 0.0154,
                    "speechio-zh00012": 0.0206,
                    "speechio-zh00013": 0.0257,
                    "speechio-zh00014": 0.0386,
                    "speechio-zh00015": 0.0334,
                    "wenetspeech-dev": 0.0357,
                    "wenetspeech-test-meeting": 0.0697,
                    "wenetspeech-test-net": 0.0674,
                },
            ),
            better("cer", "aishell1-test", 0.0195, 0.0178, -0.0017, 17 / 195),
            better("cer", "aishell1-dev", 0.0175, 0.0162, -0.0013, 13 / 175),
        ),
        means=(Mean("cer", 2, 0.037 / 2, 0.034 / 2, 0.9192447927571, 0.08073260073260),),
        word="Incomplete",
        headline=("cer: better on 2, missing 22",),
        counts=Counts(better=2, missing=22),
        failed=("no_missing",),
        overall="fail",
        data_fingerprint="sha256:2112de253a2158c9546d88215ad9f19e90b808c070520c3a21a76a3e604a9d3c",
    ),
    Case(
        title="no approved version shares anything",
        # Approved are 0.1.0 to 0.3.0, none of them measured on AliMeeting. The newest approved stands in, nothing is
        # judged, and its 15 datasets are missing: the policy fails.
        model="model-funasr",
        candidate="0.9.0_mfcca_paper_setting_beam_20",
        baseline="0.3.0_paraformer_large_first_release_lm",
        reason=NOTHING_SHARED,
        pairs=(
            *missing(
                "cer",
                {
                    "speechio-zh00001": 0.0035,
                    "speechio-zh00002": 0.0286,
                    "speechio-zh00003": 0.008,
                    "speechio-zh00004": 0.011,
                    "speechio-zh00005": 0.0118,
                    "speechio-zh00006": 0.0485,
                    "speechio-zh00007": 0.0497,
                    "speechio-zh00008": 0.0318,
                    "speechio-zh00009": 0.0278,
                    "speechio-zh00010": 0.0299,
                    "speechio-zh00011": 0.0125,
                    "speechio-zh00012": 0.0168,
                    "speechio-zh00013": 0.0225,
                    "speechio-zh00014": 0.0308,
                    "speechio-zh00015": 0.0267,
                },
            ),
            *new("cer", {"alimeeting-eval": 0.161, "alimeeting-test": 0.175}),
        ),
        means=(),
        word="Not comparable",
        headline=("cer: missing 15, new 2",),
        counts=Counts(missing=15, new=2),
        failed=("no_missing",),
        overall="fail",
        data_fingerprint="sha256:39c9ddd99aa22f91ebcdce53cd111ece0b3d98f0134a153a92ceabe27bccde4f",
    ),
    Case(
        title="a later version as baseline by hand",
        # 0.10.0 came a second after 0.9.0. 0.171 - 0.161 = 0.01, and 10 / 171 is 5.8 % better; by hand it may be a
        # baseline.
        model="model-funasr",
        candidate="0.9.0_mfcca_paper_setting_beam_20",
        asked="0.10.0_mfcca_separator_kept_beam_10",
        baseline="0.10.0_mfcca_separator_kept_beam_10",
        reason=f"{GIVEN}; the rules choose 0.3.0_paraformer_large_first_release_lm",
        pairs=(
            better("cer", "alimeeting-test", 0.186, 0.175, -0.011, 11 / 186),
            better("cer", "alimeeting-eval", 0.171, 0.161, -0.01, 10 / 171),
        ),
        means=(Mean("cer", 2, 0.357 / 2, 0.336 / 2, 0.9411902835484, 0.05880965855499),),
        word="Better",
        headline=("cer: better on 2",),
        counts=Counts(better=2),
        overall="pass",
        notes=unapproved("0.10.0_mfcca_separator_kept_beam_10", "Pending"),
        data_fingerprint="sha256:1f7ab3b24aae65f3a9fda4f2c1c8f2dc90b8d97dee79bb0f92717fcff52db63b",
    ),
    Case(
        title="only the mean gain names another winner",
        # The macro mean falls from 0.208 / 2 to 0.2039 / 2: better. The product of the ratios, 995 / 880 * 1044 / 1200,
        # is 0.984: better. But (156 / 1200 - 115 / 880) / 2 = (0.13 - 0.1307) / 2 is below zero: worse, and without
        # internal-common better.
        model="model-funasr",
        candidate="0.30.0_paraformer_large_sichuan_full_tuning_300_h",
        asked="0.27.0_paraformer_large_sichuan_full_tuning_50_h",
        baseline="0.27.0_paraformer_large_sichuan_full_tuning_50_h",
        reason=f"{GIVEN}; the rules choose 0.3.0_paraformer_large_first_release_lm",
        pairs=(
            worse("cer", "internal-common", 0.088, 0.0995, 0.0115, -115 / 880),
            better("cer", "internal-sichuan", 0.12, 0.1044, -0.0156, 156 / 1200),
        ),
        means=(
            Mean(
                "cer",
                2,
                0.208 / 2,
                0.2039 / 2,
                0.9918130780637,
                -0.0003409090909091,
                disagree=True,
                turned_by=("internal-common",),
            ),
        ),
        word="Trade-off",
        headline=("cer: better on 1, worse on 1 (internal common Mandarin set −13.1 %)",),
        counts=Counts(better=1, worse=1),
        worst=("internal-common", "cer"),
        failed=("no_regression",),
        overall="fail",
        notes=unapproved("0.27.0_paraformer_large_sichuan_full_tuning_50_h", "Pending"),
        data_fingerprint="sha256:c8db40a4c6dcd37496061f60d5e5c3df874b21964dfec9659c410727d287d013",
    ),
    Case(
        title="better on all that is shared, and four new datasets",
        # 0.215 - 0.126 = 0.089: 89 / 215 is 41 % better. Of 1.1.0 nothing is missing; what is new improves nothing.
        model="model-pyannotediarization",
        candidate="2.0.0",
        baseline="1.1.0",
        reason=NEWEST_BEFORE,
        pairs=(
            better("der", "voxconverse-0.3", 0.215, 0.126, -0.089, 89 / 215),
            better("der", "ami-ihm", 0.297, 0.182, -0.115, 115 / 297),
            better("der", "dihard-3-full", 0.292, 0.21, -0.082, 82 / 292),
            *new("der", {"aishell-4": 0.146, "ami-sdm": 0.29, "callhome-part2": 0.302, "repere-phase2": 0.126}),
        ),
        means=(Mean("der", 3, 0.804 / 3, 0.518 / 3, 0.6368363175067, 0.3606602644619),),
        word="Better",
        headline=("der: better on 3, new 4",),
        counts=Counts(better=3, new=4),
        overall="pass",
        data_fingerprint="sha256:490a4c4aebd2672e9e121983e957a29169a50cfee202dbe2c11ed7abc676a5d7",
    ),
    Case(
        title="trade-off whose means name different winners",
        # Better on 4, worse on 3. The macro mean rises by 0.006 / 7: worse. The mean gain is (5/146 - 7/182 + 19/290 -
        # 22/302 - 59/210 + 44/126 + 14/126) / 7 = +2.4 %: better. Without repere-phase2 (+34.9 %) the other six gains
        # sum to -18.1 %, so that it turns the answer.
        model="model-pyannotediarization",
        candidate="2.1.0",
        baseline="2.0.0",
        reason=NEWEST_BEFORE,
        pairs=(
            worse("der", "dihard-3-full", 0.21, 0.269, 0.059, -59 / 210),
            worse("der", "callhome-part2", 0.302, 0.324, 0.022, -22 / 302),
            worse("der", "ami-ihm", 0.182, 0.189, 0.007, -7 / 182),
            better("der", "repere-phase2", 0.126, 0.082, -0.044, 44 / 126),
            better("der", "voxconverse-0.3", 0.126, 0.112, -0.014, 14 / 126),
            better("der", "ami-sdm", 0.29, 0.271, -0.019, 19 / 290),
            better("der", "aishell-4", 0.146, 0.141, -0.005, 5 / 146),
            *new("der", {"alimeeting-ch1": 0.274, "this-american-life": 0.208}),
        ),
        means=(
            Mean(
                "der",
                7,
                1.382 / 7,
                1.388 / 7,
                0.9588295289557,
                0.02397423935802,
                disagree=True,
                turned_by=("repere-phase2",),
            ),
        ),
        word="Trade-off",
        headline=("der: better on 4, worse on 3 (DIHARD 3 (full) −28.1 %), new 2",),
        counts=Counts(better=4, worse=3, new=2),
        worst=("dihard-3-full", "der"),
        failed=("no_regression",),
        overall="fail",
        data_fingerprint="sha256:dcfabfd06fabae092ac5bd31232e904f7aeb87e5b9b2b2d42b634860fefb5370",
    ),
    Case(
        title="all states but one, and one dataset decides",
        # dihard-3-full: 2 / 219 is 0.91 %, within one percent: same. The gains sum to 11.7 %, of which aishell-4 is
        # 15.2 %.
        model="model-pyannotediarization",
        candidate="3.0.0",
        baseline="2.1.0_finetuned",
        reason=NEWEST_BEFORE,
        pairs=(
            worse("der", "voxconverse-0.3", 0.107, 0.113, 0.006, -6 / 107),
            worse("der", "ami-ihm", 0.185, 0.19, 0.005, -5 / 185),
            worse("der", "alimeeting-ch1", 0.238, 0.243, 0.005, -5 / 238),
            *missing("der", {"callhome-part2": 0.293, "this-american-life": 0.152}),
            better("der", "aishell-4", 0.145, 0.123, -0.022, 22 / 145),
            better("der", "repere-phase2", 0.083, 0.078, -0.005, 5 / 83),
            same("der", "ami-sdm", 0.222, 0.222, 0.0, 0.0),
            same("der", "dihard-3-full", 0.219, 0.217, -0.002, 2 / 219),
            *new("der", {"ava-avd": 0.491, "msdwild": 0.246}),
        ),
        means=(Mean("der", 7, 1.199 / 7, 1.186 / 7, 0.9810619720760, 0.01671247501918, turned_by=("aishell-4",)),),
        word="Trade-off",
        headline=("der: better on 2, worse on 3 (VoxConverse (v0.3) −5.6 %), same on 2, missing 2, new 2",),
        counts=Counts(better=2, worse=3, same=2, missing=2, new=2),
        worst=("voxconverse-0.3", "der"),
        failed=("no_regression", "no_missing"),
        overall="fail",
        data_fingerprint="sha256:0dc06be3cd9047f96f83a9961c17b6cd4f31574d6bd1fc535097eae1a2b03c0c",
    ),
    Case(
        title="the order is that of time: 0.1.0_service came after 3.0.0",
        # Published in one README, 3.0.0 first: the baseline has the higher number. 47 / 217 is 21.7 % better.
        model="model-pyannotediarization",
        candidate="0.1.0_service",
        baseline="3.0.0",
        reason=NEWEST_BEFORE,
        pairs=(
            better("der", "dihard-3-full", 0.217, 0.17, -0.047, 47 / 217),
            better("der", "alimeeting-ch1", 0.243, 0.194, -0.049, 49 / 243),
            better("der", "msdwild", 0.246, 0.204, -0.042, 42 / 246),
            better("der", "voxconverse-0.3", 0.113, 0.095, -0.018, 18 / 113),
            better("der", "ava-avd", 0.491, 0.427, -0.064, 64 / 491),
            better("der", "ami-ihm", 0.19, 0.167, -0.023, 23 / 190),
            better("der", "ami-sdm", 0.222, 0.201, -0.021, 21 / 222),
            same("der", "aishell-4", 0.123, 0.123, 0.0, 0.0),
            same("der", "repere-phase2", 0.078, 0.078, 0.0, 0.0),
        ),
        means=(Mean("der", 9, 1.923 / 9, 1.659 / 9, 0.8753593113749, 0.1215836837060),),
        word="Better",
        headline=("der: better on 7, same on 2",),
        counts=Counts(better=7, same=2),
        overall="pass",
        data_fingerprint="sha256:e48cae57f3682332579ee367ff9c93748613bb30cd3af153cb5bde9db7202cf5",
    ),
    Case(
        title="changes just within and just beyond one percent",
        # 1 / 167 is 0.6 %: same. 1 / 95 is 1.05 %: better. 2 / 170 is 1.18 %: worse. 0.1.0_service stays the newest
        # approved, past three rejected ones. The macro mean falls by 0.002 / 9 (better), the mean gain is -0.4 %
        # (worse).
        model="model-pyannotediarization",
        candidate="0.1.0_service_r2",
        baseline="0.1.0_service",
        reason=NEWEST_BEFORE,
        pairs=(
            worse("der", "alimeeting-ch1", 0.194, 0.225, 0.031, -31 / 194),
            worse("der", "ami-sdm", 0.201, 0.209, 0.008, -8 / 201),
            worse("der", "dihard-3-full", 0.17, 0.172, 0.002, -2 / 170),
            better("der", "ava-avd", 0.427, 0.398, -0.029, 29 / 427),
            better("der", "aishell-4", 0.123, 0.119, -0.004, 4 / 123),
            better("der", "msdwild", 0.204, 0.198, -0.006, 6 / 204),
            better("der", "repere-phase2", 0.078, 0.076, -0.002, 2 / 78),
            better("der", "voxconverse-0.3", 0.095, 0.094, -0.001, 1 / 95),
            same("der", "ami-ihm", 0.167, 0.166, -0.001, 1 / 167),
            *new("der", {"callhome-part2": 0.222, "earnings21": 0.09, "ego4d-dev": 0.438, "ramc": 0.184}),
        ),
        means=(
            Mean(
                "der",
                9,
                1.659 / 9,
                1.657 / 9,
                1.002576443748,
                -0.004372929909109,
                disagree=True,
                turned_by=("alimeeting-ch1", "ami-sdm"),
            ),
        ),
        word="Trade-off",
        headline=("der: better on 5, worse on 3 (AliMeeting (channel 1) −16.0 %), same on 1, new 4",),
        counts=Counts(better=5, worse=3, same=1, new=4),
        worst=("alimeeting-ch1", "der"),
        failed=("no_regression",),
        overall="fail",
        notes=overtaken("0.1.0_service_r2", "2.0.0_precision", 2),
        data_fingerprint="sha256:4b931bb430cf870747b9851407cc8faac44888754c05239f316f38fa506c2b81",
    ),
    Case(
        title="worse everywhere, in two units",
        # Seconds a hour are judged like errors: lower is better, 37 - 14 = 23, and 23 / 14 is 164 % worse. The two
        # metrics have means of their own.
        model="model-pyannotediarization",
        candidate="4.0.0_community_1_r2",
        baseline="2.0.0_precision",
        reason=NEWEST_APPROVED,
        pairs=(
            worse("seconds_per_hour", "dihard-3-full", 14.0, 37.0, 23.0, -23 / 14),
            worse("seconds_per_hour", "ami-ihm", 14.0, 31.0, 17.0, -17 / 14),
            worse("der", "ramc", 0.105, 0.208, 0.103, -103 / 105),
            worse("der", "callhome-part2", 0.166, 0.267, 0.101, -101 / 166),
            worse("der", "dihard-3-full", 0.147, 0.202, 0.055, -55 / 147),
            worse("der", "alimeeting-ch1", 0.152, 0.203, 0.051, -51 / 152),
            worse("der", "msdwild", 0.173, 0.228, 0.055, -55 / 173),
            worse("der", "ami-ihm", 0.129, 0.17, 0.041, -41 / 129),
            worse("der", "voxconverse-0.3", 0.085, 0.112, 0.027, -27 / 85),
            worse("der", "ami-sdm", 0.156, 0.199, 0.043, -43 / 156),
            worse("der", "repere-phase2", 0.074, 0.089, 0.015, -15 / 74),
            worse("der", "ava-avd", 0.371, 0.446, 0.075, -75 / 371),
            worse("der", "ego4d-dev", 0.39, 0.468, 0.078, -78 / 390),
            worse("der", "aishell-4", 0.114, 0.117, 0.003, -3 / 114),
        ),
        means=(
            Mean("der", 12, 2.062 / 12, 2.709 / 12, 1.329132853502, -0.3466061279106),
            Mean("seconds_per_hour", 2, 28.0 / 2, 68.0 / 2, 2.419099174554, -1.428571428571),
        ),
        word="Worse",
        headline=(
            "seconds_per_hour: worse on 2 (DIHARD 3 (full) −164.3 %)",
            "der: worse on 12 (RAMC −98.1 %)",
        ),
        counts=Counts(worse=14),
        worst=("dihard-3-full", "seconds_per_hour"),
        failed=("no_regression",),
        overall="fail",
        data_fingerprint="sha256:c8259abcc1dd1dcad1375d9ccb72bee7ab2cc020743b650b3ed660aa18fbb5c9",
    ),
    Case(
        title="accuracies near 1 are read as errors",
        # top1 on imagenet-1k-val: 0.88576 - 0.8838 = 0.00196, as a value 196 / 88380 = 0.2 % (the same), as errors 196
        # / (100000 - 88380) = 1.7 % fewer: better. Five more pairs are judged only through their errors, among them the
        # one that is worse: 269 / 79166 = 0.3 %, but 269 / 20834 = 1.3 % more errors.
        model="model-timm",
        candidate="0.8.3_beit_large_patch16_512_in22k_ft_in22k_in1k",
        baseline="0.8.3_beit_large_patch16_384_in22k_ft_in22k_in1k",
        reason=NEWEST_BEFORE,
        pairs=(
            worse("top5", "imagenet-sketch", 0.79166, 0.78897, -0.00269, -269 / 79166, -269 / 20834, reading="error"),
            better("top5", "imagenet-a", 0.94733, 0.9572, 0.00987, 987 / 94733, 987 / 5267, reading="error"),
            better("top1", "imagenet-a", 0.80173, 0.8296, 0.02787, 2787 / 80173, 2787 / 19827, reading="error"),
            better("top5", "imagenetv2-mf", 0.956, 0.9586, 0.0026, 26 / 9560, 26 / 440, reading="error"),
            better("top5", "imagenet-1k-val", 0.98604, 0.98656, 0.00052, 52 / 98604, 52 / 1396, reading="error"),
            better("top1", "imagenetv2-mf", 0.8027, 0.8082, 0.0055, 55 / 8027, 55 / 1973, reading="error"),
            better("top1", "imagenet-1k-val", 0.8838, 0.88576, 0.00196, 196 / 88380, 196 / 11620, reading="error"),
            better("top1", "imagenet-real", 0.90599, 0.90715, 0.00116, 116 / 90599, 116 / 9401, reading="error"),
            same("top1", "imagenet-r", 0.73187, 0.73047, -0.0014, -140 / 73187, -140 / 26813, reading="error"),
            same("top1", "imagenet-sketch", 0.56979, 0.56796, -0.00183, -183 / 56979, -183 / 43021, reading="error"),
            same("top5", "imagenet-r", 0.84807, 0.84937, 0.0013, 130 / 84807, 130 / 15193, reading="error"),
            same("top5", "imagenet-real", 0.98772, 0.9877, -0.00002, -2 / 98772, -2 / 1228, reading="error"),
        ),
        means=(
            Mean("top1", 6, 4.69588 / 6, 4.72914 / 6, 1.006582141478, 0.006664607904696),
            Mean("top5", 6, 5.51682 / 6, 5.5284 / 6, 1.001954542922, 0.001963417240747),
        ),
        word="Trade-off",
        headline=(
            "top5: better on 3, worse on 1 (ImageNet-Sketch −1.3 % read as errors), same on 2",
            "top1: better on 4, same on 2",
        ),
        counts=Counts(better=7, worse=1, same=4),
        worst=("imagenet-sketch", "top5"),
        failed=("no_regression",),
        overall="fail",
        data_fingerprint="sha256:8841d7f8016edfe7989ec2279a37125d973f914e1901ce1372b0d989f674281a",
    ),
    Case(
        title="a dataset the candidate lacks beside regressions",
        # resnet50.tv_in1k has no ImageNet-A. top5 on imagenet-r: 1 - 0.97177 = 0.02823 errors become 0.4713, 0.44307
        # more: 44307 / 2823 is 1570 % more errors.
        model="model-timm",
        candidate="0.9.3_resnet50_tv_in1k",
        baseline="0.9.3_eva02_large_patch14_448_mim_m38m_ft_in22k_in1k",
        reason=NEWEST_APPROVED,
        pairs=(
            worse("top5", "imagenet-r", 0.97177, 0.5287, -0.44307, -44307 / 97177, -44307 / 2823, reading="error"),
            worse("top5", "imagenet-1k-val", 0.99054, 0.92866, -0.06188, -6188 / 99054, -6188 / 946, reading="error"),
            worse("top1", "imagenet-r", 0.90243, 0.36157, -0.54086, -54086 / 90243, -54086 / 9757, reading="error"),
            worse(
                "top5", "imagenet-sketch", 0.89835, 0.41329, -0.48506, -48506 / 89835, -48506 / 10165, reading="error"
            ),
            worse("top5", "imagenetv2-mf", 0.9655, 0.8464, -0.1191, -1191 / 9655, -1191 / 345, reading="error"),
            worse("top5", "imagenet-real", 0.98725, 0.95474, -0.03251, -3251 / 98725, -3251 / 1275, reading="error"),
            worse(
                "top1", "imagenet-sketch", 0.70668, 0.24064, -0.46604, -46604 / 70668, -46604 / 29332, reading="error"
            ),
            worse("top1", "imagenet-1k-val", 0.90056, 0.76156, -0.139, -13900 / 90056, -13900 / 9944, reading="error"),
            worse("top1", "imagenetv2-mf", 0.8271, 0.6319, -0.1952, -1952 / 8271, -1952 / 1729, reading="error"),
            worse("top1", "imagenet-real", 0.91144, 0.82969, -0.08175, -8175 / 91144, -8175 / 8856, reading="error"),
            *missing("top1", {"imagenet-a": 0.88627}),
            *missing("top5", {"imagenet-a": 0.9736}),
        ),
        means=(
            Mean("top1", 5, 4.24821 / 5, 2.82536 / 5, 0.6037799571856, -0.3477724851389),
            Mean("top5", 5, 4.81341 / 5, 3.67179 / 5, 0.7240094660325, -0.2429286563028),
        ),
        word="Worse",
        headline=(
            "top5: worse on 5 (ImageNet-R −1569.5 % read as errors), missing 1",
            "top1: worse on 5 (ImageNet-R −554.3 % read as errors), missing 1",
        ),
        counts=Counts(worse=10, missing=2),
        worst=("imagenet-r", "top5"),
        failed=("no_regression", "no_missing"),
        overall="fail",
        data_fingerprint="sha256:37a4bac2b011fe564262525e08cbc09a40779940756f9dcb404ffd7d70bf76fa",
    ),
    Case(
        title="only the geometric mean names another winner",
        # top1: the macro mean rises by 0.04739 / 6, and the mean gain is 0.5 %: better. But of the six ratios the 0.808
        # of imagenet-a weighs more as a factor than as a summand, and their product is 0.996: worse. imagenet-a, far
        # below one half, is read as a value: 1614 / 8387 is more than 1614 / 91613.
        model="model-timm",
        candidate="0.8.3_convnext_femto_d1_in1k_224px",
        asked="0.8.3_convnext_atto_ols_a2_in1k_288px",
        baseline="0.8.3_convnext_atto_ols_a2_in1k_288px",
        reason=f"{GIVEN}; the rules choose 0.8.3_beit_large_patch16_512_in22k_ft_in22k_in1k",
        pairs=(
            worse("top1", "imagenet-a", 0.08387, 0.06773, -0.01614, -1614 / 8387, -1614 / 91613),
            worse("top5", "imagenet-real", 0.96236, 0.96191, -0.00045, -45 / 96236, -45 / 3764, reading="error"),
            better("top1", "imagenet-sketch", 0.23137, 0.26387, 0.0325, 3250 / 23137, 3250 / 76863),
            better("top5", "imagenet-sketch", 0.40901, 0.44839, 0.03938, 3938 / 40901, 3938 / 59099),
            better("top1", "imagenet-r", 0.3556, 0.38217, 0.02657, 2657 / 35560, 2657 / 64440),
            better("top5", "imagenet-r", 0.51457, 0.5471, 0.03253, 3253 / 51457, 3253 / 48543, reading="error"),
            better("top5", "imagenetv2-mf", 0.8627, 0.8657, 0.003, 30 / 8627, 30 / 1373, reading="error"),
            better("top1", "imagenet-1k-val", 0.7722, 0.77498, 0.00278, 278 / 77220, 278 / 22780, reading="error"),
            same("top1", "imagenet-real", 0.84209, 0.84107, -0.00102, -102 / 84209, -102 / 15791, reading="error"),
            same("top1", "imagenetv2-mf", 0.6555, 0.6582, 0.0027, 27 / 6555, 27 / 3445, reading="error"),
            same("top5", "imagenet-1k-val", 0.937, 0.93678, -0.00022, -22 / 93700, -22 / 6300, reading="error"),
            same("top5", "imagenet-a", 0.34787, 0.35067, 0.0028, 280 / 34787, 280 / 65213),
        ),
        means=(
            Mean(
                "top1",
                6,
                2.94063 / 6,
                2.98802 / 6,
                0.9993753330509,
                0.004875596190777,
                disagree=True,
                turned_by=("imagenet-r", "imagenet-sketch"),
            ),
            Mean("top5", 6, 4.03351 / 6, 4.11055 / 6, 1.027711932850, 0.02838719047160),
        ),
        word="Trade-off",
        headline=(
            "top1: better on 3, worse on 1 (ImageNet-A −19.2 %), same on 2",
            "top5: better on 3, worse on 1 (ImageNet ReaL −1.2 % read as errors), same on 2",
        ),
        counts=Counts(better=6, worse=2, same=4),
        worst=("imagenet-a", "top1"),
        failed=("no_regression",),
        overall="fail",
        notes=unapproved("0.8.3_convnext_atto_ols_a2_in1k_288px", "Rejected")
        + overtaken("0.8.3_convnext_femto_d1_in1k_224px", "0.9.3_eva02_large_patch14_448_mim_m38m_ft_in22k_in1k", 3),
        data_fingerprint="sha256:e22a7bf3020842c4e27039c1f6a28cf5d0320c7daa75561df46478bba75a006d",
    ),
    Case(
        title="none is approved: the newest earlier one",
        # 0.1171 - 0.1007 = 0.0164, and 164 / 1171 is 14 % better.
        model="model-wenetmandarin",
        candidate="0.2.0",
        baseline="0.1.0",
        reason=NONE_APPROVED,
        pairs=(better("cer_attention", "aishell1-test", 0.1171, 0.1007, -0.0164, 164 / 1171),),
        means=(Mean("cer_attention", 1, 0.1171, 0.1007, 0.8599487617421, 0.1400512382579),),
        word="Better",
        headline=("cer_attention: better on 1",),
        counts=Counts(better=1),
        overall="pass",
        notes=unapproved("0.1.0", "Pending") + overtaken("0.2.0", "0.58.0", 5),
        data_fingerprint="sha256:52db000714e00debc3c2876cabb3f5734d93e642bed2e002ead1be7d5a9db760",
    ),
    Case(
        title="exactly one percent is within tolerance",
        # cer_attention_rescoring: 0.0505 - 0.05 = 0.0005, and 5 / 500 is exactly 1 %: the same. In binary floating
        # point it is more than 0.01. The baseline is newer by three years: by hand it may be.
        model="model-wenetmandarin",
        candidate="0.22.0",
        asked="0.94.0",
        baseline="0.94.0",
        reason=f"{GIVEN}; the rules choose 0.12.0",
        pairs=(
            worse("cer_attention", "aishell1-test", 0.0278, 0.054, 0.0262, -262 / 278),
            better("cer_ctc_greedy_search", "aishell1-test", 0.0689, 0.0556, -0.0133, 133 / 689),
            better("cer_ctc_prefix_beam_search", "aishell1-test", 0.0686, 0.0557, -0.0129, 129 / 686),
            same("cer_attention_rescoring", "aishell1-test", 0.05, 0.0505, 0.0005, -5 / 500),
            *new(
                "cer_attention",
                {"aishell1-test/chunk-16": 0.056, "aishell1-test/chunk-4": 0.0586, "aishell1-test/chunk-8": 0.0574},
            ),
            *new(
                "cer_attention_rescoring",
                {"aishell1-test/chunk-16": 0.0545, "aishell1-test/chunk-4": 0.0591, "aishell1-test/chunk-8": 0.0569},
            ),
            *new(
                "cer_ctc_greedy_search",
                {"aishell1-test/chunk-16": 0.0629, "aishell1-test/chunk-4": 0.071, "aishell1-test/chunk-8": 0.0668},
            ),
            *new(
                "cer_ctc_prefix_beam_search",
                {"aishell1-test/chunk-16": 0.063, "aishell1-test/chunk-4": 0.071, "aishell1-test/chunk-8": 0.0667},
            ),
            *new(
                "cer_lm_attention_rescoring",
                {
                    "aishell1-test": 0.0473,
                    "aishell1-test/chunk-16": 0.0508,
                    "aishell1-test/chunk-4": 0.0538,
                    "aishell1-test/chunk-8": 0.0522,
                },
            ),
        ),
        means=(
            Mean("cer_attention", 1, 0.0278, 0.054, 1.942446043165, -0.9424460431655),
            Mean("cer_attention_rescoring", 1, 0.05, 0.0505, 1.010000000000, -0.01000000000000),
            Mean("cer_ctc_greedy_search", 1, 0.0689, 0.0556, 0.8069666182874, 0.1930333817126),
            Mean("cer_ctc_prefix_beam_search", 1, 0.0686, 0.0557, 0.8119533527697, 0.1880466472303),
        ),
        word="Trade-off",
        headline=(
            "cer_attention: worse on 1 (AISHELL-1 test −94.2 %), new 3",
            "cer_attention_rescoring: same on 1, new 3",
            "cer_ctc_prefix_beam_search: better on 1, new 3",
            "cer_ctc_greedy_search: better on 1, new 3",
            "cer_lm_attention_rescoring: new 4",
        ),
        counts=Counts(better=2, worse=1, same=1, new=16),
        worst=("aishell1-test", "cer_attention"),
        failed=("no_regression",),
        overall="fail",
        notes=unapproved("0.94.0", "Rejected") + overtaken("0.22.0", "0.58.0", 3),
        data_fingerprint="sha256:479518546e199f2365499f9debd01f41547a11ac3f94f90d2cfb722b144f7f45",
    ),
    Case(
        title="trade-off between decoding modes",
        # Each decoding mode is a metric. 0.0518 - 0.0497 = 0.0021, and 21 / 497 is 4.2 % worse; 9 / 470 is 1.9 %
        # better.
        model="model-wenetmandarin",
        candidate="0.24.0",
        baseline="0.12.0",
        reason=NEWEST_BEFORE,
        pairs=(
            worse("cer_attention", "aishell1-test", 0.0497, 0.0518, 0.0021, -21 / 497),
            better("cer_attention_rescoring", "aishell1-test", 0.047, 0.0461, -0.0009, 9 / 470),
            same("cer_ctc_greedy_search", "aishell1-test", 0.0493, 0.0494, 0.0001, -1 / 493),
            same("cer_ctc_prefix_beam_search", "aishell1-test", 0.0493, 0.0494, 0.0001, -1 / 493),
            *new("cer_lm_attention_rescoring", {"aishell1-test": 0.0436}),
        ),
        means=(
            Mean("cer_attention", 1, 0.0497, 0.0518, 1.042253521127, -0.04225352112676),
            Mean("cer_attention_rescoring", 1, 0.047, 0.0461, 0.9808510638298, 0.01914893617021),
            Mean("cer_ctc_greedy_search", 1, 0.0493, 0.0494, 1.002028397566, -0.002028397565923),
            Mean("cer_ctc_prefix_beam_search", 1, 0.0493, 0.0494, 1.002028397566, -0.002028397565923),
        ),
        word="Trade-off",
        headline=(
            "cer_attention: worse on 1 (AISHELL-1 test −4.2 %)",
            "cer_ctc_greedy_search: same on 1",
            "cer_ctc_prefix_beam_search: same on 1",
            "cer_attention_rescoring: better on 1",
            "cer_lm_attention_rescoring: new 1",
        ),
        counts=Counts(better=1, worse=1, same=2, new=1),
        worst=("aishell1-test", "cer_attention"),
        failed=("no_regression",),
        overall="fail",
        data_fingerprint="sha256:6615a7d92717c274beb69b20da07ba1b06492bb5731947a5b80b887b71c54b00",
    ),
    Case(
        title="one regression among twenty-one",
        # switchboard: 0.157 - 0.152 = 0.005, and 5 / 152 is 3.3 % worse. One suffices.
        model="model-whisper",
        candidate="1.0.0_small_en",
        baseline="1.0.0_base_en",
        reason=NEWEST_BEFORE,
        pairs=(
            worse("wer", "switchboard", 0.152, 0.157, 0.005, -5 / 152),
            better("wer", "meanwhile", 0.094, 0.06, -0.034, 34 / 94),
            better("wer", "common-voice-5.1-en", 0.19, 0.131, -0.059, 59 / 190),
            better("wer", "wsj", 0.046, 0.033, -0.013, 13 / 46),
            better("wer", "artie", 0.134, 0.097, -0.037, 37 / 134),
            better("wer", "librispeech-test-other", 0.102, 0.074, -0.028, 28 / 102),
            better("wer", "librispeech-test-clean", 0.042, 0.031, -0.011, 11 / 42),
            better("wer", "chime6", 0.364, 0.276, -0.088, 88 / 364),
            better("wer", "fleurs-en", 0.076, 0.06, -0.016, 16 / 76),
            better("wer", "voxpopuli-en", 0.1, 0.081, -0.019, 19 / 100),
            better("wer", "ami-sdm1", 0.467, 0.38, -0.087, 87 / 467),
            better("wer", "tedlium3", 0.049, 0.04, -0.009, 9 / 49),
            better("wer", "kincaid46", 0.112, 0.094, -0.018, 18 / 112),
            better("wer", "earnings-22", 0.166, 0.14, -0.026, 26 / 166),
            better("wer", "ami-ihm", 0.205, 0.175, -0.03, 30 / 205),
            better("wer", "earnings-21", 0.125, 0.108, -0.017, 17 / 125),
            better("wer", "coraal-long", 0.252, 0.219, -0.033, 33 / 252),
            better("wer", "callhome", 0.209, 0.182, -0.027, 27 / 209),
            better("wer", "coraal", 0.226, 0.202, -0.024, 24 / 226),
            better("wer", "rev16", 0.132, 0.12, -0.012, 12 / 132),
            same("wer", "tedlium3-long", 0.046, 0.046, 0.0, 0.0),
        ),
        means=(Mean("wer", 21, 3.289 / 21, 2.706 / 21, 0.8133896770964, 0.1811264248271),),
        word="Trade-off",
        headline=("wer: better on 19, worse on 1 (Switchboard −3.3 %), same on 1",),
        counts=Counts(better=19, worse=1, same=1),
        worst=("switchboard", "wer"),
        failed=("no_regression",),
        overall="fail",
        data_fingerprint="sha256:0c50393c4b7ee49ab2f54691ba92349ef697069a23cb295e06847d8cf709969e",
    ),
    Case(
        title="better, with one gain that only errors show",
        # map50: 5 / 669 is 0.7 % of the value, 5 / (1000 - 669) = 1.5 % fewer errors: better. map50_95 below one half
        # is read as a value: 6 / 484 is more than 6 / 516. Frames a second exceed 1, so that they are never read as
        # errors.
        model="model-yolov5",
        candidate="2.0.0_yolov5x",
        baseline="1.0.0_yolov5x",
        reason=NEWEST_BEFORE,
        pairs=(
            better("map50", "coco-val2017", 0.669, 0.674, 0.005, 5 / 669, 5 / 331, reading="error"),
            better("map50_95", "coco-test-dev2017", 0.484, 0.49, 0.006, 6 / 484, 6 / 516),
            better("map50_95", "coco-val2017", 0.484, 0.49, 0.006, 6 / 484, 6 / 516),
            same("fps_v100", "coco-val2017", 164.0, 164.0, 0.0, 0.0),
            same("ms_v100", "coco-val2017", 6.1, 6.1, 0.0, 0.0),
        ),
        means=(
            Mean("fps_v100", 1, 164.0, 164.0, 1.0, 0.0),
            Mean("map50", 1, 0.669, 0.674, 1.007473841555, 0.007473841554559),
            Mean("map50_95", 2, 0.968 / 2, 0.98 / 2, 1.012396694215, 0.01239669421488),
            Mean("ms_v100", 1, 6.1, 6.1, 1.0, 0.0),
        ),
        word="Better",
        headline=(
            "fps_v100: same on 1",
            "ms_v100: same on 1",
            "map50_95: better on 2",
            "map50: better on 1",
        ),
        counts=Counts(better=3, same=2),
        overall="pass",
        data_fingerprint="sha256:e44ee1be6d14afc872bd9a564f989003c3628f95251ebbd42c35080971aed627",
    ),
    Case(
        title="slower and no more accurate",
        # 8 / 61 is 13 % slower, and 19 / 164 is 12 % fewer frames. map50: 3 / 674 = 0.4 %, 3 / 326 = 0.9 % fewer
        # errors: same.
        model="model-yolov5",
        candidate="3.1.0_yolov5x",
        baseline="2.0.0_yolov5x",
        reason=NEWEST_BEFORE,
        pairs=(
            worse("ms_v100", "coco-val2017", 6.1, 6.9, 0.8, -8 / 61),
            worse("fps_v100", "coco-val2017", 164.0, 145.0, -19.0, -19 / 164),
            same("map50", "coco-val2017", 0.674, 0.677, 0.003, 3 / 674, 3 / 326, reading="error"),
            same("map50_95", "coco-test-dev2017", 0.49, 0.492, 0.002, 2 / 490, 2 / 510),
            same("map50_95", "coco-val2017", 0.49, 0.492, 0.002, 2 / 490, 2 / 510),
        ),
        means=(
            Mean("fps_v100", 1, 164.0, 145.0, 0.8841463414634, -0.1158536585366),
            Mean("map50", 1, 0.674, 0.677, 1.004451038576, 0.004451038575668),
            Mean("map50_95", 2, 0.98 / 2, 0.984 / 2, 1.004081632653, 0.004081632653061),
            Mean("ms_v100", 1, 6.1, 6.9, 1.131147540984, -0.1311475409836),
        ),
        word="Worse",
        headline=(
            "ms_v100: worse on 1 (COCO val2017 −13.1 %)",
            "fps_v100: worse on 1 (COCO val2017 −11.6 %)",
            "map50_95: same on 2",
            "map50: same on 1",
        ),
        counts=Counts(worse=2, same=3),
        worst=("coco-val2017", "ms_v100"),
        failed=("no_regression",),
        overall="fail",
        data_fingerprint="sha256:0ceecc14d3a8b34b46ec3f52c60c983fc5b2974bd0f6ea48bba9dd5f22eabd5c",
    ),
    Case(
        title="better on all but what is missing",
        # 5.0 publishes no frames a second. 24.9 - 12.3 = 12.6 ms, and 126 / 249 is 51 % faster.
        model="model-yolov5",
        candidate="5.0.0_yolov5l6",
        baseline="4.0.0_yolov5x_tta",
        reason=NEWEST_BEFORE,
        pairs=(
            *missing("fps_v100", {"coco-val2017": 40.0}),
            better("ms_v100", "coco-val2017", 24.9, 12.3, -12.6, 126 / 249),
            better("map50", "coco-val2017", 0.696, 0.711, 0.015, 15 / 696, 15 / 304, reading="error"),
            better("map50_95", "coco-test-dev2017", 0.519, 0.534, 0.015, 15 / 519, 15 / 481, reading="error"),
            better("map50_95", "coco-val2017", 0.519, 0.534, 0.015, 15 / 519, 15 / 481, reading="error"),
        ),
        means=(
            Mean("map50", 1, 0.696, 0.711, 1.021551724138, 0.02155172413793),
            Mean("map50_95", 2, 1.038 / 2, 1.068 / 2, 1.028901734104, 0.02890173410405),
            Mean("ms_v100", 1, 24.9, 12.3, 0.4939759036145, 0.5060240963855),
        ),
        word="Incomplete",
        headline=(
            "map50_95: better on 2",
            "map50: better on 1",
            "ms_v100: better on 1",
            "fps_v100: missing 1",
        ),
        counts=Counts(better=4, missing=1),
        failed=("no_missing",),
        overall="fail",
        data_fingerprint="sha256:020a69c5af64228ccf69b2f2c684f62dba1f722845cfec5f00b321d8ded3dcd9",
    ),
    Case(
        title="repeated figures are too close to call",
        # 6.2 repeats the row of 6.1.
        model="model-yolov5",
        candidate="6.2.0_yolov5x6_tta",
        baseline="6.1.0_yolov5x6_tta",
        reason=NEWEST_APPROVED,
        pairs=(
            same("map50", "coco-val2017", 0.727, 0.727, 0.0, 0.0, 0.0),
            same("map50_95", "coco-val2017", 0.558, 0.558, 0.0, 0.0, 0.0),
        ),
        means=(
            Mean("map50", 1, 0.727, 0.727, 1.0, 0.0),
            Mean("map50_95", 1, 0.558, 0.558, 1.0, 0.0),
        ),
        word="Too close to call",
        headline=(
            "map50: same on 1",
            "map50_95: same on 1",
        ),
        counts=Counts(same=2),
        overall="pass",
        data_fingerprint="sha256:b97d303b1060988c2e41c76075b45825861153fed5064eaf9ca9319a897c965c",
    ),
    Case(
        title="a baseline from another model",
        # 0.76156 - 0.759 = 0.00256: 256 / 76156 is 0.3 % of the value, 256 / (100000 - 76156) = 1.07 % more errors:
        # worse.
        model="model-yolov5",
        candidate="6.2.0_yolov5m_cls",
        asked="0.9.3_resnet50_tv_in1k",
        asked_model="model-timm",
        baseline="0.9.3_resnet50_tv_in1k",
        reason=GIVEN_ELSEWHERE,
        pairs=(
            worse("top1", "imagenet-1k-val", 0.76156, 0.759, -0.00256, -256 / 76156, -256 / 23844, reading="error"),
            *missing(
                "top1",
                {"imagenet-r": 0.36157, "imagenet-real": 0.82969, "imagenet-sketch": 0.24064, "imagenetv2-mf": 0.6319},
            ),
            *missing(
                "top5",
                {"imagenet-r": 0.5287, "imagenet-real": 0.95474, "imagenet-sketch": 0.41329, "imagenetv2-mf": 0.8464},
            ),
            same("top5", "imagenet-1k-val", 0.92866, 0.929, 0.00034, 34 / 92866, 34 / 7134, reading="error"),
            *new("ms_onnx_cpu", {"imagenet-1k-val": 15.5}),
            *new("ms_tensorrt_v100", {"imagenet-1k-val": 0.9}),
        ),
        means=(
            Mean("top1", 1, 0.76156, 0.759, 0.9966384789117, -0.003361521088292),
            Mean("top5", 1, 0.92866, 0.929, 1.000366118924, 0.0003661189240411),
        ),
        word="Worse",
        headline=(
            "top1: worse on 1 (ImageNet-1k validation −1.1 % read as errors), missing 4",
            "top5: same on 1, missing 4",
            "ms_onnx_cpu: new 1",
            "ms_tensorrt_v100: new 1",
        ),
        counts=Counts(worse=1, same=1, missing=8, new=2),
        worst=("imagenet-1k-val", "top1"),
        failed=("no_regression", "no_missing"),
        overall="fail",
        notes=unapproved("0.9.3_resnet50_tv_in1k", "Rejected"),
        data_fingerprint="sha256:79506f4d72979313b1801393e09ba75c422ece103554ffdd4facc37106feda5a",
    ),
    Case(
        title="a baseline from another model that shares nothing",
        # A diarization beside a recognizer: every result of either side stands alone.
        model="model-pyannotediarization",
        candidate="1.1.0",
        asked="0.1.0_paraformerbert_recipe",
        asked_model="model-funasr",
        baseline="0.1.0_paraformerbert_recipe",
        reason=GIVEN_ELSEWHERE,
        pairs=(
            *missing("cer", {"aishell1-dev": 0.043, "aishell1-test": 0.048}),
            *new("der", {"ami-ihm": 0.297, "dihard-3-full": 0.292, "voxconverse-0.3": 0.215}),
        ),
        means=(),
        word="Not comparable",
        headline=(
            "cer: missing 2",
            "der: new 3",
        ),
        counts=Counts(missing=2, new=3),
        failed=("no_missing",),
        overall="fail",
        data_fingerprint="sha256:be0587fd433c3f5cc3d334bd19f7bb3aff73949439dea9de4953cc40c2e6bd79",
    ),
    Case(
        title="a metric without a direction has no verdict",
        # 12,700,000 parameters became 12,600,000: no direction says whether that is good. 18 / 619 = 2.9 % is less than
        # 18 / (1000 - 619) = 4.7 % fewer errors; 15 / 433 = 3.5 % is more than 15 / 567.
        model="model-sizes",
        candidate="7.0.0_yolov5s6",
        baseline="5.0.0_yolov5s6",
        reason=NEWEST_APPROVED,
        pairs=(
            *missing("map50_95", {"coco-test-dev2017": 0.433}),
            *missing("ms_v100", {"coco-val2017": 4.3}),
            not_comparable("network_breadth", "coco-val2017", 12_700_000.0, 12_600_000.0, -100_000.0),
            better("map50", "coco-val2017", 0.619, 0.637, 0.018, 18 / 619, 18 / 381, reading="error"),
            better("map50_95", "coco-val2017", 0.433, 0.448, 0.015, 15 / 433, 15 / 567),
            *new("ms_cpu_b1", {"coco-val2017": 385.0}),
            *new("ms_v100_b1", {"coco-val2017": 8.2}),
            *new("ms_v100_b32", {"coco-val2017": 3.6}),
        ),
        means=(
            Mean("map50", 1, 0.619, 0.637, 1.029079159935, 0.02907915993538),
            Mean("map50_95", 1, 0.433, 0.448, 1.034642032333, 0.03464203233256),
        ),
        word="Incomplete",
        headline=(
            "map50_95: better on 1, missing 1",
            "map50: better on 1",
            "ms_cpu_b1: new 1",
            "ms_v100: missing 1",
            "ms_v100_b1: new 1",
            "ms_v100_b32: new 1",
            "network_breadth: not comparable 1",
        ),
        counts=Counts(better=2, missing=2, new=3, not_comparable=1),
        failed=("no_missing",),
        overall="fail",
        data_fingerprint="sha256:0d8638255b4dddeb0579df1d495fb5660e939c2c74671e1918cf669ca4019bad",
    ),
    Case(
        title="a missing metric without a direction is missing",
        # The parameters of 6.0.0_yolov5s6 are absent in the source: missing comes before the question of direction.
        model="model-sizes",
        candidate="6.0.0_yolov5s6",
        baseline="5.0.0_yolov5s6",
        reason=NEWEST_APPROVED,
        pairs=(
            *missing("map50_95", {"coco-test-dev2017": 0.433}),
            *missing("ms_v100", {"coco-val2017": 4.3}),
            *missing("network_breadth", {"coco-val2017": 12_700_000.0}),
            better("map50", "coco-val2017", 0.619, 0.63, 0.011, 11 / 619, 11 / 381, reading="error"),
            better("map50_95", "coco-val2017", 0.433, 0.445, 0.012, 12 / 433, 12 / 567),
            *new("ms_cpu_b1", {"coco-val2017": 385.0}),
            *new("ms_v100_b1", {"coco-val2017": 8.2}),
            *new("ms_v100_b32", {"coco-val2017": 3.6}),
        ),
        means=(
            Mean("map50", 1, 0.619, 0.63, 1.017770597738, 0.01777059773829),
            Mean("map50_95", 1, 0.433, 0.445, 1.027713625866, 0.02771362586605),
        ),
        word="Incomplete",
        headline=(
            "map50_95: better on 1, missing 1",
            "map50: better on 1",
            "ms_cpu_b1: new 1",
            "ms_v100: missing 1",
            "ms_v100_b1: new 1",
            "ms_v100_b32: new 1",
            "network_breadth: missing 1",
        ),
        counts=Counts(better=2, missing=3, new=3),
        failed=("no_missing",),
        overall="fail",
        data_fingerprint="sha256:c2c998fea80bf284496956122018c005645481d7306ec6132d5ab386e3a5b994",
    ),
    Case(
        title="nothing but a metric without a direction: undecided",
        # 35,700,000 - 35,900,000 = -200,000: no pair is judged, and that never passes, though no rule fails.
        model="model-sizes",
        candidate="6.0.0_yolov5m6",
        asked="5.0.0_yolov5m6",
        baseline="5.0.0_yolov5m6",
        reason=f"{GIVEN}; the rules choose 5.0.0_yolov5s6",
        pairs=(not_comparable("network_breadth", "coco-val2017", 35_900_000.0, 35_700_000.0, -200_000.0),),
        means=(),
        word="Not comparable",
        headline=("network_breadth: not comparable 1",),
        counts=Counts(not_comparable=1),
        overall="undecided",
        notes=unapproved("5.0.0_yolov5m6", "Rejected"),
        data_fingerprint="sha256:6150dd4ead34c859db9147f1486d43dc0541809862996c1a2fae7e4d80feea9b",
    ),
)
