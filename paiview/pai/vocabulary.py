"""The documented values of PAI's fields, and the spellings under which the same value is stored.

The lists are those of the API reference of AIWorkSpace 2021-02-04 (CreateModelVersion, CreateModel, ListModels), each
followed by the spellings that PAI's own Python SDK and Terraform provider send: the service stores FormatType,
FrameworkType, Origin and ModelType as given. They are choices to offer, never a reason to refuse a value.
"""

from collections.abc import Sequence
from typing import Final

APPROVAL_STATUSES: Final = ("Pending", "Approved", "Rejected")
FORMAT_TYPES: Final = (
    "OfflineModel",
    "SavedModel",
    "Keras H5",
    "Frozen Pb",
    "Caffe Prototxt",
    "TorchScript",
    "XGBoost",
    "PMML",
    "AlinkModel",
    "ONNX",
)
OTHER_FORMAT_TYPES: Final = ("KerasH5", "FrozenPb", "Caffe", "BladeModel", "TFLite")
FRAMEWORK_TYPES: Final = ("Pytorch", "XGBoost", "Keras", "Caffe", "Alink", "Xflow", "TensorFlow")
OTHER_FRAMEWORK_TYPES: Final = ("PyTorch", "TFLite", "Blade")
SOURCE_TYPES: Final = ("Custom", "PAIFlow", "TrainingService")
ORIGINS: Final = ("ModelScope", "HuggingFace")
OTHER_ORIGINS: Final = ("modelscope", "huggingface", "Civitai")
MODEL_TYPES: Final = ("Checkpoint", "LoRA")
OTHER_MODEL_TYPES: Final = ("Endpoint",)
PROVIDERS: Final = ("pai", "huggingface")
ACCESSIBILITIES: Final = ("PRIVATE", "PUBLIC")
ORDERS: Final = ("ASC", "DESC")
SORT_FIELDS: Final = ("GmtCreateTime",)


def spellings_of(value: str, known: Sequence[str]) -> tuple[str, ...]:
    """The known spellings that a typed value may stand for.

    Returns:
        the value alone if it is known, or like none of them; else each that differs from it only in case, blanks,
        ``-`` and ``_``.

    >>> spellings_of("onnx", FORMAT_TYPES), spellings_of("pytorch", ("Pytorch", "PyTorch"))
    (('ONNX',), ('Pytorch', 'PyTorch'))
    """
    if value in known:
        return (value,)
    folded = folded_spelling(value)
    return tuple(spelling for spelling in known if folded_spelling(spelling) == folded) or (value,)


def folded_spelling(value: str) -> str:
    """A value without case, blanks, ``-`` and ``_``: equal for all spellings of one value."""
    return "".join(value.casefold().split()).replace("_", "").replace("-", "")
