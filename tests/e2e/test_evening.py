"""An evening in short, with drawn figures: a real service, the jobs, SQLite and a mail server.

The looks are drawn with a fixed secret, so that the evening is the same every time.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from io import BytesIO
from ipaddress import ip_network
from pathlib import Path
from typing import Any, cast

import pytest
from PIL import Image as Pillow
from pydantic import SecretStr
from sqlalchemy import select
from starlette.testclient import TestClient

from inference.http.app import build_app
from inference.segmenters.reference.training.attacks import pgd, square_search
from inference.segmenters.reference.training.segmenter import TorchSegmenter
from inference.segmenters.reference.weights import DEFAULT_WEIGHTS
from inference.service import Service, build_service
from inference.settings import ServiceSettings
from jobs.catalogue import job_named
from jobs.context import JobContext
from jobs.schedule import run_chain
from jobs.settings import JobSettings
from maskwatch.demo.pictures import Picture, encode, figure, make_malformed, ordinary
from maskwatch.demo.visitor import ServiceDesk
from store.counts.periods import WINDOWS
from store.pages.overview import headline, top_reasons
from store.pages.worst_clients import TurnedAwayCount, read_turned_away, worst_clients
from store.tables.work_tables import DecisionRow
from tests.mail_server import MailServer

pytestmark = pytest.mark.timeout(600)

HONEST = tuple(f"203.0.113.{number}" for number in range(10, 32))
PHONES = HONEST[:3]
VANDAL, ARTIST, PROBER, FLOODER = ATTACKERS = tuple(f"198.51.100.{n}" for n in (7, 23, 42, 99))
_QUERIES, _FLOOD = 20, 150


@dataclass(frozen=True)
class Evening:
    """What the evening left.

    Attributes:
        blocked: addresses with an enforced block.
        statuses: answers to each address.
        mails: subject and text of each mail, in the order in which they came.
        rows: clients as the overview lists them.
        turned_away: as the overview counts them.
        requests: as the overview counts them.
    """

    blocked: frozenset[str]
    statuses: dict[str, list[int]]
    mails: Sequence[tuple[str, str]]
    rows: Sequence[str]
    turned_away: Sequence[TurnedAwayCount]
    requests: int


@dataclass
class Stage:
    """A service, its clients and the jobs."""

    service: Service
    http: TestClient
    settings: JobSettings
    statuses: dict[str, list[int]]

    def send(self, address: str, picture: Picture) -> int:
        answer = ServiceDesk(cast(Any, self.http)).send(address, picture)
        self.statuses.setdefault(address, []).append(answer.status)
        return answer.area

    def run_jobs(self) -> None:
        context = JobContext(self.service.database, self.settings, datetime.now(UTC))
        self.service.admission.refusal_counts.store()
        for name in ("scan", "evaluate_alerts", "roll_up", "notify"):
            run_chain(job_named(name), lambda: context)
        self.service.access.refresh()


@pytest.fixture(scope="module")
def mail_server() -> Iterator[MailServer]:
    server = MailServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def evening(tmp_path_factory: pytest.TempPathFactory, mail_server: MailServer) -> Evening:
    var_dir = tmp_path_factory.mktemp("evening")
    with closing(make_service(var_dir)) as service:
        app = build_app(service)
        with TestClient(app, client=("192.0.2.1", 5)) as http:
            stage = Stage(service, http, job_settings(var_dir, mail_server), {})
            play(stage)
            return outcome(stage, mail_server)


def make_service(var_dir: Path) -> Service:
    """A service whose looks are the same every time; a slow machine changes nothing either."""
    return build_service(
        ServiceSettings(
            var_dir=var_dir,
            trusted_proxies=(ip_network("192.0.2.1/32"),),
            ensemble="never",
            rate_per_second=0.05,
            rate_burst=25,
            refusal_pause_seconds=0,
            fingerprint_salt=SecretStr("the evening's secret"),
        )
    )


def job_settings(var_dir: Path, mail_server: MailServer) -> JobSettings:
    return JobSettings(
        var_dir=var_dir,
        simulate_blocks=False,
        smtp_host="127.0.0.1",
        smtp_port=mail_server.port,
        smtp_starttls=False,
    )


def play(stage: Stage) -> None:
    for number, address in enumerate((*HONEST, *HONEST)):
        stage.send(address, ordinary(number))
    stage.run_jobs()
    for picture in map(as_gif, range(4)):
        for address in PHONES:
            stage.send(address, picture)
    for picture, _ in (*make_malformed(7), *make_malformed(8)):
        stage.send(VANDAL, picture)
    segmenter = TorchSegmenter.load(DEFAULT_WEIGHTS)
    for seed in range(2000, 2010):
        hostile = pgd(segmenter, figure(seed), epsilon=8, steps=8, seed=seed)
        stage.send(ARTIST, encode(hostile, "look", "PNG"))
    search(stage)
    flood, last = ordinary(1), ordinary(3)
    for _ in range(_FLOOD):
        stage.send(FLOODER, flood)
    stage.run_jobs()
    for address in (*HONEST, *ATTACKERS):
        stage.send(address, last)


def search(stage: Stage) -> None:
    smallest = [float("inf")]

    def is_better(query: Any) -> bool:
        area = stage.send(PROBER, encode(query, "try", "PNG"))
        improved = area < smallest[0]
        smallest[0] = min(area, smallest[0])
        return improved

    for _ in square_search(figure(3000), is_better, epsilon=16, queries=_QUERIES, seed=3):
        pass


def as_gif(seed: int) -> Picture:
    buffer = BytesIO()
    Pillow.fromarray(figure(seed)).save(buffer, "GIF")
    return Picture("phone.gif", "image/gif", buffer.getvalue())


def outcome(stage: Stage, mail_server: MailServer) -> Evening:
    now = datetime.now(UTC)
    period = WINDOWS["24h"].period(now)
    blocks = select(DecisionRow.value).where(DecisionRow.simulated.is_(False))
    with stage.service.database.read() as session:
        reasons = top_reasons(session, period, 100)
        return Evening(
            blocked=frozenset(value.removeprefix("ip:") for value in session.scalars(blocks)),
            statuses=stage.statuses,
            mails=[read_mail(each) for each in mail_server.mails],
            rows=[each.client for each in worst_clients(session, period, now, 6)],
            turned_away=read_turned_away(session, period, reasons),
            requests=headline(session, period, now).requests,
        )


def read_mail(message: EmailMessage) -> tuple[str, str]:
    body = message.get_body(("plain",))
    assert body is not None
    return str(message["Subject"]), body.get_content()


def test_all_four_attackers_are_blocked_and_nobody_else(evening: Evening) -> None:
    assert evening.blocked == set(ATTACKERS)
    assert {evening.statuses[address][-1] for address in ATTACKERS} == {403}
    assert {evening.statuses[address][-1] for address in HONEST} == {200}


def test_phones_that_send_gif_are_told_so_each_time(evening: Evening) -> None:
    for address in PHONES:
        assert evening.statuses[address] == [200, 200, *(4 * [415]), 200]


def test_each_attacker_has_a_mail_and_the_first_names_one(evening: Evening) -> None:
    subjects = [subject for subject, _ in evening.mails]
    wanted = {f"[Maskwatch] FIRING warning: client ip:{each} attacks" for each in ATTACKERS}
    assert wanted <= set(subjects)
    assert subjects[0] in wanted


def test_the_overview_names_the_attackers_first(evening: Evening) -> None:
    assert set(evening.rows[:4]) == {f"ip:{address}" for address in ATTACKERS}


def test_every_request_of_the_flood_is_counted(evening: Evening) -> None:
    flood = evening.statuses[FLOODER].count(429)
    [shown] = [each for each in evening.turned_away if each.kind == "flood"]
    assert flood > 100
    assert shown.requests == flood
    assert shown.recorded < 10
    assert evening.requests >= sum(map(len, evening.statuses.values())) - len(ATTACKERS)


def test_no_mail_names_an_honest_client_as_an_attacker(evening: Evening) -> None:
    attacks = [subject for subject, _ in evening.mails if "attacks" in subject]
    assert not any(f"ip:{address} " in subject for subject in attacks for address in HONEST)
