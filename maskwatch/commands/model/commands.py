"""The commands ``maskwatch model``. Thin, as the rest of the command line."""

from pathlib import Path
from typing import Annotated

import typer

from store.settings import load_settings

model_app = typer.Typer(help="Model files: sign, verify, show.", no_args_is_help=True)

_MODEL = typer.Argument(help="A model folder, or a file of weights.")
_KEYS = typer.Option("--key", help="Public key in PEM; default: MASKWATCH_MODEL_KEYS.")


@model_app.command("sign")
def sign_model(
    path: Annotated[Path, _MODEL],
    key: Annotated[Path, typer.Option(help="Private key in PEM, on an elliptic curve.")],
) -> None:
    """Sign every file; a locked key has its password in MASKWATCH_MODEL_KEY_PASSWORD."""
    from inference.model_settings import SigningSettings
    from maskwatch.commands.model import model_files as model

    print(model.sign_model(path, key, load_settings(SigningSettings)))  # noqa: T201


@model_app.command("verify")
def verify_model(
    path: Annotated[Path, _MODEL], keys: Annotated[list[Path] | None, _KEYS] = None
) -> None:
    """Check files and signature; exit code 1 if anything is not as it was signed."""
    from maskwatch.commands.model import model_files as model

    for line in model.verified_lines(model.verify(path, _keys_or_configured(keys))):
        print(line)  # noqa: T201


@model_app.command("show")
def show_model(
    path: Annotated[Path, _MODEL],
    keys: Annotated[list[Path] | None, _KEYS] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """List files, sizes and hashes, the signature and what picklescan says; nothing is loaded."""
    from maskwatch.commands.model import model_files as model

    shown = model.show(path, _keys_or_configured(keys))
    for line in [model.to_json(shown)] if as_json else model.to_text(shown):
        print(line)  # noqa: T201


def _keys_or_configured(keys: list[Path] | None) -> tuple[Path, ...]:
    from inference.settings import ServiceSettings

    return tuple(keys) if keys else load_settings(ServiceSettings).parsing.model_keys
