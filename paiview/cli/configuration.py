"""``paiview meaning`` and ``paiview config``: what is in force, and where it comes from."""

import os

from paiview.cli.options import ModelArgument, open_registry
from paiview.cli.output import print_note, print_table, print_text
from paiview.settings import Settings, load_settings, setting_origins
from paiview.text import strip_controls


def meaning(model: ModelArgument) -> None:
    """Print what each metric of a model means, and the lines of paiview.toml for what is open."""
    from paiview.decisions import contracts  # noqa: PLC0415
    from paiview.reports.metric_table import METRIC_COLUMNS, metric_rows, open_lines  # noqa: PLC0415

    snapshot = open_registry().versions(model)
    in_force = contracts.current().with_data(snapshot.meanings)
    meanings = in_force.metrics
    names = snapshot.frames.metrics["metric"].cat.categories.tolist()
    print_table([column.upper() for column in METRIC_COLUMNS], metric_rows(names, meanings), max_cell_width=80)
    if lines := open_lines(names, meanings):
        print_text()
        print_text(strip_controls(lines))
    for sentence in in_force.ignored:
        print_note(sentence)


def config() -> None:
    """Print every setting, metric, dataset and policy rule in use, and its source.

    Credentials are not settings and are not printed.
    """
    from paiview.decisions import contracts  # noqa: PLC0415 - most commands do without

    print_table(
        ("SETTING", "VALUE", "FROM"), [*_setting_rows(load_settings()), *contracts.explain()], max_cell_width=1000
    )


def _setting_rows(settings: Settings) -> list[tuple[str, str | None, str]]:
    """Variable, value and source of each setting."""
    sources = setting_origins()
    values = {name: getattr(settings, name) for name in sources}
    values["data"] = os.pathsep.join(map(str, settings.data)) or None
    values |= {name: ", ".join(values[name]) or None for name in ("allowed_hosts", "trusted_proxies")}
    values["rate_limit"] = settings.requests_per_second
    if settings.endpoint is None:
        values["endpoint"] = settings.service_endpoint or "(the embedded registry)"
        sources["endpoint"] = "PAIVIEW_REGION" if settings.region else "default"
    return [(f"PAIVIEW_{name.upper()}", _setting_text(values[name]), source) for name, source in sources.items()]


def _setting_text(value: object) -> str | None:
    if value is None:
        return None
    return f"{value:g}" if isinstance(value, float) else str(value)
