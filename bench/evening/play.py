"""Plays the evening: uploads over HTTP in slices, and after each slice the jobs, once.

Time is compressed and nothing else: records and jobs have the real clock, and the pauses between
uploads are left out. Two uploads are under way at a time, of whoever comes next, and those of a
flood beside them. All that a client sends lies within one window of the policy, which makes it
harder on honest clients than an evening of hours would be.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random

import httpx2 as httpx
from rich.progress import track

from bench.evening.attackers import Attacker
from bench.evening.honest import Upload
from bench.gate.flood import post
from jobs.catalogue import job_named
from jobs.context import JobContext
from jobs.schedule import run_chain

SLICES = 24
_AT_ONCE, _FLOODED_AT_ONCE = 2, 60
# `scan` is followed by `decide`, and trains a first model when there are records enough.
_JOBS = ("scan", "evaluate_alerts", "roll_up", "notify")


@dataclass
class Tally:
    """What the senders saw.

    Attributes:
        began_at: first upload of each address.
        honest: answers to honest clients by kind of file and status.
        statuses: answers to each attacker.
    """

    began_at: dict[str, datetime] = field(default_factory=dict)
    honest: Counter[tuple[str, int]] = field(default_factory=Counter)
    statuses: dict[str, Counter[int]] = field(default_factory=dict)


@dataclass(frozen=True)
class Evening:
    """Everybody who sends, and where to."""

    url: str
    honest: Sequence[Upload]
    attackers: Sequence[Attacker]
    context_now: Callable[[], JobContext]

    def play(self) -> Tally:
        """All slices in order, and the jobs after each."""
        tally = Tally()
        for number in track(range(SLICES), "The evening"):
            asyncio.run(self._slice(number, tally))
            self._run_jobs()
        return tally

    def _run_jobs(self) -> None:
        for name in _JOBS:
            run_chain(job_named(name), self.context_now)

    async def _slice(self, number: int, tally: Tally) -> None:
        share = len(self.honest) // SLICES
        uploads = list(self.honest[number * share : (number + 1) * share])
        flood = list[Upload]()
        for attacker in self.attackers:
            (flood if attacker.is_flood else uploads).extend(attacker.uploads_in(number))
        Random(number).shuffle(uploads)  # noqa: S311
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
        async with httpx.AsyncClient(timeout=120, limits=limits) as http:
            await asyncio.gather(
                _at_once(_AT_ONCE, (self._send(http, tally, each) for each in uploads)),
                _at_once(_FLOODED_AT_ONCE, (self._send(http, tally, each) for each in flood)),
            )

    async def _send(self, http: httpx.AsyncClient, tally: Tally, upload: Upload) -> None:
        tally.began_at.setdefault(upload.client, datetime.now(UTC))
        status = (await post(http, self.url, upload.data, upload.client)).status_code
        names = {each.address: each.name for each in self.attackers}
        if upload.client in names:
            tally.statuses.setdefault(names[upload.client], Counter())[status] += 1
        else:
            tally.honest[upload.kind, status] += 1


async def _at_once(most: int, sends: Iterator[Coroutine[None, None, None]]) -> None:
    """Senders that each take the next upload when their own is answered."""

    async def work() -> None:
        for send in sends:
            await send

    await asyncio.gather(*(work() for _ in range(most)))
