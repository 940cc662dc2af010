"""The command ``maskwatch backtest``. Thin, as the rest of the command line."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from store.settings import load_settings


def backtest(
    since: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="2026-03-01, 2026-03-01T08:30 (UTC), 24h or 7d."),
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="TIME", help="Likewise; by default now.")
    ] = None,
    rule: Annotated[
        list[str] | None,
        typer.Option(metavar="CODE=LIMIT", help="A rule with another limit; may be repeated."),
    ] = None,
    policy: Annotated[
        Path | None, typer.Option(metavar="FILE", help="TOML file with another block policy.")
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(metavar="DIGEST", help="An outlier model, as `detectors list` names it."),
    ] = None,
    json_file: Annotated[
        str | None,
        typer.Option("--json", metavar="FILE", help="Write all of it as JSON; - prints it."),
    ] = None,
    write_policy: Annotated[
        bool, typer.Option("--write-policy", help="Print the policy in force, for --policy.")
    ] = False,
) -> None:
    """Say what a change would have flagged, blocked and mailed; nothing is changed."""
    from jobs.backtest.run import Wish
    from jobs.settings import JobSettings
    from maskwatch.commands.backtest import backtest_run, backtest_view
    from maskwatch.commands.time_arguments import read_time

    settings, now = load_settings(JobSettings), datetime.now(UTC)
    if write_policy:
        for line in backtest_run.write_policy_in_force(settings, now):
            typer.echo(line)
        return
    if since is None:
        raise typer.BadParameter("Say from when on: --since 7d.")
    begins = read_time(since, now)
    ends = now if until is None else read_time(until, now)
    wish = Wish(policy, tuple(rule or ()), model, backtest_run.read_service_rules(bool(rule)))
    result = backtest_run.run(settings, wish, begins, ends, now)
    if json_file != "-":
        backtest_view.show(result, wish)
    if json_file is not None:
        backtest_view.write_json(result, wish, json_file)
