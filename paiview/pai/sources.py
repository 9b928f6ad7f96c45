"""The source of a version: the pipeline run or job that made it, as its SourceId names it.

PAI documents ``region=<region_id>,workspaceId=<workspace_id>,kind=<kind>,id=<id>`` for the SourceTypes PAIFlow and
TrainingService (CreateModelVersion, SourceId); of SourceType Custom the SourceId is free text. The kind is PipelineRun
for PAIFlow, and ServiceJob or TrainingJob for TrainingService; any other text is kept as it is.
"""

import re
from typing import Final, NamedTuple

STRUCTURED_SOURCE_TYPES: Final = ("PAIFlow", "TrainingService")
"""The SourceTypes whose SourceId has parts."""
PIPELINE_RUN: Final = "PipelineRun"
SERVICE_JOB: Final = "ServiceJob"
TRAINING_JOB: Final = "TrainingJob"

_KEYS: Final = ("region", "workspaceId", "kind", "id")
_USUAL: Final = re.compile(r"region=([^,\s]+),workspaceId=([^,\s]+),kind=([^,\s]+),id=([^,\s]+)")
"""The form of most SourceIds; reading the others key by key takes several times as long."""
_MAX_CHARACTERS: Final = 4096
"""A longer SourceId is free text: those of PAI have about a hundred characters."""


class Source(NamedTuple):
    """The parts of a SourceId, none of them empty."""

    region: str
    workspace_id: str
    kind: str
    run_id: str


def parse_source(source_type: str | None, source_id: str | None) -> Source | None:
    """The parts of a SourceId; ``None`` on any surprise, for then only the text itself is true.

    The parts may stand in any order and have blanks around them. Surprises are another SourceType, a missing, empty,
    repeated or further part, and a text longer than any of PAI's. Takes linear time.

    >>> parse_source("PAIFlow", "region=cn-shanghai,workspaceId=7,kind=PipelineRun,id=flow-x")
    Source(region='cn-shanghai', workspace_id='7', kind='PipelineRun', run_id='flow-x')
    >>> parse_source("Custom", "region=cn-shanghai,workspaceId=7,kind=PipelineRun,id=flow-x")
    """
    if source_id is None or source_type not in STRUCTURED_SOURCE_TYPES or len(source_id) > _MAX_CHARACTERS:
        return None
    if match := _USUAL.fullmatch(source_id):
        return Source(*match.groups())
    items = [part.partition("=") for part in source_id.split(",")]
    values = {key.strip(): value.strip() for key, _, value in items}
    if len(items) != len(_KEYS) or not all(values.get(key) for key in _KEYS):
        return None
    return Source(*(values[key] for key in _KEYS))
