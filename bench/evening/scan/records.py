"""Plays the earlier traffic and the evening, and keeps what the service recorded of both."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from bench.deployment.installation import Model
from bench.deployment.play import Place, play, snapshot_of
from bench.deployment.traffic import Message
from bench.evening.scan.intruders import Pictures, Victim
from bench.evening.scan.mixed import mix

# Where the benchmark `deployment` keeps the whole mixed one, behind the name of the model.
_KNOWN = "mixed-0-1"


@dataclass(frozen=True)
class Recorded:
    """An installation as it was before the evening, and after it.

    Attributes:
        messages: everything that was sent, in its order.
        earlier: how many of these came before the evening; all of them are honest.
    """

    before: Path
    after: Path
    messages: tuple[Message, ...]
    earlier: int


def record_evening(
    cache: Path,
    data: Path,
    traffic: tuple[Message, ...],
    earlier: int,
    pictures: Pictures,
    victim: Victim,
    draw: int = 0,
) -> Recorded:
    """Send everything that was not sent in a run before.

    The earlier traffic is that of the benchmark ``deployment``, which may have played it.
    """
    folder = cache / "deployments"
    known = Place(folder / f"{victim.name}-{_KNOWN}", Model.REFERENCE, data, victim.weights)
    _play_until(known, traffic, earlier)
    before = snapshot_of(known, earlier)
    messages = (*traffic[:earlier], *mix(traffic[earlier:], pictures, draw))
    name = f"evening-{victim.name}-{earlier}-{len(traffic)}-{len(messages) - len(traffic)}-{draw}"
    evening = Place(folder / name, Model.REFERENCE, data, victim.weights)
    _begin(evening, before)
    _play_until(evening, messages, len(messages))
    return Recorded(before, snapshot_of(evening, len(messages)), messages, earlier)


def _play_until(place: Place, messages: tuple[Message, ...], count: int) -> None:
    for _ in play(place, messages, (count,)):
        pass


def _begin(evening: Place, before: Path) -> None:
    """Go on in a copy of the installation, which appears whole or not at all."""
    if evening.running.is_dir():
        return
    half = evening.folder / "running.half"
    shutil.rmtree(half, ignore_errors=True)
    shutil.copytree(before, half)
    half.rename(evening.running)
