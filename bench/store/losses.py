"""What is lost when processes are killed, a server stops or a disk is full: nothing, one hopes."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from bench.store.faults import Tally, full_disk, kill_recorder, outage
from bench.store.servers import KINDS, open_place
from detectors.errors import MaskwatchError
from store.engine.database import Database
from store.engine.schema.versions import upgrade
from store.settings import StoreSettings


class NoSmallDisk(MaskwatchError):
    """A small disk cannot be mounted here."""


def measure_losses(folder: Path, rounds: int) -> dict[str, float]:
    """Rounds of each fault; records that were acknowledged, and those of them that are gone."""
    figures: dict[str, float] = {}
    for kind in KINDS:
        with open_place(kind, folder / f"kill-{kind}") as place:
            figures |= _name_figures(f"kill_{kind}", kill_recorder(place.settings, rounds))
    with open_place("postgres", folder / "outage") as place:
        tally = outage(place.settings, place.server.stop, place.server.start)
        figures |= _name_figures("outage", tally)
    with small_disk(folder / "small") as disk:
        settings = StoreSettings(var_dir=disk, database_wait_seconds=0.2)
        with closing(Database.open(settings)) as database:
            upgrade(database)
        figures |= _name_figures("full_disk", full_disk(settings))
    losses = sum(value for name, value in figures.items() if name.startswith(("lost", "twice")))
    return {"lost_after_kill": losses, **figures}


def _name_figures(name: str, tally: Tally) -> dict[str, float]:
    return {
        f"acknowledged_{name}": tally.acknowledgements,
        f"refused_{name}": tally.refusals,
        f"lost_{name}": tally.losses,
        f"twice_{name}": tally.doubles,
    }


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A disk of a few megabytes.

    Raises:
        NoSmallDisk: this user may not mount one.
    """
    mount, umount = shutil.which("mount"), shutil.which("umount")
    if os.geteuid() != 0 or mount is None or umount is None:
        raise NoSmallDisk("Mounting a small disk needs root.")
    folder.mkdir(parents=True)
    command = [mount, "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)]
    process = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if process.returncode:
        raise NoSmallDisk(f"A tmpfs cannot be mounted here: {process.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run([umount, str(folder)], check=True)  # noqa: S603
