"""Fields of some published versions that PAI has and their publishers do not print.

The numbers of the embedded registry are published. **The fields of this module are invented for this demonstration**
by one rule, so that every field of the service can be seen without an account:

1. Only versions with the label ``release`` = ``v7.0`` get them, the newest release of YOLOv5.
2. A detection model gets the source PipelineRun and FormatType TorchScript, a segmentation model TrainingJob and
   SavedModel, a classification model ServiceJob and ONNX. The ids end in the version's name.
3. Options, specs and TrainedWords are the same for all, but for the published image size, which TrainingSpec repeats.
4. A result names its dataset by the published id and by the invented Uri of that dataset.

``ExtraInfo.MadeUp`` of each such version names these fields, and the description of its model repeats the rule. The
cover is a picture of the published repository.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from paiview.pai.objects import JsonObject

RELEASE: Final = "v7.0"
MADE_UP_FIELDS: Final = (
    "FormatType",
    "SourceType",
    "SourceId",
    "Options",
    "TrainingSpec",
    "InferenceSpec",
    "EvaluationSpec",
    "CompressionSpec",
    "TrainedWords",
    "Uri of datasets",
)
RULE: Final = (
    f"Also this demonstration's own, for the versions of release {RELEASE} alone: {', '.join(MADE_UP_FIELDS)}; "
    "PipelineRun for detection, TrainingJob for segmentation, ServiceJob for classification."
)
_REGION: Final = "cn-hangzhou"
_BUCKET: Final = f"paiview-demo.oss-{_REGION}.aliyuncs.com"
_KINDS: Final = {
    "detect": ("PAIFlow", "PipelineRun", "flow", "TorchScript"),
    "segment": ("TrainingService", "TrainingJob", "train", "SavedModel"),
    "classify": ("TrainingService", "ServiceJob", "job", "ONNX"),
}
"""By task: SourceType, kind, the beginning of the id, and FormatType."""
_PROCESSORS: Final = {"TorchScript": "pytorch_cpu_1.6", "SavedModel": "tensorflow_cpu_2.3", "ONNX": "onnx_cu100"}
_COVER: Final = "https://raw.githubusercontent.com/ultralytics/yolov5/{commit}/data/images/bus.jpg"


def dataset_uri(dataset_id: str) -> str:
    """The invented Uri of a dataset."""
    return f"oss://{_BUCKET}/datasets/{quote(dataset_id, safe='')}/"


def has_demo_fields(labels: Mapping[str, str]) -> bool:
    """Whether a version gets fields by the rule of this module."""
    return labels.get("release") == RELEASE and labels.get("task") in _KINDS


def with_demo_fields(
    version: JsonObject, labels: Mapping[str, str], *, workspace_id: str, datasets: Sequence[str], commit: str
) -> JsonObject:
    """The version with the fields of this module; unchanged if the rule does not give it any.

    Args:
        version: the version as published.
        labels: its published labels.
        workspace_id: the workspace of its model.
        datasets: the ids of the datasets that it has results on.
        commit: the commit of the published repository.
    """
    if not has_demo_fields(labels):
        return version
    source_type, kind, prefix, format_type = _KINDS[labels["task"]]
    run_id = f"{prefix}-{version['VersionName'].replace('.', '').replace('_', '-')}"
    made_up: JsonObject = {
        "FormatType": format_type,
        "SourceType": source_type,
        "SourceId": f"region={_REGION},workspaceId={workspace_id},kind={kind},id={run_id}",
        "Options": '{"half":true,"batch_size":16}',
        "TrainingSpec": {
            "AlgorithmName": "yolov5",
            "AlgorithmProvider": "demo",
            "AlgorithmVersion": RELEASE,
            "ComputeResource": {"EcsCount": 1, "EcsSpec": "ecs.gn6v-c8g1.2xlarge"},
            "HyperParameters": [
                {"Name": "imgsz", "Value": labels["image_size"]},
                {"Name": "epochs", "Value": "300"},
                {"Name": "batch_size", "Value": "64"},
            ],
            "InputChannels": [{"Name": "train", "InputUri": dataset_uri("train")}],
            "Scheduler": {"MaxRunningTimeInSeconds": 86_400},
        },
        "InferenceSpec": {
            "processor": _PROCESSORS[format_type],
            "metadata": {"instance": 1, "cpu": 4, "memory": 8_000, "rpc": {"keepalive": 60_000}},
        },
        "EvaluationSpec": {
            "AlgorithmName": "yolov5-val",
            "InputChannels": [{"Name": name, "DatasetId": name} for name in datasets],
        },
        "CompressionSpec": {"AlgorithmName": "export", "HyperParameters": [{"Name": "precision", "Value": "fp16"}]},
    }
    extra_info = version["ExtraInfo"] | {
        "CoverUris": [_COVER.format(commit=commit)],
        "TrainedWords": ["made", "up"],
        "MadeUp": [*MADE_UP_FIELDS],
    }
    return version | made_up | {"ExtraInfo": extra_info, "Metrics": _with_uris(version["Metrics"])}


def _with_uris(metrics: JsonObject) -> JsonObject:
    """The results, with the Uri of each dataset beside its id."""

    def named(dataset: Mapping[str, Any]) -> JsonObject:
        return {**dataset, "Uri": dataset_uri(dataset["DatasetId"])}

    return {"Results": [result | {"Dataset": named(result["Dataset"])} for result in metrics["Results"]]}
