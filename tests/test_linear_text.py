"""Every pattern, and every function that takes one text, needs time in proportion to the text, whatever it holds.

Both are found by looking through the modules, so that a new one is tried without being listed here.
"""

import importlib
import inspect
import pkgutil
import re
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import product
from types import ModuleType
from typing import Any, Final, cast

import pytest

import paiview
from paiview.pai.errors import PaiviewError

SHORT: Final = 6_000
LONG: Final = 2 * SHORT
MAX_GROWTH: Final = 3.0
"""Twice the text may take this much longer; in quadratic time it takes four times as long."""
UNNOTICED_SECONDS: Final = 0.02
"""A search that takes longer than linear takes far longer than this over ``LONG`` characters."""
UNITS: Final = (
    *("0", "a", "A", "_", "-", ".", " ", "\t", "\n", "\r", ";", ",", "/", ":", "=", "%", "&", "?", "#", "@", '"', "'"),
    *(
        "[",
        "]",
        "{",
        "(",
        "\\",
        "<",
        "*",
        "|",
        "`",
        "$",
        "+",
        "e",
        "中",
        "é",
        "\u0301",
        "\u200b",
        "\x00",
        "\x1b",
        "\ud800",
    ),
    *(
        "0e",
        "0.",
        "1 ",
        "--a",
        "--secret",
        "a=",
        "a: ",
        "?a=",
        "://",
        "%25",
        "%41",
        "a.b",
        "aB",
        "[a",
        '{"a":',
        '["',
        "=\n",
    ),
    *(
        "\n\t",
        ";\n",
        '\n"',
        "eyJ.",
        "sk-",
        "-----BEGIN ",
        "oss://a",
        "T0:",
        "2021-01-01T",
        "a\u0301",
        "![",
        "](",
        "**",
        "<a ",
    ),
)
ENDS: Final = ("", "!", "=")
TAKES_NO_FOREIGN_TEXT: Final[dict[str, str]] = {
    "paiview.cli": "the arguments of the command line are the user's own",
    "paiview.settings": "the environment and paiview.toml are the operator's",
    "paiview.toml_file": "the file is the operator's",
    "paiview.ui": "needs a page; its texts go through the functions that are tried here",
    "paiview.server": "the guard bounds the length before anything reads it",
}


def modules() -> Iterator[ModuleType]:
    for info in pkgutil.walk_packages(paiview.__path__, "paiview."):
        if not info.name.endswith("__main__"):
            yield importlib.import_module(info.name)


def patterns() -> Iterator[tuple[str, Callable[[str], Any]]]:
    """Each pattern by the methods that its module calls; by ``search`` where it is passed on."""
    sources = "\n".join(inspect.getsource(module) for module in modules())
    for module in modules():
        for name, value in vars(module).items():
            if isinstance(value, re.Pattern) and isinstance(value.pattern, str):
                methods = {*re.findall(rf"\b{name}\.(match|fullmatch|search|sub|findall|finditer|split)\b", sources)}
                for method in sorted(methods or {"search"}):
                    yield f"{module.__name__}.{name}.{method}", searching(value, method)


def searching(pattern: re.Pattern[str], method: str) -> Callable[[str], Any]:
    if method == "sub":
        return lambda text: pattern.sub("", text)
    if method == "finditer":
        return lambda text: [*pattern.finditer(text)]
    return cast("Callable[[str], Any]", getattr(pattern, method))


def functions() -> Iterator[tuple[str, Callable[[str], Any]]]:
    for module in modules():
        if any(module.__name__ == name or module.__name__.startswith(f"{name}.") for name in TAKES_NO_FOREIGN_TEXT):
            continue
        for name, function in vars(module).items():
            if inspect.isfunction(function) and function.__module__ == module.__name__ and takes_one_text(function):
                yield f"{module.__name__}.{name}", function


def takes_one_text(function: Callable[..., Any]) -> bool:
    parameters = [*inspect.signature(function).parameters.values()]
    if (
        not parameters
        or parameters[0].name in ("char", "module")
        or any(parameter.default is parameter.empty for parameter in parameters[1:])
    ):
        return False
    return str(parameters[0].annotation) in ("<class 'str'>", "str", "str | None", "typing.Any")


def assert_linear(run: Callable[[str], object]) -> None:
    for unit, end in product(UNITS, ENDS):
        short, long = (unit * (size // len(unit)) + end for size in (SHORT, LONG))
        if seconds(run, long) < UNNOTICED_SECONDS:
            continue
        times = [min(seconds(run, text) for _ in range(5)) for text in (short, long)]
        assert times[1] < UNNOTICED_SECONDS or times[1] < MAX_GROWTH * times[0], (unit, end, times)


def seconds(run: Callable[[str], object], text: str) -> float:
    start = time.process_time()
    run(text)
    return time.process_time() - start


@pytest.mark.parametrize("search", [pytest.param(search, id=name) for name, search in patterns()])
def test_a_pattern_takes_linear_time(search: Callable[[str], Any]) -> None:
    assert_linear(search)


@pytest.mark.parametrize("function", [pytest.param(function, id=name) for name, function in functions()])
def test_a_function_of_a_text_takes_linear_time(function: Callable[[str], Any]) -> None:
    def run(text: str) -> None:
        # Some take any value of JSON, and others a code or a name that a text cannot be.
        with suppress(PaiviewError, ValueError, KeyError, TypeError):
            function(text)

    assert_linear(run)


def test_functions_and_patterns_are_found() -> None:
    assert {"paiview.secret_masking.mask_text", "paiview.text.one_line", "paiview.pai.times.parse_time"} <= {
        name for name, _ in functions()
    }
    assert {"paiview.evaluation.results._NUMERIC.fullmatch", "paiview.reports.table_files._FORMULA.match"} <= {
        name for name, _ in patterns()
    }


def test_a_quadratic_pattern_is_caught() -> None:
    with pytest.raises(AssertionError):
        assert_linear(re.compile(r"([;\n][\s\"]*)(?==)").search)
