"""``maskwatch proxy --learn``: what it says, and where it writes."""

from pathlib import Path

import typer

from detectors.errors import MaskwatchError
from inference.http.proxy.learning_server import check_loopback, learn
from inference.settings import ProxySettings
from inference.upstream.learning.learn import Lesson
from inference.upstream.learning.preset_text import show_line, write_preset
from maskwatch.listener import listen
from store.settings import load_settings


class FileUnusable(MaskwatchError):
    """The learned preset cannot be written where it should."""


def learn_preset(upstream: str | None, requests: int, out: Path | None) -> None:
    """Watch until there is enough, then print the preset, or write it.

    Raises:
        MaskwatchError: no upstream is named, its address or the file is not usable.
        typer.Exit: with 1 if there is no preset.
    """
    settings = load_settings(ProxySettings, upstream=upstream)
    place = settings.relay.upstream_address().authority
    check_loopback(settings.service.host)
    if out is not None:
        _check_file(out)
    listener = listen(settings.service.host, settings.service.port)

    def announce(url: str) -> None:
        typer.echo(f"Learning: {url} in front of {place}. Nothing is gated.", err=True)
        typer.echo(
            f"Requests with pictures to send there: {requests}. Ctrl-C ends it earlier.", err=True
        )

    lesson = learn(settings, listener, requests, announce)
    _publish(lesson, out)


def _publish(lesson: Lesson, out: Path | None) -> None:
    if lesson.preset is None:
        for sentence in lesson.sentences:
            typer.echo(show_line(sentence), err=True)
        raise typer.Exit(1)
    text = write_preset(lesson.preset, lesson.sentences)
    typer.echo(text, nl=False)
    if out is not None:
        _write(out, text)
        typer.echo(f"Written to {out}: check it, then name it with --preset.", err=True)


def _check_file(out: Path) -> None:
    """Say before anybody sends pictures what would fail after it."""
    if out.suffix != ".toml":
        raise FileUnusable(f"{out} does not end in .toml, as the file of a preset does.")
    if out.exists() or not out.parent.is_dir():
        raise FileUnusable(f"{out} exists already, or its folder does not: name another file.")


def _write(out: Path, text: str) -> None:
    try:
        with out.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise FileUnusable(f"{out} cannot be written: {error.strerror}.") from None
