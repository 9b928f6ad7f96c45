"""Results item by item as files and rows."""

import csv
import gzip
import json
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

PROVIDERS: Final = ("google-chirp3", "elevenlabs-scribe-v2", "azure", "openai-gpt4o-mini-transcribe", "deepgram-nova3")
_PUBLISHED: Final = Path(__file__).parents[1] / "data" / "mu_bench_wer.csv.gz"

Row = dict[str, Any]


@cache
def published_items(provider: str) -> tuple[Row, ...]:
    """The utterances of a service in tests/data/mu_bench_wer.csv.gz, with the conversation as group."""
    with gzip.open(_PUBLISHED, "rt", encoding="utf-8", newline="") as file:
        return tuple(
            {
                "id": f"{row['locale']}/{row['conversation']}/{row['turn']}",
                "conversation": f"{row['locale']}/{row['conversation']}",
                "errors": int(row["edits"]),
                "n": int(row["ref_words"]),
            }
            for row in csv.DictReader(file)
            if row["provider"] == provider
        )


def json_lines(path: Path, rows: Iterable[Mapping[str, Any]]) -> Path:
    """Write rows as JSON Lines."""
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def values(*numbers: float, **more: Iterable[Any]) -> list[Row]:
    """Rows of values with the ids 0, 1, 2 and so on, and further columns."""
    rows: list[Row] = [{"id": f"{at:06}", "value": number} for at, number in enumerate(numbers)]
    for name, column in more.items():
        for row, cell in zip(rows, column, strict=True):
            row[name] = cell
    return rows
