"""The commands ``maskwatch proxy``. Thin, as the rest of the command line."""

from pathlib import Path
from typing import Annotated

import typer

from maskwatch.listener import listen
from store.settings import load_settings

proxy_app = typer.Typer(invoke_without_command=True)


@proxy_app.callback()
def stand_in_front(
    context: typer.Context,
    upstream: Annotated[
        str | None, typer.Option(help="URL of that service; over MASKWATCH_UPSTREAM.")
    ] = None,
    preset: Annotated[
        str | None, typer.Option(help="A preset's name, or a TOML file; over MASKWATCH_PRESET.")
    ] = None,
    is_learning: Annotated[
        bool, typer.Option("--learn", help="Gate nothing; watch, and print a preset.")
    ] = False,
    requests: Annotated[
        int, typer.Option(min=1, max=1000, help="With --learn: requests with pictures to watch.")
    ] = 3,
    out: Annotated[
        Path | None, typer.Option(help="With --learn: a new file for the preset.")
    ] = None,
) -> None:
    """Stand in front of a parsing service that runs already: gate its pictures, pass the rest."""
    if context.invoked_subcommand is not None:
        return
    if is_learning and preset is not None:
        raise typer.BadParameter("--learn finds a preset: name none with --preset.")
    if out is not None and not is_learning:
        raise typer.BadParameter("--out is for what --learn finds.")
    if is_learning:
        from maskwatch.commands.proxy.learning import learn_preset

        learn_preset(upstream, requests, out)
        return
    from inference.http.proxy.server import run
    from inference.settings import ProxySettings

    settings = load_settings(ProxySettings, upstream=upstream, preset=preset)
    place = settings.relay.upstream_address().authority
    listener = listen(settings.service.host, settings.service.port)
    run(settings, listener, lambda url: typer.echo(f"Proxy: {url} in front of {place}"))


@proxy_app.command("presets")
def list_presets(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """List the presets: their doors, and the files to copy for one's own."""
    from maskwatch.commands.proxy.preset_list import to_json, to_text, view_presets

    for view in view_presets():
        typer.echo(to_json(view) if as_json else to_text(view))
