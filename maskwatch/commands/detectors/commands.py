"""The commands ``maskwatch detectors``. Thin, as the rest of the command line."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from detectors.outliers.kinds import FrozenKind
from jobs.settings import JobSettings
from maskwatch.commands.listing import echo_list
from store.settings import StoreSettings, load_settings

detectors_app = typer.Typer(
    help="Outlier models and re-rankers: which is in force, how they compare, and the way back.",
    no_args_is_help=True,
)

_MODEL = typer.Argument(metavar="MODEL", help="As `detectors list` numbers it, or its digest.")
_EITHER = typer.Argument(
    metavar="MODEL", help="As `detectors list` numbers it, such as 3 or r3, or its digest."
)
_OTHER = typer.Argument(metavar="OTHER", help="The one to compare it with.")
_REASON = typer.Option("--reason", help="Why; whoever reads it later wants to know.")
_JSON = typer.Option("--json", help="One JSON object a line.")


@detectors_app.command("list")
def list_detectors(as_json: Annotated[bool, _JSON] = False) -> None:
    """List all outlier models, then re-rankers, newest first; * marks what is in force."""
    from maskwatch.commands.detectors import detector_views as views
    from maskwatch.commands.detectors.reranker_views import RerankerView, read_rerankers

    settings = load_settings(StoreSettings)
    models: list[views.DetectorView | RerankerView] = [
        *views.read_detectors(settings),
        *read_rerankers(settings),
    ]
    echo_list(
        (model.to_json() if as_json else model.to_text() for model in models),
        "There is no outlier model yet: the job retrain makes one once there are clean records.",
    )


@detectors_app.command("show")
def show_detector(model: Annotated[str, _EITHER], as_json: Annotated[bool, _JSON] = False) -> None:
    """Show what a model learnt from, what it was judged by, and when it was in force."""
    from maskwatch.commands.detectors import detector_views, reranker_views
    from store.models.rerankers import is_reranker_name

    settings = load_settings(JobSettings)
    view: detector_views.DetectorView | reranker_views.RerankerView
    if is_reranker_name(model):
        view = reranker_views.read_reranker(settings, model)
    else:
        view = detector_views.read_detector(settings, model)
    for line in [view.to_json()] if as_json else view.to_lines():
        typer.echo(line)


@detectors_app.command("compare")
def compare_detectors(model: Annotated[str, _MODEL], other: Annotated[str, _OTHER]) -> None:
    """Compare two models on the newest vetted records."""
    from maskwatch.commands.detectors import detector_comparison as comparison

    settings, now = load_settings(JobSettings), datetime.now(UTC)
    for line in comparison.compare(settings, model, other, now):
        typer.echo(line)


@detectors_app.command("promote")
def promote_detector(model: Annotated[str, _EITHER], reason: Annotated[str, _REASON]) -> None:
    """Put a model in force, whatever the last training said of it."""
    from maskwatch.commands.detectors import detector_changes, reranker_changes
    from store.models.rerankers import is_reranker_name

    changes = reranker_changes if is_reranker_name(model) else detector_changes
    now = datetime.now(UTC)
    typer.echo(changes.promote_by_hand(load_settings(JobSettings), model, reason, now))


@detectors_app.command("rollback")
def roll_back_detector(
    reason: Annotated[str, _REASON],
    reranker: Annotated[
        bool, typer.Option("--reranker", help="The re-ranker, not the outlier model.")
    ] = False,
) -> None:
    """Put the model in force again that was it before the present one."""
    from maskwatch.commands.detectors import detector_changes, reranker_changes

    changes = reranker_changes if reranker else detector_changes
    typer.echo(changes.roll_back(load_settings(JobSettings), reason, datetime.now(UTC)))


@detectors_app.command("freeze")
def freeze_set(
    kind: Annotated[FrozenKind, typer.Argument(help="Vetted records, or planted attacks.")],
    reason: Annotated[str, _REASON],
    client: Annotated[
        list[str] | None,
        typer.Option(help="For attacks: who sent nothing but planted ones, such as key:red-team."),
    ] = None,
    dry_run: Annotated[bool, typer.Option(help="Say what would be frozen.")] = False,
) -> None:
    """Freeze a set of requests that models are held against; it takes the place of the last one."""
    from maskwatch.commands.detectors import freezing

    if (kind is FrozenKind.ATTACK) != bool(client):
        raise typer.BadParameter("--client goes with attack, and attack takes at least one.")
    plan = freezing.Plan(kind, reason, datetime.now(UTC), tuple(client or ()), dry_run)
    typer.echo(freezing.freeze(load_settings(JobSettings), plan))


@detectors_app.command("frozen")
def list_frozen_sets() -> None:
    """List the frozen sets, newest first; * marks those that models are held against."""
    from maskwatch.commands.detectors import freezing

    echo_list(
        freezing.list_sets(load_settings(StoreSettings)),
        "There is no frozen set yet: `maskwatch detectors freeze` makes one.",
    )
