"""What one client did, by kind of evidence: for the block policy, the alerts and the overview."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, literal, null, select
from sqlalchemy.orm import Session

from detectors.evidence.kinds import WEIGHTS, EvidenceKind, Exhibit, codes_of, count_kinds
from detectors.evidence.sums import EvidenceSum, weigh
from detectors.rule_book import OUTLIER_TRAFFIC
from store.counts.turned_away import count_floods
from store.requests.client_names import ADDRESS_PREFIX, addresses_of, network_of
from store.requests.records import Stage
from store.requests.request_keys import key_of
from store.tables.request_tables import FindingRow, RequestRow, ScoreRow, reasons_table

_MAX_REQUEST_IDS = 20
MAX_ROWS = 2000
"""Signs of one client that are looked at; more change no decision."""
WEIGHING_CODES = codes_of(*WEIGHTS)
MISTAKE_CODES = codes_of(EvidenceKind.MISTAKE)
REASON: ColumnElement[str] = reasons_table.c.reason
UPLOAD = func.coalesce(RequestRow.content_sha256, RequestRow.request_id)
"""What tells different files apart."""
IS_UPLOAD = RequestRow.stage != Stage.ADMISSION.value
"""Whether a file was read of a request."""


@dataclass(frozen=True)
class ClientEvidence:
    """What one client did; of IPv6, all addresses of its /64 together.

    Attributes:
        uploads: different files that were read of it.
        counts: different files by the most telling kind that each shows; of a flood, requests.
        request_ids: of the newest requests that count.
    """

    client: str
    uploads: int
    counts: Mapping[EvidenceKind, int]
    request_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sign:
    """A code that one request was given, and that weighs.

    Attributes:
        upload: what tells different files apart.
        numbers: of the finding, if the code is that of one.
    """

    request_id: str
    upload: str
    code: str
    numbers: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Suspect:
    """A client with what weighs against it."""

    evidence: ClientEvidence
    sum: EvidenceSum


def judge_client(
    session: Session, client: str, since: datetime, chances: Mapping[EvidenceKind, float]
) -> Suspect:
    """What a client did after a time, and what it weighs."""
    evidence = read_evidence(session, client, since)
    return Suspect(evidence, weigh(evidence.counts, evidence.uploads, chances))


def read_evidence(session: Session, client: str, since: datetime) -> ClientEvidence:
    """What a client did after a time."""
    names = names_of(session, client, since)
    its_own = (RequestRow.client.in_(names), *_after(since))
    rows, is_cut = _evidence_rows(session, its_own)
    if is_cut:
        # All that is compared is of one span, or who sends most would have the least share.
        its_own = (*its_own, RequestRow.id >= rows[-1].id)
    signs = [Sign(row.request_id, row.upload, row.reason, row.numbers or {}) for row in rows]
    mistakes = _mistakes(session, its_own)
    floods = sum(count_floods(session, since, name).get(name, 0) for name in names)
    uploads = session.scalar(select(func.count(UPLOAD.distinct())).where(*its_own, IS_UPLOAD))
    return sum_up(client, signs, mistakes, floods, uploads or 0)


def sum_up(
    client: str, signs: Sequence[Sign], mistakes: Iterable[str], floods: int, uploads: int
) -> ClientEvidence:
    """What signs against a client, the newest first, say together. Pure.

    Args:
        mistakes: codes of the different mistakes among its requests.
        floods: its requests too many.
        uploads: different files that were read of it.
    """
    exhibits = [Exhibit(sign.upload, sign.code, sign.numbers) for sign in signs]
    counts = count_kinds([*exhibits, *(Exhibit("", code) for code in mistakes)])
    counts[EvidenceKind.FLOOD] += floods
    return ClientEvidence(
        client=client,
        uploads=uploads,
        counts={kind: number for kind, number in counts.items() if number},
        request_ids=tuple(dict.fromkeys(sign.request_id for sign in signs))[:_MAX_REQUEST_IDS],
    )


def _evidence_rows(
    session: Session, its_own: Sequence[ColumnElement[bool]]
) -> tuple[list[Any], bool]:
    """Id, request id, upload, reason and numbers of what weighs, newest first.

    Also whether there are more, from before the last of them.
    """
    columns = (RequestRow.id, RequestRow.request_id, UPLOAD.label("upload"))
    newest = RequestRow.id.desc()
    by_reason = (
        select(*columns, REASON.label("reason"), FindingRow.evidence.label("numbers"))
        .join(reasons_table, reasons_table.c.request_pk == RequestRow.id)
        .outerjoin(
            FindingRow, and_(FindingRow.request_pk == RequestRow.id, FindingRow.rule == REASON)
        )
        .where(*its_own, REASON.in_(WEIGHING_CODES))
    )
    by_score = (
        select(
            *columns,
            literal(OUTLIER_TRAFFIC.code).label("reason"),
            null().label("numbers"),
        )
        .join(ScoreRow, ScoreRow.request_pk == RequestRow.id)
        .where(*its_own, ScoreRow.outlier)
    )
    parts = [
        session.execute(each.order_by(newest).limit(MAX_ROWS)).all()
        for each in (by_reason, by_score)
    ]
    begins = max((part[-1].id for part in parts if len(part) == MAX_ROWS), default=0)
    rows = [row for part in parts for row in part if row.id >= begins]
    return sorted(rows, key=lambda row: -row.id), begins > 0


def _mistakes(session: Session, its_own: Sequence[ColumnElement[bool]]) -> Sequence[str]:
    """The different mistakes among its requests."""
    statement = (
        select(REASON)
        .distinct()
        .join(RequestRow, RequestRow.id == reasons_table.c.request_pk)
        .where(*its_own, REASON.in_(MISTAKE_CODES))
    )
    return session.scalars(statement).all()


def _after(since: datetime) -> tuple[ColumnElement[bool], ...]:
    return (RequestRow.id >= key_of(since), RequestRow.received_at > since)


def names_of(
    session: Session, client: str, since: datetime, until: datetime | None = None
) -> Sequence[str]:
    """The names that records after a time give a client: an address of IPv6 is one of its /64."""
    network = addresses_of(client)
    if network is None or network.version == 4:
        return (client,)
    # Every way to write an address of the network begins with its first group.
    first = client[: client.index(":", len(ADDRESS_PREFIX)) + 1]
    before = () if until is None else (RequestRow.id <= key_of(until),)
    names = session.scalars(
        select(RequestRow.client)
        .distinct()
        .where(*_after(since), *before, RequestRow.client.startswith(first, autoescape=True))
    )
    return [name for name in names if network_of(name) == network_of(client)]
