"""What is sent: the traffic of the deployment, and from some place on attacks among it."""

from collections.abc import Sequence

import numpy as np

from bench.deployment.traffic import Message
from bench.evening.scan.intruders import SEARCH, Pictures

_SEED = 17


def mix(traffic: Sequence[Message], pictures: Pictures, draw: int = 0) -> tuple[Message, ...]:
    """The traffic in its order, with the pictures of each attack spread over it in theirs.

    A search is one client's; all other attack pictures come from a client each.
    """
    random = np.random.default_rng(_SEED + draw)
    hostile = [_list_messages(number, *each) for number, each in enumerate(pictures.items())]
    owners = random.permutation([place for place, each in enumerate(hostile) for _ in each])
    total = len(traffic) + len(owners)
    taken = dict(zip(sorted(random.choice(total, len(owners), replace=False)), owners, strict=True))
    queues, honest = [iter(each) for each in hostile], iter(traffic)
    return tuple(next(queues[taken[place]] if place in taken else honest) for place in range(total))


def _list_messages(number: int, attack: str, files: Sequence[bytes]) -> list[Message]:
    return [
        Message(f"ip:172.{16 + number}.{0 if attack == SEARCH else place}.7", data, attack)
        for place, data in enumerate(files)
    ]
