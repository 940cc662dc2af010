"""``python -m bench NAME``: one measurement."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from bench.segmenter import measure_segmenter
from detectors.errors import MaskwatchError

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)
DATA = Path("..") / "shared" / "data" / "parsing"


@app.callback()
def common() -> None:
    """Measurements against peers and fixed data."""


@app.command()
def segmenter(
    json: Annotated[Path, typer.Option(help="Where the figures go.")],
    data: Annotated[Path, typer.Option(help="Folder with images/ and labels/.")] = DATA,
) -> None:
    """The reference segmenter on the fixed 80-photo test split."""
    measure_segmenter(data, json)


if __name__ == "__main__":
    try:
        app()
    except MaskwatchError as error:
        sys.exit(f"bench: {error}")
