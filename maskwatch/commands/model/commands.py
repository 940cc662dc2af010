"""The commands ``maskwatch model``. Thin, as the rest of the command line."""

from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from store.settings import load_settings

model_app = typer.Typer(
    help="Models: check one, sign, verify and show its files, learn a baseline.",
    no_args_is_help=True,
)

_MODEL = typer.Argument(help="A model folder, or a file of weights.")
_KEYS = typer.Option("--key", help="Public key in PEM; default: MASKWATCH_MODEL_KEYS.")


@model_app.command("sign")
def sign_model(
    path: Annotated[Path, _MODEL],
    key: Annotated[
        Path, typer.Option(metavar="FILE", help="Private key in PEM, on an elliptic curve.")
    ],
) -> None:
    """Sign every file; a locked key has its password in MASKWATCH_MODEL_KEY_PASSWORD."""
    from inference.segmenters.model_settings import SigningSettings
    from maskwatch.commands.model import model_files

    typer.echo(model_files.sign_model(path, key, load_settings(SigningSettings)))


@model_app.command("verify")
def verify_model(
    path: Annotated[Path, _MODEL], keys: Annotated[list[Path] | None, _KEYS] = None
) -> None:
    """Check files and signature; exit code 1 if anything is not as it was signed."""
    from maskwatch.commands.model.model_files import describe_verification, verify_signed_model

    for line in describe_verification(verify_signed_model(path, _choose_keys(keys))):
        typer.echo(line)


@model_app.command("show")
def show_model(
    path: Annotated[Path, _MODEL],
    keys: Annotated[list[Path] | None, _KEYS] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """List files, sizes and hashes, the signature and what picklescan says; nothing is loaded."""
    from maskwatch.commands.model import model_files

    view = model_files.inspect(path, _choose_keys(keys))
    for line in [model_files.to_json(view)] if as_json else model_files.to_text(view):
        typer.echo(line)


@model_app.command("check")
def check_model(path: Annotated[Path, _MODEL]) -> None:
    """Load a model, signed or not: its labels and groups, and what it makes of drawn people."""
    from maskwatch.commands.model import model_check

    for line in model_check.check_model(path):
        typer.echo(line)


@model_app.command()
def learn_baseline(
    paths: Annotated[
        list[Path], typer.Argument(metavar="FOLDER", help="Folders of clean pictures.")
    ],
    out_file: Annotated[
        Path, typer.Option("--out", metavar="FILE", help="Where the baseline goes.")
    ],
) -> None:
    """Learn from clean pictures what is normal for the model, so that crafted ones stand out."""
    from inference.service import build_service
    from inference.settings import ServiceSettings
    from maskwatch.commands.model import baseline

    with closing(build_service(load_settings(ServiceSettings))) as service:
        result = baseline.learn_baseline(service, paths)
    baseline.write_baseline(result, out_file)
    typer.echo(f"Wrote {out_file}: set MASKWATCH_BASELINE={out_file} for the service.")


def _choose_keys(keys: list[Path] | None) -> tuple[Path, ...]:
    from inference.settings import ServiceSettings

    return tuple(keys) if keys else load_settings(ServiceSettings).parsing.model_keys
