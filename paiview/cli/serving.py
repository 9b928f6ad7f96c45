"""``paiview dashboard`` and ``paiview local``: the commands that serve until a signal comes."""

import errno
import os
import signal
import socket
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from paiview.app_folder import APP_FOLDER
from paiview.cli.output import print_note, print_text
from paiview.pai.errors import SettingError
from paiview.settings import load_settings
from paiview.text import one_line

DataOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--data",
        exists=True,
        dir_okay=False,
        resolve_path=True,
        help="A saved response of ListModelVersions, or its pages or versions, shown as a model named after the file. "
        "Can be repeated.",
    ),
]


class PortError(SettingError):
    """The dashboard cannot listen on this port."""

    advice = "Choose another port: paiview dashboard --port 9000, or make run PORT=9000."


class HostError(SettingError):
    """The dashboard cannot listen on this address."""

    advice = "Pass an address of this machine with --host: 127.0.0.1, or 0.0.0.0 to listen on all of them."


def local(
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 chooses a free port.")] = 0,
    data: DataOption = None,
    data_dir: Annotated[
        Path | None, typer.Option(file_okay=False, help="The folder of the registry's file. Default: PAIVIEW_DATA_DIR.")
    ] = None,
) -> None:
    """Serve only the embedded registry, and print the shell commands that make a client use it."""
    from paiview.embedded.local_registry import LocalRegistry  # noqa: PLC0415

    settings = load_settings()
    registry = LocalRegistry(data_dir or settings.data_dir, data_files=tuple(data or settings.data), port=port)
    _check_data(tuple(data or settings.data))
    registry.start()
    try:
        interrupted = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: interrupted.set())
        print_text(f"export PAIVIEW_ENDPOINT={registry.endpoint}")
        print_text(f"export ALIBABA_CLOUD_ACCESS_KEY_ID={registry.access_key_id}")
        print_text(f"export ALIBABA_CLOUD_ACCESS_KEY_SECRET={registry.access_key_secret}")
        interrupted.wait()
    finally:
        registry.stop()


def dashboard(
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8501,
    host: Annotated[
        str, typer.Option(help="The address to listen on. Everyone who can reach it sees all data.")
    ] = "127.0.0.1",
    data: DataOption = None,
) -> None:
    """Serve the dashboard."""
    from paiview.decisions import contracts  # noqa: PLC0415

    if data:
        os.environ["PAIVIEW_DATA"] = os.pathsep.join(map(str, data))
    settings = load_settings()
    contracts.current()
    if settings.service_endpoint is None:
        _check_data(settings.data)
    _check_address(host, port)
    # By default uvicorn trusts the X-Forwarded-For of every client on this machine.
    os.environ["FORWARDED_ALLOW_IPS"] = ",".join(settings.trusted_proxies)
    # Streamlit reads .streamlit/config.toml beside this file, whatever the current folder is.
    script = str(APP_FOLDER / "app.py")
    command = [sys.executable, "-m", "streamlit", "run", script, "--server.port", str(port), "--server.address", host]
    os.execv(command[0], command)  # noqa: S606 - the dashboard replaces this process, and receives its signals


def _check_data(data: Sequence[Path]) -> None:
    """Refuse a broken data file before the dashboard starts, and tell what is odd in the others."""
    from paiview.embedded.local_registry import seed_files  # noqa: PLC0415

    for file in seed_files(data):
        for sentence in file.remarks:
            print_note(sentence)


def _check_address(host: str, port: int) -> None:
    """Raise a sentence for what Streamlit would report as a traceback."""
    try:
        socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET).close()
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PortError(f"Port {port} on {one_line(host)} is in use.") from None
        # socket appends the address: "Cannot assign requested address (while attempting to bind on address ...)".
        reason = (error.strerror or str(error)).partition(" (while ")[0]
        if error.errno == errno.EACCES:
            raise PortError(f"Port {port} on {one_line(host)} cannot be opened: {reason}.") from None
        raise HostError(f"The dashboard cannot listen on {one_line(host)}: {reason}.") from None
