"""The commands that start processes. Thin, as the rest of the command line."""

import os
from datetime import UTC, datetime
from typing import Annotated, NoReturn

import typer

from inference.segmenters.choice import SegmenterName
from maskwatch.listener import check_ports, listen
from store.settings import load_settings


def up(
    demo: Annotated[bool, typer.Option(help="Play the demo's story beside the processes.")] = False,
    upstream: Annotated[
        str | None,
        typer.Option(help="Stand in front of the service at this URL instead of hosting a model."),
    ] = None,
    preset: Annotated[
        str | None, typer.Option(help="How it is talked to: a preset's name, or a TOML file.")
    ] = None,
) -> None:
    """Start service, jobs and dashboard: the place to begin. Ctrl-C stops all of them."""
    from inference.settings import ProxySettings
    from maskwatch import supervisor
    from maskwatch.environment import ALL_SETTINGS
    from store.configuration.names import PREFIX

    if demo:
        _play_demo(stay=True)
    chosen = {"upstream": upstream, "preset": preset}
    for settings in ALL_SETTINGS:
        load_settings(settings)
    attached = load_settings(ProxySettings, **chosen)
    names = supervisor.ATTACHED_PROCESSES if attached.relay.upstream else supervisor.PROCESSES
    environment = dict(os.environ) | {
        f"{PREFIX}{name.upper()}": value for name, value in chosen.items() if value is not None
    }
    _try_ports()
    supervisor.run(supervisor.Supervisor(environment, names), lambda: None)


def _try_ports() -> None:
    """Open and close the ports of the processes: one in use is said before any is started.

    All are open at a time, so that one port of two addresses of which one holds the other is found.
    """
    from dashboard.settings import DashboardSettings
    from inference.settings import ServiceSettings

    service = load_settings(ServiceSettings).service
    pages = load_settings(DashboardSettings).dashboard
    check_ports((service.host, service.port), (pages.dashboard_host, pages.dashboard_port))
    with (
        listen(service.host, service.port),
        listen(pages.dashboard_host, pages.dashboard_port, "DASHBOARD_"),
    ):
        pass


def serve(
    segmenter: Annotated[
        str | None,
        typer.Option(help=f"{', '.join(SegmenterName)}; over MASKWATCH_SEGMENTER."),
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Folder, ModelScope id or file; over MASKWATCH_MODEL.")
    ] = None,
) -> None:
    """Serve pictures: POST /v1/parse."""
    from inference.settings import ServiceSettings

    settings = load_settings(ServiceSettings, segmenter=segmenter, model=model)
    # Before the server is loaded, which takes seconds: a port in use is said at once.
    listener = listen(settings.service.host, settings.service.port)
    from inference.http.server import run

    run(settings, listener, lambda url: typer.echo(f"Service: {url}/v1/parse"))


def dashboard() -> None:
    """Serve the dashboard; prints a one-time link to open it."""
    from dashboard.settings import DashboardSettings

    settings = load_settings(DashboardSettings)
    listener = listen(
        settings.dashboard.dashboard_host, settings.dashboard.dashboard_port, "DASHBOARD_"
    )
    from dashboard.server import run

    run(settings, listener, lambda link: typer.echo(f"Dashboard: {link}"))


def dashboard_link() -> None:
    """Print a new one-time link to the running dashboard."""
    from dashboard.settings import DashboardSettings
    from maskwatch.commands.processes.running_dashboard import find_dashboard, make_link

    settings = load_settings(DashboardSettings)
    address = find_dashboard(settings)
    link = make_link(settings, address, datetime.now(UTC))
    # Standard output is for the link itself.
    typer.echo(f"A dashboard answers at {address}.", err=True)
    typer.echo(link)


def demo(
    once: Annotated[bool, typer.Option(help="Stop when the story is told.")] = False,
) -> None:
    """Play a story of attacks against a service of its own and print what was observed."""
    _play_demo(stay=not once)


def _play_demo(*, stay: bool) -> NoReturn:
    from rich.console import Console

    from inference.machine.extras import require_extra

    require_extra("dev", "The demo", ("torch", "onnx", "flask"))
    from maskwatch.demo.command import run_demo

    raise typer.Exit(run_demo(Console(highlight=False, soft_wrap=True), stay=stay))
