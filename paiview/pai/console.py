"""Addresses of PAI's web console.

PAI publishes the address of a workspace, of a pipeline run (GetPipelineRun of PAIFlow 2021-02-02, PipelineRunUri) and
of a training job (GetTrainingJob of PaiStudio 2022-01-12, TrainingJobUrl). It publishes none of a model or a version:
a version is approved in its workspace, under *AI Asset Management*, *Models*. A ServiceJob is a job of the training
service too, and has no address of its own in the documentation; that of a training job is taken for it.

An address is made only of what is known: without a region or a workspace there is none. Ids are untrusted text, and
are percent-encoded.
"""

import re
from typing import Final
from urllib.parse import quote, urlsplit

from paiview.pai.sources import PIPELINE_RUN, SERVICE_JOB, TRAINING_JOB, Source
from paiview.secret_masking import MASK

_CONSOLE: Final = "https://pai.console.aliyun.com/"
_WORKSPACE_PAGE: Final = "/workspace/overview"
_RUN_PAGES: Final = {
    PIPELINE_RUN: "/studio/task/detail/",
    SERVICE_JOB: "/training/jobs/",
    TRAINING_JOB: "/training/jobs/",
}
_SERVICE_HOST: Final = re.compile(r"aiworkspace(?:-vpc)?\.([a-z0-9-]+)\.aliyuncs\.com")


def region_of(endpoint: str) -> str | None:
    """The region in the host of a public or VPC endpoint of PAI; ``None`` for any other host.

    >>> region_of("https://aiworkspace-vpc.cn-shanghai.aliyuncs.com")
    'cn-shanghai'
    """
    try:
        host = urlsplit(endpoint if "://" in endpoint else f"https://{endpoint}").hostname or ""
    except ValueError:
        return None
    match = _SERVICE_HOST.fullmatch(host)
    return match[1] if match else None


def workspace_url(region: str | None, workspace_id: str | None) -> str | None:
    """The page of a workspace, in which its versions are approved; ``None`` if the region or the id is not known."""
    return _url(region, workspace_id, _WORKSPACE_PAGE)


def approval_url(region: str | None, workspace_id: str | None, source: Source | None = None) -> str | None:
    """The page from which a version of a workspace is approved, which is that of the workspace.

    Args:
        region: of the service; ``None`` where it is not known, as behind an endpoint of one's own.
        workspace_id: of the model.
        source: of the version. A workspace is in one region, so a source in the same workspace tells it.
    """
    if not region and source is not None and source.workspace_id == workspace_id:
        region = source.region
    return workspace_url(region, workspace_id)


def run_url(source: Source | None) -> str | None:
    """The page of a pipeline run, service job or training job; ``None`` for any other source."""
    if source is None or source.kind not in _RUN_PAGES or MASK in source.run_id:
        return None
    return _url(source.region, source.workspace_id, _RUN_PAGES[source.kind] + quote(source.run_id, safe=""))


def _url(region: str | None, workspace_id: str | None, page: str) -> str | None:
    """A page of the console; ``None`` if a part is missing or masked, for the address would open nothing."""
    if not region or not workspace_id or MASK in region + workspace_id:
        return None
    return f"{_CONSOLE}?regionId={quote(region, safe='')}&workspaceId={quote(workspace_id, safe='')}#{page}"
