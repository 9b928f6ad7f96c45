"""The parts of a SourceId, and the pages of the console that they lead to."""

import pytest

from paiview.pai.console import approval_url, region_of, run_url, workspace_url
from paiview.pai.sources import Source, parse_source
from paiview.secret_masking import MASK

RUN = "region=cn-shanghai,workspaceId=123,kind=PipelineRun,id=flow-1"


@pytest.mark.parametrize(
    ("source_type", "source_id", "source"),
    [
        ("PAIFlow", RUN, Source("cn-shanghai", "123", "PipelineRun", "flow-1")),
        (
            "TrainingService",
            "region=cn-beijing,workspaceId=7,kind=TrainingJob,id=train1",
            Source("cn-beijing", "7", "TrainingJob", "train1"),
        ),
        (
            "TrainingService",
            "region=cn-beijing,workspaceId=7,kind=ServiceJob,id=job-1",
            Source("cn-beijing", "7", "ServiceJob", "job-1"),
        ),
        ("PAIFlow", " id = a=b ,kind=x, region=r,workspaceId= 1", Source("r", "1", "x", "a=b")),
    ],
)
def test_a_structured_source_has_parts(source_type: str, source_id: str, source: Source) -> None:
    assert parse_source(source_type, source_id) == source


@pytest.mark.parametrize(
    ("source_type", "source_id"),
    [
        ("Custom", RUN),
        (None, RUN),
        ("paiflow", RUN),
        ("PAIFlow", None),
        ("PAIFlow", ""),
        ("PAIFlow", "flow-1"),
        ("PAIFlow", f"{RUN},more=1"),
        ("PAIFlow", f"{RUN},id=flow-2"),
        ("PAIFlow", "region=cn-shanghai,workspaceId=123,kind=PipelineRun,id="),
        ("PAIFlow", "region=cn-shanghai,workspaceId=123,kind=PipelineRun"),
        ("PAIFlow", f"{RUN}{'x' * 5000}"),
        ("PAIFlow", "," * 100_000),
    ],
)
def test_any_surprise_leaves_the_text_alone(source_type: str | None, source_id: str | None) -> None:
    assert parse_source(source_type, source_id) is None


@pytest.mark.parametrize(
    ("kind", "page"),
    [
        ("PipelineRun", "/studio/task/detail/run-1"),
        ("TrainingJob", "/training/jobs/run-1"),
        ("ServiceJob", "/training/jobs/run-1"),
    ],
)
def test_each_kind_of_run_has_its_page(kind: str, page: str) -> None:
    url = run_url(Source("cn-shanghai", "123", kind, "run-1"))
    assert url == f"https://pai.console.aliyun.com/?regionId=cn-shanghai&workspaceId=123#{page}"


def test_a_part_cannot_change_the_address() -> None:
    source = Source("a&b", "1#2", "PipelineRun", "../x?y=1")
    assert run_url(source) == (
        "https://pai.console.aliyun.com/?regionId=a%26b&workspaceId=1%232#/studio/task/detail/..%2Fx%3Fy%3D1"
    )


@pytest.mark.parametrize(
    "source",
    [
        None,
        Source("r", "1", "Notebook", "n"),
        Source("r", "1", "PipelineRun", MASK),
        Source(MASK, "1", "TrainingJob", "t"),
    ],
)
def test_a_source_without_a_known_page_has_no_address(source: Source | None) -> None:
    assert run_url(source) is None


@pytest.mark.parametrize(
    ("region", "workspace_id", "url"),
    [
        ("cn-beijing", "7", "https://pai.console.aliyun.com/?regionId=cn-beijing&workspaceId=7#/workspace/overview"),
        (None, "7", None),
        ("cn-beijing", None, None),
        ("", "7", None),
        ("cn-beijing", MASK, None),
    ],
)
def test_a_workspace_has_a_page_where_region_and_id_are_known(
    region: str | None, workspace_id: str | None, url: str | None
) -> None:
    assert workspace_url(region, workspace_id) == url


@pytest.mark.parametrize(
    ("endpoint", "region"),
    [
        ("https://aiworkspace.cn-shanghai.aliyuncs.com", "cn-shanghai"),
        ("https://aiworkspace-vpc.ap-southeast-1.aliyuncs.com:443", "ap-southeast-1"),
        ("aiworkspace.cn-shanghai-finance-1.aliyuncs.com", "cn-shanghai-finance-1"),
        ("https://aiworkspace.aliyuncs.com", None),
        ("https://aiworkspace.cn-shanghai.aliyuncs.com.evil.example", None),
        ("http://127.0.0.1:8080", None),
        ("http://[broken", None),
        ("", None),
    ],
)
def test_the_host_of_pai_names_its_region(endpoint: str, region: str | None) -> None:
    assert region_of(endpoint) == region


@pytest.mark.parametrize(
    ("region", "workspace_id", "source", "expected"),
    [
        ("cn-beijing", "7", None, "cn-beijing"),
        ("cn-beijing", "7", Source("cn-x", "7", "PipelineRun", "r"), "cn-beijing"),
        (None, "7", Source("cn-x", "7", "PipelineRun", "r"), "cn-x"),
        (None, "7", Source("cn-x", "8", "PipelineRun", "r"), None),
        (None, None, Source("cn-x", "8", "PipelineRun", "r"), None),
        (None, "7", None, None),
    ],
)
def test_a_source_in_the_workspace_of_the_model_tells_its_region(
    region: str | None, workspace_id: str | None, source: Source | None, expected: str | None
) -> None:
    assert approval_url(region, workspace_id, source) == workspace_url(expected, workspace_id)
