"""``python -m bench deployment``: alarms, detection and cost while a deployment is learnt."""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from rich.console import Console

from bench.deployment.play import Attacked, fresh_installation, play
from bench.deployment.traffic import Kind, Message, add_hostile, read_deployment
from bench.report import rows_table

_CHECKPOINTS = (200, 600, 1200)
_COLUMNS = ("traffic", "hostile", "after", "state", "n", "flagged", "bad", "crafted", "cost_ratio")


@dataclass(frozen=True)
class Options:
    """What is played.

    Attributes:
        requests: of the clean traffic; the last checkpoint is at most there.
        tests: clean test photos; ``None``: all.
        attacks: attacked pictures of each attack, from the cache of ``detection-attacks``.
        hostile: share of the traffic that is hostile, and how many clients send it.
    """

    data: Path
    cache: Path
    traffic: tuple[Kind, ...]
    requests: int
    tests: int | None
    attacks: int
    hostile: tuple[float, int] = (0.0, 1)


def hostile_of(text: str) -> tuple[float, int]:
    """Share and clients, as the option says them.

    >>> hostile_of("0.2/50")
    (0.2, 50)
    """
    share, _, clients = text.partition("/")
    return float(share), int(clients)


def measure_deployment(options: Options, out: Path) -> None:
    """Play every deployment, print a line for each checkpoint, write all.

    Raises:
        PhotosMissing: a folder of photos is missing.
    """
    rows = [row for kind in options.traffic for row in _play(options, kind)]
    Console().print(rows_table("Deployment", rows, _COLUMNS))
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps({"deployment": rows}, indent=2) + "\n")


def _play(options: Options, kind: Kind) -> list[dict[str, object]]:
    deployment = read_deployment(options.data, kind, options.requests)
    found, sent = _read_attacks(options.cache, options.attacks)
    messages: Sequence[Message] = add_hostile(deployment.messages, sent, *options.hostile)
    checkpoints = {count for count in _CHECKPOINTS if count < len(messages)} | {len(messages)}
    fixed = {
        "model": "reference",
        "traffic": kind.value,
        "hostile": "{:g} from {}".format(*options.hostile),
    }
    with fresh_installation() as player:
        steps = play(
            player, messages, sorted(checkpoints), deployment.tests[: options.tests], found
        )
        return [{**fixed, **step} for step in steps]


def _read_attacks(cache: Path, most: int) -> tuple[Attacked, list[tuple[str, bytes]]]:
    """Successful attacks: those on one half of the photos are looked for, the others are sent."""
    found: defaultdict[str, list[bytes]] = defaultdict(list)
    sent: list[tuple[str, bytes]] = []
    for facts_file in sorted(cache.glob("attacks/*/*.json")):
        facts, png = json.loads(facts_file.read_text()), facts_file.with_suffix(".png")
        if not facts["succeeded"] or not png.is_file():
            continue
        name = facts["attack"]
        if sha256(facts["picture"].encode()).digest()[0] % 2:
            sent.append((name, png.read_bytes()))
        elif len(found[name]) < most:
            found[name].append(png.read_bytes())
    return Attacked({name: pictures for name, pictures in found.items() if pictures}), sent
