"""The commands ``maskwatch baselines``. Thin, as the rest of the command line."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated

import typer

from maskwatch.commands.listing import echo_list
from maskwatch.commands.row_numbers import row_number
from store.settings import StoreSettings, load_settings

baselines_app = typer.Typer(
    help="Baselines: what was learnt of each source, and which of it judges.",
    no_args_is_help=True,
)

_NUMBER = row_number("baselines list")
_JSON = typer.Option("--json", help="One JSON object a line.")


@baselines_app.command("list")
def list_baselines(
    source: Annotated[str | None, typer.Option(help="Digest of a source, or its begin.")] = None,
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    """Say how far each source is learnt, and list all baselines; * marks those that judge."""
    from inference.settings import ServiceSettings
    from maskwatch.commands.baselines import baseline_views as views
    from maskwatch.commands.baselines import given_baselines
    from store.engine.existing import existing_database

    settings = load_settings(ServiceSettings)
    with existing_database(settings) as database:
        baselines: Iterable[views.BaselineView] = views.read_baselines(database, source)
        progress = views.read_progress(database)
    if settings.looks.learn_traffic:
        lines = list(views.describe_progress(progress))
    else:
        lines = [given_baselines.NOTHING_LEARNT]
        given = settings.looks.read_baselines()
        baselines = given_baselines.put_in_force(given, baselines, source)
    for line in [] if as_json else lines:
        typer.echo(line)
    echo_list(
        (view.to_json() if as_json else view.to_text() for view in baselines),
        "There is no baseline yet: one is learnt once 200 pictures of a source count.",
    )


@baselines_app.command("show")
def show_baseline(baseline: Annotated[int, _NUMBER]) -> None:
    """Print a baseline as the file that MASKWATCH_BASELINE takes."""
    from maskwatch.commands.baselines import baseline_views as views
    from store.engine.existing import existing_database

    with existing_database(load_settings(StoreSettings)) as database:
        typer.echo(views.read_text(database, baseline), nl=False)


@baselines_app.command("compare")
def compare_baselines(first: Annotated[int, _NUMBER], second: Annotated[int, _NUMBER]) -> None:
    """Print what two baselines let a clean picture reach, side by side."""
    from maskwatch.commands.baselines import baseline_views as views
    from store.engine.existing import existing_database

    with existing_database(load_settings(StoreSettings)) as database:
        for line in views.compare_baselines(database, first, second):
            typer.echo(line)


@baselines_app.command("promote")
def promote_baseline(baseline: Annotated[int, _NUMBER]) -> None:
    """Let a baseline judge its source from now on, and let it flag."""
    from maskwatch.commands.baselines import baseline_views as views
    from store.audit.actors import command_line, operator
    from store.engine.existing import existing_database

    actor = command_line(operator())
    with existing_database(load_settings(StoreSettings)) as database:
        typer.echo(views.promote_baseline(database, baseline, actor, datetime.now(UTC)))


@baselines_app.command("rollback")
def roll_back(
    source: Annotated[str, typer.Argument(help="Digest of the source, or its begin.")],
) -> None:
    """Let the baseline judge that was in force before the present one."""
    from maskwatch.commands.baselines import baseline_views as views
    from store.audit.actors import command_line, operator
    from store.engine.existing import existing_database

    actor = command_line(operator())
    with existing_database(load_settings(StoreSettings)) as database:
        typer.echo(views.roll_baseline_back(database, source, actor, datetime.now(UTC)))
