"""Where the service's behaviour is not documented: what the embedded registry assumes.

None of this is known of PAI; each entry is a choice made so that the registry behaves in one definite way. It all
stands here, so that one look tells what must not be relied on.

Choices that are behaviour rather than a value:

- The filter VersionName is exact; other filters are equal or not, with case; an empty filter is no filter. Label is a
  substring of a key or a value. An unknown value of an enumeration matches nothing when filtering.
- Ties in GmtCreateTime are listed in the order of creation, and in the reverse of it for DESC.
- A page past the end is empty, with the total unchanged. Page numbers have at most nine digits. Unknown query names
  and unknown body fields are ignored.
- On create and update ApprovalStatus is one of the three documented; FormatType, FrameworkType and SourceType are
  stored as given. A version may be created with a final status.
- An update replaces the fields it names, each as a whole; a JSON null counts as not named.
- Approved and Rejected are final; repeating the status a version has is allowed, and so is editing other fields.
- Labels are set by key, keeping the place of a known key; deleting an unknown key does nothing. What stands in the
  place of labels in a saved answer and is none is dropped by either.
- LatestVersion is the newest by creation. The automatic VersionName follows the highest (major, minor).
- Labels and Tags of a model are one list under two names; GetModel gives Labels only.
- ListModels without WorkspaceId lists all workspaces, without Provider all providers; an empty Provider lists the
  models that have none. ModelName need not be unique. Unquoted ModelName and Query match with case folded.
- Conditions know ParameterSize with LessThan, GreaterThan and Equal. No model belongs to a collection.
- ListDatasets heeds WorkspaceId, DatasetIds, Name (case folded), Label and Accessibility, and no other filter.
- The rate limit counts the requests of each operation that were let through in the last second.
- Version times have seconds, times of models milliseconds.
"""

import re
from typing import Final, NamedTuple


class Answer(NamedTuple):
    """The HTTP status and the Code an error is answered with."""

    status: int
    code: str


PAGE_SIZES: Final = range(1, 101)
VERSION_NAME: Final = re.compile(r"\d+\.\d+\.\d+(_\w+)?", re.ASCII)
DEFAULT_APPROVAL_STATUS: Final = "Pending"
DEFAULT_SOURCE_TYPE: Final = "Custom"
MAXIMUM_METRICS_BYTES: Final = 8192
"""Counted on the compact JSON in UTF-8, on create and on update; seeded data are exempt."""

MODEL_NOT_FOUND: Final = Answer(404, "201900002")
VERSION_NOT_FOUND: Final = Answer(404, "201900003")
DATASET_NOT_FOUND: Final = Answer(404, "201300003")
WORKSPACE_NOT_FOUND: Final = Answer(404, "100400027")
DUPLICATE_VERSION: Final = Answer(409, "InvalidVersionName.Duplicate")
FORBIDDEN_MOVE: Final = Answer(400, "InvalidApprovalStatus.Final")
MISSING_PARAMETER: Final = Answer(400, "MissingParameter")
INVALID_PARAMETER: Final = Answer(400, "InvalidParameter")


def invalid(name: str) -> Answer:
    """The answer to a field or parameter whose value is refused."""
    return Answer(400, f"Invalid{name}")
