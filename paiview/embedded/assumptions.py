"""What the embedded registry assumes where PAI's documentation says nothing.

None of this is known about PAI, so no other module may rely on it. These assumptions are behaviour; those below are
values.

- Filters compare for equality, with case; an empty filter is no filter. Label matches a substring of a key or a value.
  An unknown value of an enumeration matches nothing.
- Versions with equal GmtCreateTime are listed in the order of creation, reversed for DESC.
- A page past the end is empty, with the total unchanged. Page numbers have at most nine digits. Unknown query
  parameters and unknown body fields are ignored.
- On create and update ApprovalStatus is one of the three documented; FormatType, FrameworkType and SourceType are
  stored as given. A version may be created with a final status.
- An update replaces each field that it contains as a whole; a JSON null counts as absent.
- Approved and Rejected are final. Repeating the present status is allowed, and so is editing other fields.
- Labels are set by key; an existing key keeps its position, and deleting an unknown key does nothing. Both drop
  malformed labels, which a saved answer can contain.
- LatestVersion is the newest by creation. The automatic VersionName follows the highest (major, minor).
- Labels and Tags of a model are one list under two names; GetModel returns only Labels.
- ListModels without WorkspaceId lists all workspaces. A public model of a Provider belongs to no workspace, so that
  WorkspaceId leaves it out. ModelName need not be unique. Unquoted ModelName and Query ignore case.
- Conditions supports ParameterSize with LessThan, GreaterThan and Equal. No model belongs to a collection.
- ListDatasets supports the filters WorkspaceId, DatasetIds, Name (ignoring case), Label, Accessibility, DataTypes,
  DataSourceTypes and Properties. All datasets are shared with the default workspace, and so are listed there too.
- The rate limit counts the accepted requests of each operation in the last second.
- Times of versions have seconds, times of models milliseconds.
"""

import re
from typing import Final, NamedTuple


class ErrorCode(NamedTuple):
    """The HTTP status and the ``Code`` of an error response."""

    status: int
    code: str


PAGE_SIZES: Final = range(1, 101)
VERSION_NAME: Final = re.compile(r"\d+\.\d+\.\d+(_\w+)?", re.ASCII)
DEFAULT_APPROVAL_STATUS: Final = "Pending"
DEFAULT_SOURCE_TYPE: Final = "Custom"

MODEL_NOT_FOUND: Final = ErrorCode(404, "201900002")
VERSION_NOT_FOUND: Final = ErrorCode(404, "201900003")
DATASET_NOT_FOUND: Final = ErrorCode(404, "201300003")
WORKSPACE_NOT_FOUND: Final = ErrorCode(404, "100400027")
DUPLICATE_VERSION: Final = ErrorCode(409, "InvalidVersionName.Duplicate")
FORBIDDEN_MOVE: Final = ErrorCode(400, "InvalidApprovalStatus.Final")
MISSING_PARAMETER: Final = ErrorCode(400, "MissingParameter")
INVALID_PARAMETER: Final = ErrorCode(400, "InvalidParameter")


def invalid(name: str) -> ErrorCode:
    """The error of a field or parameter with an invalid value."""
    return ErrorCode(400, f"Invalid{name}")
