"""Slows down whoever asks again at once after a refusal."""

from asyncio import sleep
from random import Random


class Tarpit:
    """Holds answers back for a moment.

    A sender that waits for each answer cannot ask more often than that, so a flood of refused
    requests takes next to nothing from the requests that are worked on. Each answer waits between
    half of the time and one and a half, or many senders would fall into step and come back as one.
    At most ``most`` answers are held; further ones go out at once, so that they do not use up the
    connections.
    """

    def __init__(self, seconds: float, most: int, random: Random) -> None:
        self._seconds = seconds
        self._most = most
        self._random = random
        self._count = 0

    async def hold(self) -> None:
        """Wait, if there is room to."""
        if self._count >= self._most:
            return
        self._count += 1
        try:
            await sleep(self._seconds * self._random.uniform(0.5, 1.5))
        finally:
            self._count -= 1
