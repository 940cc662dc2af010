"""Plays a deployment up to its checkpoints, and keeps what the installation was at each.

Everything is kept in a folder: a run that is killed goes on where it was, and attacks that are made
later are tried on the installation as it was after so many requests.
"""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.deployment.installation import Model, open_installation
from bench.deployment.traffic import Message

_RUNNING = "running"


@dataclass(frozen=True)
class Place:
    """Where a deployment is kept, and with which model.

    Attributes:
        data: folder with all the photos and models.
        weights: of the reference segmenter, instead of the shipped ones.
    """

    folder: Path
    model: Model
    data: Path
    weights: Path | None = None

    @property
    def running(self) -> Path:
        """The folder of the installation that goes on."""
        return self.folder / _RUNNING


def play(place: Place, messages: Sequence[Message], checkpoints: Sequence[int]) -> Iterator[int]:
    """Send everything that was not sent yet; says after how many requests a checkpoint is kept."""
    for count in checkpoints:
        if not snapshot_of(place, count).is_dir():
            with open_installation(
                place.running, place.model, place.data, place.weights
            ) as installation:
                installation.send_until(messages, count)
            _keep(place.running, snapshot_of(place, count))
        yield count


def snapshot_of(place: Place, count: int) -> Path:
    """The folder of the installation as it was after so many requests."""
    return place.folder / f"after-{count}"


def _keep(running: Path, snapshot: Path) -> None:
    """A copy that appears whole or not at all."""
    half = snapshot.with_name(f"{snapshot.name}.half")
    shutil.rmtree(half, ignore_errors=True)
    shutil.copytree(running, half)
    half.rename(snapshot)
