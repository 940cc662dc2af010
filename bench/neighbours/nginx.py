"""Senders behind a real nginx that names them in every form: who is recorded, who is blocked."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx2 as httpx
from sqlalchemy import func, select

from bench.evening.attackers import malformed
from bench.gate.service import running_service
from bench.neighbours.front import READABLE, UNREADABLE, running_front
from bench.report import Figures
from inference.figures import draw_figure
from jobs.blocking import decide
from jobs.context import JobContext
from jobs.settings import JobSettings
from maskwatch.demo.pictures import encode
from store.engine.database import Database
from store.settings import load_settings
from store.tables.request_tables import RequestRow
from store.tables.work_tables import DecisionRow

_HONEST = tuple(f"127.1.0.{number}" for number in range(1, 41))
_ATTACKERS = tuple(f"127.2.0.{number}" for number in range(1, 4))
_CLAIM = {"X-Forwarded-For": "203.0.113.9"}
_UNREADABLE = "unreadable"
_UNKNOWN = "unknown@127.0.0.1"


@dataclass(frozen=True)
class Senders:
    """Clients with addresses of their own, and what each was answered.

    Attributes:
        doors: address of nginx for each form of the header.
        uploads: how many each name should have in the records.
    """

    doors: Mapping[str, str]
    uploads: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)

    def send(self, address: str, form: str, data: bytes) -> int:
        """One upload from an address, which claims to be somebody else; its status."""
        transport = httpx.HTTPTransport(local_address=address)
        name = _UNKNOWN if form == _UNREADABLE else f"ip:{address}"
        with httpx.Client(transport=transport, timeout=60, trust_env=False) as http:
            answer = http.post(self.doors[form], files={"file": ("a", data)}, headers=_CLAIM)
        self.uploads[name] += 1
        if answer.status_code >= 500:
            self.failures[str(answer.status_code)] += 1
        return answer.status_code


def measure_nginx(hostile: Path) -> Figures:
    """40 honest clients in six forms, three attackers, and hostile files of nobody that is named.

    Raises:
        NginxMissing: nginx is not installed.
        ServiceFailed: the service does not start.
    """
    headers = {**READABLE, _UNREADABLE: UNREADABLE}
    with (
        TemporaryDirectory(prefix="maskwatch-nginx-") as folder,
        running_service(VAR_DIR=folder, RATE_PER_SECOND="0") as service,
        running_front(service.url, headers) as doors,
    ):
        senders = Senders(doors)
        _send_all(senders, malformed(hostile))
        settings = load_settings(JobSettings, var_dir=Path(folder), simulate_blocks=False)
        with closing(Database.open(settings)) as database:
            recorded = _count_records(database)
            decide.run(JobContext(database, settings, datetime.now(UTC)))
            blocked = _blocked_names(database)
        afterwards = dict(_ask_afterwards(senders))
    return _figures(senders, recorded, blocked, afterwards)


def _send_all(senders: Senders, hostile: Sequence[bytes]) -> None:
    pictures = [encode(draw_figure(seed).image, "", "JPEG").data for seed in range(len(_HONEST))]
    for form in READABLE:
        for address, data in zip(_HONEST, pictures, strict=True):
            senders.send(address, form, data)
    forms = tuple(READABLE)
    for number, data in enumerate(hostile):
        for address in _ATTACKERS:
            senders.send(address, forms[number % len(forms)], data)
        senders.send(_ATTACKERS[0], _UNREADABLE, data)


def _count_records(database: Database) -> Counter[str]:
    counted = select(RequestRow.client, func.count().label("count")).group_by(RequestRow.client)
    with database.read() as session:
        return Counter({row.client: row.count for row in session.execute(counted)})


def _blocked_names(database: Database) -> frozenset[str]:
    with database.read() as session:
        return frozenset(session.scalars(select(DecisionRow.value)))


def _ask_afterwards(senders: Senders) -> Iterator[tuple[str, int]]:
    """What a picture of everybody is answered once the service has read the blocks."""
    picture = encode(draw_figure(1_000).image, "", "JPEG").data
    for address in _ATTACKERS:
        while (status := senders.send(address, "address", picture)) != 403:
            if senders.uploads[f"ip:{address}"] > 1_000:
                break
        yield address, status
    for address in _HONEST:
        yield address, senders.send(address, "forwarded", picture)


def _figures(
    senders: Senders,
    recorded: Counter[str],
    blocked: frozenset[str],
    afterwards: Mapping[str, int],
) -> Figures:
    named = {f"ip:{address}" for address in (*_HONEST, *_ATTACKERS)} | {_UNKNOWN}
    return {
        "nginx_forms": len(senders.doors),
        "nginx_uploads": senders.uploads.total(),
        "nginx_records": recorded.total(),
        "nginx_records_of_others": sum(
            count for name, count in recorded.items() if name not in named
        ),
        "nginx_records_of_nobody": recorded[_UNKNOWN],
        "nginx_failures": senders.failures.total(),
        "nginx_attackers_blocked": len(blocked & {f"ip:{each}" for each in _ATTACKERS}),
        "nginx_others_blocked": len(blocked - {f"ip:{each}" for each in _ATTACKERS}),
        "nginx_attackers_403": sum(afterwards[each] == 403 for each in _ATTACKERS),
        "nginx_honest_200": sum(afterwards[each] == 200 for each in _HONEST),
    }
