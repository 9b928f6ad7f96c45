"""Warnings: many facts of a kind are one warning, which counts those it leaves out."""

import tomllib

import pytest

from tests.harness.service import Service, version
from tests.pages.conftest import Run, page_text, reported, unescaped


def warnings(run: Run, page: str) -> list[str]:
    return [item.value.replace("\\", "") for item in run(page, model="model-asr").warning]


def facts(warning: str) -> tuple[list[str], str]:
    """The facts of a warning, and its end."""
    listed, _, end = warning.rpartition(": ")
    return listed.split("; "), end


def scaled(service: Service, datasets: int) -> None:
    """Add two versions with two metrics on each of the datasets, once as percentages and once as fractions."""
    for name, day, status, size in (("0.1.0", "01", "Approved", 100), ("0.2.0", "02", "Pending", 1)):
        results = {f"d-{place}": {"accuracy": 0.98 * size, "cer": 0.17 * size} for place in range(datasets)}
        service.versions["model-asr"].append(version(name, f"2024-01-{day}", results, ApprovalStatus=status))


@pytest.fixture(autouse=True)
def _empty(service: Service) -> None:
    service.versions["model-asr"] = []


def test_jumps_of_scale_are_one_warning_that_counts_what_it_leaves_out(run: Run, service: Service) -> None:
    scaled(service, 3)
    [warning] = warnings(run, "trends")
    listed, ending = facts(warning)
    assert listed[0] == "accuracy on d-0 is 0.98 in 0.2.0 and was 98 before"
    assert [fact.partition(" is ")[0] for fact in listed] == [
        *(f"accuracy on d-{place}" for place in range(3)),
        "cer on d-0",
        "cer on d-1",
        "and 1 more like it",
    ]
    assert ending == "a fraction beside a percentage. Each is drawn as stored."


def test_a_comparison_of_two_scales_is_one_doubt_and_no_warning(run: Run, service: Service) -> None:
    scaled(service, 8)
    app = run("compare", model="model-asr")
    assert reported(app) == ""
    assert [unescaped(row.label) for row in app.expander if "open" in row.label] == ["? Scales differ · open"]
    (doubt,) = [text for text in unescaped(page_text(app)).split("\n") if "in percent and" in text]
    assert "16 results where one number is in percent and the other a fraction: " in doubt
    (lines,) = [code.value for code in app.code if "[metrics." in code.value]
    assert {*tomllib.loads(lines)["metrics"]} == {"accuracy", "cer"}


def test_many_jumps_that_are_left_out_are_counted_too(run: Run, service: Service) -> None:
    scaled(service, 8)
    assert facts(warnings(run, "trends")[0])[0][5:] == ["and 11 more like them"]


def test_one_jump_has_nothing_to_count(run: Run, service: Service) -> None:
    service.versions["model-asr"] = [
        version("0.1.0", "2024-01-01", {"d": {"cer": 17.0}}, ApprovalStatus="Approved"),
        version("0.2.0", "2024-01-02", {"d": {"cer": 0.17}}),
    ]
    [warning] = warnings(run, "trends")
    assert facts(warning)[0] == ["cer on d is 0.17 in 0.2.0 and was 17 before"]


def test_jumps_do_not_hide_other_warnings(run: Run, service: Service) -> None:
    scaled(service, 8)
    app = run("trends", model="model-asr", scale="none")
    assert len(app.warning) == 2
    assert "scale = none" in reported(app)


def test_many_candidates_older_than_an_approved_version_are_one_warning(run: Run, service: Service) -> None:
    service.versions["model-asr"] = [
        version(
            f"0.{place}.0",
            f"2024-01-{place + 1:02}",
            {"d": {"cer": 0.2}},
            ApprovalStatus="Pending" if place else "Approved",
        )
        for place in range(20)
    ]
    service.versions["model-asr"].append(version("1.0.0", "2024-02-01", {"d": {"cer": 0.1}}, ApprovalStatus="Approved"))
    app = run("compare", model="model-asr", candidate=[f"0.{place}.0" for place in range(1, 20)])
    [warning] = reported(app).replace("\\", "").split("\n")
    assert facts(warning)[0][0] == "0.1.0 was created before 1.0.0, which is approved"
    assert facts(warning)[0][5:] == ["and 14 more like them"]
