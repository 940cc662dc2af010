"""The options of commands that work in one process or in several, and the engine they mean."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from jobs.engines.base import Engine, EngineUnusable
from jobs.engines.local import LOCAL


class EngineName(StrEnum):
    """In this process, or in several with Ray."""

    LOCAL = "local"
    RAY = "ray"


EngineOption = Annotated[
    EngineName, typer.Option("--engine", help="This process, or several with Ray (extra ray).")
]
AddressOption = Annotated[
    str | None,
    typer.Option(help="Of a Ray cluster, host:port; by default a Ray of our own is started."),
]
ActorsOption = Annotated[
    int | None,
    typer.Option(min=1, help="How many of Ray's processes work; by default one a processor."),
]


@contextmanager
def open_engine(
    name: EngineName, address: str | None, actors: int | None, var_dir: Path
) -> Iterator[Engine]:
    """The engine that the options mean, until the block ends.

    Raises:
        EngineUnusable: it cannot be started, or has no such options.
    """
    if name is EngineName.RAY:
        from jobs.engines.ray_engine import open_ray  # noqa: PLC0415 - only who asks for it

        with open_ray(var_dir, address, actors) as engine:
            yield engine
    elif address is None and actors is None:
        yield LOCAL
    else:
        raise EngineUnusable("--address and --actors are options of --engine ray.")
