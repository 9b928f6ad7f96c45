"""The log of the server: each record is one printable line, whatever texts of strangers are in it."""

import logging


class OneLineFormatter(logging.Formatter):
    """Formats as another formatter does, with line breaks and unprintable characters as escapes."""

    def __init__(self, formatter: logging.Formatter) -> None:
        super().__init__()
        self._formatter = formatter

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line."""
        line = self._formatter.format(record)
        if line.isprintable():
            return line
        return "".join(char if char.isprintable() else _escaped(char) for char in line)


def install() -> None:
    """Give every handler of this process the formatter; records that no handler takes go to stderr."""
    root = logging.getLogger()
    if not root.handlers:
        root.addHandler(logging.StreamHandler())
    loggers = [root, *(logger for logger in root.manager.loggerDict.values() if isinstance(logger, logging.Logger))]
    for handler in {handler for logger in loggers for handler in logger.handlers}:
        if not isinstance(handler.formatter, OneLineFormatter):
            handler.setFormatter(OneLineFormatter(handler.formatter or logging.Formatter(_FORMAT)))


_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode()
