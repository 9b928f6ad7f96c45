"""Each record of the log is one printable line."""

import logging

from paiview.server import log_lines
from paiview.server.log_lines import OneLineFormatter


def formatted(message: str) -> str:
    record = logging.LogRecord("paiview", logging.ERROR, "", 0, message, None, None)
    return OneLineFormatter(logging.Formatter("%(levelname)s %(message)s")).format(record)


def test_a_text_cannot_begin_a_line_or_reach_the_terminal() -> None:
    assert formatted("a\nERROR forged\x1b[31m\u2028\x9b") == r"ERROR a\nERROR forged\x1b[31m\u2028\x9b"
    assert formatted("模型 é ＝") == "ERROR 模型 é ＝"
    assert formatted("\ud800") == r"ERROR \ud800"


def test_a_traceback_is_a_part_of_its_line() -> None:
    def fail() -> None:
        raise KeyError("forged\nline")

    try:
        fail()
    except KeyError as error:
        record = logging.LogRecord(
            "paiview", logging.ERROR, "", 0, "failed", None, (KeyError, error, error.__traceback__)
        )
    line = OneLineFormatter(logging.Formatter()).format(record)
    assert line.isprintable()
    assert r"\nKeyError: 'forged\nline'" in line


def test_every_handler_gets_the_formatter_once() -> None:
    logger = logging.getLogger("paiview-test-log-lines")
    handler = logging.StreamHandler()
    logger.addHandler(handler)
    root_handlers = logging.getLogger().handlers[:]
    formatters = {each: each.formatter for each in root_handlers}
    try:
        log_lines.install()
        first = handler.formatter
        log_lines.install()
        assert isinstance(first, OneLineFormatter)
        assert handler.formatter is first
    finally:
        logger.removeHandler(handler)
        for each in logging.getLogger().handlers[:]:
            if each in formatters:
                each.setFormatter(formatters[each])
            else:
                logging.getLogger().removeHandler(each)
