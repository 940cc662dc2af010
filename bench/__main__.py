"""``python -m bench NAME``: one measurement."""

import sys

import typer

from bench.commands import deployment, detection, models, serving, storing
from detectors.errors import MaskwatchError

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)


@app.callback()
def common() -> None:
    """Measurements against peers and fixed data."""


for group in (serving, storing, models, detection, deployment):
    app.add_typer(group.app)


if __name__ == "__main__":
    try:
        app()
    except MaskwatchError as error:
        sys.exit(f"bench: {error}")
